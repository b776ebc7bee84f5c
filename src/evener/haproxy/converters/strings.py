"""Converters of text: case, fields, words, slices, joining (manual section 7.3.1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.arguments import ArgumentError, Regex
from evener.haproxy.cast import to_bytes
from evener.haproxy.regex import RegexError, translate
from evener.haproxy.sample import Type, converter
from evener.haproxy.substitution import expand
from evener.haproxy.values import check_integer, check_variable, integer_or_variable, variable_text

Run = Callable[..., Any]
STR: Final = Type.STR


@converter("lower", STR, STR)
def lower() -> Run:
    """Text in lower case (ASCII)."""
    return bytes.lower


@converter("upper", STR, STR)
def upper() -> Run:
    """Text in upper case (ASCII)."""
    return bytes.upper


@converter("length", STR, Type.SINT)
def length() -> Run:
    """The number of bytes of a text."""
    return len


@converter("reverse", STR, STR)
def reverse() -> Run:
    """The text from its last byte to its first."""
    return lambda value: value[::-1]


@converter("reverse_dom", STR, STR)
def reverse_dom() -> Run:
    """The labels of a domain name in reverse order, so that prefixes are parent domains.

    A leading dot moves to the end and a trailing one to the front.
    """

    def run(value: bytes) -> bytes:
        return b".".join(reversed(value.split(b".")))

    return run


@converter("ltrim", STR, STR, ok=["ltrim(0)"], bad=["ltrim(a,b)"])
def ltrim(chars: str) -> Run:
    """Without those characters at the beginning."""
    unwanted = to_bytes(chars)
    return lambda value: value.lstrip(unwanted) if unwanted else value


@converter("rtrim", STR, STR, ok=["rtrim(/)"], bad=["rtrim(a,b)"])
def rtrim(chars: str) -> Run:
    """Without those characters at the end."""
    unwanted = to_bytes(chars)
    return lambda value: value.rstrip(unwanted) if unwanted else value


@converter("cut_crlf", STR, STR)
def cut_crlf() -> Run:
    """The text up to the first carriage return or line feed."""
    return lambda value: re.split(rb"[\r\n]", value, maxsplit=1)[0]


def _check_index(index: int, delimiters: str, count: int = 1) -> None:
    if index == 0:
        raise ArgumentError("Unexpected value 0 for index")


def _split(delimiters: str) -> Callable[[bytes], list[bytes]]:
    chars = to_bytes(delimiters)
    if len(chars) == 1:
        return lambda value: value.split(chars)
    if not chars:
        return lambda value: [value]
    return re.compile(b"[" + re.escape(chars) + b"]").split


@converter("field", STR, STR, check=_check_index, ok=["field(2,/)", "field(-1,/.,0)"], bad=["field(a,/)", "field(0,/)"])
def field(index: int, delimiters: str, count: int = 1) -> Run:
    """The ``index``-th field between delimiters, empty ones counted; from the end when negative.

    ``count`` fields with what is between them; 0 means all the rest in the direction of counting.
    """
    chars = to_bytes(delimiters)
    if len(chars) == 1 and count == 1:
        at = index - 1 if index > 0 else index

        def simple(value: bytes) -> bytes | None:
            parts = value.split(chars)
            try:
                return parts[at] or None
            except IndexError:
                return None

        return simple
    return lambda value: _fields(value, _cuts(value, chars), index, count)


def _cuts(value: bytes, chars: bytes) -> list[tuple[int, int]]:
    """Start and end of every field."""
    spans: list[tuple[int, int]] = []
    start = 0
    for position, byte in enumerate(value):
        if byte in chars:
            spans.append((start, position))
            start = position + 1
    spans.append((start, len(value)))
    return spans


def _fields(value: bytes, spans: list[tuple[int, int]], index: int, count: int) -> bytes | None:
    if abs(index) > len(spans):
        return None
    at = index - 1 if index > 0 else len(spans) + index
    if index > 0:
        first, last = at, len(spans) - 1 if count <= 0 else min(at + count - 1, len(spans) - 1)
    else:
        first, last = 0 if count <= 0 else max(at - count + 1, 0), at
    return value[spans[first][0] : spans[last][1]] or None


@converter("word", STR, STR, check=_check_index, ok=["word(2,_)", "word(-2,_,3)"], bad=["word(a,_)", "word(0,_)"])
def word(index: int, delimiters: str, count: int = 1) -> Run:
    """As ``field``, but empty words do not count, as if delimiters in a row were one."""
    chars = to_bytes(delimiters)

    def run(value: bytes) -> bytes | None:
        spans = [span for span in _cuts(value, chars) if span[0] < span[1]]
        return _fields(value, spans, index, count)

    return run


def _check_bytes(offset: str, length: str = "") -> None:
    check_integer(offset)
    if length:
        check_integer(length)


@converter("bytes", Type.BIN, Type.BIN, check=_check_bytes, ok=["bytes(2)", "bytes(0,4)", "bytes(txn.a,txn.b)"],
           bad=["bytes(x)", "bytes(1,2,3)"])
def bytes_(offset: str, length: str = "", *, txn: None) -> Run:
    """A slice from ``offset``, of ``length`` bytes or to the end; both may be variables.

    Nothing when the offset is outside; what there is when the length reaches too far.
    """
    start = integer_or_variable(offset)
    size = integer_or_variable(length) if length else None

    def run(value: bytes, txn: Any) -> bytes | None:
        first = start(txn)
        if first is None or first < 0:
            return None
        if size is None:
            return value[first:] if first < len(value) else b""
        wanted = size(txn)
        if wanted is None or wanted < 0:
            return None
        return value[first : first + wanted] if first < len(value) else b""

    return run


def _check_concat(start: str = "", var: str = "", end: str = "") -> None:
    if var:
        check_variable(var)


@converter("concat", STR, STR, check=_check_concat, ok=["concat(<,txn.name,>)", "concat(x)"], bad=["concat(a,b,c)"])
def concat(start: str = "", var: str = "", end: str = "", *, txn: None) -> Run:
    """The text followed by a constant, the content of a variable, and another constant."""
    before, after, read = to_bytes(start), to_bytes(end), variable_text(var) if var else None
    if read is None:
        constant = before + after
        return lambda value, txn: value + constant
    return lambda value, txn: value + before + (read(txn) or b"") + after


def _check_add_item(delim: str, var: str = "", suff: str = "") -> None:
    if not var and not suff:
        raise ArgumentError("one of the optional arguments has to be nonempty")
    if var:
        check_variable(var)


@converter("add_item", STR, STR, check=_check_add_item, ok=["add_item(;,txn.a)", "add_item(;,,x)"],
           bad=["add_item(;)", "add_item"])
def add_item(delim: str, var: str = "", suff: str = "", *, txn: None) -> Run:
    """The text with another item behind it; the delimiter only stands between two items."""
    between, tail, read = to_bytes(delim), to_bytes(suff), variable_text(var) if var else None

    def run(value: bytes, txn: Any) -> bytes:
        item = read(txn) if read is not None else None
        if item is None and read is not None:
            item = b""
        added = (item or b"") + tail
        if read is not None and not item and not tail:
            return value
        return value + between + added if value and added else value + added

    return run


def _check_regsub(regex: str, subst: str, flags: str = "") -> None:
    for flag in flags:
        if flag not in "ig":
            raise ArgumentError(f"invalid regex flag '{flag}', only 'i' and 'g' are supported")
    try:
        translate(regex, "i" in flags)
    except RegexError as error:
        raise ArgumentError(str(error)) from error


@converter("regsub", STR, STR, check=_check_regsub, ok=["regsub(-,_,g)", "regsub(^/,)"], bad=["regsub(a)", "regsub(a,b,q)"])
def regsub(regex: Regex, subst: str, flags: str = "") -> Run:
    """The text with what matches replaced, once or (flag ``g``) everywhere; flag ``i`` ignores case."""
    pattern, template = translate(regex, "i" in flags), to_bytes(subst)
    count = 0 if "g" in flags else 1
    if b"\\" not in template:
        return lambda value: pattern.sub(lambda match: template, value, count=count)
    return lambda value: pattern.sub(lambda match: expand(template, match), value, count=count)


@converter("iif", Type.BOOL, STR, ok=["iif(https,http)"], bad=["iif(a)", "iif"])
def iif(true: str, false: str) -> Run:
    """One text when the input is true, another one when it is not."""
    yes, no = to_bytes(true), to_bytes(false)
    return lambda value: yes if value else no


@converter("host_only", STR, STR)
def host_only() -> Run:
    """The value of a host header without its port, in lower case."""
    return lambda value: _host_and_port(value)[0].lower()


@converter("port_only", STR, Type.SINT)
def port_only() -> Run:
    """The port in the value of a host header, 0 when it has none."""

    def run(value: bytes) -> int:
        port = _host_and_port(value)[1]
        return int(port) if port.isdigit() else 0

    return run


def _host_and_port(value: bytes) -> tuple[bytes, bytes]:
    if value.startswith(b"["):
        host, bracket, rest = value.partition(b"]")
        return host + bracket, rest.removeprefix(b":")
    host, _, port = value.rpartition(b":")
    return (host, port) if host and port.isdigit() else (value.rstrip(b":") if value.endswith(b":") else value, b"")


def _check_compare(var: str) -> None:
    check_variable(var)


@converter("strcmp", STR, Type.SINT, check=_check_compare, ok=["strcmp(txn.other)"], bad=["strcmp(x)", "strcmp"])
def strcmp(var: str, *, txn: None) -> Run:
    """Negative, 0 or positive as the text sorts before, like or after the content of a variable."""
    read = variable_text(var)

    def run(value: bytes, txn: Any) -> int | None:
        other = read(txn)
        return None if other is None else (value > other) - (value < other)

    return run


@converter("secure_memcmp", STR, Type.BOOL, check=_check_compare, ok=["secure_memcmp(txn.other)"], bad=["secure_memcmp(x)"])
def secure_memcmp(var: str, *, txn: None) -> Run:
    """Whether the input equals the content of a variable, in a time that tells nothing about where not."""
    import hmac

    read = variable_text(var)

    def run(value: bytes, txn: Any) -> bool | None:
        other = read(txn)
        return None if other is None else hmac.compare_digest(value, other)

    return run


@converter("param", STR, STR, ok=["param(name)", "param(name,;)"], bad=["param(a,b,c)"])
def param(name: str, delim: str = "&") -> Run:
    """The value of the parameter of that name in a query string; its delimiter may be given."""
    wanted, between = to_bytes(name), to_bytes(delim or "&")

    def run(value: bytes) -> bytes | None:
        for part in re.split(b"[" + re.escape(between) + b"]", value):
            key, _, found = part.partition(b"=")
            if key == wanted:
                return found
        return None

    return run
