"""From configuration text to check settings: defaults, inheritance, and what is not executed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from evener.haproxy.check_plan import CheckPlanner, full_connections
from evener.haproxy.checks.run import CheckRun, Write
from evener.haproxy.checks.steps import CONNECT_ONLY, Scene, Script
from evener.haproxy.compile import compile_plan
from evener.haproxy.observe import ObserveSettings, OnError
from evener.haproxy.plan import Plan
from evener.haproxy.reader import ReadOptions
from evener.haproxy.resolve import load
from evener.haproxy.server_state import FarmSettings, ServerSettings
from evener.text.diagnostic import Diagnostics

Read = Callable[[str], tuple[Plan, CheckPlanner, Diagnostics]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(text: str) -> tuple[Plan, CheckPlanner, Diagnostics]:
        path = tmp_path / "cfg"
        path.write_text("defaults d\n timeout connect 1s\n timeout server 2s\n timeout client 2s\n" + text)
        found = Diagnostics()
        configuration = load([str(path)], found, ReadOptions())
        assert configuration is not None and not found.has_errors, list(found)
        plan = compile_plan(configuration, found)
        return plan, CheckPlanner(plan, found), found

    return read


def settings(read: Read, text: str, backend: str = "b", index: int = 0) -> ServerSettings:
    plan, planner, _ = read(text)
    return planner.server(plan.backends[plan.names[backend]].servers[index])


def script(read: Read, text: str, backend: str = "b") -> Script:
    check = settings(read, text, backend).check
    assert check is not None
    return check.script


def request(made: Script) -> bytes:
    run = CheckRun(made, Scene(), 0)
    run.start(0)
    (write,) = run.opened(0)
    assert isinstance(write, Write)
    return write.data


def test_defaults_of_a_check(read: Read) -> None:
    check = settings(read, "backend b\n server s 127.0.0.1:80 check\n").check
    assert check is not None
    assert (check.rise, check.fall, check.inter, check.connect_timeout) == (2, 3, 2000, 1000)
    assert check.script is CONNECT_ONLY
    assert settings(read, "backend b\n server s 127.0.0.1:80\n").check is None


def test_options_of_a_check(read: Read) -> None:
    line = "check inter 1s fastinter 200 downinter 5s rise 1 fall 4 addr 127.0.0.2 port 81 init-state down"
    check = settings(read, f"backend b\n timeout check 300\n server s 127.0.0.1:80 {line}\n").check
    assert check is not None
    assert (check.inter, check.fastinter, check.downinter, check.rise, check.fall) == (1000, 200, 5000, 1, 4)
    assert (check.address, check.port, check.timeout, check.init.value) == ("127.0.0.2", 81, 300, "down")


def test_marks_tracking_and_observation(read: Read) -> None:
    text = (
        "backend a\n mode http\n server x 127.0.0.1:80 check on-marked-down shutdown-sessions observe layer7 "
        "error-limit 3 on-error mark-down\n"
        "backend b\n server s 127.0.0.1:80 track a/x slowstart 10s\n"
    )
    first, second = settings(read, text, "a"), settings(read, text)
    assert first.shutdown_sessions
    assert first.observe == ObserveSettings(7, 3, OnError.MARK_DOWN)
    assert (second.tracks, second.slowstart) == ((0, 0), 10_000)


HTTP_DEFAULTS = """
defaults d2
 mode http
 timeout connect 1s
 timeout server 1s
 option httpchk GET /status HTTP/1.1
 http-check send hdr Host www hdr X-Test yes body test
"""


@pytest.mark.parametrize(
    ("lines", "first", "has"),
    [
        ("", b"GET /status HTTP/1.1\r\n", b"\r\n\r\ntest"),
        (" option httpchk\n", b"OPTIONS / HTTP/1.0\r\n", b"OPTIONS / HTTP/1.0\r\n\r\n"),
        (" http-check send hdr Host other body more\n", b"OPTIONS / HTTP/1.0\r\n", b"host: other\r\n"),
        (" option httpchk GET /own\n http-check send hdr A b\n", b"GET /own HTTP/1.0\r\n", b"a: b\r\n"),
    ],
)
def test_rules_of_defaults(read: Read, lines: str, first: bytes, has: bytes) -> None:
    """A section with rules or an option of its own does not use those of its defaults."""
    sent = request(script(read, f"{HTTP_DEFAULTS}backend b\n{lines} server s 127.0.0.1:80 check\n"))
    assert sent.startswith(first)
    assert has in sent


def test_what_is_not_executed_is_said(read: Read) -> None:
    text = "backend b\n mode http\n option httpchk\n http-check connect ssl\n server s 127.0.0.1:80 check\n"
    _, planner, found = read(text)
    before = len(found)
    planner.prepare()
    assert [d.code for d in list(found)[before:]] == ["check-not-executed"]


def test_agent(read: Read) -> None:
    line = "agent-check agent-port 9 agent-inter 5s agent-addr 127.0.0.3 agent-send hi"
    agent = settings(read, f"backend b\n server s 127.0.0.1:80 {line}\n").agent
    assert agent is not None
    assert (agent.port, agent.address, agent.inter, agent.rise, agent.fall) == (9, "127.0.0.3", 5000, 1, 1)
    assert request(agent.script) == b"hi"


def test_farms_and_full_connections(read: Read) -> None:
    plan, planner, _ = read(
        "listen l\n bind 127.0.0.1:1\n maxconn 95\n option log-health-checks\n server s 127.0.0.1:80\n"
        "backend b\n fullconn 7\n"
    )
    assert planner.farm(plan.backends[0]) == FarmSettings("proxy", True)
    full = full_connections(plan)
    assert full(plan.backends[plan.names["b"]]) == 7
    assert full(plan.backends[0]) == 10
