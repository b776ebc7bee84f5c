"""Commands that show statistics, servers and the process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from evener.haproxy import stats_show
from evener.haproxy.columns import Column
from evener.haproxy.info import info_values
from evener.haproxy.runtime.anonymity import hidden
from evener.haproxy.runtime.frontends import leading_number
from evener.haproxy.runtime_api import Answer, Level, Session, Told, command
from evener.haproxy.server_state import Admin, Farm, Server
from evener.haproxy.stats import Row

_KINDS = {"F": 1, "B": 2, "S": 4, "L": 8}

STATE_HEADER = (
    "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight "
    "srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state "
    "srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl "
    "srv_check_port srv_check_addr srv_agent_addr srv_agent_port\n"
)


@command(
    "show stat",
    "show stat [desc|json|no-maint|typed|up]*",
    ok=("show stat", "show stat -1 4 -1", "show stat b 2 -1", "show stat typed desc", "show stat json"),
    bad=("show stats",),
)
def show_stat(session: Session, words: Sequence[str]) -> Answer:
    """report counters for each proxy and server"""
    if words[:1] == ["domain"]:
        if words[1:2] != ["proxy"]:
            return Told("Invalid statistics domain.")
        words = words[2:]
    rows = _selected(session, words)
    if rows is None:
        return Told("No such proxy.")
    described = "desc" in words
    if "json" in words:
        return stats_show.stat_json(rows, described)
    if "typed" in words:
        return stats_show.stat_typed(rows, described)
    return stats_show.stat_csv(rows)


def _selected(session: Session, words: Sequence[str]) -> Iterator[Row] | None:
    """``[{<iid>|<proxy>} <type> <sid>] [up|no-maint]...``; -1 selects all. None: there is no such proxy."""
    rows = session.control.statistics.rows(session.level >= Level.OPERATOR)
    if len(words) >= 3:
        proxy = _proxy_number(session, words[0])
        if not proxy:
            return None
        kinds, sid = leading_number(words[1]), leading_number(words[2])
        rows = (row for row in rows if proxy in (-1, row.proxy))
        rows = (r for r in rows if kinds & _KINDS[r.kind] and (sid in (-1, r.id) or r.kind in "FB"))
    hides = {word: hidden for word, hidden in _HIDES.items() if word in words}
    if hides:
        rows = map(_with_count(session), rows)
    for hidden_states in hides.values():
        rows = _without(rows, hidden_states)
    return rows


_HIDES = {"up": ("DOWN", "MAINT"), "no-maint": ("MAINT",)}


def _without(rows: Iterable[Row], states: tuple[str, ...]) -> Iterator[Row]:
    return (row for row in rows if not str(row.values["status"]).startswith(states))


def _with_count(session: Session) -> Callable[[Row], Row]:
    """Where servers may be left out, a backend says how many of its servers are up."""

    def counted(row: Row) -> Row:
        farm = session.control.fleet.farm(row.values["pxname"]) if row.kind == "B" else None
        if farm is not None:
            row.values["status"] += f" ({sum(s.usable for s in farm.servers)}/{len(farm.servers)})"
        return row

    return counted


def _proxy_number(session: Session, wanted: str) -> int:
    """By name or number; -1 for all, 0 when there is none."""
    control = session.control
    frontend, farm = control.frontend(wanted), control.fleet.farm(wanted)
    plan = frontend or (farm.plan if farm is not None else None)
    return plan.id if plan is not None else leading_number(wanted)


@command(
    "show info",
    "show info [desc|json|typed|float]*",
    ok=("show info", "show info typed", "show info json desc"),
    bad=("show infos",),
)
def show_info(session: Session, words: Sequence[str]) -> Answer:
    """report information about the running process"""
    control = session.control
    values = info_values(control.facts, control.cells, control.wall, "float" in words)
    described = "desc" in words
    if "json" in words:
        return stats_show.info_json(values, described)
    if "typed" in words:
        return stats_show.info_typed(values, described)
    return stats_show.info_plain(values, described)


@command("show backend", "show backend", ok=("show backend",), bad=("show backends",))
def show_backend(session: Session, _words: Sequence[str]) -> Answer:
    """list backends in the current running config"""
    backends = session.control.plan.backends
    return "# name\n" + "".join(f"{hidden(session, b.name)}\n" for b in backends if not b.gone)


def _farms(session: Session, words: Sequence[str]) -> list[Farm] | Told:
    if not words:
        return session.control.fleet.farms
    farm = session.control.fleet.farm(words[0])
    return Told("Can't find backend.") if farm is None else [farm]


@command(
    "show servers state",
    "show servers state [<backend>]",
    ok=("show servers state", "show servers state b"),
    bad=("show servers state none",),
)
def show_servers_state(session: Session, words: Sequence[str]) -> Answer:
    """dump volatile server information (all or for a single backend)"""
    farms = _farms(session, words)
    if isinstance(farms, Told):
        return farms
    now = session.control.now()
    return (
        "1\n"
        + STATE_HEADER
        + "".join(state_line(s, now, partial(hidden, session)) for farm in farms for s in farm.servers)
    )


def state_line(server: Server, now: float, shown: Callable[[str], str] = str) -> str:
    """One line of a server state file, version 1; ``shown`` is how names are told."""
    plan, health, agent = server.plan, server.health, server.agent
    check = health.outcome.status if health is not None else None
    bits = health.state_bits() if health is not None else 0
    if health is None and server.admin & Admin.CONFIGURED_MAINT:
        bits = 8
    level = _unchecked(plan.ir) if server.told is None else server.told
    settings = health.settings if health is not None else None
    agents = agent.settings if agent is not None else None
    cells = [
        plan.backend.id, shown(plan.backend.name), plan.id, shown(plan.name), server.address or "-",
        int(server.operation), int(server.admin), server.weight, plan.weight, int(now - server.changed),
        check.number if check else 1, int(check.verdict) if check else 0,
        health.level if health else level, bits, agent.state_bits() if agent else 0,
        _forced(plan.backend.ir), _forced(plan.ir), _name(plan.ir),
        server.port, "-", 0, (settings.port if settings else None) or 0,
        (settings.address if settings else None) or "-", (agents.address if agents else None) or "-",
        (agents.port if agents else None) or 0,
    ]  # fmt: skip
    return " ".join(str(cell) for cell in cells) + "\n"


def _name(ir: object) -> str:
    """The name of a server that has no address of its own."""
    address = getattr(ir, "address", None)
    return address.host if address is not None and not address.resolved else "-"


def _unchecked(ir: object) -> int:
    """The level of a server that is not checked: what ``default-server rise`` left there."""
    return getattr(getattr(ir, "base", None), "rise", None) or 0


def _forced(ir: object) -> int:
    """Whether the configuration gave a number with ``id``."""
    options = getattr(ir, "options", ir)
    return int(getattr(options, "id", None) is not None)


@command(
    "show servers conn",
    "show servers conn [<backend>]",
    ok=("show servers conn", "show servers conn b"),
    bad=("show servers conn none",),
)
def show_servers_conn(session: Session, words: Sequence[str]) -> Answer:
    """dump server connections status (all or for a single backend)"""
    farms = _farms(session, words)
    if isinstance(farms, Told):
        return farms
    workers = session.control.facts.workers
    header = (
        "# bkname/svname bkid/svid addr port - purge_delay served used_cur used_max need_est "
        f"idle_sess unsafe_nb safe_nb idle_lim idle_cur idle_per_thr[{workers}]\n"
    )
    return header + "".join(_connections(session, s, workers) for farm in farms for s in farm.servers)


def _connections(session: Session, server: Server, workers: int) -> str:
    plan, get = server.plan, session.control.cells.get
    idle, used = get(plan.row, Column.IDLE_CUR), get(plan.row, Column.USED_CUR)
    # Idle connections are counted in one cell for all workers: they are told as the first one's.
    per_worker = " ".join(str(idle if n == 0 else 0) for n in range(workers))
    return (
        f"{server_name(session, server)} {plan.backend.id}/{plan.id} {server.address} {server.port} - 5000 "
        f"{get(plan.row, Column.CUR)} {used} {max(used, get(plan.row, Column.MAX))} "
        f"{get(plan.row, Column.USED_NEED)} 0 0 {idle} "
        f"-1 {idle} {per_worker}\n"
    )


def server_name(session: Session, server: Server) -> str:
    backend, name = server.plan.backend.name, server.plan.name
    return f"{hidden(session, backend)}/{hidden(session, name)}"


@command(
    "show activity",
    "show activity [-1|0|thread_num]",
    level=Level.OPERATOR,
    ok=("show activity",),
    bad=("show activities", "user;show activity"),
)
def show_activity(session: Session, _words: Sequence[str]) -> Answer:
    """show per-thread activity stats (for support/developers)"""
    control = session.control
    accepted = sum(control.cells.get(f.row, Column.CONNECTIONS) for f in control.plan.frontends)
    return (
        f"thread_id: 1 (1..{control.facts.workers})\n"
        f"date_now: {control.wall():.6f}\n"
        f"uptime_now: {control.wall() - control.facts.started:.6f}\n"
        f"accepted: {accepted}\n"
    )
