"""What agents say, and what becomes of it; recorded from HAProxy 3.5-dev5."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

from farm import make_fleet, make_plan, said

from evener.haproxy.checks.agent import AgentReport, agent_line, agent_script, parse_report
from evener.haproxy.checks.outcome import CheckStatus, Outcome
from evener.haproxy.fleet import Fleet
from evener.haproxy.health import CheckSettings, InitState
from evener.haproxy.server_state import FarmSettings, Operation, Server, ServerSettings
from evener.haproxy.stats import status_of


@pytest.mark.parametrize(
    ("line", "report"),
    [
        ("75%,maxconn:30,maint,down", AgentReport(75, True, 30, "maint", "down", spelt="down")),
        ("weight:7 maxconn:5", AgentReport(7, False, 5)),
        ("weight:50%", AgentReport(50, True)),
        ("fail # because x", AgentReport(operational="fail", description="because x", spelt="fail")),
        (" \tup,ready ", AgentReport(administrative="ready", operational="up", spelt="up")),
        ("", AgentReport()),
        ("frob 7", AgentReport(unknown="frob")),
        ("UP Ready", AgentReport(operational="up", administrative="ready", spelt="UP")),
        ("up,#x y", AgentReport(operational="up", description="x y", spelt="up")),
        ("up#x", AgentReport(unknown="up#x")),
        ("# only", AgentReport(description="only")),
        ("maxconn:", AgentReport(warning="Require <maxconn>.")),
        ("maxconn:x", AgentReport(warning="maxconn string empty or preceded by garbage")),
        ("maxconn:5x", AgentReport(warning="Trailing garbage in maxconn string")),
        ("maxconn:+5", AgentReport(maxconn=5)),
        ("weight:", AgentReport(warning="Require <weight> or <weight%>.")),
        ("weight:x", AgentReport(warning="Empty weight string empty or preceded by garbage")),
        ("50%%", AgentReport(warning="Trailing garbage in weight string")),
        ("-5%", AgentReport(unknown="-5%")),
        ("5", AgentReport(unknown="5")),
    ],
)
def test_reports(line: str, report: AgentReport) -> None:
    assert parse_report(line) == report


def test_the_line_ends_at_the_first_end() -> None:
    assert agent_line(b"up", False) is None
    assert agent_line(b"up\rdown\n", False) == (CheckStatus.CHECKED, 0, "up")
    assert agent_line(b"up", True) == (CheckStatus.L7TOUT, 0, "Ignoring incomplete line from agent")
    assert agent_line(b"", True) is None


AGENT = CheckSettings(agent_script(None), rise=1, fall=1, agent=True, init=InitState.UP)


def watched(weight: int = 10) -> tuple[Fleet, Server]:
    plan = make_plan({"b": [{"weight": weight}, {}]})
    fleet = make_fleet(plan, {"b/s1": ServerSettings(agent=AGENT)}, FarmSettings(log_health_checks=True))
    return fleet, fleet.farms[0].servers[0]


def hear(fleet: Fleet, server: Server, line: str) -> list[str]:
    assert server.agent is not None
    return said(fleet.agent_ended(1.0, server, server.agent, Outcome(CheckStatus.CHECKED, 0, line)))


def test_down_and_up_again() -> None:
    fleet, server = watched()
    assert hear(fleet, server, "down") == [
        "5 Agent check for server b/s1 failed, reason: Layer7 wrong status, code: 0, "
        'info: "via agent : down", check duration: 0ms, status: 0/1 DOWN.',
        "1 Server b/s1 is DOWN. 1 active and 0 backup servers left. "
        "0 sessions active, 0 requeued, 0 remaining in queue.",
    ]
    assert status_of(server) == "DOWN (agent)"
    assert hear(fleet, server, "50%") == []
    assert server.operation is Operation.STOPPED
    assert server.weight == 5
    assert hear(fleet, server, "up 20%")[1].startswith("5 Server b/s1 is UP. 2 active")
    assert server.weight == 2


def test_administrative_words() -> None:
    fleet, server = watched()
    assert hear(fleet, server, "drain")[0].startswith("5 Server b/s1 enters drain state.")
    assert status_of(server) == "DRAIN (agent)"
    assert hear(fleet, server, "ready") == ["5 Server b/s1 is UP (leaving forced drain)."]
    hear(fleet, server, "maint down")
    assert hear(fleet, server, "ready") == ["5 Server b/s1 is DOWN/READY (leaving forced maintenance)."]


def test_limits() -> None:
    fleet, server = watched(100)
    hear(fleet, server, "75%,maxconn:30,maint,down")
    assert (server.weight, server.maxconn, int(server.admin)) == (75, 30, 1)


def test_an_agent_that_does_not_answer_changes_nothing() -> None:
    fleet, server = watched()
    assert server.agent is not None
    refused = Outcome(CheckStatus.L4CON, 0, "ECONNREFUSED returned by OS (Connection refused)")
    told = said(fleet.agent_ended(1.0, server, server.agent, refused))
    assert told[0].endswith("check duration: 0ms, status: 1/1 UP.")
    assert said(fleet.agent_ended(1.0, server, server.agent, refused)) == []
    assert server.operation is Operation.RUNNING
