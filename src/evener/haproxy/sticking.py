"""Stick rules: the server a table remembers for a request, and what is to be remembered of it.

``stick match`` and ``stick on`` look keys up before balancing, unless persistence or ``use-server`` chose
already; ``stick on`` and ``store-request`` note keys of the request, ``store-response`` of the response; all
are written when the server has answered (mode tcp: is connected), with that server. Each table learns one
key of the request and one of the response, eight in all (manual, ``stick store-request``).

A server is remembered by number, and by its name - or address with ``srvkey addr`` - which goes first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from evener.haproxy.cast import to_bytes
from evener.haproxy.condition import compile_condition
from evener.haproxy.expression_compile import compile_expression
from evener.haproxy.notes import notes, peek
from evener.haproxy.plan import BackendPlan, ServerPlan
from evener.haproxy.scope import CompileEnv
from evener.haproxy.sections.stick_values import Stick
from evener.haproxy.stick_data import TEXT_CELLS
from evener.haproxy.stick_table import Table, printable
from evener.haproxy.txn import CONTINUE, Txn

Policy = Callable[[Txn], int]
MOST_STORES: Final = 8
LONGEST_NAME: Final = 8 * (TEXT_CELLS - 1)  #: as much of a server's name or address as an entry keeps


class Prepared(NamedTuple):
    """A rule ready to run. ``find`` gives the index of the server that an entry remembers."""

    table: Table
    key: Callable[[Any], Any]
    condition: Callable[[Any], Any] | None
    match: bool
    store: bool
    find: Callable[[Any], int | None]


def prepare(rules: Sequence[Stick], back: BackendPlan, env: CompileEnv) -> Iterator[Prepared]:
    for rule in rules:
        table = env.table(rule.table)
        if table is None:
            continue
        condition = compile_condition(rule.condition, env) if rule.condition is not None else None
        key = compile_expression(rule.expression, env, table.want)
        yield Prepared(
            table, key, condition, rule.action in ("on", "match"), rule.action != "match", finder(table, back)
        )


def finder(table: Table, back: BackendPlan) -> Callable[[Any], int | None]:
    """How an entry of the table leads to a server of this backend."""
    number, name = table.layout.find("server_id"), table.layout.find("server_key")
    by_number = {server.id: server for server in back.servers}
    by_name = {to_bytes(server.name)[:LONGEST_NAME]: server for server in back.servers}
    by_address = table.ir.srvkey == "addr"

    def find(entry: Any) -> int | None:
        key = entry.text(name.at, TEXT_CELLS) if name is not None else b""
        if key and by_address:
            return next(
                (s.index for s in back.servers if not s.gone and address_of(s)[:LONGEST_NAME] == key), None
            )
        wanted = entry.get(number.at) if number is not None else 0
        for known in (by_name.get(key), by_number.get(wanted)):
            if known is not None and not known.gone:
                return known.index
        return newcomer(back, key, wanted)

    return find


def newcomer(back: BackendPlan, key: bytes, number: int) -> int | None:
    """The server of that name or number among those that came at run time."""
    for server in back.servers:
        if (
            server.dynamic
            and not server.gone
            and (server.id == number or to_bytes(server.name)[:LONGEST_NAME] == key)
        ):
            return server.index
    return None


def address_of(server: ServerPlan) -> bytes:
    return to_bytes(printable(server.address, server.port))


def on_request(rules: Sequence[Stick], back: BackendPlan, env: CompileEnv) -> Policy | None:
    """Match, and note what to store."""
    prepared = list(prepare([rule for rule in rules if rule.action != "store-response"], back, env))
    if not prepared:
        return None

    def run(txn: Txn) -> int:
        for rule in prepared:
            if rule.store and noted(txn, rule.table):
                continue  # the first rule that stores in a table is the last one that looks there
            match, store = rule.match and not txn.server_forced, rule.store
            if not (match or store) or (rule.condition is not None and not rule.condition(txn)):
                continue
            value = rule.key(txn)
            if value is None:
                continue
            key = rule.table.pack(value)
            if match:
                choose(txn, rule, key)
            if store:
                note(txn, rule.table, key)
        return CONTINUE

    return run


def choose(txn: Txn, rule: Prepared, key: bytes) -> None:
    entry = rule.table.native.find(key)
    index = rule.find(entry) if entry is not None else None
    if index is not None:
        entry.touch()
        txn.set_server(index)


def noted(txn: Txn, table: Table) -> bool:
    found = peek(txn)
    return found is not None and (
        len(found.stores) >= MOST_STORES or any(other is table for other, _ in found.stores)
    )


def note(txn: Txn, table: Table, key: bytes) -> None:
    notes(txn).stores.append((table, key))


def on_response(rules: Sequence[Stick], back: BackendPlan, env: CompileEnv) -> Policy | None:
    """Note keys of the response, then write everything noted, with the server that serves."""
    env.response = True
    prepared = list(prepare([rule for rule in rules if rule.action == "store-response"], back, env))
    env.response = False
    if not any(rule.action != "match" for rule in rules):
        return None

    def run(txn: Txn) -> int:
        found = peek(txn)
        stores = list(found.stores) if found is not None else []
        learnt: list[Table] = []
        for rule in prepared:
            if len(stores) >= MOST_STORES or any(table is rule.table for table in learnt):
                continue
            if rule.condition is not None and not rule.condition(txn):
                continue
            value = rule.key(txn)
            if value is not None:
                learnt.append(rule.table)
                stores.append((rule.table, rule.table.pack(value)))
        if txn.server is not None and not txn.server.plan.ir.options.non_stick:
            server = txn.server.plan
            for table, key in stores:
                remember(table, key, server)
        return CONTINUE

    return run


def remember(table: Table, key: bytes, server: ServerPlan) -> None:
    """Make or refresh the entry, and write the server into it."""
    entry = table.native.obtain(key)
    number, name = table.layout.find("server_id"), table.layout.find("server_key")
    if entry is None:
        return
    if number is not None:
        entry.set(number.at, server.id)
    if name is not None:
        text = address_of(server) if table.ir.srvkey == "addr" else to_bytes(server.name)
        entry.set_text(name.at, TEXT_CELLS, text)
