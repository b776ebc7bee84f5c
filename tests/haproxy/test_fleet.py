"""What happens to servers, and the sentences HAProxy 3.5-dev5 says about it (recorded)."""

import pytest
from farm import Cells, cells_set, make_fleet, make_plan, said

from evener.haproxy.checks.outcome import CheckStatus, Outcome
from evener.haproxy.columns import Column
from evener.haproxy.commands import Bump, GoBehind
from evener.haproxy.fleet import Fleet
from evener.haproxy.health import CheckSettings, Health, InitState
from evener.haproxy.observe import LimitReached, Observer, ObserveSettings, OnError
from evener.haproxy.server_state import Admin, FarmSettings, Operation, Server, ServerSettings

PASS = Outcome(CheckStatus.L4OK)
FAIL = Outcome(CheckStatus.L4CON, 0, "ECONNREFUSED returned by OS (Connection refused)")
COND = Outcome(CheckStatus.L7OKC, 404)
CHECKED = ServerSettings(check=CheckSettings())
REASON = (
    ', reason: Layer4 connection problem, info: "ECONNREFUSED returned by OS (Connection refused)", '
    "check duration: 0ms"
)


def checked(server: Server) -> Health:
    assert server.health is not None
    return server.health


def fleet_of(count: int = 2, **settings: ServerSettings) -> Fleet:
    known = {f"b/{name}": value for name, value in settings.items()}
    return make_fleet(make_plan({"b": [{} for _ in range(count)]}), known)


def end(fleet: Fleet, server: Server, *outcomes: Outcome, now: float = 1.0) -> list[str]:
    told: list[str] = []
    for outcome in outcomes:
        told += said(fleet.check_ended(now, server, checked(server), outcome))
    return told


def test_the_first_failure_takes_a_new_server_down() -> None:
    fleet = fleet_of(3, s2=CHECKED)
    s2 = fleet.farms[0].servers[1]
    assert end(fleet, s2, FAIL) == [
        f"1 Server b/s2 is DOWN{REASON}. 2 active and 0 backup servers left. "
        "0 sessions active, 0 requeued, 0 remaining in queue."
    ]
    assert s2.downs == 1
    assert checked(s2).failures == 0
    assert end(fleet, s2, FAIL) == []


def test_rise_and_fall() -> None:
    fleet = fleet_of(2, s1=CHECKED)
    s1 = fleet.farms[0].servers[0]
    end(fleet, s1, FAIL)
    assert end(fleet, s1, PASS) == []
    assert end(fleet, s1, FAIL) == []
    assert end(fleet, s1, PASS) == []
    assert end(fleet, s1, PASS) == [
        "5 Server b/s1 is UP, reason: Layer4 check passed, check duration: 0ms. "
        "2 active and 0 backup servers online. 0 sessions requeued, 0 total in queue."
    ]
    assert end(fleet, s1, FAIL, FAIL) == []
    assert s1.operation is Operation.RUNNING
    assert len(end(fleet, s1, FAIL)) == 1
    assert s1.operation is Operation.STOPPED


def test_the_last_server() -> None:
    fleet = fleet_of(1, s1=CHECKED)
    told = end(fleet, fleet.farms[0].servers[0], FAIL)
    assert told[1] == "0 backend b has no server available!"
    assert fleet.farms[0].downs == 1


def test_running_on_backup() -> None:
    fleet = make_fleet(make_plan({"b": [{}, {"backup": True}]}), {"b/s1": CHECKED, "b/s2": CHECKED})
    s1, s2 = fleet.farms[0].servers
    (told,) = end(fleet, s1, FAIL)
    assert "0 active and 1 backup servers left. Running on backup. 0 sessions active" in told
    assert end(fleet, s2, FAIL)[0].startswith("1 Backup Server b/s2 is DOWN, ")


