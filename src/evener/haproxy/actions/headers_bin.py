"""Actions on several headers at once, in the binary form that ``req.hdrs_bin`` gives.

A block is a sequence of names and values, each behind its length as a varint, up to an empty name. Only a
list of names is read by ``del-headers-bin``. What a block contains may come from anywhere: a name that is no
token, or a value with control characters in it, is left out, and a block that is cut short ends there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from evener.haproxy.action import HTTP, Ruleset, Words, action, wrong
from evener.haproxy.cast import to_bytes
from evener.haproxy.expression import Expr
from evener.haproxy.expression_compile import compile_expression
from evener.haproxy.messages import read_varint
from evener.haproxy.pattern import Method, Pattern, compile_patterns
from evener.haproxy.sample import Type
from evener.haproxy.scope import CompileEnv
from evener.haproxy.txn import CONTINUE

Run = Callable[[Any], int]

_TOKEN: Final = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")
_CONTROL: Final = frozenset(byte for byte in range(32) if byte != 9) | {127}


def texts(block: bytes) -> Iterator[bytes]:
    """The texts of a block, up to the first one that is not all there."""
    at = 0
    while at < len(block):
        read = read_varint(block, at)
        if read is None:
            return
        length, at = read
        if at + length > len(block):
            return
        yield block[at : at + length]
        at += length


def headers(block: bytes, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names (in lower case) and values that may stand in a message."""
    found = texts(block)
    for name in found:
        value = next(found, None)
        if not name or value is None:
            return
        name = name.lower()
        if name.startswith(prefix) and _TOKEN.issuperset(name) and _CONTROL.isdisjoint(value):
            yield name, value


def _read(words: Words) -> Sequence[Any]:
    if words.rest_is_condition():
        wrong("expects exactly one argument or three arguments <headers> prefix <pfx>")
    expr = words.expression()
    if not words.take("prefix"):
        return expr, ""
    if words.peek() == "":
        wrong("expects 1 argument: <headers>; or 3 arguments: <headers> prefix <pfx>")
    return expr, words.word("")


def _change(expr: Expr, prefix: str, env: CompileEnv, ruleset: Ruleset, replace: bool) -> Run:
    block: Callable[[Any], bytes | None] = compile_expression(expr, env, Type.BIN)
    request, start = bool(ruleset.request), to_bytes(prefix).lower()

    def run(txn: Any) -> int:
        message = txn.req if request else txn.res
        new = list(headers(block(txn) or b"", start))
        if replace:
            for name in {name for name, _ in new}:
                message.remove(name)
        for name, value in new:
            message.add(name, value)
        return CONTINUE

    return run


@action(
    "add-headers-bin",
    HTTP,
    parser=_read,
    signature="add-headers-bin <expr> [ prefix <str> ]",
    ok=["add-headers-bin var(txn.old)", "add-headers-bin var(txn.old) prefix x- if TRUE"],
    bad=["add-headers-bin", "add-headers-bin nope", "add-headers-bin var(txn.old) prefix"],
)
def add_headers_bin(expr: Expr, prefix: str, *, env: CompileEnv, ruleset: Ruleset) -> Run:
    """Add the headers of a block, or those of them whose names begin with a prefix."""
    return _change(expr, prefix, env, ruleset, replace=False)


@action(
    "set-headers-bin",
    HTTP,
    parser=_read,
    signature="set-headers-bin <expr> [ prefix <str> ]",
    ok=["set-headers-bin var(txn.old)", "set-headers-bin var(txn.old) prefix x-"],
    bad=["set-headers-bin", "set-headers-bin nope", "set-headers-bin var(txn.old) prefix"],
)
def set_headers_bin(expr: Expr, prefix: str, *, env: CompileEnv, ruleset: Ruleset) -> Run:
    """As ``add-headers-bin``, in place of the lines that have the same names."""
    return _change(expr, prefix, env, ruleset, replace=True)


_METHODS: Final = ("str", "beg", "end", "sub")


def _read_names(words: Words) -> Sequence[Any]:
    if words.rest_is_condition():
        wrong("expects at least 1 argument")
    expr = words.expression()
    if not words.take("-m"):
        return expr, "str"
    method = words.word("missing matching method")
    if method not in _METHODS:
        wrong(f"unsupported matching method '{method}', only 'str', 'beg', 'end' and 'sub' are")
    return expr, method


@action(
    "del-headers-bin",
    HTTP,
    parser=_read_names,
    signature="del-headers-bin <expr> [ -m <meth> ]",
    ok=["del-headers-bin var(txn.names)", "del-headers-bin var(txn.names) -m beg"],
    bad=["del-headers-bin", "del-headers-bin nope", "del-headers-bin var(txn.names) -m reg"],
)
def del_headers_bin(expr: Expr, method: str, *, env: CompileEnv, ruleset: Ruleset) -> Run:
    """Delete the headers whose names are in a block of names, or match one of these."""
    block: Callable[[Any], bytes | None] = compile_expression(expr, env, Type.BIN)
    request = bool(ruleset.request)

    def run(txn: Any) -> int:
        message = txn.req if request else txn.res
        wanted = [name.lower() for name in texts(block(txn) or b"") if name]
        patterns = [Pattern(name.decode("utf-8", "surrogateescape")) for name in wanted]
        if patterns:
            matches = compile_patterns(Method(method), patterns)
            for name in {name for name, _ in message.items() if matches(name)}:
                message.remove(name)
        return CONTINUE

    return run
