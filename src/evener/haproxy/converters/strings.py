"""Converters of whole texts: case, trimming, replacing, joining (manual section 7.3.1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from evener.haproxy.arguments import ArgumentError, Regex
from evener.haproxy.cast import to_bytes
from evener.haproxy.sample import Type, converter
from evener.haproxy.substitution import expand
from evener.haproxy.values import check_variable, variable_text
from evener.text.pcre import RegexError, translate

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
    """The text from its last byte to its first; bytes, not characters."""
    return lambda value: value[::-1]


@converter("reverse_dom", STR, STR)
def reverse_dom() -> Run:
    """The labels of a domain name in reverse order, so that parent domains become prefixes.

    One dot at the end is ignored; a name with an empty label gives nothing.
    """

    def run(value: bytes) -> bytes | None:
        labels = value.split(b".")
        if len(labels) > 1 and not labels[-1]:
            labels.pop()
        labels.reverse()
        return b".".join(labels) if all(labels) else None

    return run


@converter("ltrim", STR, STR, ok=["ltrim(0)"], bad=["ltrim(a,b)"])
def ltrim(chars: str) -> Run:
    """Without those characters at the beginning."""
    unwanted = to_bytes(chars)
    return lambda value: value.lstrip(unwanted)


@converter("rtrim", STR, STR, ok=["rtrim(/)"], bad=["rtrim(a,b)"])
def rtrim(chars: str) -> Run:
    """Without those characters at the end."""
    unwanted = to_bytes(chars)
    return lambda value: value.rstrip(unwanted)


_LINE_END: Final = re.compile(rb"[\r\n]")


@converter("cut_crlf", STR, STR)
def cut_crlf() -> Run:
    """The text up to the first carriage return or line feed."""
    find = _LINE_END.search

    def run(value: bytes) -> bytes:
        match = find(value)
        return value if match is None else value[: match.start()]

    return run


def _check_concat(start: str, var: str | None = None, end: str | None = None) -> None:
    if var:
        check_variable(var)


@converter(
    "concat",
    STR,
    STR,
    check=_check_concat,
    ok=["concat(<,txn.name,>)", "concat(x)"],
    bad=["concat(a,b,c)", "concat(a,txn.b,c,d)"],
)
def concat(start: str, var: str = "", end: str = "", *, txn: None) -> Run:
    """The text followed by a constant, the content of a variable (if it is set) and another constant."""
    before, after = to_bytes(start), to_bytes(end)
    if not var:
        constant = before + after
        return lambda value, txn: value + constant
    read = variable_text(var)
    return lambda value, txn: value + before + (read(txn) or b"") + after


def _check_add_item(delim: str, var: str, suff: str | None = None) -> None:
    if var:
        check_variable(var)
    elif not suff:
        raise ArgumentError("one of the optional arguments has to be nonempty")


@converter(
    "add_item",
    STR,
    STR,
    check=_check_add_item,
    ok=["add_item(;,txn.a)", "add_item(;,,x)"],
    bad=["add_item(;)", "add_item", "add_item(;,)", "add_item(;,a)"],
)
def add_item(delim: str, var: str, suff: str = "", *, txn: None) -> Run:
    """The text with another item behind it: the content of a variable, a constant, or both.

    The delimiter only stands between two items: not before the first, and not when nothing is added.
    """
    between, tail, read = to_bytes(delim), to_bytes(suff), variable_text(var) if var else None

    def run(value: bytes, txn: Any) -> bytes:
        added = ((read(txn) or b"") if read is not None else b"") + tail
        return value + between + added if value and added else value + added

    return run


def _check_regsub(regex: str, subst: str, flags: str | None = None) -> None:
    for flag in flags or "":
        if flag not in "ig":
            raise ArgumentError(f"invalid regex flag '{flag}', only 'i' and 'g' are supported")
    try:
        translate(regex, "i" in (flags or ""))
    except RegexError as error:
        raise ArgumentError(str(error)) from error


@converter(
    "regsub",
    STR,
    STR,
    check=_check_regsub,
    ok=["regsub(-,_,g)", "regsub(^/,)"],
    bad=["regsub(a)", "regsub(a,b,q)", "regsub([,b)"],
)
def regsub(regex: Regex, subst: str, flags: str = "") -> Run:
    """The text with what matches replaced, once or (flag ``g``) everywhere; flag ``i`` ignores case.

    ``\\1`` to ``\\9`` in the replacement stand for what the groups matched, ``\\0`` for the whole.
    """
    substitute, template = translate(regex, "i" in flags).sub, to_bytes(subst)
    count = 0 if "g" in flags else 1
    if count == 0 and translate(regex, "i" in flags).search(b"") is not None:
        return partial(_replaced, translate(regex, "i" in flags), template)
    if b"\\" not in template:
        return lambda value: substitute(lambda match: template, value, count=count)
    return lambda value: substitute(lambda match: expand(template, match), value, count=count)


def _replaced(pattern: Any, template: bytes, value: bytes) -> bytes:
    """All matches of a pattern that may match nothing: where one ended the text, its end matches again."""
    start, parts = 0, []
    while (match := pattern.search(value, start)) is not None:
        parts += [value[start : match.start()], expand(template, match)]
        if start >= len(value):
            return b"".join(parts)
        if match.end() == start:
            parts.append(value[start : start + 1])
        start = max(match.end(), start + 1)
    return b"".join([*parts, value[start:]])


@converter("iif", Type.BOOL, STR, ok=["iif(https,http)"], bad=["iif(a)", "iif"])
def iif(true: str, false: str) -> Run:
    """One text when the input is true, another one when it is not."""
    yes, no = to_bytes(true), to_bytes(false)
    return lambda value: yes if value else no
