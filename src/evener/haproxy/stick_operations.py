"""What fetches and converters ask of a table entry: reading, adding to, or clearing one value.

An ``Operation`` makes the closure for a table: a table may keep the value as a number, in an array or
not at all (then there is no closure, and no sample). ``creates`` tells that an entry is made for a key
that has none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from evener.haproxy.sample import Type
from evener.haproxy.stick_data import Kind
from evener.haproxy.stick_table import Table

Operate = Callable[[Any], int]


class Operation(NamedTuple):
    """``make(table, index)``; the index is that of an array, None for everything else."""

    make: Callable[[Table, int | None], Operate | None]
    doc: str
    creates: bool = False


def _read(name: str) -> Callable[[Table, int | None], Operate | None]:
    return lambda table, index: table.reader(name, index)


def _kilobytes(name: str) -> Callable[[Table, int | None], Operate | None]:
    def make(table: Table, _index: int | None) -> Operate | None:
        read = table.reader(name)
        return None if read is None else lambda entry: read(entry) >> 10

    return make


def _increment(name: str) -> Callable[[Table, int | None], Operate | None]:
    def make(table: Table, index: int | None) -> Operate | None:
        add = table.adder(name, index)
        return (lambda entry: 0) if add is None else lambda entry: add(entry, 1)

    return make


def _clear(name: str) -> Callable[[Table, int | None], Operate | None]:
    def make(table: Table, index: int | None) -> Operate | None:
        cell = table.layout.find(name) if index is None else table.layout.element(name, index)
        if cell is None or cell.kind is not Kind.NUMBER:
            return None
        at = cell.at
        return lambda entry: entry.set(at, 0)

    return make


def _connection(table: Table, _index: int | None) -> Operate | None:
    """Count a connection by hand, but not in its rate: ``src_updt_conn_cnt``."""
    counter = table.layout.find("conn_cnt")
    if counter is None:
        return None
    at = counter.at
    return lambda entry: entry.add(at, -1, 0)


def _trackers(_table: Table, _index: int | None) -> Operate | None:
    return lambda entry: entry.trackers


def on_key(operation: Operation, index: int | None, table: Table) -> Callable[[Any], int | None]:
    """The operation on the entry of a value of the table's type; 0 when there is no entry."""
    operate = operation.make(table, index)
    pack = None if table.want in (Type.IPV4, Type.IPV6) else table.pack
    read = getattr(operate, "of_key", None)
    if read is not None:  # one step for finding and reading
        if pack is None:
            return lambda value: read(value) or 0
        return lambda value: read(pack(value)) or 0
    look = table.native.obtain if operation.creates else table.native.find

    def run(value: Any) -> int | None:
        entry = look(value if pack is None else pack(value))
        if entry is None:
            return 0
        return None if operate is None else operate(entry)

    return run


_WHAT: Final = {
    "bytes_in_rate": "Bytes from clients over the period of the table.",
    "bytes_out_rate": "Bytes from servers over the period of the table.",
    "conn_cnt": "How many connections were counted.",
    "conn_cur": "How many connections track the entry now.",
    "conn_rate": "Connections over the period of the table.",
    "glitch_cnt": "How many oddities of clients' connections were counted.",
    "glitch_rate": "Oddities of clients' connections over the period of the table.",
    "gpc0_rate": "How much the first general purpose counter grew over the period of the table.",
    "gpc1_rate": "How much the second general purpose counter grew over the period of the table.",
    "http_err_cnt": "How many requests were errors of the client.",
    "http_err_rate": "Errors of clients over the period of the table.",
    "http_fail_cnt": "How many responses were failures of the server.",
    "http_fail_rate": "Failures of servers over the period of the table.",
    "http_req_cnt": "How many requests were counted.",
    "http_req_rate": "Requests over the period of the table.",
    "sess_cnt": "How many connections became sessions.",
    "sess_rate": "Sessions over the period of the table.",
}
#: Words without an index, as they are called after ``sc_`` and ``src_``.
PLAIN: Final = {
    **{name: Operation(_read(name), doc) for name, doc in _WHAT.items()},
    "get_gpc0": Operation(_read("gpc0"), "The first general purpose counter."),
    "get_gpc1": Operation(_read("gpc1"), "The second general purpose counter."),
    "get_gpt0": Operation(_read("gpt0"), "The first general purpose tag."),
    "inc_gpc0": Operation(_increment("gpc0"), "Add one to the first general purpose counter.", True),
    "inc_gpc1": Operation(_increment("gpc1"), "Add one to the second general purpose counter.", True),
    "clr_gpc0": Operation(_clear("gpc0"), "Clear the first general purpose counter; what it was.", True),
    "clr_gpc1": Operation(_clear("gpc1"), "Clear the second general purpose counter; what it was.", True),
    "kbytes_in": Operation(_kilobytes("bytes_in_cnt"), "KiB from clients."),
    "kbytes_out": Operation(_kilobytes("bytes_out_cnt"), "KiB from servers."),
}
LOOKED_UP: Final = Operation(
    lambda _table, _index: lambda entry: entry.trackers + 1,
    "How many connections and streams track the entry now, and one for the one who looks.",
)
TRACKERS: Final = Operation(_trackers, "How many connections and streams track the entry now.")
UPDATE: Final = Operation(_connection, "Count one connection of the address; the new number.", True)
#: Words whose first argument is the index in an array.
INDEXED: Final = {
    "get_gpc": Operation(_read("gpc"), "A general purpose counter."),
    "get_gpt": Operation(_read("gpt"), "A general purpose tag."),
    "gpc_rate": Operation(_read("gpc_rate"), "How much a counter grew over the period of the table."),
    "inc_gpc": Operation(_increment("gpc"), "Add one to a general purpose counter.", True),
    "clr_gpc": Operation(_clear("gpc"), "Clear a general purpose counter; what it was.", True),
}
