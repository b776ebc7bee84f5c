"""Commands that look at and change one server. Every ``<backend>/<server>`` may use ``#<id>`` forms."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence

from evener.haproxy.columns import Column
from evener.haproxy.commands import Bump, Command, MoveServer, RenameServer
from evener.haproxy.plan import Layout
from evener.haproxy.runtime.server_checks import CHECK_SETTINGS
from evener.haproxy.runtime_api import INFO, Answer, Level, Session, Told, command
from evener.haproxy.server_state import Operation, Server

USAGE = (
    "usage: set server <backend>/<server> addr | agent | agent-addr | agent-port | agent-send | check-addr | "
    "check-port | fqdn | health | name | ssl | state | weight"
)
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_.:\-]")
_SIGNED = re.compile(r"-?\d{1,10}\Z", re.ASCII)
_DIGITS = re.compile(r"\d{1,10}\Z", re.ASCII)
_WEIGHT = re.compile(r"([-+]?\d{1,10})(%?)\Z", re.ASCII)

#: What a command does with a server it found: the commands to perform, or a refusal.
Change = list[Command] | Told


def find_server(session: Session, words: Sequence[str]) -> Server | Told:
    """The server named by the first word."""
    backend, slash, name = words[0].partition("/") if words else ("", "", "")
    if not slash or not backend or not name:
        return Told("Require 'backend/server'.")
    if session.control.fleet.farm(backend) is None:
        return Told("No such backend.")
    return session.control.fleet.find(backend, name) or Told("No such server.")


def change(session: Session, words: Sequence[str], act: Callable[[Server], Change]) -> Answer:
    """Find the server, change it, carry the consequences out."""
    server = find_server(session, words)
    if isinstance(server, Told):
        return server
    done = act(server)
    if isinstance(done, Told):
        return done
    session.control.perform(done)
    return None


def weigh(session: Session, server: Server, text: str) -> Change:
    """An absolute weight, or a percentage of the configured one."""
    match = _WEIGHT.match(text)
    if match is None:
        if text[:1].isascii() and text[:1].isdigit():
            return Told("Trailing garbage in weight string")
        return Told("Empty weight string empty or preceded by garbage")
    number = int(match[1])
    if match[2]:
        if number < 0:
            return Told("Relative weight must be positive.")
        number = server.plan.weight * number // 100
    elif not 0 <= number <= 256:
        return Told("Absolute weight can only be between 0 and 256 inclusive.")
    if server.farm.plan.layout is Layout.TABLE and number not in (0, server.plan.weight):
        return Told("Backend is using a static LB algorithm and only accepts weights '0%' and '100%'.")
    return session.control.fleet.set_weight(session.control.now(), server, min(number, 256))


def set_state(session: Session, server: Server, words: Sequence[str]) -> Change:
    fleet, now = session.control.fleet, session.control.now()
    wanted = words[0] if words else ""
    if wanted == "ready":
        done: Change = fleet.set_ready(now, server)
    elif wanted == "drain":
        done = fleet.set_drain(now, server)
    elif wanted == "maint":
        done = fleet.set_maintenance(now, server)
    else:
        return Told("'set server <srv> state' expects 'ready', 'drain' and 'maint'.")
    return done


def set_health(session: Session, server: Server, words: Sequence[str]) -> Change:
    states = {"up": Operation.RUNNING, "stopping": Operation.STOPPING, "down": Operation.STOPPED}
    wanted = states.get(words[0]) if words else None
    if server.tracked is not None:
        return Told("cannot change health on a tracking server.")
    if wanted is None:
        return Told("'set server <srv> health' expects 'up', 'stopping', or 'down'.")
    return session.control.fleet.force_health(session.control.now(), server, wanted)


def set_agent(session: Session, server: Server, words: Sequence[str]) -> Change:
    if server.agent is None or not server.agent.enabled:
        return Told("agent checks are not enabled on this server.")
    if not words or words[0] not in ("up", "down"):
        return Told("'set server <srv> agent' expects 'up' or 'down'.")
    return session.control.fleet.force_agent(session.control.now(), server, words[0] == "up")


def set_weight_of(session: Session, server: Server, words: Sequence[str]) -> Change:
    return weigh(session, server, words[0]) if words else Told("Require <weight> or <weight%>.")


def set_address(_session: Session, server: Server, words: Sequence[str]) -> Change:
    """``addr <ip> [port <port>]``; the answer tells what changed."""
    if not words:
        return Told("set server <b>/<s> addr requires an address and optionally a port.")
    try:
        address = ipaddress.ip_address(words[0])
    except ValueError:
        return Told(f"Invalid addr '{words[0]}'")
    port = server.port
    if words[1:2] == ["port"]:
        words = [*words, ""]
        if not _DIGITS.match(words[2]) or not 0 < int(words[2]) < 65536:
            return Told(
                f"problem converting port '{words[2]}' to an int"
                if not _DIGITS.match(words[2])
                else "provided port is invalid"
            )
        port = int(words[2])
    told = []
    if str(address) != server.address:
        told.append(f"IP changed from '{server.address}' to '{address}'")
    if port != server.port:
        told.append(f"port changed from '{server.port}' to '{port}'")
    server.address, server.port, server.family = str(address), port, 2 if address.version == 4 else 10
    if not told:
        return Told("nothing changed", INFO)
    control = _session.control
    control.perform([MoveServer(server.farm.plan.index, server.plan.index)])
    control.perform(control.fleet.found_address(control.now(), server))
    return Told(f"{', '.join(told)} by 'stats socket command'", INFO)


def set_name(_session: Session, server: Server, words: Sequence[str]) -> Change:
    """``name <new>``, in maintenance only, and only while nothing in the configuration names it."""
    if not words:
        return Told("set server <b>/<s> name requires a new name.")
    if not server.in_maintenance:
        return Told("Server must be in maintenance mode to be renamed (set server <b>/<s> state maint).")
    if _NOT_A_NAME.search(words[0]):
        return Told("Server name contains invalid characters.")
    if words[0] != server.plan.name:
        if any(other.plan.name == words[0] for other in server.farm.servers):
            return Told("A server with the same name already exists in this backend.")
        if server.followers or server.settings.referenced:
            why = "server's name is statically referenced (use-server, track, or sample argument)."
            return Told(f"Cannot rename: {why}")
        server.plan.name = words[0]
        _session.control.perform([RenameServer(server.farm.plan.index, server.plan.index, words[0])])
    return Told("Server name updated.", INFO)


def set_fqdn(_session: Session, _server: Server, words: Sequence[str]) -> Change:
    """Names are not resolved at run time by this version: no server has a resolution."""
    if not words:
        return Told("set server <b>/<s> fqdn requires a FQDN.")
    return Told("set server <b>/<s> fqdn failed because no resolution is configured.")


def set_ssl(_session: Session, server: Server, words: Sequence[str]) -> Change:
    """TLS is not executed by this version: no server has anything to switch on."""
    if not words:
        return Told("'set server <srv> ssl' expects 'on' or 'off'.")
    if server.plan.dynamic:
        return Told("'set server <srv> ssl' not supported on dynamic servers")
    return Told("'set server <srv> ssl' cannot be set.  default-server should define ssl settings")


_SETTINGS: dict[str, Callable[[Session, Server, Sequence[str]], Change]] = {
    "state": set_state,
    "health": set_health,
    "agent": set_agent,
    "weight": set_weight_of,
    "addr": set_address,
    "ssl": set_ssl,
    **CHECK_SETTINGS,
    "name": set_name,
    "fqdn": set_fqdn,
}


@command(
    "set server",
    "set server <bk>/<srv> [opts]",
    level=Level.ADMIN,
    ok=("set server b/s1 state drain", "set server b/s1 weight 50%", "set server b/s1 addr 127.0.0.2"),
    bad=(
        "set server",
        "set server b",
        "set server b/s1 name x",
        "set server x/y state ready",
        "set server b/s1 frob",
    ),
)
def set_server(session: Session, words: Sequence[str]) -> Answer:
    """change a server's state, weight, address, name or ssl"""

    def act(server: Server) -> Change:
        setting = _SETTINGS.get(words[1]) if len(words) > 1 else None
        return Told(USAGE) if setting is None else setting(session, server, words[2:])

    return change(session, words, act)


