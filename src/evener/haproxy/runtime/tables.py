"""Commands about stick tables: ``show table``, ``set table``, ``clear table`` (management manual, 9.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

from evener.haproxy.runtime_api import Answer, Level, Long, Session, Told, command
from evener.haproxy.sample import Type
from evener.haproxy.stick_data import BY_NAME, TEXT_CELLS, Cell, Kind
from evener.haproxy.stick_table import Table

MOST_FILTERS: Final = 4
MANY: Final = 500  #: entries from which on a table is shown or cleared piece by piece
_OPERATORS: Final[dict[str, Callable[[int, int], bool]]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "le": lambda a, b: a <= b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "gt": lambda a, b: a > b,
}
_DATA: Final = re.compile(r"([a-z0-9_]+)(?:\[(\d{1,3})\])?\Z", re.ASCII)
_NUMBER: Final = re.compile(r"-?\d{1,20}\Z", re.ASCII)
_POINTER: Final = re.compile(r"0x([0-9a-fA-F]{1,16})\Z")
_DOING: Final = {"show": "Showing keys from", "set": "Inserting keys into", "clear": "Removing keys from"}
_REQUIRED: Final = {
    "set": "Required arguments: <table> key <key> [data.<store_data_type> <value>]* or "
    "<table> ptr <ptr> [data.<store_data_type> <value>]*",
    "clear": 'Required arguments: <table> "data.<store_data_type>" <operator> <value> or '
    "<table> key <key> or <table> ptr <ptr>",
    "show": 'Optional argument only supports "data.<store_data_type>" <operator> <value> or '
    "key <key> or ptr <ptr>",
}
_VALUE: Final = "Require a valid integer value to store"


class Filter(NamedTuple):
    """``value`` gives the number of an entry, None when the array has no such element."""

    value: Callable[[Any], int] | None
    compare: Callable[[int, int], bool]
    number: int

    def holds(self, entry: Any) -> bool:
        return self.value is not None and self.compare(self.value(entry), self.number)


# -- what is printed -------------------------------------------------------------------------------


def header(table: Table) -> str:
    kind = "ip" if table.ir.type == "ipv4" else table.ir.type
    return f"# table: {table.name}, type: {kind}, size:{table.ir.size}, used:{table.native.used}\n"


def line(table: Table, entry: Any) -> str:
    expire = table.ir.expire
    left = max(expire - entry.idle, 0) if expire else 0
    words = [
        f"{entry.address:#x}: key={table.print_key(entry.key)}", f"use={entry.trackers}", f"exp={left}",
        "shard=0", *(f"{label}={shown(cell, entry)}" for label, cell in table.layout.shown()),
    ]  # fmt: skip
    return " ".join(words) + "\n"


def shown(cell: Cell, entry: Any) -> str:
    if cell.kind is Kind.TEXT:
        return entry.text(cell.at, TEXT_CELLS).decode("utf-8", "surrogateescape") or "-"
    return str(entry.rate(cell.at, cell.period) if cell.kind is Kind.RATE else entry.get(cell.at))


# -- which entries ---------------------------------------------------------------------------------


def data_cell(table: Table, text: str) -> Cell | Told | None:
    """The cell that ``data.gpt[1]`` means; None when the array is shorter."""
    match = _DATA.match(text)
    data = BY_NAME.get(match[1]) if match is not None else None
    if match is None or data is None or (match[2] and not data.array):
        return Told("Unknown data type")
    if data.array:
        if data.name not in table.layout.arrays:
            return Told("Data type not stored in this table")
        return table.layout.element(data.name, int(match[2] or 0))
    return table.layout.single.get(data.name) or Told("Data type not stored in this table")


def filters(table: Table, words: Sequence[str]) -> list[Filter] | Told:
    """``data.<type> <operator> <value>``, up to four times."""
    found: list[Filter] = []
    at = 0
    while at < len(words):
        if len(found) == MOST_FILTERS:
            # counted from the command's own first word, and from one
            return Told(f"Detected extra data in filter, {at + 4}th word of input, after '{words[at - 1]}'")
        number = f"Filter entry #{len(found) + 1}: "
        name = words[at].removeprefix("data.")
        cell = data_cell(table, name) if name != words[at] else Told("Unknown data type")
        if isinstance(cell, Told):
            return Told(number + cell.text)
        operator = words[at + 1] if at + 1 < len(words) else ""
        if operator not in _OPERATORS:
            return Told(f'{number}Require and operator among "eq", "ne", "le", "ge", "lt", "gt"')
        if at + 2 >= len(words) or not _NUMBER.match(words[at + 2]):
            return Told(f"{number}Require a valid integer value to compare against")
        found.append(Filter(_value(cell), _OPERATORS[operator], int(words[at + 2])))
        at += 3
    return found


def _value(cell: Cell | None) -> Callable[[Any], int] | None:
    if cell is None or cell.kind is Kind.TEXT:
        return None
    at, period = cell.at, cell.period
    if cell.kind is Kind.RATE:
        return lambda entry: entry.rate(at, period)
    return lambda entry: entry.get(at)


def single(table: Table, action: str, words: Sequence[str]) -> Any:
    """The entry named by ``key <key>`` or ``ptr <ptr>``: it, None, or what to say instead."""
    if words[0] == "ptr":
        match = _POINTER.match(words[1]) if len(words) > 1 else None
        if match is None:
            return Told("Pointer expected (0xffff notation)")
        return table.native.at(int(match[1], 16)) or Told("No entry can be found matching ptr.")
    if len(words) < 2:
        return Told("Key value expected")
    if table.want is Type.BIN:
        return Told(
            f"{_DOING[action]} tables of type other than ip, ipv6, string and integer is not supported"
        )
    key = table.read_key(words[1])
    if key is None:
        return Told("Invalid key")
    return table.native.obtain(key) if action == "set" else table.native.find(key)


def matching(table: Table, wanted: Sequence[Filter]) -> Iterator[Any]:
    """In the order of keys, unless there are very many."""
    walk = table.native.walk()
    entries = sorted(walk, key=lambda entry: entry.key) if table.native.used <= MANY else walk
    for entry in entries:
        if all(one.holds(entry) for one in wanted):
            yield entry


def table_of(session: Session, action: str, words: Sequence[str]) -> Table | Told:
    if not words:
        return Told(_REQUIRED[action])
    return session.control.plan.tables.get(words[0]) or Told("No such table")


# -- the commands ----------------------------------------------------------------------------------


@command(
    "show table",
    "show table [<table> [<filter>]*]",
    ok=("show table", "show table t", "show table t data.gpc0 gt 0"),
    bad=("show table no-such-table", "show tables"),
)
def show_table(session: Session, words: Sequence[str]) -> Answer:
    """report table usage stats or dump this table's contents (filter: data/key)"""
    if not words:
        return "".join(header(table) for table in reversed(session.control.plan.tables.values()))
    table = table_of(session, "show", words)
    if isinstance(table, Told):
        return table
    if session.level < Level.OPERATOR:
        return f"{header(table)}# contents not dumped due to insufficient privileges\n"
    rest = words[1:]
    if rest and rest[0] in ("key", "ptr"):
        entry = single(table, "show", rest)
        if isinstance(entry, Told):
            return entry
        return header(table) + line(table, entry) if entry is not None else None
    if rest and not rest[0].startswith("data."):
        return Told(_REQUIRED["show"])
    wanted = filters(table, rest)
    if isinstance(wanted, Told):
        return wanted
    lines = (line(table, entry) for entry in matching(table, wanted))
    if table.native.used > MANY:
        return Long(chain((header(table),), lines))
    return header(table) + "".join(lines)


