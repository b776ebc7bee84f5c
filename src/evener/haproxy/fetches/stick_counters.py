"""Fetches of stick tables: of what is tracked, of the client's address, of the table itself (7.3.2, 7.3.3).

``sc_x(n)`` and its spellings ``sc0_x`` to ``sc2_x`` read the entry tracked under a number, or the entry of
the same key in another table; ``src_x`` the entry of the client's address. The words themselves are rows
of ``stick_operations``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.arguments import Table
from evener.haproxy.cast import cast
from evener.haproxy.sample import Sample, Source, Type, fetch
from evener.haproxy.scope import CompileEnv
from evener.haproxy.stick_operations import INDEXED, PLAIN, TRACKERS, UPDATE, Operate, Operation, on_key
from evener.haproxy.stick_table import Table as Table_

Run = Callable[[Any], Any]
_INTERNAL: Final = Source.INTERNAL


def nothing(_txn: Any) -> None:
    """There is no such table: no sample."""


def of_tracked(
    operation: Operation, number: int, index: int | None, name: str | None, env: CompileEnv
) -> Run:
    """On the tracked entry, or on that of its key in the table of that name."""
    if name:
        other = env.table(name)
        return nothing if other is None else of_its_key(operation, number, index, other)
    known: dict[Any, Operate | None] = {}  # by the memory of the table

    def run(txn: Any) -> int | None:
        entry = txn.tracking(number)
        if entry is None:
            return None
        try:
            operate = known[entry.table]
        except KeyError:
            operate = known[entry.table] = operation.make(entry.table.owner, index)
        return None if operate is None else operate(entry)

    return run


def of_its_key(operation: Operation, number: int, index: int | None, table: Table_) -> Run:
    operate = operation.make(table, index)
    look = table.native.obtain if operation.creates else table.native.find

    def run(txn: Any) -> int | None:
        entry = txn.tracking(number)
        if entry is None:
            return None
        key = entry.key
        if len(key) > table.length:
            return None
        entry = look(key)
        if entry is None:
            return 0
        return None if operate is None else operate(entry)

    return run


def of_client(operation: Operation, index: int | None, name: str, env: CompileEnv) -> Run:
    """On the entry of the client's address."""
    table = env.table(name)
    to_key = cast(Type.ADDR, table.want) if table is not None else None
    if table is None or to_key is None:
        return nothing
    operate_on = on_key(operation, index, table)

    def run(txn: Any) -> int | None:
        address = txn.src_ip
        key = to_key(address) if address else None
        return None if key is None else operate_on(key)

    return run


# -- sc0_x, sc1_x, sc2_x ---------------------------------------------------------------------------------


def _numbered(number: int, word: str, operation: Operation, source: Source) -> None:
    def of_number(table: Table | None = None, *, env: CompileEnv) -> Run:
        return of_tracked(operation, number, None, table, env)

    of_number.__doc__ = operation.doc
    fetch(f"sc{number}_{word}", Type.SINT, source)(of_number)


def _sc(word: str, operation: Operation, source: Source) -> None:
    def of_any(counter: int, table: Table | None = None, *, env: CompileEnv) -> Run:
        return of_tracked(operation, counter, None, table, env)

    of_any.__doc__ = operation.doc
    fetch(f"sc_{word}", Type.SINT, source, ok=[f"sc_{word}(1)"])(of_any)


def _src(word: str, operation: Operation) -> None:
    def of_source(table: Table, *, env: CompileEnv) -> Run:
        return of_client(operation, None, table, env)

    of_source.__doc__ = operation.doc
    fetch(f"src_{word}", Type.SINT, Source.CLIENT_ADDRESS, ok=[f"src_{word}(t)"])(of_source)


for _word, _operation in PLAIN.items():
    _source = Source.CLIENT_ADDRESS if _word.startswith("kbytes") else _INTERNAL
    for _number in range(3):
        _numbered(_number, _word, _operation, _source)
    _sc(_word, _operation, _source)
    _src(_word, _operation)
