"""``prometheus-exporter``: all counters in the text format of Prometheus.

Which metrics are shown may be chosen in the query: ``scope=`` (several; empty: none so far), ``metrics=``
(names, with ``-`` in front: not those), ``no-maint``, ``desc-labels``, ``extra-counters``. What a row of
``show stat`` has not is not a number (``NaN``), except where nobody of that kind has it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from evener.haproxy.builtin_pages import builtin_reply
from evener.haproxy.checks.outcome import CheckStatus
from evener.haproxy.control import Control
from evener.haproxy.info import info_values
from evener.haproxy.info_fields import FIELDS as INFO
from evener.haproxy.plan import Reply
from evener.haproxy.services.enquiry import pack
from evener.haproxy.services.metric_names import PROCESS, PROXIES
from evener.haproxy.services.metric_tables import resolver_metrics, table_metrics
from evener.haproxy.stat_fields import EXTRA, FIELDS, StatField
from evener.haproxy.stats import Row

SCOPES: Final = ("global", "frontend", "listener", "backend", "server", "sticktable", "resolver")
WORDS: Final = {"F": "frontend", "L": "listener", "B": "backend", "S": "server"}
TYPES: Final = {"c": "counter", "g": "gauge"}

SERVER_STATES: Final = ("DOWN", "UP", "MAINT", "DRAIN", "NOLB")
STATES: Final = {
    "F": ("DOWN", "UP"),
    "B": ("DOWN", "UP"),
    "L": ("WAITING", "OPEN", "FULL"),
    "S": SERVER_STATES,
}
CHECK_STATES: Final = tuple(s.short for s in CheckStatus if s.number >= CheckStatus.HANA.number)
_CODES: Final = ("1xx", "2xx", "3xx", "4xx", "5xx", "other")
_MILLISECONDS: Final = frozenset({
    "qtime", "ctime", "rtime", "ttime", "qtime_max", "ctime_max", "rtime_max", "ttime_max", "check_duration",
    "agent_duration",
})  # fmt: skip
_HELP: Final = {
    "status": "Current status of the service, per state label value.",
    "check_status": "Status of last health check, per state label value.",
    "agent_status": "Status of last agent check, per state label value.",
    "check_code": "layer5-7 code, if available of the last health check.",
    "check_duration": "Total duration of the latest server health check, in seconds.",
    "agent_duration": "Total duration of the latest server agent check, in seconds.",
    "qtime": "Avg. queue time for last 1024 successful connections.",
    "ctime": "Avg. connect time for last 1024 successful connections.",
    "rtime": "Avg. response time for last 1024 successful connections.",
    "src_ilim": "Limit on the number of available idle connections on this server "
    "(server 'pool_max_conn' directive)",
    "ttime": "Avg. total time for last 1024 successful connections.",
}
_DOCS: Final = {
    field.name: field.doc.removesuffix(", in milliseconds (backend/server)") for field in FIELDS
} | _HELP

#: What only builds with zlib have.
_ZLIB: Final = {
    "ZlibMemUsage": "Amount of memory currently used by HTTP compression on the current worker process "
    "(in bytes)",
    "MaxZlibMemUsage": "Limit on the amount of memory used by HTTP compression above which it is "
    "automatically disabled (in bytes, see global.maxzlibmem)",
}

#: A sample: labels after the ones that name the object, and the value as text.
Samples = Iterator[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Query:
    """What is to be shown."""

    scopes: frozenset[str] = frozenset(SCOPES)
    included: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()
    no_maint: bool = False
    descriptions: bool = False
    extra: bool = False

    def shows(self, name: str) -> bool:
        if name in self.excluded:
            return False
        return not self.included or name in self.included


def read_query(text: str) -> Query | None:
    """None when it cannot be understood."""
    scopes: set[str] | None = None
    included: set[str] = set()
    excluded: set[str] = set()
    flags: set[str] = set()
    for part in text.split("&"):
        name, equals, value = part.partition("=")
        value = unquote(value)
        if name == "scope":
            if not equals or value not in ("", "*", *SCOPES):
                return None
            scopes = set() if not value else (scopes or set()) | (set(SCOPES) if value == "*" else {value})
        elif name == "metrics":
            for word in value.split(","):
                (excluded if word.startswith("-") else included).add(word.removeprefix("-"))
        else:
            flags.add(name)
    return Query(
        frozenset(SCOPES if scopes is None else scopes), frozenset(included - {""}), frozenset(excluded),
        "no-maint" in flags, "desc-labels" in flags, "extra-counters" in flags,
    )  # fmt: skip


def answer(control: Control, question: list[Any]) -> bytes:
    """The packed reply to ``[query]``."""
    return pack(_reply(control, str(question[0])))


def _reply(control: Control, text: str) -> Reply:
    query = read_query(text)
    if query is None:
        return builtin_reply(400)
    body = "".join(metrics(control, query)).encode("utf-8", "surrogateescape")
    headers = [(b"cache-control", b"no-cache"), (b"content-type", b"text/plain; version=0.0.4")]
    return 200, b"OK", headers, body


def metrics(control: Control, query: Query) -> Iterator[str]:
    if "global" in query.scopes:
        yield from _process(control, query)
    rows: dict[str, list[Row]] = {kind: [] for kind in WORDS}
    for row in control.statistics.rows(False):
        if not (query.no_maint and row.kind == "S" and str(row.values["status"]).startswith("MAINT")):
            rows[row.kind].append(row)
    described = _descriptions(control) if query.descriptions else {}
    for kind, word in WORDS.items():
        if word in query.scopes and rows[kind]:
            yield from _of_kind(kind, rows, query, described)
    if "sticktable" in query.scopes:
        yield from _simple(table_metrics(control), query)
    if "resolver" in query.scopes:
        yield from _simple(resolver_metrics(control), query)


def _simple(groups: Iterator[tuple[str, str, str]], query: Query) -> Iterator[str]:
    return (_group(name, "gauge", doc, lines) for name, doc, lines in groups if query.shows(name))


def _group(name: str, kind: str, doc: str, lines: str) -> str:
    return f"# HELP {name} {doc}\n# TYPE {name} {kind}\n{lines}"


def quoted(value: str) -> str:
    """The value of a label."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _descriptions(control: Control) -> dict[str, str]:
    return {p.name: p.description for p in control.plan.configuration.proxies if p.description}


