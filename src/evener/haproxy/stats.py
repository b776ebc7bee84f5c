"""The numbers behind ``show stat``: one row per frontend, listener, server and backend.

A row is a dictionary from column names (``stat_fields``) to values; a column that is missing is empty
in the CSV and absent from the other forms. Counters come from the shared segment, states from the
fleet. Nothing here formats or sends anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field
from typing import Any, Protocol

from evener.haproxy.columns import Column
from evener.haproxy.fleet import Fleet
from evener.haproxy.health import Health
from evener.haproxy.plan import BackendPlan, BindPlan, FrontendPlan, Plan
from evener.haproxy.server_state import SCALE, Admin, Farm, Operation, Server
from evener.haproxy.stat_fields import EXTRA, FIELDS
from evener.text.record import dataclass

Values = dict[str, Any]
WINDOW = 1024  #: the averages' moving sums cover so many requests


class Cells(Protocol):
    """The shared segment, as far as it is read here."""

    def get(self, row: int, column: int, /) -> int: ...

    def rate(self, row: int, column: int, count: int = 0, /) -> int: ...


@dataclass(frozen=True, slots=True)
class Row:
    kind: str  #: F, B, S or L
    proxy: int
    id: int
    values: Values


@dataclass(slots=True)
class Statistics:
    """``now`` is monotonic, ``wall`` the wall clock, both in seconds. ``paused`` and ``stopped`` are the
    indexes of frontends the runtime API took out of service."""

    plan: Plan
    fleet: Fleet
    cells: Cells
    now: Callable[[], float]
    wall: Callable[[], float]
    fullconn: Callable[[BackendPlan], int] = lambda _backend: 0
    queue_limit: Callable[[Server], int] = lambda _server: 0
    sockets: Callable[[FrontendPlan], bool] = lambda _frontend: False
    paused: set[int] = field(default_factory=set)
    stopped: set[int] = field(default_factory=set)

    def rows(self, show_addresses: bool = True) -> Iterator[Row]:
        """Proxies by id; of each the frontend, its listeners, the servers, the backend."""
        farms = {farm.plan.id: farm for farm in self.fleet.farms}
        frontends = {frontend.id: frontend for frontend in self.plan.frontends}
        for number in sorted(farms.keys() | frontends.keys()):
            frontend, farm = frontends.get(number), farms.get(number)
            if frontend is not None:
                yield Row("F", number, 0, self._frontend(frontend))
                if self.sockets(frontend):
                    for position, bind in enumerate(frontend.binds):
                        yield Row("L", number, position + 1, self._listener(frontend, bind, position + 1))
            if farm is not None:
                for server in farm.servers:
                    yield Row("S", number, server.plan.id, self._server(server, show_addresses))
                yield Row("B", number, 0, self._backend(farm, show_addresses))

    # -- one row --------------------------------------------------------------------------------

    def _frontend(self, frontend: FrontendPlan) -> Values:
        row, get = frontend.row, self.cells.get
        maxconn = get(row, Column.MAXCONN) or frontend.maxconn
        status = "FULL" if maxconn and get(row, Column.CUR) >= maxconn else "OPEN"
        if frontend.index in self.paused:
            status = "PAUSED"
        if frontend.index in self.stopped:
            status = "STOP"
        values = _zeros("F", frontend.http) | {
            "pxname": frontend.name, "svname": "FRONTEND", "slim": maxconn, "status": status, "pid": 1,
            "iid": frontend.id, "sid": 0, "type": 0, "mode": _mode(frontend.http),
            "rate": self.cells.rate(row, Column.SESS_RATE),
            "req_rate": self.cells.rate(row, Column.REQ_RATE),
            "conn_rate": self.cells.rate(row, Column.CONN_RATE), "rate_lim": 0,
        }  # fmt: skip
        self._counters(row, values, _FRONTEND_COUNTERS)
        h1 = values["req_tot"] if frontend.http else 0
        values |= {"h1req": h1, "h1sess": values["conn_tot"] if frontend.http else 0}
        values |= {"h1_total_streams": h1, "h1_total_connections": values["h1sess"]}
        return values | self._bytes(values)

    def _listener(self, frontend: FrontendPlan, bind: BindPlan, number: int) -> Values:
        values = _zeros("L", frontend.http) | {
            "pxname": frontend.name, "svname": bind.name or f"sock-{number}", "slim": bind.maxconn,
            "status": "OPEN", "pid": 1, "iid": frontend.id, "sid": number, "type": 3,
            "addr": _endpoint(bind.address, bind.port), "mode": _mode(frontend.http),
            "proto": {2: "tcpv4", 10: "tcpv6"}.get(bind.family, "unix_stream"),
        }  # fmt: skip
        self._counters(bind.row, values, _LISTENER_COUNTERS)
        return values | self._bytes(values)

    def _server(self, server: Server, addresses: bool) -> Values:
        plan, row = server.plan, server.plan.row
        values = _zeros("S", plan.backend.http) | {
            "pxname": plan.backend.name, "svname": plan.name, "status": status_of(server),
            "weight": -(-server.effective_weight(self.now()) // SCALE), "uweight": server.weight,
            "act": int(not plan.backup), "bck": int(plan.backup), "pid": 1, "iid": plan.backend.id,
            "sid": plan.id, "type": 2, "mode": _mode(plan.backend.http),
            "lastchg": int(self.now() - server.changed), "lastsess": self._last_session(row),
            "rate": self.cells.rate(row, Column.SESS_RATE), "srid": 0,
        }  # fmt: skip
        if server.maxconn:
            values["slim"] = server.maxconn
        idle = getattr(getattr(plan.ir, "options", None), "pool_max_conn", None)
        if idle is not None and idle >= 0:
            values["src_ilim"] = idle
        if limit := self.queue_limit(server):
            values["qlimit"] = limit
        if server.operation is Operation.STARTING and server.settings.slowstart:
            elapsed = (self.now() - server.changed) * 1000
            values["throttle"] = max(1, min(100, int(elapsed * 100 / server.settings.slowstart)))
        if server.tracked is not None:
            values["tracked"] = server.tracked.name
        if addresses:
            values["addr"] = _endpoint(server.address, server.port)
            if plan.backend.http and server.settings.cookie:
                values["cookie"] = server.settings.cookie
        self._counters(row, values, _SERVER_COUNTERS)
        self._averages(row, values)
        return values | self._bytes(values) | self._checks(server)

    def _checks(self, server: Server) -> Values:
        values: Values = {}
        health, agent = server.health, server.agent
        if health is not None:
            down = self.now() - server.changed if server.operation is Operation.STOPPED else 0.0
            values |= {"chkfail": health.failures, "chkdown": server.downs}
            if server.observer is not None:
                values["hanafail"] = server.observed
            values["downtime"] = int(server.downtime + down)
            if health.enabled and not health.paused:
                values |= _check_values(health, "check", "last_chk")
        if agent is not None and agent.enabled and not agent.paused:
            values |= _check_values(agent, "agent", "last_agt")
        return values

    def _backend(self, farm: Farm, addresses: bool) -> Values:
        plan, row = farm.plan, farm.plan.row
        active, backup = farm.count()
        usable = [s for s in farm.servers if s.usable and s.plan.backup is (not active)]
        down = 0.0 if farm.up else self.now() - farm.changed
        values = _zeros("B", plan.http) | {
            "pxname": plan.name, "svname": "BACKEND", "slim": self.fullconn(plan),
            "status": "UP" if farm.up else "DOWN", "weight": sum(s.weight for s in usable),
            "uweight": sum(s.weight for s in usable), "act": active, "bck": backup, "chkdown": farm.downs,
            "lastchg": int(self.now() - farm.changed), "downtime": int(farm.downtime + down), "pid": 1,
            "iid": plan.id, "sid": 0, "type": 1, "mode": _mode(plan.http),
            "lastsess": self._last_session(row), "rate": self.cells.rate(row, Column.SESS_RATE),
        }  # fmt: skip
        if addresses:
            values["algo"] = "unknown" if plan.balance == "random" else plan.balance
            if plan.http and plan.ir.persistence.cookie is not None:
                values["cookie"] = plan.ir.persistence.cookie.name
        self._counters(row, values, _BACKEND_COUNTERS)
        self._averages(row, values)
        if not farm.servers:
            values.pop("downtime")  # nothing in it could have been down
        return values | self._bytes(values)

    # -- pieces ---------------------------------------------------------------------------------

    def _counters(self, row: int, values: Values, columns: dict[str, Column]) -> None:
        for name, column in columns.items():
            if name in values:
                values[name] = self.cells.get(row, column)

    def _averages(self, row: int, values: Values) -> None:
        seen = min(max(self.cells.get(row, Column.REQUESTS), self.cells.get(row, Column.TOTAL), 1), WINDOW)
        for name, column in _AVERAGES.items():
            values[name] = -(-self.cells.get(row, column) // seen)

    def _last_session(self, row: int) -> int:
        last = self.cells.get(row, Column.LAST_SESSION)
        return max(0, int(self.wall()) - last) if last else -1

    @staticmethod
    def _bytes(values: Values) -> Values:
        """The newer names of the byte counters, which count the same two directions here."""
        received, sent = values["bin"], values["bout"]
        return {"reqbin": received, "reqbout": received, "resbin": sent, "resbout": sent}


_COMMON = {
    "scur": Column.CUR, "smax": Column.MAX, "stot": Column.TOTAL, "bin": Column.BYTES_IN,
    "bout": Column.BYTES_OUT, "wrew": Column.FAILED_REWRITES, "eint": Column.INTERNAL_ERRORS,
}  # fmt: skip
_STATUS = {
    "hrsp_1xx": Column.HRSP_1XX, "hrsp_2xx": Column.HRSP_2XX, "hrsp_3xx": Column.HRSP_3XX,
    "hrsp_4xx": Column.HRSP_4XX, "hrsp_5xx": Column.HRSP_5XX, "hrsp_other": Column.HRSP_OTHER,
    "req_tot": Column.REQUESTS,
}  # fmt: skip
_CLIENT = {
    "dreq": Column.DENIED_REQ, "dresp": Column.DENIED_RES, "ereq": Column.ERR_REQ,
    "dcon": Column.DENIED_CONN, "dses": Column.DENIED_SESS, "conn_tot": Column.CONNECTIONS,
}  # fmt: skip
_FARM = {
    "qcur": Column.Q_CUR, "qmax": Column.Q_MAX, "dresp": Column.DENIED_RES, "econ": Column.ERR_CONN,
    "eresp": Column.ERR_RES, "wretr": Column.RETRIES, "wredis": Column.REDISPATCHES,
    "lbtot": Column.LB_TOTAL, "rate_max": Column.SESS_RATE_MAX, "cli_abrt": Column.CLIENT_ABORTS,
    "srv_abrt": Column.SERVER_ABORTS, "connect": Column.CONNECTIONS, "reuse": Column.REUSED,
    "qtime_max": Column.Q_TIME_MAX, "ctime_max": Column.C_TIME_MAX, "rtime_max": Column.R_TIME_MAX,
    "ttime_max": Column.T_TIME_MAX,
}  # fmt: skip
_FILTERS = {
    "h1_spliced_bytes_in": Column.SPLICED_IN, "h1_spliced_bytes_out": Column.SPLICED_OUT,
    "comp_in": Column.COMP_IN, "comp_out": Column.COMP_OUT, "comp_byp": Column.COMP_BYP,
    "comp_rsp": Column.COMP_RSP, "cache_lookups": Column.CACHE_LOOKUPS, "cache_hits": Column.CACHE_HITS,
    "cache_hint_hits": Column.CACHE_HINT_HITS,
}  # fmt: skip
_FRONTEND_COUNTERS = _COMMON | _STATUS | _CLIENT | _FILTERS | {
    "rate_max": Column.SESS_RATE_MAX, "req_rate_max": Column.REQ_RATE_MAX,
    "conn_rate_max": Column.CONN_RATE_MAX, "intercepted": Column.INTERCEPTED,
}  # fmt: skip
_LISTENER_COUNTERS = _COMMON | _CLIENT
_SERVER_COUNTERS = _COMMON | _STATUS | _FARM | {
    "srv_icur": Column.IDLE_CUR, "idle_conn_cur": Column.IDLE_CUR, "used_conn_cur": Column.USED_CUR,
    "need_conn_est": Column.USED_NEED,
}  # fmt: skip
_BACKEND_COUNTERS = _COMMON | _STATUS | _FARM | _FILTERS | {"dreq": Column.DENIED_REQ}
#: What a name means on either side of a file of counters.
FRONT_COLUMNS = _FRONTEND_COUNTERS | _LISTENER_COUNTERS
BACK_COLUMNS = _BACKEND_COUNTERS | _SERVER_COUNTERS
_AVERAGES = {
    "qtime": Column.Q_TIME, "ctime": Column.C_TIME, "rtime": Column.R_TIME, "ttime": Column.T_TIME,
}  # fmt: skip

#: Columns that only HTTP proxies have, by kind of row.
_HTTP_ONLY = {
    "F": {"hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx", "hrsp_other", "intercepted",
          "cache_lookups", "cache_hits", "cache_hint_hits"},
    "B": {"hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx", "hrsp_other", "req_tot",
          "cache_lookups", "cache_hits", "cache_hint_hits"},
    "S": {"hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx", "hrsp_other", "req_tot"},
    "L": set(),
}  # fmt: skip
#: Numeric columns that are empty unless a row says otherwise.
_OPTIONAL = {
    "slim", "qlimit", "throttle", "chkfail", "chkdown", "downtime", "check_code", "check_duration",
    "check_rise", "check_fall", "check_health", "agent_code", "agent_duration", "agent_rise", "agent_fall",
    "agent_health", "hanafail", "src_ilim",
}  # fmt: skip
_ZEROS = {
    kind: {f.name: 0 for f in FIELDS if kind in f.kinds and f.type != "str" and f.name not in _OPTIONAL}
    for kind in "FBSL"
}


def _zeros(kind: str, http: bool) -> Values:
    zeros = _ZEROS[kind]
    if http:
        return dict(zeros)
    return {name: 0 for name in zeros if name not in _HTTP_ONLY[kind]}


def _mode(http: bool) -> str:
    return "http" if http else "tcp"


def _endpoint(address: str, port: int) -> str:
    if address.startswith(("/", "\0")):
        return "unix"
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def status_of(server: Server) -> str:
    """The ``status`` column: ``UP``, ``UP 1/3``, ``DOWN 1/2``, ``NOLB``, ``DRAIN``, ``MAINT``..."""
    if server.in_maintenance:
        if server.tracked is not None and server.admin & Admin.INHERITED_MAINT:
            return f"MAINT (via {server.tracked.name})"
        return "MAINT (resolution)" if server.admin & Admin.RESOLUTION_MAINT else "MAINT"
    checked = server
    while checked.tracked is not None:
        checked = checked.tracked
    health, agent = checked.health, checked.agent
    if agent is not None and agent.enabled and server.draining:
        return "DRAIN (agent)"
    if agent is not None and agent.enabled and not agent.level and server.operation is Operation.STOPPED:
        return "DOWN (agent)"
    if health is None or not health.enabled:
        if server.operation is Operation.STOPPED:
            return "DOWN"
        return "DRAIN" if server.draining else "no check"
    if server.operation is Operation.STOPPED:
        return f"DOWN {health.level}/{health.settings.rise}" if health.level else "DOWN"
    word = "DRAIN" if server.draining else "NOLB" if server.operation is Operation.STOPPING else "UP"
    if health.level >= health.top:
        return word
    return f"{word} {health.level - health.settings.rise + 1}/{health.settings.fall}"


def _check_values(health: Health, prefix: str, last: str) -> Values:
    outcome = health.outcome
    mark = "* " if health.running else ""
    values: Values = {f"{prefix}_status": mark + outcome.status.short, last: _one_line(outcome.info)}
    if outcome.status.has_code:
        values[f"{prefix}_code"] = outcome.code
    if outcome.status.finished and outcome.duration >= 0:
        values[f"{prefix}_duration"] = outcome.duration
    values[f"{prefix}_desc"] = outcome.status.sentence
    values[f"{prefix}_rise"] = health.settings.rise
    values[f"{prefix}_fall"] = health.settings.fall
    values[f"{prefix}_health"] = health.level
    return values


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


__all__ = ["EXTRA", "Cells", "Row", "Statistics", "Values", "status_of"]
