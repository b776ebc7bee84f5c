"""Converters of JSON: texts made fit for it, and values found in it by their path (manual section 7.3.1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from evener.haproxy.arguments import ArgumentError
from evener.haproxy.converters.json_path import find, read_path
from evener.haproxy.sample import Sample, Type, converter

Run = Callable[..., Any]

_SHORT: Final = {0x22: '\\"', 0x5C: "\\\\", 0x2F: "\\/", 8: "\\b", 12: "\\f", 10: "\\n", 13: "\\r", 9: "\\t"}


def _escape(code: int) -> str:
    return _SHORT.get(code) or (chr(code) if 0x20 <= code < 0x7F else f"\\u{code:04x}")


_ASCII: Final = tuple(_escape(code) for code in range(256))


class _Character(NamedTuple):
    code: int
    size: int
    overlong: bool
    bad: bool


#: Length, bits of the first byte, lowest code that needs that length; by the first byte.
_LEADS: Final = (
    (0xC0, 2, 0x1F, 0x80),
    (0xE0, 3, 0x0F, 0x800),
    (0xF0, 4, 0x07, 0x10000),
    (0xF8, 5, 0x03, 0x200000),
    (0xFC, 6, 0x01, 0x4000000),
)


def _lead(byte: int) -> tuple[int, int, int, int] | None:
    return next((lead for lead in reversed(_LEADS) if byte >= lead[0]), None) if byte < 0xFE else None


def _next(value: bytes, at: int) -> _Character:
    """The character that begins at a byte above 0x7F; a broken one is as long as what fits of it."""
    lead = _lead(value[at])
    if lead is None:
        return _Character(0, 1, False, True)
    _, size, bits, lowest = lead
    code = value[at] & bits
    for position in range(at + 1, at + size):
        if position >= len(value) or value[position] & 0xC0 != 0x80:
            return _Character(0, position - at, False, True)
        code = code << 6 | value[position] & 0x3F
    prohibited = 0xD800 <= code <= 0xDFFF or code in (0xFFFE, 0xFFFF)
    return _Character(code, size, code < lowest, prohibited)


def _escaper(skip: bool, permissive: bool) -> Run:
    """``skip``: leave out what is wrong instead of giving nothing; ``permissive``: take overlong forms."""

    def run(value: bytes) -> bytes | None:
        parts: list[str] = []
        at = 0
        while at < len(value):
            if value[at] < 0x80:
                parts.append(_ASCII[value[at]])
                at += 1
                continue
            character = _next(value, at)
            at += character.size
            if character.bad or character.code > 0xFFFF or (character.overlong and not permissive):
                if not skip:
                    return None
                continue
            parts.append(_escape(character.code))
        return "".join(parts).encode("ascii")

    return run


_CODES: Final = {
    "": None,
    "ascii": None,
    "utf8": (False, False),
    "utf8s": (True, False),
    "utf8p": (False, True),
    "utf8ps": (True, True),
}


def _check_code(input_code: str) -> None:
    if input_code not in _CODES:
        raise ArgumentError(
            "Unexpected input code type. Allowed value are 'ascii', 'utf8', 'utf8s', 'utf8p' and 'utf8ps'"
        )


@converter(
    "json",
    Type.STR,
    Type.STR,
    check=_check_code,
    ok=["json()", "json(utf8s)"],
    bad=["json(nope)", "json(a,b)"],
)
def json(input_code: str) -> Run:
    """The text escaped for the inside of a JSON string, ASCII only.

    The input is taken as bytes (``ascii``) or as UTF-8: ``utf8`` gives nothing when it is wrong, the
    suffix ``s`` leaves wrong characters out, ``p`` accepts characters written longer than necessary.
    """
    mode = _CODES[input_code]
    if mode is None:
        return lambda value: "".join([_ASCII[byte] for byte in value]).encode("ascii")
    return _escaper(*mode)


def check_query(json_path: str | None = None, output_type: str | None = None) -> None:
    if output_type and output_type != "int":
        raise ArgumentError('output_type only supports "int" as argument')


_INTEGER: Final = re.compile(rb"-?[0-9]{1,19}")
_WHOLE: Final = re.compile(rb"-?[0-9]+\Z")


def _text_of_number(raw: bytes) -> bytes | None:
    """Integers as they are, the others in the shortest form, as ``printf("%g")`` writes them."""
    if _WHOLE.match(raw) and len(raw) < 16:
        return raw
    try:
        return b"%.*g" % (17 if len(raw) > 17 else 15, float(raw))
    except (ValueError, OverflowError):
        return None


def _integer(raw: bytes) -> Sample | None:
    match = _INTEGER.match(raw)
    if match is None:
        return None
    number = int(match[0])
    return Sample(Type.SINT, number) if -(1 << 63) <= number < 1 << 63 and len(raw) <= 20 else None


_ESCAPE: Final = re.compile(rb"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED: Final = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"\\": b"\\", b'"': b'"'}


def _unescaped(text: bytes) -> bytes | None:
    """What the original makes of escapes: one byte of ``\\u00xx``, nothing at all of any it does not know."""
    known = True

    def plain(match: re.Match[bytes]) -> bytes:
        nonlocal known
        code = match[1]
        if len(code) == 5 and code.startswith(b"u00"):
            return bytes.fromhex(code[3:].decode("ascii"))
        known = known and code in _ESCAPED
        return _ESCAPED.get(code, b"")

    found = _ESCAPE.sub(plain, text)
    return found if known else None


def query(path: str, as_integer: bool) -> Callable[[bytes], Sample | None]:
    """The value at a path, none for one that cannot be read.

    Booleans stay booleans, numbers and texts are text, arrays as they are written. Objects and ``null``
    have no sample. ``as_integer`` makes integers of numbers and of texts that are one.
    """
    steps = read_path(path)
    if steps is None:
        return lambda value: None

    def run(value: bytes) -> Sample | None:
        raw = find(value, steps)
        first = raw[:1]
        if first in (b"", b"{", b"n"):
            return None
        if first in (b"t", b"f"):
            return Sample(Type.BOOL, first == b"t")
        if first == b"[":
            return Sample(Type.STR, raw)
        if first != b'"':
            number = None if as_integer else _text_of_number(raw)
            return _integer(raw) if as_integer else None if number is None else Sample(Type.STR, number)
        if as_integer and _WHOLE.match(raw, 1, len(raw) - 1):
            return _integer(raw[1:-1])
        if b"\\" not in raw:
            return Sample(Type.STR, raw[1:-1])
        text = _unescaped(raw[1:-1])
        return None if text is None else Sample(Type.STR, text)

    return run


@converter(
    "json_query",
    Type.STR,
    Type.ANY,
    check=check_query,
    ok=["json_query($.a)", "json_query($.a.b[0],int)"],
    bad=["json_query($.a,str)", "json_query($.a,int,1)"],
)
def json_query(json_path: str, output_type: str = "") -> Run:
    """The value at a JSON path (``$.a.b[0]``; a dot in a key is written ``\\\\.``).

    Booleans stay booleans; numbers and texts become text, integers with the output type ``int``; arrays
    are given as they are written. Objects and ``null`` give nothing.
    """
    return query(json_path, output_type == "int")
