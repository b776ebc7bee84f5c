"""``set server`` about checks: what moves, what is said, what is refused."""

import pytest
from farm import make_fleet, make_plan

from evener.haproxy.checks.agent import agent_script
from evener.haproxy.checks.steps import Send
from evener.haproxy.health import CheckSettings
from evener.haproxy.runtime.server_checks import CHECK_SETTINGS
from evener.haproxy.runtime_api import Told
from evener.haproxy.server_state import Server, ServerSettings


def server(checked: bool = True) -> Server:
    settings = ServerSettings(
        check=CheckSettings(), agent=CheckSettings(agent_script("hi"), agent=True, rise=1, fall=1, port=9)
    )
    plan = make_plan({"b": [{}]})
    return next(iter(make_fleet(plan, {"b/s1": settings} if checked else {})))


@pytest.mark.parametrize(
    ("setting", "words", "told"),
    [
        ("agent-addr", "", "set server <b>/<s> agent-addr requires an address and optionally a port."),
        ("agent-port", "", "set server <b>/<s> agent-port requires a port."),
        ("agent-addr", "x", "invalid addr 'x'"),
        ("agent-port", "x", "provided port is not an integer"),
        ("check-port", "65536", "provided port is invalid"),
        ("check-addr", "127.0.0.1 port 1_0", "provided port is not an integer"),
    ],
)
def test_refused(setting: str, words: str, told: str) -> None:
    answer = CHECK_SETTINGS[setting](None, server(), words.split())  # type: ignore[arg-type]
    assert isinstance(answer, Told) and answer.text == told


@pytest.mark.parametrize("setting", ["agent-addr", "agent-port", "agent-send", "check-addr", "check-port"])
def test_servers_that_are_not_checked(setting: str) -> None:
    answer = CHECK_SETTINGS[setting](None, server(False), ["127.0.0.1"])  # type: ignore[arg-type]
    assert isinstance(answer, Told) and "checks are not enabled on this server" in answer.text


def test_checks_and_agents_move() -> None:
    one = server()
    for setting, words in (
        ("check-addr", ["127.0.0.2", "port", "81"]),
        ("agent-addr", ["127.0.0.3"]),
        ("agent-port", ["99"]),
        ("agent-send", ["state?"]),
    ):
        assert CHECK_SETTINGS[setting](None, one, words) == []  # type: ignore[arg-type]
    assert one.health is not None and one.agent is not None
    assert (one.health.settings.address, one.health.settings.port) == ("127.0.0.2", 81)
    assert (one.agent.settings.address, one.agent.settings.port) == ("127.0.0.3", 99)
    assert Send(b"state?") in one.agent.settings.script.steps
    assert CHECK_SETTINGS["agent-send"](None, one, []) == []  # type: ignore[arg-type]
    assert not any(isinstance(step, Send) for step in one.agent.settings.script.steps)
