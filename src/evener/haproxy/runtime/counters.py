"""``clear counters``: maxima, or everything that counts; ``dump stats-file``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evener.haproxy import stats_file
from evener.haproxy.columns import PROCESS_ROW, Column
from evener.haproxy.commands import Command, SetCell
from evener.haproxy.runtime.servers import find_server
from evener.haproxy.runtime_api import INFO, Answer, Level, Session, Told, command
from evener.haproxy.server_state import Server

MAXIMA = (
    Column.MAX, Column.SESS_RATE_MAX, Column.REQ_RATE_MAX, Column.CONN_RATE_MAX, Column.Q_MAX,
    Column.Q_TIME_MAX, Column.C_TIME_MAX, Column.R_TIME_MAX, Column.T_TIME_MAX,
)  # fmt: skip

#: What a clear must leave alone: gauges, and what the control plane writes for the data plane.
KEPT = {
    Column.CUR, Column.Q_CUR, Column.IDLE_CUR, Column.USED_CUR, Column.USABLE, Column.WEIGHT,
    Column.ACTIVE, Column.MAXCONN, Column.EPOCH, Column.ROTATION, Column.STOPPED, Column.SHUTDOWN_EPOCH,
    Column.SESS_RATE, Column.REQ_RATE, Column.CONN_RATE, Column.USED_NEED, Column.IDLE_HOLDER,
    Column.CONN_RATE_LIMIT, Column.SESS_RATE_LIMIT, Column.COMP_RATE_LIMIT, Column.SSL_RATE_LIMIT,
    Column.PROFILING, Column.BUSY, Column.WORKERS,
    Column.TURN_DUE, Column.TURN_LAST, Column.TURN_CARRIED, Column.TURN_RANK,
    Column.TURN_ROUND, Column.TURN_NOW, Column.TURN_SINCE,
    Column.BACKUP_ROUND, Column.BACKUP_NOW, Column.BACKUP_SINCE,
    Column.Q_PASSED, Column.Q_SEEN, Column.IDLE_EPOCH, Column.HEIRS,
}  # fmt: skip


def _rows(session: Session) -> Iterator[int]:
    plan = session.control.plan
    yield PROCESS_ROW
    for frontend in plan.frontends:
        yield frontend.row
        yield from (bind.row for bind in frontend.binds)
    for backend in plan.backends:
        yield backend.row
        yield from (server.row for server in backend.servers)


@command(
    "clear counters",
    "clear counters [all|server <bk>/<srv> [force]]",
    level=Level.OPERATOR,
    ok=("clear counters", "clear counters all", "clear counters server b/s1 force"),
    bad=("clear counters server b/none", "user;clear counters", "operator;clear counters all"),
)
def clear_counters(session: Session, words: Sequence[str]) -> Answer:
    """clear max statistics counters (or all, or one server's)"""
    everything = words[:1] == ["all"]
    if words[:1] == ["server"]:
        return clear_server(session, words[1:])
    if everything and session.level < Level.ADMIN:
        return Told("Permission denied")
    columns = [c for c in Column if c not in KEPT] if everything else list(MAXIMA)
    commands: list[Command] = [SetCell(row, column, 0) for row in _rows(session) for column in columns]
    session.control.perform(commands)
    if everything:
        for server in session.control.fleet:
            forget(server)
    return None


@command("dump stats-file", "dump stats-file", ok=("dump stats-file",), bad=("dump stats-files",))
def dump_stats_file(session: Session, _words: Sequence[str]) -> Answer:
    """dump stats for restore"""
    return stats_file.dump(session.control.plan, session.control.statistics)


def clear_server(session: Session, words: Sequence[str]) -> Answer:
    """The counters of one server; ``force`` is for counters shared between processes, which none are."""
    if session.level < Level.ADMIN:
        return Told("Permission denied")
    server = find_server(session, words)
    if isinstance(server, Told):
        return server
    cleared: list[Command] = [SetCell(server.plan.row, c, 0) for c in Column if c not in KEPT]
    session.control.perform(cleared)
    forget(server)
    return Told("Server counters cleared.", INFO)


def forget(server: Server) -> None:
    server.downs = 0
    if server.health is not None:
        server.health.failures = 0
