"""Expressions as closures: the fetch, then its converters, each with the casts it needs.

Decides where casts stand and how steps are chained. What the words mean is ``expression``'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from evener.haproxy.cast import cast, identity, nature, to_bytes
from evener.haproxy.expression import Call, Expr
from evener.haproxy.fold import PLACES, Fold, Place
from evener.haproxy.notes import peek
from evener.haproxy.sample import (
    Fetch,
    Incomplete,
    Many,
    Sample,
    Source,
    Type,
    Word,
    converter_of,
    fetch_of,
)
from evener.haproxy.scope import CompileEnv
from evener.haproxy.variables import in_transaction

Run = Callable[[Any], Any]


def nothing(_: Any) -> None:
    """What a known but not executed fetch or converter gives: no sample."""


def _build(word: Word, call: Call, env: CompileEnv) -> Any:
    if word.factory is None:
        return nothing
    wants: dict[str, Any] = {name: env if name == "env" else None for name in word.wants}
    values = list(call.values)
    while values and values[-1] is None and len(values) > len(call.texts):
        values.pop()  # what was left out at the end: the factory's own defaults
    return word.factory(*values, **wants)


def _head(fetch: Fetch, call: Call, env: CompileEnv) -> Run | Many:
    built: Run | Many = _build(fetch, call, env)
    if awaits_head(fetch, env):
        return (
            Many(_awaiting(built.run), _awaiting(built.each)) if isinstance(built, Many) else _awaiting(built)
        )
    if not fetch.partial or env.waits or isinstance(built, Many):
        return built

    def settled(txn: Any) -> Any:
        try:
            return built(txn)
        except Incomplete:
            return None

    return settled


_HEAD: Final = Source.REQUEST_HEADERS | Source.REQUEST


def awaits_head(fetch: Fetch, env: CompileEnv) -> bool:
    """Whether rules about bytes look at a request, of which there may be more to come."""
    return env.waits and env.plain and not env.response and not fetch.partial and bool(fetch.source & _HEAD)


def _awaiting(built: Run) -> Run:
    def look(txn: Any) -> Any:
        if txn.head_missing() and not ((found := peek(txn)) is not None and found.final):
            raise Incomplete
        return built(txn)

    return look


Step = tuple[Callable[..., Any], bool]  #: function, and whether it takes the txn too


def _steps(expr: Expr, env: CompileEnv, want: Type | None) -> list[Step]:
    """Casts and converters in order, without those that do nothing."""
    steps: list[Step] = []
    given = fetch_of(expr.fetch.name).out
    for call in expr.converters:
        word = converter_of(call.name)
        _add_cast(steps, given, word.takes)
        steps.append((_build(word, call, env), "txn" in word.wants))
        if word.out is Type.SAME:
            if given is not Type.ANY:
                steps.append((_bare, False))
        else:
            given = word.gives
    if want is not None:
        _add_cast(steps, given, want)
    return steps


def _bare(sample: Sample) -> Any:
    return sample.value


def _add_cast(steps: list[Step], given: Type, wanted: Type) -> None:
    function = cast(given, wanted)
    if function is None:
        steps.append((nothing, False))
    elif function is not identity:
        steps.append((function, False))


def _chain(first: Run, steps: Sequence[Step]) -> Run:
    """One closure per step: the inner ones give the value, None ends the chain."""
    run = first
    for function, with_txn in steps:
        run = _then_txn(run, function) if with_txn else _then(run, function)
    return run


def _then(run: Run, function: Callable[[Any], Any]) -> Run:
    def then(txn: Any) -> Any:
        value = run(txn)
        return None if value is None else function(value)

    return then


def _then_txn(run: Run, function: Callable[[Any, Any], Any]) -> Run:
    def then(txn: Any) -> Any:
        value = run(txn)
        return None if value is None else function(value, txn)

    return then


def place_of(fetch: Call, response: bool) -> tuple[Place, bytes] | None:
    """Where the text of a fetch lies, with the header's name, if a ``Fold`` can find it there."""
    word = fetch.name if fetch.name != "hdr" else "res.hdr" if response else "req.hdr"
    place = PLACES.get(word)
    if place is None:
        return None
    if place < Place.REQUEST_VALUES:
        return None if fetch.texts else (place, b"")
    if len(fetch.texts) != 1 or not fetch.texts[0]:
        return None
    return place, to_bytes(fetch.values[0]).lower()


def compile_expression(expr: Expr, env: CompileEnv, want: Type | None = None) -> Run:
    """The closure ``run(txn) -> value | None``; ``want`` casts the result to that type.

    Without ``want`` the value is of ``expr.type``, a ``Sample`` when that is ``any``.
    """
    head = _head(fetch_of(expr.fetch.name), expr.fetch, env)
    first = head.run if isinstance(head, Many) else head
    if env.fold is not None and not env.waits:
        first = _folded(first, expr.fetch, env.fold, env.response, env.log_after)
    steps = _steps(expr, env, want)
    if (
        fetch_of(expr.fetch.name).constant
        and not any(with_txn for _, with_txn in steps)
        and not expr.converters
    ):
        value = _chain(first, steps)(None)
        return lambda txn: value
    plain = _chain(first, steps)
    if env.fold is None or env.waits or not steps:
        return plain
    described = [(function, with_txn, nature(function)) for function, with_txn in steps]
    return env.fold.chain(plain, first, described)


def _folded(plain: Run, fetch: Call, fold: Fold, response: bool, after: bool) -> Run:
    if fetch.name == "src":
        return fold.source(plain)
    if fetch.name == "var" and len(fetch.texts) == 1 and in_transaction(fetch.texts[0]):
        if (response or after) and fetch.texts[0].startswith("req."):
            return plain
        return fold.variable(plain, fetch.texts[0])
    where = place_of(fetch, response) if not after or fetch.name != "method" else None
    return plain if where is None else fold.sample(plain, *where)


def compile_conversion(expr: Expr, env: CompileEnv, want: Type) -> Run:
    """Only the converters: a closure from a value of the fetch's type. They cannot look at a transaction."""
    return _chain(lambda value: value, _steps(expr, env, want))


def compile_each(expr: Expr, env: CompileEnv, want: Type | None) -> Callable[[Any], Sequence[Any]] | None:
    """For fetches of several values: the closure giving all of them; None for any other fetch."""
    head = _head(fetch_of(expr.fetch.name), expr.fetch, env)
    if not isinstance(head, Many):
        return None
    each = head.each
    steps = _steps(expr, env, want)
    if not steps:
        return each

    def every(txn: Any) -> list[Any]:
        found: list[Any] = []
        for value in each(txn):
            for function, with_txn in steps:
                value = function(value, txn) if with_txn else function(value)
                if value is None:
                    break
            else:
                found.append(value)
        return found

    return every
