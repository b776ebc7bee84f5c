"""What a stick table may keep of each key: the data types, and where their values stand in an entry.

Knows names, order and width; the memory is the engine's, the meaning of events the streams'. An entry is
a row of 64-bit cells: a number takes one, a sliding rate three, a server's name as many as ``TEXT_CELLS``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import field
from enum import Enum
from typing import Final, NamedTuple

from evener.haproxy.columns import Event
from evener.text.record import dataclass

MOST_ELEMENTS: Final = 100
TEXT_CELLS: Final = 9  #: a length and 64 bytes
LONGEST_PERIOD: Final = 2147483647


class Kind(Enum):
    """The value is how many cells it takes."""

    NUMBER = 1
    RATE = 3
    TEXT = TEXT_CELLS


class DataType(NamedTuple):
    name: str
    kind: Kind = Kind.NUMBER
    array: bool = False


_RATE: Final = Kind.RATE
#: In the order in which ``show table`` prints them.
DATA: Final = (
    DataType("server_id"), DataType("gpt0"), DataType("gpc0"), DataType("gpc0_rate", _RATE),
    DataType("conn_cnt"), DataType("conn_rate", _RATE), DataType("conn_cur"),
    DataType("sess_cnt"), DataType("sess_rate", _RATE),
    DataType("http_req_cnt"), DataType("http_req_rate", _RATE),
    DataType("http_err_cnt"), DataType("http_err_rate", _RATE),
    DataType("bytes_in_cnt"), DataType("bytes_in_rate", _RATE),
    DataType("bytes_out_cnt"), DataType("bytes_out_rate", _RATE),
    DataType("gpc1"), DataType("gpc1_rate", _RATE), DataType("server_key", Kind.TEXT),
    DataType("http_fail_cnt"), DataType("http_fail_rate", _RATE),
    DataType("gpt", array=True), DataType("gpc", array=True), DataType("gpc_rate", _RATE, array=True),
    DataType("glitch_cnt"), DataType("glitch_rate", _RATE),
)  # fmt: skip
BY_NAME: Final = {data.name: data for data in DATA}
#: What an event adds to: a counter, a rate.
EVENTS: Final = {
    Event.CONN: "conn", Event.SESS: "sess", Event.REQUEST: "http_req", Event.ERROR: "http_err",
    Event.FAILURE: "http_fail", Event.INPUT: "bytes_in", Event.OUTPUT: "bytes_out", Event.GLITCH: "glitch",
}  # fmt: skip
_LEGACY: Final = re.compile(r"(gpt|gpc)([01])(_rate)?\Z")


@dataclass(frozen=True, slots=True)
class Stored:
    """One item of ``store``: ``period`` in milliseconds for rates, ``count`` elements for arrays."""

    name: str
    count: int = 1
    period: int = 0

    @property
    def data(self) -> DataType:
        return BY_NAME[self.name]


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a value begins in the row of an entry."""

    at: int
    kind: Kind
    period: int = 0


@dataclass(frozen=True, slots=True)
class Layout:
    """``arrays`` and ``single`` find cells by the name of the data type."""

    stored: tuple[Stored, ...] = ()
    width: int = 0
    single: dict[str, Cell] = field(default_factory=dict)
    arrays: dict[str, tuple[Cell, ...]] = field(default_factory=dict)

    def find(self, name: str) -> Cell | None:
        """The cell of ``gpc0``, ``conn_rate``...; the first two of an array keep their old names."""
        cell = self.single.get(name)
        match = _LEGACY.match(name) if cell is None else None
        if match is None:
            return cell
        return self.element(match[1] + (match[3] or ""), int(match[2]))

    def element(self, name: str, index: int) -> Cell | None:
        """One element of ``gpt``, ``gpc`` or ``gpc_rate``; None when it is not stored."""
        cells = self.arrays.get(name, ())
        return cells[index] if 0 <= index < len(cells) else None

    def shown(self) -> Iterator[tuple[str, Cell]]:
        """Labels and cells as ``show table`` lists them."""
        for one in self.stored:
            period = f"({one.period})" if one.data.kind is Kind.RATE else ""
            if not one.data.array:
                yield one.name + period, self.single[one.name]
                continue
            head, _, tail = one.name.partition("_")
            for index, cell in enumerate(self.arrays[one.name]):
                yield f"{head}{index}{'_' + tail if tail else ''}{period}", cell

    def events(self) -> list[tuple[int, int, int]]:
        """(counter cell, rate cell, period) for each ``Event``; -1 where nothing is kept."""
        rows = []
        for event in Event:
            counter, rate = self.single.get(f"{EVENTS[event]}_cnt"), self.single.get(f"{EVENTS[event]}_rate")
            rows.append((counter.at if counter else -1, rate.at if rate else -1, rate.period if rate else 0))
        return rows

    @property
    def current(self) -> int:
        cell = self.single.get("conn_cur")
        return cell.at if cell else -1


def lay_out(stored: Sequence[Stored]) -> Layout:
    """Give every value its cells, in the order of ``DATA``; the first of two of a kind counts."""
    wanted = {one.name: one for one in reversed(stored)}
    chosen = tuple(wanted[data.name] for data in DATA if data.name in wanted)
    single: dict[str, Cell] = {}
    arrays: dict[str, tuple[Cell, ...]] = {}
    at = 0
    for one in chosen:
        width = one.data.kind.value
        period = max(one.period, 1) if one.data.kind is Kind.RATE else 0
        cells = tuple(Cell(at + width * n, one.data.kind, period) for n in range(one.count))
        at += width * one.count
        if one.data.array:
            arrays[one.name] = cells
        else:
            single[one.name] = cells[0]
    return Layout(chosen, at, single, arrays)
