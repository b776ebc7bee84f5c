"""Management information as declarations: which objects there are, and how each is read from a state.

A ``Table`` has the OID that its columns stand below, says how its rows are found (an index and a thing each,
in order of the indexes), and declares its columns: number, type, and how it is read from the thing. A group
of scalars is a table whose only row has the index 0. A column that reads None has no instance there, and a
walk passes over it. ``Mib`` answers for several tables.

What may be set has a ``test``, which says what is wrong with a value, and a ``write``.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from evener.text.record import dataclass
from evener.wire.agentx import Error, Kind, Oid, Range, Variable

Value = int | bytes | str | Oid | None
State = TypeVar("State")

SCALAR: Oid = (0,)


@dataclass(frozen=True, slots=True)
class Row:
    index: Oid
    thing: Any


class Setting(NamedTuple):
    """``test``: of the state, a thing and a value. ``write`` cannot fail."""

    test: Callable[[Any, int], Error]
    write: Callable[[Any, Any, int], None]


@dataclass(frozen=True, slots=True)
class Column:
    """``read``: of the state and a thing. ``setting`` None: read only."""

    number: int
    kind: Kind
    read: Callable[[Any, Any], Value]
    setting: Setting | None = None


@dataclass(frozen=True, slots=True)
class Table:
    oid: Oid
    rows: Callable[[Any], Sequence[Row]]
    columns: tuple[Column, ...]


def scalars(oid: Oid, *columns: Column) -> Table:
    return Table(oid, lambda state: (Row(SCALAR, state),), columns)


def numbered(things: Iterable[Any]) -> list[Row]:
    """Rows that are counted from 1."""
    return [Row((number,), thing) for number, thing in enumerate(things, 1)]


def nested(lists: Iterable[Iterable[Any]], first: int = 1) -> list[Row]:
    """Rows of things in things."""
    return [
        Row((outer, inner), thing)
        for outer, several in enumerate(lists, first)
        for inner, thing in enumerate(several, 1)
    ]


def truth(value: object) -> int:
    """TruthValue of RFC 2579."""
    return 1 if value else 2


def address_type(packed: bytes) -> int:
    """InetAddressType of RFC 4001."""
    return 2 if len(packed) == 16 else 1


SCOPES = {0: 14, 255: 0, 254: 1, 253: 2, 200: 5}


def scope(number: int) -> int:
    """InetScopeType of a scope of rtnetlink(7)."""
    return SCOPES.get(number, 0)


class Mib(Generic[State]):
    """Tables in the order of their columns. ``at`` and ``after`` look; one ``Look`` is for one request."""

    def __init__(self, tables: Iterable[Table]) -> None:
        placed = sorted((((*t.oid, c.number), t, c) for t in tables for c in t.columns), key=lambda p: p[0])
        self._oids = [oid for oid, _, _ in placed]
        self._placed = [(table, column) for _, table, column in placed]

    def look(self, state: State) -> Look[State]:
        return Look(self, state)

    def column_of(self, name: Oid) -> int | None:
        """Where the column is that ``name`` is below."""
        place = bisect_right(self._oids, name) - 1
        if place >= 0 and name[: len(self._oids[place])] == self._oids[place]:
            return place
        return None

    def from_column(self, name: Oid) -> range:
        """The columns that may have something at or behind ``name``, the first that it is below included."""
        place = self.column_of(name)
        return range(bisect_left(self._oids, name) if place is None else place, len(self._oids))

    def placed(self, place: int) -> tuple[Oid, Table, Column]:
        return self._oids[place], *self._placed[place]


class Look(Generic[State]):
    """One request's view: the rows of a table are looked for once."""

    def __init__(self, mib: Mib[State], state: State) -> None:
        self._mib, self._state = mib, state
        self._rows: dict[int, Sequence[Row]] = {}

    def _rows_of(self, table: Table) -> Sequence[Row]:
        rows = self._rows.get(id(table))
        if rows is None:
            rows = self._rows[id(table)] = table.rows(self._state)
        return rows

    def _row(self, name: Oid) -> tuple[Column, Row] | None:
        place = self._mib.column_of(name)
        if place is None:
            return None
        oid, table, column = self._mib.placed(place)
        rows, index = self._rows_of(table), name[len(oid) :]
        at = bisect_left(rows, index, key=lambda row: row.index)
        return (column, rows[at]) if at < len(rows) and rows[at].index == index else None

    def get(self, name: Oid) -> Variable:
        found = self._row(name)
        if found is not None:
            variable = self._variable(name, *found)
            if variable is not None:
                return variable
        there = self._mib.column_of(name) is not None
        return Variable(name, Kind.NO_INSTANCE if there else Kind.NO_OBJECT)

    def next(self, asked: Range) -> Variable:
        """The first instance of the range."""
        start = asked.start
        for place in self._mib.from_column(start):
            oid, table, column = self._mib.placed(place)
            if asked.end and oid >= asked.end:
                break
            found = self._in_column(oid, table, column, asked)
            if found is not None:
                return found if not asked.end or found.name < asked.end else Variable(start, Kind.END_OF_VIEW)
        return Variable(start, Kind.END_OF_VIEW)

    def _in_column(self, oid: Oid, table: Table, column: Column, asked: Range) -> Variable | None:
        rows, at = self._rows_of(table), 0
        if asked.start[: len(oid)] == oid:
            bisect = bisect_left if asked.inclusive else bisect_right
            at = bisect(rows, asked.start[len(oid) :], key=lambda row: row.index)
        for row in rows[at:]:
            variable = self._variable((*oid, *row.index), column, row)
            if variable is not None:
                return variable
        return None

    def _variable(self, name: Oid, column: Column, row: Row) -> Variable | None:
        value = column.read(self._state, row.thing)
        if value is None:
            return None
        if isinstance(value, str):
            value = value.encode("utf-8", "surrogateescape")
        return Variable(name, column.kind, value)

    def test(self, wanted: Variable) -> Error:
        """Whether the value may be set."""
        found = self._row(wanted.name)
        if found is None or found[0].setting is None:
            return Error.NOT_WRITABLE
        if not isinstance(wanted.value, int) or wanted.kind is not Kind.INTEGER:
            return Error.WRONG_TYPE
        return found[0].setting.test(found[1].thing, wanted.value)

    def write(self, wanted: Variable) -> None:
        found = self._row(wanted.name)
        if found is not None and found[0].setting is not None and isinstance(wanted.value, int):
            found[0].setting.write(self._state, found[1].thing, wanted.value)
