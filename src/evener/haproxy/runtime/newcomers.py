"""Commands that make and delete servers, and those that tell what may be made.

What they mean to the other processes is told at the head of ``evener.haproxy.newcomers``.
"""

from __future__ import annotations

from collections.abc import Sequence

from evener.haproxy.check_ports import port_missing
from evener.haproxy.columns import Column
from evener.haproxy.commands import AddServer, Bump, DropServer
from evener.haproxy.newcomers import (
    ACCEPTED,
    Refusal,
    free_place,
    read_server,
    refuse_backend,
    remove,
    settle,
)
from evener.haproxy.runtime.servers import find_server
from evener.haproxy.runtime_api import INFO, Answer, Level, Session, Told, command
from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.sections.server import ServerOptions
from evener.haproxy.server_state import Farm, Server

REFERENCED = "This server cannot be removed at runtime due to other configuration elements pointing to it."
ATTACHED = "Server still has connections attached to it, cannot remove it."


@command(
    "add server",
    "add server <bk>/<srv>",
    level=Level.ADMIN,
    ok=("add server b/new 127.0.0.1:80", "add server b/new 127.0.0.1:80 check weight 3", "add server help"),
    bad=(
        "add server b",
        "add server x/s 127.0.0.1:80",
        "add server b/s1 127.0.0.1:80",
        "add server b/new",
        "add server b/new 127.0.0.1:80 init-addr none",
        "add server b/new 127.0.0.1 check",
        "add server b/one 127.0.0.1:80 guid g;add server b/two 127.0.0.1:80 guid g",
    ),
)
def add_server(session: Session, words: Sequence[str]) -> Answer:
    """create a new server"""
    if words[:1] == ["help"]:
        return "List of keywords supported for dynamic server:\n" + "".join(
            f"{w}\n" for w in sorted(ACCEPTED)
        )
    control = session.control
    backend_name, slash, name = words[0].partition("/") if words else ("", "", "")
    if not slash or not name:
        return Told("Require 'backend/server'.")
    farm = control.fleet.farm(backend_name)
    if farm is None:
        return Told("No such backend.")
    try:
        told = _add(session, farm, [name, *words[1:]])
    except Refusal as refusal:
        control.say("ALERT", f"CLI : {refusal.where}{refusal.told}")
        return Told(refusal.told)
    return Told("\n".join([*told, "New server registered."]), INFO)


def _add(session: Session, farm: Farm, words: list[str]) -> list[str]:
    """Make the server; what is to be said beside that it worked."""
    control, backend = session.control, farm.plan
    refuse_backend(backend)
    if control.fleet.find(backend.name, words[0]) is not None:
        raise Refusal("Already exists a server with the same name in backend.")
    server, told = read_server(backend, words)
    where = f"'server {backend.name}/{server.name}' : "
    _check_tracking(session, farm, server.options, where)
    _check_guid(session, server.options, where)
    missing = port_missing(backend.ir, server, control.plan.configuration)
    if missing == ".":
        missing = " nor tcp_check rule 'connect' with port information."
    if missing:
        who = f"config: backend '{backend.name}': server '{server.name}'"
        raise Refusal(f"{who} has neither service port nor check port{missing}", where)
    if control.spare is None:
        raise Refusal("Cannot attach server : no room left for another one", where)
    place, row = free_place(backend), control.spare.take()
    plan = settle(backend, server, place, row)
    settings = control.settings(plan)
    _made, commands = control.fleet.join(control.now(), plan, settings, control.cells.get)
    control.perform([AddServer(backend.index, place, row, tuple(words)), *commands])
    control.say("NOTICE", f"CLI : {where}New server registered.")
    return told


def _check_guid(session: Session, options: ServerOptions, where: str) -> None:
    guid = options.guid
    for other in session.control.fleet if guid else ():
        if other.plan.ir is not None and other.plan.ir.options.guid == guid:
            raise Refusal(f"'guid': duplicate entry with server {other.name}.", where)


def _check_tracking(session: Session, farm: Farm, options: ServerOptions, where: str) -> None:
    if options.track is None:
        return
    if options.check:
        raise Refusal("unable to enable checks and tracking at the same time!", where)
    name, slash, server_name = options.track.rpartition("/")
    backend_name = name if slash else farm.plan.name
    if session.control.fleet.farm(backend_name) is None:
        raise Refusal(f"unable to find required proxy '{backend_name}' for tracking.", where)
    tracked = session.control.fleet.find(backend_name, server_name)
    if tracked is None:
        raise Refusal(f"unable to find required server '{server_name}' for tracking.", where)
    full = f"{backend_name}/{server_name}"
    if tracked.plan.dynamic:
        raise Refusal(f"unable to use {full} for tracking as it is a dynamic server.", where)
    root = tracked
    while root.tracked is not None:
        root = root.tracked
    if root.health is None and root.agent is None:
        why = "as it does not have any check nor agent enabled."
        raise Refusal(f"unable to use {full} for tracking {why}", where)


def removable(session: Session, server: Server) -> tuple[bool, str]:
    """(whether that may change, why the server cannot be deleted now); nothing: it can."""
    if server.settings.referenced or server.followers:
        return False, REFERENCED
    if not server.in_maintenance:
        return False, "Only servers in maintenance mode can be deleted."
    cell, row = session.control.cells.get, server.plan.row
    if cell(row, Column.CUR) or cell(row, Column.Q_CUR):
        return True, ATTACHED
    return False, ""


@command(
    "del server",
    "del server <bk>/<srv>",
    level=Level.ADMIN,
    ok=("set server b/s1 state maint; del server b/s1",),
    bad=("del server b", "del server x/s", "del server b/none", "del server b/s1"),
)
def del_server(session: Session, words: Sequence[str]) -> Answer:
    """remove a dynamically added server"""
    control = session.control
    server = find_server(session, words)
    if isinstance(server, Told):
        return server
    _, why = removable(session, server)
    if why:
        return Told(why)
    plan = server.plan
    control.fleet.leave(server)
    control.forget(server)
    if control.spare is not None:
        # What is idle is closed by the workers when they see the epoch, or at the latest when they are told.
        control.perform([Bump(plan.row, Column.SHUTDOWN_EPOCH)])
        control.perform([DropServer(plan.backend.index, plan.index, control.spare.nowhere)])
        control.spare.give_back(plan.row)
        remove(plan.backend, plan.index, control.spare.nowhere)
    control.say("NOTICE", "Server deleted.")
    return Told("Server deleted.", INFO)


@command(
    "show default-server",
    "show default-server [<backend>]",
    ok=("show default-server", "show default-server b"),
    bad=("show default-server none",),
)
def show_default_server(session: Session, words: Sequence[str]) -> Answer:
    """list default-server instances in all or a single backend"""
    farms = session.control.fleet.farms
    if words:
        farm = session.control.fleet.farm(words[0])
        if farm is None:
            return Told("Can't find backend.")
        farms = [farm]
    return "".join(_default_servers(farm) for farm in farms)


def _default_servers(farm: Farm) -> str:
    """The first one of each backend is marked with a star."""
    proxy: Proxy = farm.plan.ir
    unnamed = proxy.default_server is not None and proxy.default_server != ServerOptions()
    found = [farm.plan.name] if unnamed else []
    found += [f"{farm.plan.name}/{name}" for name in proxy.named_servers]
    return "".join(f"{'  ' if position else '* '}{name}\n" for position, name in enumerate(found))