# -- the process ----------------------------------------------------------------------------------


def _process(control: Control, query: Query) -> Iterator[str]:
    docs = {field.name: field.doc for field in INFO}
    values = info_values(control.facts, control.cells, control.wall)
    described = control.facts.description if query.descriptions else ""
    label = f'desc="{quoted(described)}"' if described else ""
    for row in PROCESS.splitlines():
        short, field, kind = row.split("|")
        name = f"haproxy_process_{short}"
        if not query.shows(name):
            continue
        value = values.get(field, math.nan)
        labels = [label] if label else []
        if isinstance(value, str):
            labels.append(f'{"node" if field == "node" else "version"}="{quoted(value)}"')
            value = 1
        shown = "{" + ",".join(labels) + "}" if labels else ""
        text = "NaN" if value is math.nan else value
        yield _group(name, TYPES[kind], docs.get(field) or _ZLIB[field], f"{name}{shown} {text}\n")


# -- proxies --------------------------------------------------------------------------------------


def _of_kind(kind: str, rows: dict[str, list[Row]], query: Query, described: dict[str, str]) -> Iterator[str]:
    own = rows[kind]
    owners = [_owner(row, described) for row in own]
    for table_row in PROXIES.splitlines():
        short, field, type_, kinds = table_row.split("|")
        name = f"haproxy_{WORDS[kind]}_{short}"
        if kind not in kinds or not query.shows(name):
            continue
        if field == "hrsp_1xx":
            yield _responses(name, own, owners)
            continue
        lines = [
            f"{name}{{{owner}{labels}}} {value}\n"
            for row, owner in zip(own, owners, strict=True)
            for labels, value in _samples(kind, field, row, rows)
        ]
        if lines:
            yield _group(name, TYPES[type_], _DOCS[field], "".join(lines))
    if query.extra:
        yield from _extra(kind, own, owners, query)


