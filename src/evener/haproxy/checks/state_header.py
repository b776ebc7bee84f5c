"""``http-check send-state``: the value of the header that tells a server how it is seen.

Health as it is shown everywhere, where the server is, and how loaded it and its backend are, in the words
of the manual's example.
"""

from __future__ import annotations

from evener.haproxy.columns import Column
from evener.haproxy.health import Health
from evener.haproxy.server_state import SCALE, CellReader, Operation, Server


def state_of(server: Server, cell: CellReader, node: str, now: float) -> str:
    """``UP 2/3; address=...; port=...; name=b/s; node=...; weight=1/2; scur=0/1; qcur=0``."""
    row, farm = server.plan.row, server.farm
    total = sum(other.effective_weight(now) for other in farm.servers if other.usable)
    waiting = cell(row, Column.Q_CUR)
    busy = cell(farm.plan.row, Column.CUR) - cell(farm.plan.row, Column.Q_CUR)
    local = server.address.startswith(("/", "\0"))
    told = (
        f"{_health(server)}; address={server.address.lstrip(chr(0))}; port={'' if local else server.port}; "
        f"name={server.name}; node={node}; "
        f"weight={-(-server.effective_weight(now) // SCALE)}/{-(-total // SCALE)}; "
        f"scur={cell(row, Column.CUR)}/{busy}; qcur={waiting}"
    )
    if server.operation is Operation.STARTING and server.settings.slowstart:
        elapsed = (now - server.changed) * 1000
        told += f"; throttle={max(1, min(100, int(elapsed * 100 / server.settings.slowstart)))}%"
    return told


def _health(server: Server) -> str:
    health: Health | None = server.health
    if health is None or not health.enabled:
        return "no check"
    if server.operation is Operation.STOPPED:
        return f"DOWN {health.level}/{health.settings.rise}" if health.level else "DOWN"
    word = "NOLB" if server.operation is Operation.STOPPING else "UP"
    if health.level == health.top:
        return word
    return f"{word} {health.level - health.settings.rise + 1}/{health.settings.fall}"