@command(
    "set weight",
    "set weight <bk>/<srv>  (DEPRECATED)",
    level=Level.ADMIN,
    ok=("set weight b/s1 7", "set weight b/s1 0"),
    bad=("set weight", "set weight b/s1", "set weight b/s1 x", "set weight b/s1 300"),
)
def set_weight(session: Session, words: Sequence[str]) -> Answer:
    """change a server's weight (use 'set server' instead)"""
    return change(session, words, lambda server: set_weight_of(session, server, words[1:]))


@command("get weight", "get weight <bk>/<srv>", ok=("get weight b/s1",), bad=("get weight", "get weight b/x"))
def get_weight(session: Session, words: Sequence[str]) -> Answer:
    """report a server's current weight"""
    server = find_server(session, words)
    if isinstance(server, Told):
        return server
    return f"{server.weight} (initial {server.plan.weight})\n"


@command(
    "set maxconn server",
    "set maxconn server <bk>/<srv>",
    level=Level.ADMIN,
    ok=("set maxconn server b/s1 10",),
    bad=("set maxconn server", "set maxconn server b/s1", "set maxconn server b/s1 x"),
)
def set_maxconn_server(session: Session, words: Sequence[str]) -> Answer:
    """change a server's maxconn setting"""

    def act(server: Server) -> Change:
        if len(words) < 2:
            return Told("Require <maxconn>.")
        if not _SIGNED.match(words[1]):
            return Told("maxconn string empty or preceded by garbage")
        return session.control.fleet.set_maxconn(server, max(int(words[1]), 0))

    return change(session, words, act)