def _owner(row: Row, described: dict[str, str]) -> str:
    name = row.values["pxname"]
    parts = [f'proxy="{quoted(name)}"']
    if name in described:
        parts.append(f'desc="{quoted(described[name])}"')
    if row.kind in "SL":
        parts.append(f'{WORDS[row.kind]}="{quoted(row.values["svname"])}"')
    return ",".join(parts)


def _responses(name: str, rows: Sequence[Row], owners: Sequence[str]) -> str:
    """One metric for all classes of status codes."""
    lines = [
        f'{name}{{{owner},code="{code}"}} {row.values[f"hrsp_{code}"]}\n'
        for code in _CODES
        for row, owner in zip(rows, owners, strict=True)
        if f"hrsp_{code}" in row.values
    ]
    return _group(name, "counter", _DOCS["hrsp_1xx"], "".join(lines)) if lines else ""


def _samples(kind: str, field: str, row: Row, rows: dict[str, list[Row]]) -> Samples:
    values = row.values
    if field == "status":
        yield from _one_of(STATES[kind], _state(kind, str(values["status"])))
    elif field in ("check_status", "agent_status"):
        if field in values:
            yield from _one_of(CHECK_STATES, str(values[field]).removeprefix("* "))
    elif field.startswith("agg_"):
        yield from _aggregated(field, [s for s in rows["S"] if s.proxy == row.proxy])
    elif field in ("check_code", "check_duration", "agent_code", "agent_duration") and field not in values:
        # Only there when a check has something to say.
        if field.partition("_")[0] + "_status" in values:
            yield "", _number(field, 0)
    elif field == "downtime" and kind == "B" and not any(s.proxy == row.proxy for s in rows["S"]):
        yield "", "NaN"
    else:
        yield "", _number(field, values[field]) if field in values else "NaN"


def _number(field: str, value: Any) -> str:
    return f"{value / 1000:.6f}" if field in _MILLISECONDS else str(value)


def _one_of(states: Sequence[str], current: str) -> Samples:
    return ((f',state="{state}"', str(int(state == current))) for state in states)


def _state(kind: str, status: str) -> str:
    if kind == "S":
        return next((state for state in SERVER_STATES if status.startswith(state)), "UP")
    if kind == "L":
        return status
    return "UP" if status in ("UP", "OPEN", "FULL") else "DOWN"


def _aggregated(field: str, servers: Sequence[Row]) -> Samples:
    """How many servers of a backend are in each state."""
    found: Callable[[Row], str] = lambda row: _state("S", str(row.values["status"]))  # noqa: E731
    states: Sequence[str] = SERVER_STATES
    if field == "agg_check_status":
        servers = [row for row in servers if "check_status" in row.values]
        found, states = lambda row: str(row.values["check_status"]).removeprefix("* "), CHECK_STATES
    now = [found(row) for row in servers]
    if servers:
        yield from ((f',state="{state}"', str(now.count(state))) for state in states)


def _extra(kind: str, rows: Sequence[Row], owners: Sequence[str], query: Query) -> Iterator[str]:
    """The counters of modules; their names begin with the module's."""
    first = next(at for at, field in enumerate(FIELDS) if field.name == EXTRA)
    extra: Sequence[StatField] = FIELDS[first:]
    for field in extra:
        name = f"haproxy_{WORDS[kind]}_{field.name}"
        if kind not in field.kinds or not query.shows(name):
            continue
        module = field.name.partition("_")[0]
        lines = [
            f'{name}{{{owner},mod="{module}"}} {row.values[field.name]}\n'
            for row, owner in zip(rows, owners, strict=True)
            if field.name in row.values
        ]
        if lines:
            yield _group(name, "counter" if field.tags[1] == "C" else "gauge", field.doc, "".join(lines))
