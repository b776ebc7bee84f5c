"""Converters that cut a part out of a text: fields, words, slices, parameters (manual section 7.3.1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.arguments import ArgumentError
from evener.haproxy.cast import to_bytes
from evener.haproxy.sample import Type, converter
from evener.haproxy.values import check_integer, constant_integer, integer_or_variable

Run = Callable[..., Any]
STR: Final = Type.STR
Spans = list[tuple[int, int]]


def _check_index(index: int, delimiters: str, count: int | None = None) -> None:
    if index == 0:
        raise ArgumentError("Unexpected value 0 for index")
    if not delimiters:
        raise ArgumentError("Empty separators list")


def _cutter(delimiters: str) -> Callable[[bytes], Spans]:
    """Start and end of every field."""
    between = re.compile(b"[" + re.escape(to_bytes(delimiters)) + b"]").finditer

    def spans(value: bytes) -> Spans:
        found: Spans = []
        start = 0
        for match in between(value):
            position = match.start()
            found.append((start, position))
            start = position + 1
        found.append((start, len(value)))
        return found

    return spans


@converter(
    "field",
    STR,
    STR,
    check=_check_index,
    ok=["field(2,/)", "field(-1,/.,0)"],
    bad=["field(a,/)", "field(0,/)", "field(1,)"],
)
def field(index: int, delimiters: str, count: int = 1) -> Run:
    """The ``index``-th field between delimiters, empty ones counted; from the end when negative.

    ``count`` fields with what is between them; 0 means all the rest in the direction of counting.
    """
    chars = to_bytes(delimiters)
    if len(chars) == 1 and count == 1:
        at = index - 1 if index > 0 else index

        def simple(value: bytes) -> bytes | None:
            try:
                return value.split(chars)[at]
            except IndexError:
                return None

        return simple
    spans = _cutter(delimiters)
    return lambda value: _fields(value, spans(value), index, count)


def _fields(value: bytes, spans: Spans, index: int, count: int) -> bytes | None:
    if abs(index) > len(spans):
        return None
    at = index - 1 if index > 0 else len(spans) + index
    if index > 0:
        first, last = at, len(spans) - 1 if count <= 0 else min(at + count - 1, len(spans) - 1)
    else:
        first, last = 0 if count <= 0 else max(at - count + 1, 0), at
    return value[spans[first][0] : spans[last][1]]


@converter(
    "word",
    STR,
    STR,
    check=_check_index,
    ok=["word(2,_)", "word(-2,_,3)"],
    bad=["word(a,_)", "word(0,_)", "word(1,)"],
)
def word(index: int, delimiters: str, count: int = 1) -> Run:
    """As ``field``, but empty words do not count, as if delimiters in a row were one.

    When fewer words follow than ``count`` asks for, all that follows is given, delimiters included.
    """
    cut = _cutter(delimiters)

    def run(value: bytes) -> bytes | None:
        spans = [span for span in cut(value) if span[0] < span[1]]
        number = len(spans)
        if abs(index) > number:
            return None
        at = index - 1 if index > 0 else number + index
        if index > 0:
            start, stop = spans[at][0], len(value)
            if 0 < count <= number - at:
                stop = spans[at + count - 1][1]
        else:
            start, stop = 0, spans[at][1]
            if 0 < count <= at + 1:
                start = spans[at - count + 1][0]
        return value[start:stop]

    return run


def _check_bytes(offset: str, length: str | None = None) -> None:
    check_integer(offset)
    start = constant_integer(offset)
    if start is not None and start < 0:
        raise ArgumentError("expects a non-negative integer")
    if length is None:
        return
    check_integer(length)
    size = constant_integer(length)
    if size is not None and size <= 0:
        raise ArgumentError("expects a positive integer")


@converter(
    "bytes",
    Type.BIN,
    Type.BIN,
    check=_check_bytes,
    ok=["bytes(0,4)", "bytes(txn.a,txn.b)"],
    bad=["bytes(x)", "bytes(-1)", "bytes(1,0)", "bytes(1,2,3)"],
)
def bytes_(offset: str, length: str | None = None, *, txn: None) -> Run:
    """A slice from ``offset``, of ``length`` bytes or to the end; both may be variables.

    Nothing when the offset is outside; what there is when the length reaches too far.
    """
    start = integer_or_variable(offset)
    size = None if length is None else integer_or_variable(length)

    def run(value: bytes, txn: Any) -> bytes | None:
        first = start(txn)
        if first is None or first < 0:
            return None
        if size is None:
            return value[first:]
        wanted = size(txn)
        if wanted is None or wanted < 0:
            return None
        return value[first : first + wanted]

    return run


_HEX_CODE: Final = re.compile(r"0[xX]([0-9A-Fa-f]{2})\Z")


def _delimiter(text: str) -> bytes:
    """One character, or ``0xHH`` for what cannot be written in a configuration."""
    code = _HEX_CODE.match(text)
    if code:
        return bytes((int(code[1], 16),))
    single = to_bytes(text)
    if len(single) != 1:
        raise ArgumentError("Delimiter must be either exactly 1 character, or 0xHH for an ASCII code .")
    return single


def _check_param(name: str, delim: str | None = None) -> None:
    if delim is not None:
        _delimiter(delim)


@converter(
    "param",
    STR,
    STR,
    check=_check_param,
    ok=["param(name)", "param(name,;)", "param(name,0x00)"],
    bad=["param(a,b,c)", "param(a,bc)"],
)
def param(name: str, delim: str = "&") -> Run:
    """The value of the first parameter of that name in a query string; empty when it has none.

    Parameters are separated by ``&`` or the given character; nothing is decoded.
    """
    between, plain = _delimiter(delim), to_bytes(name)
    head, rest = plain + b"=", len(plain) + 1

    def run(value: bytes) -> bytes | None:
        if plain not in value:
            return None
        for part in value.split(between):
            if part.startswith(head):
                return part[rest:]
            if part == plain:
                return b""
        return None

    return run