def test_log_health_checks() -> None:
    plan = make_plan({"b": [{}, {}]})
    fleet = make_fleet(plan, {"b/s1": CHECKED}, FarmSettings(log_health_checks=True))
    s1 = fleet.farms[0].servers[0]
    assert end(fleet, s1, PASS, PASS, PASS, FAIL) == [
        "5 Health check for server b/s1 succeeded, reason: Layer4 check passed, check duration: 0ms, "
        "status: 1/2 DOWN.",
        "5 Health check for server b/s1 succeeded, reason: Layer4 check passed, check duration: 0ms, "
        "status: 3/3 UP.",
        f"5 Health check for server b/s1 failed{REASON}, status: 2/3 UP.",
    ]
    told = end(fleet, s1, FAIL, FAIL)
    assert told[-1].startswith("1 Server b/s1 is DOWN. 1 active")


def test_conditional_pass_stops_the_server() -> None:
    fleet = fleet_of(1, s1=CHECKED)
    s1 = fleet.farms[0].servers[0]
    assert end(fleet, s1, COND, COND) == [
        "5 Server b/s1 is stopping, reason: Layer7 check conditionally passed, code: 404, "
        "check duration: 0ms. 0 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.",
        "0 backend b has no server available!",
    ]
    assert s1.operation is Operation.STOPPING
    assert s1.up
    assert not s1.usable


def test_followers() -> None:
    fleet = fleet_of(2, s1=CHECKED, s2=ServerSettings(tracks=(0, 0)))
    s1, s2 = fleet.farms[0].servers
    told = end(fleet, s1, FAIL)
    assert told[1] == (
        "1 Server b/s2 is DOWN via b/s1. 0 active and 0 backup servers left. "
        "0 sessions active, 0 requeued, 0 remaining in queue."
    )
    assert s2.operation is Operation.STOPPED
    told = said(fleet.set_maintenance(2.0, s1))
    assert told == [
        "5 Server b/s1 was DOWN and now enters maintenance.",
        "5 Server b/s2 was DOWN and now enters maintenance via b/s1.",
    ]
    assert s2.admin == Admin.INHERITED_MAINT
    told = said(fleet.set_drain(3.0, s1))
    assert told == [
        "5 Server b/s1 is UP/DRAIN (leaving forced maintenance).",
        "5 Server b/s1 remains in forced drain mode.",
        "5 Server b/s2 is UP/DRAIN (leaving maintenance).",
        "5 Server b/s2 remains in drain mode via b/s1.",
    ]
    assert said(fleet.set_ready(4.0, s1)) == [
        "5 Server b/s1 is UP (leaving forced drain).",
        "5 Server b/s2 is UP (leaving drain) via b/s1.",
    ]


def test_maintenance() -> None:
    fleet = fleet_of(2, s1=CHECKED)
    s1 = fleet.farms[0].servers[0]
    assert said(fleet.set_maintenance(5.0, s1)) == [
        "1 Server b/s1 is going DOWN for maintenance. 1 active and 0 backup servers left. "
        "0 sessions active, 0 requeued, 0 remaining in queue."
    ]
    assert checked(s1).paused
    assert end(fleet, s1, PASS, PASS, PASS) == []
    assert said(fleet.set_maintenance(5.0, s1)) == []
    commands = fleet.set_ready(7.0, s1)
    assert said(commands) == ["5 Server b/s1 is UP/READY (leaving forced maintenance)."]
    assert cells_set(commands, Column.USABLE) == [1]
    assert s1.downtime == 2.0
    assert checked(s1).level == 2
    assert len(end(fleet, s1, FAIL)) == 1


def test_configured_maintenance() -> None:
    fleet = make_fleet(make_plan({"b": [{"disabled": True}, {}]}), {"b/s1": CHECKED})
    s1 = fleet.farms[0].servers[0]
    assert (int(s1.operation), int(s1.admin), checked(s1).state_bits()) == (0, 5, 14)
    fleet.set_ready(1.0, s1)
    assert (int(s1.operation), int(s1.admin), checked(s1).state_bits()) == (2, 4, 6)


def test_drain_up_and_down() -> None:
    fleet = fleet_of(2, s1=CHECKED)
    s1 = fleet.farms[0].servers[0]
    commands = fleet.set_drain(1.0, s1)
    assert said(commands) == [
        "5 Server b/s1 enters drain state. 1 active and 0 backup servers online. "
        "0 sessions requeued, 0 total in queue."
    ]
    assert cells_set(commands, Column.USABLE) == [0]
    assert s1.up
    fleet.set_ready(1.0, s1)
    end(fleet, s1, FAIL)
    assert said(fleet.set_drain(1.0, s1))[0].endswith(
        "left. 0 sessions active, 0 requeued, 0 remaining in queue."
    )


