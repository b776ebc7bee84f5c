"""The sentences in which changes of servers and backends are told.

Word by word the original's, because people and programs search logs for them. Where the terminal's
sentence differs from the log's, a ``Say`` carries both. The counters quoted are read through ``cell``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from evener.haproxy.columns import Column
from evener.haproxy.commands import Say
from evener.haproxy.health import Health
from evener.haproxy.server_state import Admin, CellReader, Farm, Server

EMERG, ALERT, NOTICE, INFO = 0, 1, 5, 6


class Announcer:
    """Makes the state messages; ``cell`` reads the shared segment."""

    def __init__(self, cell: CellReader) -> None:
        self._cell = cell
        self._erring: Server | None = None

    @contextmanager
    def erring(self, server: Server | None) -> Iterator[None]:
        """Meanwhile a session that is over by now is counted: it is the one whose errors are being told."""
        self._erring = server
        try:
            yield
        finally:
            self._erring = None

    @staticmethod
    def no_server(farm: Farm) -> Say:
        name, label = farm.plan.name, farm.settings.label
        told = f"{label} {name} has no server available!"
        shown = f"{label} '{name}' has no server available!"
        return Say(EMERG, told, "ALERT", shown, backend=farm.plan.index)

    @staticmethod
    def check_line(server: Server, health: Health) -> Say:
        outcome = health.outcome
        verdict = {2: "failed", 3: "succeeded", 4: "conditionally succeeded"}[outcome.status.verdict]
        kind = "Agent" if health.settings.agent else "Health"
        backup = "backup " if server.plan.backup else ""
        told = (
            f"{kind} check for {backup}server {server.name} {verdict}, "
            f"{outcome.reason()}, status: {health.told(server.weight > 0)}."
        )
        return Say(NOTICE, told, backend=server.farm.plan.index, mail=INFO)

    def lost(self, server: Server, told: str, level: int = ALERT) -> Say:
        """One server less: how many are left."""
        sessions = max(self._cell(server.plan.row, Column.CUR), 1 if server is self._erring else 0)
        waiting = self._cell(server.farm.plan.row, Column.Q_CUR)
        rest = f"{sessions} sessions active, 0 requeued, {waiting} remaining in queue."
        return self._say(server, level, f"{told}. {_counted(server.farm, 'left')} {rest}")

    def gained(self, server: Server, told: str) -> Say:
        """Servers are online: how many."""
        waiting = self._cell(server.farm.plan.row, Column.Q_CUR)
        rest = f"0 sessions requeued, {waiting} total in queue."
        return self._say(server, NOTICE, f"{told}. {_counted(server.farm, 'online')} {rest}")

    def note(self, server: Server, told: str) -> Say:
        return self._say(server, NOTICE, told + ".")

    def still_draining(self, server: Server) -> Say:
        if server.admin & Admin.FORCED_DRAIN:
            return self.note(server, "remains in forced drain mode")
        return self.note(server, "remains in drain mode" + self.via(server))

    @staticmethod
    def _say(server: Server, level: int, told: str) -> Say:
        return Say(level, f"{server.label} {told}", backend=server.farm.plan.index, mail=level)

    @staticmethod
    def via(server: Server) -> str:
        return f" via {server.tracked.name}" if server.tracked is not None else ""


def _counted(farm: Farm, how: str) -> str:
    active, backup = farm.count()
    on_backup = " Running on backup." if backup and not active else ""
    return f"{active} active and {backup} backup servers {how}.{on_backup}"
