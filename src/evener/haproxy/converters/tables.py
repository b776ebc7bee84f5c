"""Converters that look their input up in a stick table (manual section 7.3.1, ``table_*``).

The input becomes a key of the table's type. An entry is not refreshed by being looked up. A value that
the table does not keep gives no sample; a key that it does not have gives 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.arguments import Table
from evener.haproxy.sample import Sample, Type, converter
from evener.haproxy.scope import CompileEnv
from evener.haproxy.stick_operations import INDEXED, LOOKED_UP, PLAIN, Operation, on_key

Run = Callable[[Any], Any]
#: Words that are called differently after ``table_``.
_SHORT: Final = {
    "get_gpc0": "gpc0",
    "get_gpc1": "gpc1",
    "get_gpt0": "gpt0",
    "get_gpc": "gpc",
    "get_gpt": "gpt",
}


def nothing(_sample: Sample) -> None:
    """There is no such table: no sample."""


def _look_up(operation: Operation, index: int | None, name: str, env: CompileEnv) -> Run:
    table = env.table(name)
    if table is None:
        return nothing
    to_key, operate_on = table.of_any, on_key(operation, index, table)

    def run(sample: Sample) -> int | None:
        key = to_key(sample)
        return None if key is None else operate_on(key)

    return run


@converter("in_table", Type.ANY, Type.BOOL, ok=["in_table(t)"])
def in_table(table: Table, *, env: CompileEnv) -> Run:
    """Whether the input is a key of a stick table."""
    found = env.table(table)
    return nothing if found is None else lambda sample: found.find(sample) is not None


def _plain(word: str, operation: Operation) -> None:
    def look_up(table: Table, *, env: CompileEnv) -> Run:
        return _look_up(operation, None, table, env)

    look_up.__doc__ = operation.doc
    converter(f"table_{word}", Type.ANY, Type.SINT, ok=[f"table_{word}(t)"])(look_up)


def _indexed(word: str, operation: Operation) -> None:
    def look_up(index: int, table: Table, *, env: CompileEnv) -> Run:
        return _look_up(operation, index, table, env)

    look_up.__doc__ = operation.doc
    converter(f"table_{word}", Type.ANY, Type.SINT, ok=[f"table_{word}(0,t)"])(look_up)


for _word, _operation in PLAIN.items():
    _plain(_SHORT.get(_word, _word), _operation)
for _word, _operation in INDEXED.items():
    _indexed(_SHORT.get(_word, _word), _operation)
_plain("trackers", LOOKED_UP)
_plain("server_id", Operation(lambda table, _index: table.reader("server_id"), "The number of the server."))


def _time(name: str, default: int | None, env: CompileEnv, remaining: bool) -> Run:
    table = env.table(name)
    if table is None:
        return nothing
    expire = table.ir.expire or 0

    def run(sample: Sample) -> int | None:
        entry = table.find(sample)
        if entry is None:
            return default
        if not remaining:
            return entry.idle  # type: ignore[no-any-return]
        left: int = expire - entry.idle
        return max(left, 0)

    return run


@converter("table_expire", Type.ANY, Type.SINT, ok=["table_expire(t)", "table_expire(t,-1)"])
def table_expire(table: Table, default: int | None = None, *, env: CompileEnv) -> Run:
    """How many milliseconds an entry has left; the default when there is none."""
    return _time(table, default, env, True)


@converter("table_idle", Type.ANY, Type.SINT, ok=["table_idle(t)", "table_idle(t,-1)"])
def table_idle(table: Table, default: int | None = None, *, env: CompileEnv) -> Run:
    """How many milliseconds ago an entry was last refreshed; the default when there is none."""
    return _time(table, default, env, False)