def test_forced_health() -> None:
    fleet = fleet_of(2, s1=CHECKED)
    s1 = fleet.farms[0].servers[0]
    assert said(fleet.force_health(1.0, s1, Operation.STOPPED))[0].startswith(
        "1 Server b/s1 is DOWN, changed from CLI. 1 active"
    )
    assert said(fleet.force_health(1.0, s1, Operation.RUNNING))[0].startswith(
        "5 Server b/s1 is UP, changed from CLI. 2 active"
    )
    assert said(fleet.force_health(1.0, s1, Operation.STOPPING))[0].startswith(
        "5 Server b/s1 is stopping, changed from CLI. 1 active and 0 backup servers online."
    )


def test_weight_zero_is_not_chosen() -> None:
    fleet = fleet_of(2)
    commands = fleet.set_weight(1.0, fleet.farms[0].servers[0], 0)
    assert cells_set(commands, Column.USABLE) == [0]
    assert Bump(fleet.farms[0].plan.row, Column.EPOCH) in commands
    commands = fleet.set_weight(1.0, fleet.farms[0].servers[0], 7)
    assert cells_set(commands, Column.WEIGHT) == [112]


def test_slow_start() -> None:
    settings = ServerSettings(check=CheckSettings(), slowstart=16_000)
    fleet = fleet_of(1, s1=settings)
    s1 = fleet.farms[0].servers[0]
    end(fleet, s1, FAIL, now=1.0)
    end(fleet, s1, PASS, PASS, now=10.0)
    assert s1.operation is Operation.STARTING
    assert s1.effective_weight(10.0) == 1
    assert cells_set(fleet.tick(18.0), Column.WEIGHT) == [9]
    assert fleet.warming
    assert cells_set(fleet.tick(26.0), Column.WEIGHT) == [16]
    assert not fleet.warming


def test_marked_down_kills_sessions() -> None:
    fleet = fleet_of(1, s1=ServerSettings(check=CheckSettings(), shutdown_sessions=True))
    s1 = fleet.farms[0].servers[0]
    commands = fleet.check_ended(1.0, s1, checked(s1), FAIL)
    assert Bump(s1.plan.row, Column.SHUTDOWN_EPOCH) in commands


@pytest.mark.parametrize(
    ("init", "operation", "level"),
    [
        (InitState.NONE, Operation.RUNNING, 0),
        (InitState.UP, Operation.RUNNING, 2),
        (InitState.FULLY_UP, Operation.RUNNING, 4),
        (InitState.DOWN, Operation.STOPPED, 1),
        (InitState.FULLY_DOWN, Operation.STOPPED, 0),
    ],
)
def test_init_state(init: InitState, operation: Operation, level: int) -> None:
    s1 = fleet_of(1, s1=ServerSettings(check=CheckSettings(init=init))).farms[0].servers[0]
    assert (s1.operation, checked(s1).level) == (operation, level)


def test_intervals() -> None:
    health = Health(CheckSettings(inter=2000, fastinter=100, downinter=5000))
    assert health.interval(up=True) == 100
    for _ in range(2):
        health.ended(PASS)
    assert health.interval(up=True) == 2000
    health.ended(FAIL)
    assert health.interval(up=True) == 100
    for _ in range(2):
        health.ended(FAIL)
    assert health.interval(up=False) == 5000


def test_every_pair_of_effect_and_state_is_defined() -> None:
    for operation in Operation:
        for outcome in (PASS, FAIL, COND):
            fleet = fleet_of(2, s1=ServerSettings(check=CheckSettings(rise=1, fall=1)))
            s1 = fleet.farms[0].servers[0]
            s1.operation = operation
            end(fleet, s1, outcome)
            expected = {
                CheckStatus.L4OK: (Operation.RUNNING, Operation.STARTING),
                CheckStatus.L4CON: (Operation.STOPPED,),
                CheckStatus.L7OKC: (Operation.STOPPING, Operation.STOPPED),
            }[outcome.status]
            assert s1.operation in expected


