"""State files: what is read, what a server takes over, and what the configuration says anew."""

import socket

import pytest
from farm import make_fleet, make_plan

from evener.haproxy.addresses import SERVER, parse_address
from evener.haproxy.checks.outcome import CheckStatus
from evener.haproxy.health import CheckSettings
from evener.haproxy.init_address import settle_addresses
from evener.haproxy.sections.server import ServerOptions
from evener.haproxy.sections.servers import Server as Line
from evener.haproxy.server_state import Admin, Operation, Server, ServerSettings
from evener.haproxy.state_file import BadFile, StateRow, read, take_over

COLUMNS = (
    "be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight "
    "srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state "
    "srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port "
    "srv_check_addr srv_agent_addr srv_agent_port"
)  # fmt: skip
LINE = "3 b 1 s1 127.0.0.1 2 0 1 1 25 15 3 4 6 0 0 0 - 8000 - 0 0 - - 0"


def row(**changes: object) -> StateRow:
    names = COLUMNS.split()
    words = LINE.split()
    for name, value in changes.items():
        words[names.index(name)] = str(value)
    return StateRow(tuple(words))


def server(checked: bool = True, **fields: object) -> Server:
    settings = ServerSettings(check=CheckSettings(rise=2, fall=3)) if checked else ServerSettings()
    fleet = make_fleet(make_plan({"b": [dict(fields)]}), {"b/s1": settings}, now=100.0)
    return next(iter(fleet))


def taken(changed: dict[str, object], **fields: object) -> Server:
    one = server(**fields)  # type: ignore[arg-type]
    assert take_over(one, row(**changed), 100.0) is None
    return one


def test_the_text_of_a_file() -> None:
    (only,) = read(f"1\n# {COLUMNS}\n\n{LINE}\n")
    assert (only.backend, only.server, only.address, only.number(18)) == ("b", "s1", "127.0.0.1", 8000)
    for text, kind in (("", "empty"), ("2\n", "version"), ("hello", "version"), ("1\n# x\n3 b 1 s1\n", 2)):
        with pytest.raises(BadFile) as caught:
            read(text)
        assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("changes", "operation", "level"),
    [
        ({"srv_op_state": 2, "srv_check_health": 3}, Operation.RUNNING, 4),
        ({"srv_op_state": 0, "srv_check_health": 1}, Operation.STOPPED, 0),
        ({"srv_op_state": 1, "srv_check_health": 4}, Operation.STARTING, 1),
        ({"srv_op_state": 3, "srv_check_health": 4}, Operation.STOPPING, 2),
        ({"srv_op_state": 3, "srv_check_health": 3}, Operation.STOPPING, 3),
    ],
)
def test_operation_and_health(changes: dict[str, object], operation: Operation, level: int) -> None:
    one = taken(changes)
    assert one.health is not None
    assert (one.operation, one.health.level, one.changed) == (operation, level, 75.0)
    assert one.health.outcome.status is CheckStatus.L7OK


@pytest.mark.parametrize(
    ("before", "disabled_now", "weight", "admin"),
    [
        (0, False, 1, Admin(0)),
        (1, False, 1, Admin.FORCED_MAINT),
        (5, False, 1, Admin(0)),  # enabled anew in the configuration
        (0, True, 1, Admin.FORCED_MAINT | Admin.CONFIGURED_MAINT),  # disabled anew
        (4, True, 1, Admin.CONFIGURED_MAINT),  # enabled by hand before
        (5, True, 1, Admin.FORCED_MAINT | Admin.CONFIGURED_MAINT),
        (8, False, 1, Admin.FORCED_DRAIN),
        (8, False, 0, Admin(0)),  # the drain came from a weight of 0
    ],
)
def test_maintenance_and_drain(before: int, disabled_now: bool, weight: int, admin: Admin) -> None:
    one = taken({"srv_admin_state": before, "srv_iweight": weight}, disabled=disabled_now)
    assert one.admin == admin
    assert one.in_maintenance is bool(admin & Admin.FORCED_MAINT)
    if not one.in_maintenance:
        assert one.health is not None and not one.health.paused


def test_weights_and_checks() -> None:
    assert taken({"srv_uweight": 7, "srv_iweight": 1}).weight == 7
    assert taken({"srv_uweight": 7, "srv_iweight": 9}).weight == 1  # changed in the configuration
    one = taken({"srv_check_state": 2, "srv_check_port": 81, "srv_check_addr": "127.0.0.9"})
    assert one.health is not None and not one.health.enabled
    assert (one.health.settings.port, one.health.settings.address) == (81, "127.0.0.9")


def test_a_server_without_checks_keeps_running() -> None:
    assert taken({"srv_op_state": 0}, checked=False).operation is Operation.RUNNING


def test_what_cannot_be_used_changes_nothing() -> None:
    one = server()
    told = take_over(one, row(srv_op_state=9, srv_uweight="x", srv_admin_state=3), 100.0)
    assert told == (
        "server-state application failed for server 'b/s1', invalid srv_op_state value '9', "
        "invalid srv_uweight value 'x'"
    )
    assert take_over(one, row(srv_admin_state=9), 100.0) == (
        "server-state application failed for server 'b/s1', invalid srv_admin_state value '9'"
    )
    assert (one.operation, one.weight, one.changed) == (Operation.RUNNING, 1, 100.0)


@pytest.mark.parametrize(
    ("methods", "last", "found"),
    [
        (None, "192.0.2.7", "192.0.2.7"),
        (None, None, "127.0.0.1"),
        (("libc", "last"), "192.0.2.7", "127.0.0.1"),
        (("last", "192.0.2.8"), None, "192.0.2.8"),
        (("last", "::1"), "-", "::1"),
        (("none", "192.0.2.8"), "192.0.2.7", ""),
    ],
)
def test_first_addresses(methods: tuple[str, ...] | None, last: str | None, found: str) -> None:
    plan = make_plan({"b": [{"family": 0, "address": "name.example"}]})
    plan.backends[0].servers[0].ir = Line(
        "s1", parse_address("name.example:80", SERVER), ServerOptions(init_addr=methods)
    )
    rows = None if last is None else row(srv_addr=last, srv_port=81)
    settle_addresses(plan, lambda backend, name: rows, lambda host, family: "127.0.0.1")
    one = plan.backends[0].servers[0]
    assert (one.address, one.port) == (found, 8000 if rows is None else 81)
    assert one.family == (0 if not found else socket.AF_INET6 if ":" in found else socket.AF_INET)
    assert next(iter(make_fleet(plan))).in_maintenance is (not found)
