"""Fetches of counters: connections, queues, rates, servers' states (manual section 7.3.2).

They read the shared segment through ``CompileEnv``, so every worker sees the numbers of all of them. A
proxy or server named in an argument is found when the rule is compiled; without a name the one at hand
is looked up for each transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from evener.haproxy.arguments import Backend, Frontend, Server
from evener.haproxy.columns import PROCESS_ROW, Column
from evener.haproxy.notes import of_stream
from evener.haproxy.priority import priority_class, priority_offset
from evener.haproxy.sample import Source, Type, fetch
from evener.haproxy.sample_planned import declare_planned_fetches
from evener.haproxy.scope import CompileEnv

Run = Callable[[Any], Any]
_INTERNAL: Final = Source.INTERNAL


def _backend(name: str, env: CompileEnv) -> Callable[[Any], Any]:
    """The plan of a backend: the named one, or the transaction's."""
    if name:
        env.server_named(name, "")
        found = env.backend(name)
        return lambda txn: found

    def current(txn: Any) -> Any:
        return None if txn.backend is None else txn.backend.plan

    return current


def _frontend(name: str, env: CompileEnv) -> Callable[[Any], Any]:
    if name:
        found = env.frontend(name)
        return lambda txn: found
    return lambda txn: txn.frontend.plan


def _server(name: str, env: CompileEnv) -> Callable[[Any], Any]:
    """The plan of ``[backend/]server``."""
    backend_name, slash, server_name = name.rpartition("/")
    env.server_named(backend_name or env.proxy, server_name)
    backend = _backend(backend_name if slash else "", env)

    def run(txn: Any) -> Any:
        plan = backend(txn)
        if plan is None:
            return None
        return next((server for server in plan.servers if server.name == server_name), None)

    if not slash:
        return run
    fixed = run(None)
    return lambda txn: fixed


def _cell(find: Callable[[Any], Any], column: Column, env: CompileEnv) -> Run:
    count = env.count

    def run(txn: Any) -> int | None:
        plan = find(txn)
        return None if plan is None else count(plan.row, column)

    return run


def _rate(find: Callable[[Any], Any], column: Column, env: CompileEnv) -> Run:
    rate = env.rate

    def run(txn: Any) -> int | None:
        plan = find(txn)
        return None if plan is None else rate(plan.row, column)

    return run


@fetch("act_conn", Type.SINT, Source.CONSTANT)
def act_conn(*, env: CompileEnv) -> Run:
    """How many connections the process has now."""
    count = env.count
    return lambda txn: count(PROCESS_ROW, Column.CUR)


@fetch("dst_conn", Type.SINT, Source.FRONTEND)
def dst_conn(*, env: CompileEnv) -> Run:
    """How many connections the listening socket has now."""
    count = env.count
    return lambda txn: count(txn.listener.row, Column.CUR) if txn.listener is not None else None


@fetch("fe_conn", Type.SINT, _INTERNAL, ok=["fe_conn", "fe_conn(www)"])
def fe_conn(frontend: Frontend, *, env: CompileEnv) -> Run:
    """How many connections a frontend has now, this one included."""
    return _cell(_frontend(frontend, env), Column.CUR, env)


@fetch("fe_req_rate", Type.SINT, _INTERNAL, ok=["fe_req_rate"])
def fe_req_rate(frontend: Frontend, *, env: CompileEnv) -> Run:
    """How many requests per second a frontend gets."""
    return _rate(_frontend(frontend, env), Column.REQ_RATE, env)


@fetch("fe_sess_rate", Type.SINT, _INTERNAL, ok=["fe_sess_rate"])
def fe_sess_rate(frontend: Frontend, *, env: CompileEnv) -> Run:
    """How many sessions per second a frontend gets."""
    return _rate(_frontend(frontend, env), Column.SESS_RATE, env)


@fetch("be_conn", Type.SINT, _INTERNAL, ok=["be_conn", "be_conn(app)"])
def be_conn(backend: Backend, *, env: CompileEnv) -> Run:
    """How many connections a backend has now, perhaps this one included."""
    return _cell(_backend(backend, env), Column.CUR, env)


@fetch("be_sess_rate", Type.SINT, _INTERNAL, ok=["be_sess_rate"])
def be_sess_rate(backend: Backend, *, env: CompileEnv) -> Run:
    """How many sessions per second a backend gets."""
    return _rate(_backend(backend, env), Column.SESS_RATE, env)


def _usable(plan: Any, env: CompileEnv) -> list[Any]:
    """The servers that may be chosen: backups only when nothing else is left."""
    up = [server for server in plan.servers if env.count(server.row, Column.USABLE)]
    return [server for server in up if not server.backup] or up


@fetch("nbsrv", Type.SINT, _INTERNAL, ok=["nbsrv", "nbsrv(app)"])
def nbsrv(backend: Backend, *, env: CompileEnv) -> Run:
    """How many servers of a backend can be used."""
    find = _backend(backend, env)

    def run(txn: Any) -> int | None:
        plan = find(txn)
        return None if plan is None else len(_usable(plan, env))

    return run


def _served(server: Any, env: CompileEnv) -> int:
    """Without those that have just come out of a queue."""
    return env.count(server.row, Column.CUR) - env.count(server.row, Column.HEIRS)