def observed(on_error: OnError, cells: Cells) -> tuple[Fleet, Server]:
    settings = ServerSettings(check=CheckSettings(), observe=ObserveSettings(4, 3, on_error))
    fleet = make_fleet(make_plan({"b": [{}, {}]}), {"b/s1": settings}, cells=cells)
    server = fleet.farms[0].servers[0]
    end(fleet, server, PASS, PASS, PASS)
    return fleet, server


def errors(fleet: Fleet, server: Server, cells: Cells, count: int, good: int = 0) -> tuple[list[str], bool]:
    cells.add(server.plan.row, Column.ERR_CONN, count)
    cells.add(server.plan.row, Column.CONNECTIONS, count + good)
    commands, soon = fleet.observe(5.0, server)
    return said(commands), soon


def test_observed_errors_mark_down() -> None:
    cells = Cells()
    fleet, server = observed(OnError.MARK_DOWN, cells)
    assert errors(fleet, server, cells, 2) == ([], False)
    told, soon = errors(fleet, server, cells, 1)
    assert told == [
        "1 Server b/s1 is DOWN, reason: Health analyze, info: "
        '"Detected 3 consecutive errors, last one was: L4 unsuccessful connection". '
        "1 active and 0 backup servers left. 1 sessions active, 0 requeued, 0 remaining in queue."
    ]
    assert soon
    assert server.observed == 1


def test_each_attempt_is_an_error_and_the_limit_is_what_is_told() -> None:
    cells = Cells()
    fleet, server = observed(OnError.MARK_DOWN, cells)
    cells.add(server.plan.row, Column.RETRIES, 4)
    assert "Detected 3 consecutive errors" in errors(fleet, server, cells, 1)[0][0]


def test_statuses_that_tell_of_no_failure_are_successes() -> None:
    """501 and 505, as ``http-fail-codes`` has them."""
    cells = Cells()
    observer = Observer(ObserveSettings(7, 1), 1, cells.get)
    cells.add(1, Column.HRSP_5XX, 1)
    assert observer.look() is None
    cells.add(1, Column.HRSP_5XX, 1)
    cells.add(1, Column.HRSP_FAILED, 1)
    assert observer.look() == LimitReached(1, "Wrong http response", True)
    cells.add(1, Column.ERR_RES, 1)
    assert observer.look() == LimitReached(1, "Wrong http response", False)


def test_a_success_starts_the_count_again() -> None:
    cells = Cells()
    fleet, server = observed(OnError.MARK_DOWN, cells)
    errors(fleet, server, cells, 2)
    errors(fleet, server, cells, 0, good=1)
    assert errors(fleet, server, cells, 2) == ([], False)
    assert errors(fleet, server, cells, 1)[0] != []


@pytest.mark.parametrize(
    ("on_error", "operation", "level", "soon"),
    [
        (OnError.FASTINTER, Operation.RUNNING, 4, True),
        (OnError.FAIL_CHECK, Operation.RUNNING, 3, False),
        (OnError.SUDDEN_DEATH, Operation.RUNNING, 2, True),
        (OnError.MARK_DOWN, Operation.STOPPED, 0, True),
    ],
)
def test_on_error(on_error: OnError, operation: Operation, level: int, soon: bool) -> None:
    cells = Cells()
    fleet, server = observed(on_error, cells)
    assert errors(fleet, server, cells, 3)[1] is soon
    assert (server.operation, checked(server).level) == (operation, level)


def test_who_changes_goes_behind_its_equals() -> None:
    fleet = fleet_of()
    first = fleet.farms[0].servers[0]
    assert not any(isinstance(command, GoBehind) for command in fleet.set_weight(1.0, first, 7))
    fleet.farms[0].plan.least = True
    behind = GoBehind(first.plan.row, fleet.farms[0].plan.row)
    assert behind in fleet.set_weight(1.0, first, 9)
    assert behind not in fleet.set_weight(1.0, first, 9), "nothing has changed"
    assert behind in fleet.set_maintenance(1.0, first)
    assert behind in fleet.set_ready(2.0, first)
    assert behind not in fleet.set_maxconn(first, 5)
