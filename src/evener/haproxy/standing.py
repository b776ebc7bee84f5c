"""How proxies and servers stand, told at once: on SIGHUP, and of each when it stops or is in trouble."""

from __future__ import annotations

from collections.abc import Iterator

from evener.haproxy.columns import Column
from evener.haproxy.commands import Say
from evener.haproxy.control import Control
from evener.haproxy.plan import FrontendPlan
from evener.haproxy.server_state import Farm, Server

EMERGENCY, WARNING = 0, 4


def standing(control: Control) -> Iterator[Say]:
    """The lines of SIGHUP, proxies by id, each after its servers."""
    farms = {farm.plan.id: farm for farm in control.fleet.farms}
    fronts = {frontend.id: frontend for frontend in control.plan.frontends}
    for number in sorted(farms.keys() | fronts.keys()):
        front, farm = fronts.get(number), farms.get(number)
        for server in farm.servers if farm is not None else ():
            text = f"SIGHUP: {_server(control, server)}"
            yield Say(WARNING, text, backend=server.farm.plan.index)
        yield _proxy(control, front, farm)


def _server(control: Control, server: Server) -> str:
    get, row = control.cells.get, server.plan.row
    return (
        f"Server {server.name} is {'UP' if server.up else 'DOWN'}. Conn: {get(row, Column.CUR)} act, "
        f"{get(row, Column.Q_CUR)} pend, {get(row, Column.TOTAL)} tot."
    )


def _proxy(control: Control, front: FrontendPlan | None, farm: Farm | None) -> Say:
    get = control.cells.get
    f = [get(front.row, c) if front else 0 for c in (Column.CUR, Column.CONNECTIONS)]
    b = [get(farm.plan.row, c) if farm else 0 for c in (Column.CUR, Column.TOTAL, Column.Q_CUR)]
    name = front.name if front else farm.plan.name if farm else ""
    text = (
        f"SIGHUP: Proxy {name} {_servers(farm)} Conn: act(FE+BE): {f[0]}+{b[0]}, {b[2]} pend (0 unass), "
        f"tot(FE+BE): {f[1]}+{b[1]}."
    )
    if front is not None:
        return Say(WARNING, text, frontend=front.index)
    return Say(WARNING, text, backend=farm.plan.index if farm else -1)


def _servers(farm: Farm | None) -> str:
    if farm is None or not farm.servers:
        return "has no servers."
    active, backup = farm.count()
    if active:
        return f"has {active} active servers and {backup} backup servers available."
    return f"is running on {backup} backup servers." if backup else "has no server available !"


def stopped(control: Control, number: int) -> str:
    """``Proxy f stopped (cumulated conns: FE: 1, BE: 0).``, of the proxy with that id."""
    front = next((f for f in control.plan.frontends if f.id == number), None)
    back = next((b for b in control.plan.backends if b.id == number), None)
    accepted = control.cells.get(front.row, Column.CONNECTIONS) if front is not None else 0
    served = control.cells.get(back.row, Column.TOTAL) if back is not None else 0
    name = front.name if front is not None else back.name if back is not None else ""
    return f"Proxy {name} stopped (cumulated conns: FE: {accepted}, BE: {served})."


def unbound(control: Control, backend: int, no_ports: bool) -> Say:
    """No connection to a server could leave from where it should; said in logs only."""
    name = control.plan.backends[backend].name
    text = f"Cannot bind to source address before connect() for backend {name}."
    if no_ports:
        text = f"Connect() failed for backend {name}: no free ports."
    return Say(EMERGENCY, text, severity="", backend=backend)


def hard_stopped(control: Control) -> Iterator[Say]:
    """A soft stop took too long: what is left of each proxy ends now."""
    told = "soft-stop running for too long, performing a hard-stop."
    yield Say(WARNING, told, frontend=0 if control.plan.frontends else -1)
    for frontend in control.plan.frontends:
        left = control.cells.get(frontend.row, Column.CUR)
        if left > 0:
            text = f"Proxy {frontend.name} hard-stopped ({left} remaining conns will be closed)."
            yield Say(WARNING, text, frontend=frontend.index)