def _limit(server: Any, env: CompileEnv) -> int:
    """How many it may serve now: between minconn and maxconn that follows the load of the backend."""
    most: int = env.count(server.row, Column.MAXCONN)
    least: int = server.ir.options.minconn or 0
    full: int = server.backend.full_load
    load = env.count(server.backend.row, Column.CUR)
    if not 0 < least < most or load >= full:
        return most
    return max(least, load * most // full)


def _free(servers: Sequence[Any], env: CompileEnv, queued: bool) -> int:
    """Free places over servers, -1 when one of them has no limit."""
    free = 0
    for server in servers:
        limit = env.count(server.row, Column.MAXCONN)
        waiting = server.ir.options.maxqueue or 0
        if not limit or (queued and not waiting):
            return -1
        free += max((limit if queued else _limit(server, env)) - _served(server, env), 0)
        if queued:
            free += max(waiting - env.count(server.row, Column.Q_CUR), 0)
    return free


@fetch("be_conn_free", Type.SINT, _INTERNAL, ok=["be_conn_free"])
def be_conn_free(backend: Backend, *, env: CompileEnv) -> Run:
    """How many more connections the usable servers would take, -1 when one of them has no limit."""
    find = _backend(backend, env)

    def run(txn: Any) -> int | None:
        plan = find(txn)
        return None if plan is None else _free(_usable(plan, env), env, False)

    return run


@fetch("connslots", Type.SINT, _INTERNAL, ok=["connslots"])
def connslots(backend: Backend, *, env: CompileEnv) -> Run:
    """How many connections the servers would still take or queue, -1 when there is no limit."""
    find = _backend(backend, env)

    def run(txn: Any) -> int | None:
        plan = find(txn)
        return None if plan is None else _free(plan.servers, env, True)

    return run


@fetch("queue", Type.SINT, _INTERNAL, ok=["queue"])
def queue(backend: Backend, *, env: CompileEnv) -> Run:
    """How many streams wait in the queues of a backend and its servers."""
    find = _backend(backend, env)

    def run(txn: Any) -> int | None:
        plan = find(txn)
        return None if plan is None else _waiting(plan, env)

    return run


def _waiting(plan: Any, env: CompileEnv) -> int:
    return sum(env.count(row, Column.Q_CUR) for row in (plan.row, *(server.row for server in plan.servers)))


@fetch("avg_queue", Type.SINT, _INTERNAL, ok=["avg_queue"])
def avg_queue(backend: Backend, *, env: CompileEnv) -> Run:
    """What waits, divided by the usable servers; twice what waits when there are none."""
    find = _backend(backend, env)

    def run(txn: Any) -> int | None:
        plan = find(txn)
        if plan is None:
            return None
        waiting, servers = _waiting(plan, env), len(_usable(plan, env))
        return -(-waiting // servers) if servers else 2 * waiting

    return run


def _server_fetch(
    name: str, doc: str, make: Callable[[Callable[[Any], Any], CompileEnv], Run], out: Type = Type.SINT
) -> None:
    def of_server(server: Server, *, env: CompileEnv) -> Run:
        return make(_server(server, env), env)

    of_server.__doc__ = doc
    fetch(name, out, _INTERNAL, ok=[f"{name}(app/s1)"], bad=[f"{name}(a,b)"])(of_server)


def _flag(find: Callable[[Any], Any], env: CompileEnv) -> Run:
    cell = _cell(find, Column.USABLE, env)

    def run(txn: Any) -> bool | None:
        value = cell(txn)
        return None if value is None else bool(value)

    return run


def _weight(find: Callable[[Any], Any], env: CompileEnv) -> Run:
    def run(txn: Any) -> int | None:
        server = find(txn)
        return None if server is None else (env.count(server.row, Column.WEIGHT) + 15) // 16

    return run


def _initial_weight(find: Callable[[Any], Any], env: CompileEnv) -> Run:
    def run(txn: Any) -> int | None:
        server = find(txn)
        return None if server is None else server.weight

    return run


def _server_free(find: Callable[[Any], Any], env: CompileEnv) -> Run:
    def run(txn: Any) -> int | None:
        server = find(txn)
        return None if server is None else _free([server], env, False)

    return run


def _server_conn(find: Callable[[Any], Any], env: CompileEnv) -> Run:
    def run(txn: Any) -> int | None:
        server = find(txn)
        return None if server is None else _served(server, env)

    return run


_server_fetch("srv_conn", "How many connections a server has now.", _server_conn)
_server_fetch(
    "srv_conn_free", "How many more connections a server would take, -1 for no limit.", _server_free
)
_server_fetch("srv_is_up", "Whether a server can be used.", _flag, Type.BOOL)
_server_fetch("srv_iweight", "The weight a server began with.", _initial_weight)
_server_fetch(
    "srv_queue", "How many streams wait for a server.", lambda find, env: _cell(find, Column.Q_CUR, env)
)
_server_fetch(
    "srv_sess_rate",
    "How many sessions per second a server gets.",
    lambda find, env: _rate(find, Column.SESS_RATE, env),
)
_server_fetch("srv_uweight", "The weight of a server as the user sees it.", _weight)
_server_fetch("srv_weight", "The weight of a server now.", _weight)


@fetch("prio_class", Type.SINT, _INTERNAL)
def prio_class() -> Run:
    """What ``set-priority-class`` said."""
    return of_stream(lambda txn: priority_class(txn.priority))


@fetch("prio_offset", Type.SINT, _INTERNAL)
def prio_offset() -> Run:
    """What ``set-priority-offset`` said, in milliseconds."""
    return of_stream(lambda txn: priority_offset(txn.priority))


declare_planned_fetches(
    """
    spoe.engine-id: str | Identifies the engine to an agent, the same on all its connections.
    """,
    _INTERNAL,
    "Known, and not counted yet.",
)
