"""Counters on their way from one process to the next: ``dump stats-file`` and the global ``stats-file``.

The file has a section per side (``#fe``: frontends and listeners, ``#be``: backends and servers). Its first
line names columns, every other line the object by its GUID and the values. What is not understood - a line, a
column, a GUID of the other side - is left out; a file that begins with something else is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from evener.haproxy.columns import Column
from evener.haproxy.plan import FrontendPlan, Plan
from evener.haproxy.stats import BACK_COLUMNS, FRONT_COLUMNS, Row, Statistics
from evener.vocab.arguments import decimal

_FRONT: Final = (
    "stot", "bin", "bout", "dreq", "dresp", "ereq", "rate", "hrsp_1xx", "hrsp_2xx", "hrsp_3xx",
    "hrsp_4xx", "hrsp_5xx", "hrsp_other", "req_rate", "req_tot", "comp_in", "comp_out", "comp_byp",
    "comp_rsp", "conn_rate", "conn_tot", "intercepted", "dcon", "dses", "wrew", "cache_lookups",
    "cache_hits", "eint", "h1sess", "h2sess", "h3sess", "req_other", "h1req", "h2req", "h3req", "reqbin",
    "reqbout", "resbin", "resbout", "cache_hint_hits",
)  # fmt: skip
_BACK: Final = (
    "stot", "bin", "bout", "dreq", "dresp", "econ", "eresp", "wretr", "wredis", "chkfail", "chkdown",
    "lastchg", "lbtot", "rate", "hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx", "hrsp_other",
    "hanafail", "req_tot", "cli_abrt", "srv_abrt", "comp_in", "comp_out", "comp_byp", "comp_rsp",
    "lastsess", "wrew", "connect", "reuse", "cache_lookups", "cache_hits", "eint", "reqbin", "reqbout",
    "resbin", "resbout", "cache_hint_hits",
)  # fmt: skip
_SIDES: Final = {"fe": "FL", "be": "BS"}
#: Only what is dumped is loaded: never a gauge.
_COLUMNS: Final[dict[str, dict[str, Column]]] = {
    "fe": {name: FRONT_COLUMNS[name] for name in _FRONT if name in FRONT_COLUMNS},
    "be": {name: BACK_COLUMNS[name] for name in _BACK if name in BACK_COLUMNS},
}
_LARGEST: Final = (1 << 63) - 1


class BadStatsFile(Exception):
    """The text is no such file."""


class Objects:
    """The rows of everything that has a GUID, by side and GUID."""

    def __init__(self, plan: Plan, statistics: Statistics) -> None:
        self.rows: dict[str, dict[str, int]] = {"fe": {}, "be": {}}
        self.guids: dict[tuple[str, int, int], str] = {}  #: (kind, proxy, id), as in rows of statistics
        for front in plan.frontends:
            self._add("fe", _guid(front.ir), front.row, ("F", front.id, 0))
            if statistics.sockets(front):
                self._listeners(front)
        for back in plan.backends:
            self._add("be", _guid(back.ir), back.row, ("B", back.id, 0))
            for server in back.servers:
                self._add(
                    "be", _guid(getattr(server.ir, "options", None)), server.row, ("S", back.id, server.id)
                )

    def _listeners(self, front: FrontendPlan) -> None:
        """Those of one line are numbered from 0 behind the prefix."""
        seen: dict[int, int] = {}
        for position, bind in enumerate(front.binds):
            number = seen[id(bind.options)] = seen.get(id(bind.options), -1) + 1
            prefix = bind.options.guid_prefix if bind.options is not None else None
            guid = f"{prefix}-{number}" if prefix else None
            self._add("fe", guid, bind.row, ("L", front.id, position + 1))

    def _add(self, side: str, guid: str | None, row: int, key: tuple[str, int, int]) -> None:
        if guid is not None:
            self.rows[side][guid] = row
            self.guids[key] = guid


def _guid(said: Any) -> str | None:
    """Proxies and servers made at run time may have none of what lines say."""
    return getattr(said, "guid", None)


def dump(plan: Plan, statistics: Statistics) -> str:
    objects = Objects(plan, statistics)
    rows = list(statistics.rows(False))
    return "\n".join(
        "".join(_section(side, names, rows, objects)) for side, names in (("fe", _FRONT), ("be", _BACK))
    )


def _section(side: str, names: Sequence[str], rows: list[Row], objects: Objects) -> Iterator[str]:
    yield f"#{side} guid,{','.join(names)},\n"
    for row in rows:
        guid = objects.guids.get((row.kind, row.proxy, row.id))
        if guid is not None and row.kind in _SIDES[side]:
            values = (row.values.get(name, 0) for name in names)
            yield f"{guid},{','.join(str(max(value, 0)) for value in values)},\n"


def load(text: str, plan: Plan, statistics: Statistics) -> Iterator[tuple[int, Column, int]]:
    """The cells that a file sets: (row, column, value). Raises BadStatsFile at its first line."""
    objects, rows = Objects(plan, statistics), dict[str, int]()
    columns: list[Column | None] | None = None
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("#"):
            rows, columns = _header(line, objects)
        elif line and not line.startswith("//"):
            if columns is None:
                raise BadStatsFile
            yield from _cells(line, rows, columns)


def _header(line: str, objects: Objects) -> tuple[dict[str, int], list[Column | None]]:
    side, _, names = line[1:].partition(" ")
    first, *others = names.strip().rstrip(",").split(",")
    known: Mapping[str, Column] = _COLUMNS.get(side, {})
    if first != "guid":
        return {}, []
    return objects.rows.get(side, {}), [known.get(name) for name in others]


def _cells(
    line: str, rows: dict[str, int], columns: list[Column | None]
) -> Iterator[tuple[int, Column, int]]:
    guid, *values = line.split(",")
    row = rows.get(guid)
    if row is None:
        return
    for column, text in zip(columns, values, strict=False):
        value = decimal(text)
        if column is not None and value is not None and value <= _LARGEST:
            yield row, column, value
