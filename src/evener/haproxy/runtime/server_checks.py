"""What ``set server`` changes about the checks of a server: where they go and what they say."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from evener.haproxy.checks.agent import agent_script
from evener.haproxy.commands import Command
from evener.haproxy.health import Health
from evener.haproxy.runtime_api import WARNING, Session, Told
from evener.haproxy.server_state import Server

_DIGITS: Final = re.compile(r"\d{1,10}\Z", re.ASCII)
Change = list[Command] | Told


def _move(health: Health | None, what: str, address: str | None, port: str | None) -> Change:
    """Check another address or port from now on; a refusal is only a warning in the original."""
    if health is None or not health.enabled:
        return Told(f"{what} checks are not enabled on this server", WARNING)
    try:
        host = str(ipaddress.ip_address(address)) if address is not None else None
    except ValueError:
        return Told(f"invalid addr '{address}'", WARNING)
    if port is not None and not _DIGITS.match(port):
        return Told("provided port is not an integer", WARNING)
    if port is not None and int(port) > 65535:
        return Told("provided port is invalid", WARNING)
    health.move(host, int(port) if port is not None else None)
    return []


def _address(kind: str, what: str, of: Callable[[Server], Health | None]) -> Setting:
    def act(_session: Session, server: Server, words: Sequence[str]) -> Change:
        if not words:
            return Told(f"set server <b>/<s> {kind}-addr requires an address and optionally a port.")
        port = words[2] if len(words) > 2 and words[1] == "port" else None
        return _move(of(server), what, words[0], port)

    return act


def _port(kind: str, what: str, of: Callable[[Server], Health | None]) -> Setting:
    def act(_session: Session, server: Server, words: Sequence[str]) -> Change:
        if not words:
            return Told(f"set server <b>/<s> {kind}-port requires a port.")
        return _move(of(server), what, None, words[0])

    return act


def _agent_send(_session: Session, server: Server, words: Sequence[str]) -> Change:
    """The string that the agent is told first; none when the word is missing."""
    agent = server.agent
    if agent is None or not agent.enabled:
        return Told("agent checks are not enabled on this server.")
    agent.settings = replace(agent.settings, script=agent_script(words[0] if words else None))
    return []


Setting = Callable[[Session, Server, Sequence[str]], Change]
CHECK_SETTINGS: Final[dict[str, Setting]] = {
    "check-addr": _address("check", "health", lambda server: server.health),
    "check-port": _port("check", "health", lambda server: server.health),
    "agent-addr": _address("agent", "agent", lambda server: server.agent),
    "agent-port": _port("agent", "agent", lambda server: server.agent),
    "agent-send": _agent_send,
}