@command(
    "enable server",
    "enable server  (DEPRECATED)",
    level=Level.ADMIN,
    ok=("enable server b/s1",),
    bad=("enable server", "enable server b/none"),
)
def enable_server(session: Session, words: Sequence[str]) -> Answer:
    """enable a disabled server (use 'set server' instead)"""

    def act(server: Server) -> Change:
        return session.control.fleet.set_ready(session.control.now(), server)

    return change(session, words, act)


@command(
    "disable server",
    "disable server (DEPRECATED)",
    level=Level.ADMIN,
    ok=("disable server b/s1",),
    bad=("disable server", "user;disable server b/s1"),
)
def disable_server(session: Session, words: Sequence[str]) -> Answer:
    """disable a server for maintenance (use 'set server' instead)"""
    fleet = session.control.fleet
    return change(session, words, lambda server: fleet.set_maintenance(session.control.now(), server))


@command(
    "enable health",
    "enable health",
    level=Level.ADMIN,
    ok=("enable health b/s1",),
    bad=("enable health b/s2",),
)
def enable_health(session: Session, words: Sequence[str]) -> Answer:
    """enable health checks"""

    def act(server: Server) -> Change:
        if server.health is None:
            return Told("Health check was not configured on this server, cannot enable.")
        server.health.enabled = True
        return []

    return change(session, words, act)


@command(
    "disable health",
    "disable health",
    level=Level.ADMIN,
    ok=("disable health b/s1",),
    bad=("disable health x",),
)
def disable_health(session: Session, words: Sequence[str]) -> Answer:
    """disable health checks"""

    def act(server: Server) -> Change:
        if server.health is not None:
            server.health.enabled = False
        return []

    return change(session, words, act)


@command(
    "enable agent", "enable agent", level=Level.ADMIN, ok=("enable agent b/s3",), bad=("enable agent b/s1",)
)
def enable_agent(session: Session, words: Sequence[str]) -> Answer:
    """enable agent checks"""

    def act(server: Server) -> Change:
        if server.agent is None:
            return Told("Agent was not configured on this server, cannot enable.")
        server.agent.enabled = True
        return []

    return change(session, words, act)


@command(
    "disable agent", "disable agent", level=Level.ADMIN, ok=("disable agent b/s1",), bad=("disable agent x",)
)
def disable_agent(session: Session, words: Sequence[str]) -> Answer:
    """disable agent checks"""

    def act(server: Server) -> Change:
        if server.agent is not None:
            server.agent.enabled = False
        return []

    return change(session, words, act)


@command(
    "shutdown sessions server",
    "shutdown sessions server <bk>/<srv>",
    level=Level.ADMIN,
    ok=("shutdown sessions server b/s1",),
    bad=("shutdown sessions server", "shutdown sessions server b/x"),
)
def shutdown_sessions_server(session: Session, words: Sequence[str]) -> Answer:
    """kill sessions on a server"""
    return change(session, words, lambda server: [Bump(server.plan.row, Column.SHUTDOWN_EPOCH)])