for _number in range(3):
    _numbered(_number, "trackers", TRACKERS, _INTERNAL)
_sc("trackers", TRACKERS, _INTERNAL)
_src("updt_conn_cnt", UPDATE)


# -- elements of arrays ----------------------------------------------------------------------------------


def _sc_indexed(word: str, operation: Operation) -> None:
    def of_any(index: int, counter: int, table: Table | None = None, *, env: CompileEnv) -> Run:
        return of_tracked(operation, counter, index, table, env)

    of_any.__doc__ = operation.doc
    fetch(f"sc_{word}", Type.SINT, _INTERNAL, ok=[f"sc_{word}(0,1)"], bad=[f"sc_{word}(0)"])(of_any)


def _src_indexed(word: str, operation: Operation) -> None:
    def of_source(index: int, table: Table, *, env: CompileEnv) -> Run:
        return of_client(operation, index, table, env)

    of_source.__doc__ = operation.doc
    fetch(f"src_{word}", Type.SINT, Source.CLIENT_ADDRESS, ok=[f"src_{word}(0,t)"])(of_source)


for _word, _operation in INDEXED.items():
    _sc_indexed(_word, _operation)
    _src_indexed(_word, _operation)


@fetch("sc1_clr_gpc", Type.SINT, _INTERNAL, ok=["sc1_clr_gpc(0)"])
def sc1_clr_gpc(index: int, table: Table | None = None, *, env: CompileEnv) -> Run:
    """Clear a general purpose counter; what it was."""
    return of_tracked(INDEXED["clr_gpc"], 1, index, table, env)


# -- what is tracked -------------------------------------------------------------------------------------


def _tracked(number: int, name: str | None, env: CompileEnv) -> Run:
    other = env.table(name) if name else None
    if name and other is None:
        return nothing

    def run(txn: Any) -> bool:
        entry = txn.tracking(number)
        if entry is None or other is None:
            return entry is not None
        return entry.table.owner is other or (
            len(entry.key) <= other.length and other.native.find(entry.key) is not None
        )

    return run


def _key(number: int) -> Run:
    def run(txn: Any) -> Sample | None:
        entry = txn.tracking(number)
        return None if entry is None else entry.table.owner.sample(entry.key)

    return run


def _declare_tracked(number: int) -> None:
    @fetch(f"sc{number}_tracked", Type.BOOL, _INTERNAL)
    def sc_tracked(table: Table | None = None, *, env: CompileEnv) -> Run:
        """Whether something is tracked under this number."""
        return _tracked(number, table, env)

    @fetch(f"sc{number}_key", Type.ANY, _INTERNAL)
    def sc_key() -> Run:
        """The key of what is tracked under this number."""
        return _key(number)


for _number in range(3):
    _declare_tracked(_number)


@fetch("sc_tracked", Type.BOOL, _INTERNAL, ok=["sc_tracked(1)"])
def sc_tracked(counter: int, table: Table | None = None, *, env: CompileEnv) -> Run:
    """Whether something is tracked under a number."""
    return _tracked(counter, table, env)


@fetch("sc_key", Type.ANY, _INTERNAL, ok=["sc_key(1)"])
def sc_key(counter: int) -> Run:
    """The key of what is tracked under a number."""
    return _key(counter)


# -- tables ----------------------------------------------------------------------------------------------


@fetch("table_cnt", Type.SINT, _INTERNAL, ok=["table_cnt(t)"])
def table_cnt(table: Table, *, env: CompileEnv) -> Run:
    """How many entries a table has."""
    found = env.table(table)
    return nothing if found is None else lambda txn: found.native.used


@fetch("table_avl", Type.SINT, _INTERNAL, ok=["table_avl(t)"])
def table_avl(table: Table, *, env: CompileEnv) -> Run:
    """How many more entries fit into a table."""
    found = env.table(table)
    return nothing if found is None else lambda txn: max(found.ir.size - found.native.used, 0)