def removed(entries: Iterable[Any]) -> Iterator[str]:
    """Nothing to say about each, but a moment in which others may have their turn."""
    for entry in entries:
        entry.remove()
        yield ""


@command(
    "clear table",
    "clear table <table> [<filter>]*",
    level=Level.OPERATOR,
    ok=("clear table t", "clear table t key 192.0.2.1", "clear table t data.gpc0 eq 1"),
    bad=("clear table", "clear table no-such-table", "user;clear table t"),
)
def clear_table(session: Session, words: Sequence[str]) -> Answer:
    """remove an entry from a table (filter: data/key)"""
    table = table_of(session, "clear", words)
    if isinstance(table, Told):
        return table
    rest = words[1:]
    if rest and rest[0] in ("key", "ptr"):
        entry = single(table, "clear", rest)
        if isinstance(entry, Told):
            return entry
        if entry is not None and not entry.remove():
            return Told("Entry currently in use, cannot remove")
        return None
    if rest and not rest[0].startswith("data."):
        return Told(_REQUIRED["clear"])
    wanted = filters(table, rest)
    if isinstance(wanted, Told):
        return wanted
    return _emptied(table, wanted)


def _emptied(table: Table, wanted: Sequence[Filter]) -> Answer:
    removals = removed(matching(table, wanted))
    if table.native.used > MANY:
        return Long(removals)
    return "".join(removals) or None


@command(
    "set table",
    "set table <table> key <k> [data.* <v>]*",
    level=Level.OPERATOR,
    ok=("set table t key 192.0.2.1 data.gpc0 1",),
    bad=("set table", "set table no-such-table key x", "user;set table t key x"),
)
def set_table(session: Session, words: Sequence[str]) -> Answer:
    """update or create a table entry's data"""
    table = table_of(session, "set", words)
    if isinstance(table, Told):
        return table
    rest = words[1:]
    if not rest:  # as the original does: nothing remains
        return _emptied(table, [])
    if rest[0].startswith("data."):
        return Told('content-based lookup is only supported with the "show" and "clear" actions')
    if rest[0] not in ("key", "ptr"):
        return Told(_REQUIRED["set"])
    entry = single(table, "set", rest)
    if isinstance(entry, Told):
        return entry
    if entry is None:
        return Told("Unable to allocate a new entry")
    return write(table, entry, rest[2:])


def write(table: Table, entry: Any, words: Sequence[str]) -> Answer:
    """``data.<type> <value>`` pairs; what stands before a wrong one is written."""
    for at in range(0, len(words), 2):
        name = words[at].removeprefix("data.")
        if name == words[at]:
            return Told('"data.<type>" followed by a value expected')
        cell = data_cell(table, name)
        if isinstance(cell, Told):
            return cell
        if at + 1 >= len(words) or not _NUMBER.match(words[at + 1]):
            return Told(_VALUE)
        value = int(words[at + 1])
        if cell is None or cell.kind is Kind.TEXT:
            return Told(_VALUE)
        if cell.kind is Kind.RATE:
            entry.set_rate(cell.at, value)
        else:
            entry.set(cell.at, value & (0xFFFFFFFF if not name.startswith("bytes_") else (1 << 63) - 1))
    return None
