"""Actions that set filters in motion: the cache, bandwidth limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from evener.haproxy.action import ActionError, Words, action, wrong
from evener.haproxy.expression import Expr
from evener.haproxy.expression_compile import compile_expression
from evener.haproxy.filters.state import filter_state
from evener.haproxy.sample import Type
from evener.haproxy.scope import CompileEnv
from evener.haproxy.sections.values import read_size, read_time
from evener.haproxy.txn import CONTINUE
from evener.text.record import dataclass

Run = Callable[[Any], int]


def _read_use(words: Words) -> Sequence[Any]:
    name = words.word("expects a cache name")
    return name, words.take("no-early-hints")


@action(
    "cache-use",
    ("http-request",),
    parser=_read_use,
    signature="cache-use <name> [ no-early-hints ]",
    ok=["cache-use c", "cache-use c no-early-hints if TRUE"],
    bad=["cache-use", "cache-use c foo"],
)
def cache_use(name: str, silent: bool, *, env: CompileEnv) -> Run:
    """Answer from the cache of that name if it has the response; needed for ``cache-store`` too."""
    found = env.cache(name)
    if found is None:
        return lambda txn: CONTINUE
    use, hint = found.use, not silent

    def run(txn: Any) -> int:
        use(txn, hint)
        return CONTINUE

    return run


def _read_store(words: Words) -> Sequence[Any]:
    return (words.word("expects a cache name"),)


@action(
    "cache-store",
    ("http-response",),
    parser=_read_store,
    signature="cache-store <name>",
    ok=["cache-store c", "cache-store c if TRUE"],
    bad=["cache-store", "cache-store c foo"],
)
def cache_store(name: str, *, env: CompileEnv) -> Run:
    """Keep the response in the cache of that name, with the head it has now."""
    found = env.cache(name)
    if found is None:
        return lambda txn: CONTINUE
    store = found.store

    def run(txn: Any) -> int:
        store(txn)
        return CONTINUE

    return run


# -- bandwidth ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Amount:
    """A number, or what an expression gives for each transaction."""

    value: int = 0
    expr: Expr | None = None


def _read_limit(words: Words) -> Sequence[Any]:
    name = words.word("missing bwlim filter name")
    limit = period = None
    while True:
        if words.take("limit"):
            limit = _amount(words, "limit", "size", lambda text: read_size(text)[0])
        elif words.take("period"):
            period = _amount(words, "period", "time", _milliseconds)
        else:
            return name, limit, period


def _milliseconds(text: str) -> int | None:
    found = read_time(text)
    return None if found.wrong else found.milliseconds


def _amount(words: Words, name: str, kind: str, read: Callable[[str], int | None]) -> Amount:
    text = words.peek()
    value = read(text) if text[:1].isdigit() else None
    if value is not None:
        words.word("")
        return Amount(value)
    try:
        return Amount(0, words.expression())
    except ActionError:
        wrong(f"'{name}': invalid {kind} value or unknown fetch method '{text}'.")


@action(
    "set-bandwidth-limit",
    ("http-request", "http-response", "tcp-request content", "tcp-response content"),
    parser=_read_limit,
    signature="set-bandwidth-limit <name> [ limit { <expr> | <size> } ] [ period { <expr> | <time> } ]",
    ok=["set-bandwidth-limit x", "set-bandwidth-limit x limit 1m period 10s"],
    bad=["set-bandwidth-limit", "set-bandwidth-limit x limit 1x"],
)
def set_bandwidth_limit(name: str, limit: Amount | None, period: Amount | None, *, env: CompileEnv) -> Run:
    """Enable the bandwidth limitation filter of that name, for this stream with another limit or period."""
    most, span = _value(limit, env), _value(period, env)

    def run(txn: Any) -> int:
        filter_state(txn).limits[name] = most(txn), span(txn)
        return CONTINUE

    return run


def _value(amount: Amount | None, env: CompileEnv) -> Callable[[Any], int | None]:
    """None is what the filter says itself."""
    if amount is None:
        return lambda txn: None
    if amount.expr is None:
        fixed = amount.value
        return lambda txn: fixed
    return compile_expression(amount.expr, env, Type.SINT)
