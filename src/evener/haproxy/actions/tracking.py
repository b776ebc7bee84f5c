"""Actions on sticky counters: track-sc<n>, and those that count in the entry that is tracked.

A number is tracked by the session (connection and session rules) or by one stream (every other rule);
the first rule that finds it free takes it. The engine counts what happens to whoever tracks, and lets go
of the entries at the end; here is only the beginning. Manual, ``track-sc0``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from evener.haproxy.action import HTTP, TCP, Ruleset, Words, action, wrong
from evener.haproxy.expression import Expr
from evener.haproxy.expression_compile import compile_expression
from evener.haproxy.sample import Type
from evener.haproxy.scope import CompileEnv
from evener.haproxy.stick_counters import ceiling
from evener.haproxy.txn import CONTINUE

Run = Callable[[Any], int]
_REQUESTS: Final = ("http-request", "http-response", *TCP[:3])
_SESSION: Final = ("tcp-request connection", "tcp-request session")
_NUMBER: Final = re.compile(r"[0-9]{1,3}\Z")
_WORD: Final = 0xFFFFFFFF


def _track(words: Words) -> Sequence[Any]:
    """``track-sc<n> <key> [table <name>]``."""
    text = words.action.removeprefix("track-sc")
    if text and not _NUMBER.match(text):
        wrong(f"Wrong track-sc number '{text}'")
    number = int(text or "0")
    limit = ceiling(words.scope)
    if number >= limit:
        wrong(f"{number} track-sc number exceeding {limit - 1} (tune.stick-counters-1) value")
    key = words.expression()
    return number, key, words.word("missing table name") if words.take("table") else ""


@action(
    "track-sc",
    _REQUESTS,
    parser=_track,
    signature="track-sc<n> <key> [table <table>]",
    ok=["track-sc0 src table t"],
    bad=["track-sc0", "track-sc0 src table", "track-scx src", "track-sc9 src"],
)
def track_sc(number: int, key: Expr, name: str, *, env: CompileEnv, ruleset: Ruleset) -> Run:
    """Track the entry of a key: what happens from now on is counted there, too.

    The entry is made if there is none, and does not expire while it is tracked.
    """
    table = env.table(name)
    if table is None:
        return lambda txn: CONTINUE
    value, pack, track = compile_expression(key, env, table.want), table.pack, table.native.track
    # a frontend's content rules come before the request is counted, for those who track by then
    late = ruleset.name == "tcp-request content"
    lasting, counts, response = ruleset.name in _SESSION, ruleset.http, ruleset.name == "http-response"

    def run(txn: Any) -> int:
        holder = txn.session if lasting else txn
        slots = holder.tracked
        if slots is not None and number < len(slots) and slots[number] is not None:
            return CONTINUE
        found = value(txn)
        if found is None:
            return CONTINUE
        entry = track(pack(found), counts or (late and txn.backend is not None and txn.frontend.http))
        if entry is None:
            return CONTINUE
        if slots is None:
            slots = holder.tracked = []
        slots.extend([None] * (number + 1 - len(slots)))
        slots[number] = entry
        if response:
            entry.tell_status(txn.res.status)
        return CONTINUE

    if env.fold is None or late or lasting or response:
        return run
    return env.fold.track(run, number, value, pack, track, counts)


def _ids(words: Words, indexed: bool, what: str) -> tuple[int, int]:
    """(index, number) in the parentheses; what is left out is 0."""
    form = f"<{what.upper()} ID>,<Track ID>" if indexed else "<Track ID>"
    said, name = words.action, words.action.partition("(")[0]
    parts = (words.inside or "").split(",") if words.inside else []
    if indexed and said == name:
        missing = "Missing or invalid arguments for" if name == "sc-add-gpc" else f"invalid {what} ID"
        wrong(f"{missing} '{said}'. Expects {name}({form})")
    if indexed and (len(parts) < 2 or not _NUMBER.match(parts[0])):
        # One of them is called by all that was written.
        where = f". Expects {said}" if name == "sc-add-gpc" else f" '{said}'. Expects {name}"
        wrong(f"Missing {what} ID{where}({form})")
    empty = said == name or said == f"{name}()"  # nothing counts as 0
    last = parts[-1] if parts else "0" if empty else ""
    if not _NUMBER.match(last) or len(parts) > 1 + indexed:
        where = f" '{said}'. Expects {name}" if what == "gpt" else f". Expects {said}"
        wrong(f"invalid stick table track ID{where}({form})")
    limit = ceiling(words.scope)
    if int(last) >= limit:
        named = f" '{said}'" if indexed or what == "gpt" else ""
        tuned = "" if what == "gpt" else " (tune.stick-counters)"
        wrong(f"invalid stick table track ID{named}. The max allowed ID is {limit - 1}{tuned}")
    return (int(parts[0]) if indexed else 0), int(last)


def _amount(words: Words) -> int | Expr:
    """A number, or an expression that gives one."""
    if words.peek().isascii() and words.peek().isdigit():
        return int(words.word("")[:20]) & _WORD
    return 0 if not words.peek() else words.expression()


def _amount_of(given: int | Expr, env: CompileEnv) -> Callable[[Any], int | None]:
    if isinstance(given, int):
        return lambda txn: given
    return compile_expression(given, env, Type.SINT)


def _count(number: int, name: str, index: int | None, amount: Callable[[Any], int | None]) -> Run:
    def run(txn: Any) -> int:
        entry = txn.tracking(number)
        count = amount(txn) if entry is not None else None
        if entry is not None and count is not None and 0 <= count <= _WORD:
            add = entry.table.owner.adder(name, index)
            if add is not None:
                add(entry, count)
        return CONTINUE

    return run


@action(
    "sc-inc-gpc", (*HTTP, *TCP), parser=lambda words: _ids(words, True, "gpc"), parenthesised=True,
    signature="sc-inc-gpc(<idx>,<sc-id>)", ok=["sc-inc-gpc(0,1)"],
    bad=["sc-inc-gpc", "sc-inc-gpc(0)", "sc-inc-gpc(0,9)", "sc-inc-gpc(x,0)"],
)  # fmt: skip
def sc_inc_gpc(index: int, number: int) -> Run:
    """Add one to an element of ``gpc`` of the tracked entry, and to its rate."""
    return _count(number, "gpc", index, lambda txn: 1)


@action(
    "sc-add-gpc", (*HTTP, *TCP), parenthesised=True, signature="sc-add-gpc(<idx>,<sc-id>) { <int> | <expr> }",
    parser=lambda words: (*_ids(words, True, "gpc"), _amount(words)), ok=["sc-add-gpc(0,1) 5"],
    bad=["sc-add-gpc(0) 1", "sc-add-gpc(0,9) 1", "sc-add-gpc(0,0) no-such-fetch"],
)  # fmt: skip
def sc_add_gpc(index: int, number: int, amount: Any, *, env: CompileEnv) -> Run:
    """Add a number to an element of ``gpc`` of the tracked entry, and to its rate."""
    return _count(number, "gpc", index, _amount_of(amount, env))


def _legacy(name: str) -> None:
    @action(
        f"sc-inc-{name}", (*HTTP, *TCP), parser=lambda words: _ids(words, False, "gpc")[1:],
        parenthesised=True, signature=f"sc-inc-{name}(<sc-id>)", ok=[f"sc-inc-{name}(1)"],
        bad=[f"sc-inc-{name}(9)", f"sc-inc-{name}(x)"],
    )  # fmt: skip
    def sc_inc(number: int) -> Run:
        """Add one to a general purpose counter of the tracked entry, and to its rate."""
        return _count(number, name, None, lambda txn: 1)


for _name in ("gpc0", "gpc1"):
    _legacy(_name)


def _tag(number: int, index: int | None, amount: Callable[[Any], int | None]) -> Run:
    def run(txn: Any) -> int:
        entry = txn.tracking(number)
        if entry is None:
            return CONTINUE
        layout = entry.table.owner.layout
        cell = layout.find("gpt0") if index is None else layout.element("gpt", index)
        value = amount(txn)
        if cell is not None and value is not None and 0 <= value <= _WORD:
            entry.set(cell.at, value)
        return CONTINUE

    return run


@action(
    "sc-set-gpt", (*HTTP, *TCP), parenthesised=True, signature="sc-set-gpt(<idx>,<sc-id>) { <int> | <expr> }",
    parser=lambda words: (*_ids(words, True, "gpt"), _amount(words)), ok=["sc-set-gpt(0,1) 5"],
    bad=["sc-set-gpt(0) 1", "sc-set-gpt(0,9) 1", "sc-set-gpt(0,0) no-such-fetch"],
)  # fmt: skip
def sc_set_gpt(index: int, number: int, amount: Any, *, env: CompileEnv) -> Run:
    """Write a number into an element of ``gpt`` of the tracked entry."""
    return _tag(number, index, _amount_of(amount, env))


@action(
    "sc-set-gpt0", (*HTTP, *TCP), parenthesised=True, signature="sc-set-gpt0(<sc-id>) { <int> | <expr> }",
    parser=lambda words: (*_ids(words, False, "gpt")[1:], _amount(words)), ok=["sc-set-gpt0(1) 5"],
    bad=["sc-set-gpt0(9) 1", "sc-set-gpt0(x) 1", "sc-set-gpt0(0) no-such-fetch"],
)  # fmt: skip
def sc_set_gpt0(number: int, amount: Any, *, env: CompileEnv) -> Run:
    """Write a number into the general purpose tag of the tracked entry."""
    return _tag(number, None, _amount_of(amount, env))
