"""Reading ``http-check expect`` and ``tcp-check expect``.

The words are those after ``expect``, already unquoted; the forms are those of the manual.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import field

from evener.haproxy.checks.lively import compile_format
from evener.haproxy.checks.outcome import CheckStatus
from evener.haproxy.checks.steps import Expect, HeaderPattern, Match, Value, hexed
from evener.haproxy.checks.words import CheckSyntax, Words, hex_of, number_of, regex_of
from evener.text.record import dataclass

_CODES = re.compile(r"(\d{3})(?:-(\d{3}))?\Z", re.ASCII)
_STATUSES = {status.short: status for status in CheckStatus}
_HEADER_METHODS = ("str", "beg", "end", "sub", "reg")
_TCP_MATCHES = {"string", "string-lf", "binary", "binary-lf", "rstring", "rbinary"}
_HTTP_MATCHES = {"status", "rstatus", "hdr", "fhdr", "string", "rstring", "string-lf"}


@dataclass(slots=True)
class _Common:
    """The words any expect may carry before its match."""

    negated: bool = False
    min_recv: int = -1
    comment: str = ""
    on_success: str = ""
    on_error: str = ""
    statuses: dict[str, CheckStatus] = field(default_factory=dict)


def parse_expect(words: Sequence[str], http: bool) -> Expect:
    """``expect [min-recv <n>] [comment <msg>] [ok-status <st>] ... [!] <match> <pattern>``."""
    cursor = Words(words)
    common = _Common()
    matches = _HTTP_MATCHES if http else _TCP_MATCHES
    while True:
        word = cursor.take("expect")
        if word == "!":
            common.negated = True
            continue
        if word.startswith("!") and word[1:] in matches:
            common.negated, word = True, word[1:]
        if word in matches:
            break
        _common(word, cursor, common)
    expect = (_expect_http if http else _expect_tcp)(word, cursor)
    while cursor.more():
        _common(cursor.take("expect"), cursor, common)
    return Expect(
        *expect,
        None,
        common.negated,
        common.min_recv,
        common.statuses.get("ok-status"),
        common.statuses.get("error-status"),
        common.statuses.get("tout-status"),
        common.on_success,
        common.on_error,
        common.comment,
    )


def _common(word: str, cursor: Words, common: _Common) -> None:
    if word == "min-recv":
        text = cursor.take(word)
        common.min_recv = -1 if text == "-1" else number_of(text, word)
    elif word == "comment":
        common.comment = cursor.take(word)
    elif word in ("ok-status", "error-status", "tout-status"):
        status = _STATUSES.get(cursor.take(word))
        if status is None:
            raise CheckSyntax(f"'{word}' only supports 'L4OK', 'L6OK', 'L7OK', 'L7OKC' and their errors.")
        common.statuses[word] = status
    elif word == "on-success":
        common.on_success = cursor.take(word)
    elif word == "on-error":
        common.on_error = cursor.take(word)
    elif word == "status-code":
        cursor.take(word)
    else:
        raise CheckSyntax(f"'expect' expects [!]binary, [!]string or [!]rstring, got '{word}'.")


_Core = tuple[Match, Value, "re.Pattern[bytes] | None", tuple[tuple[int, int], ...], "HeaderPattern | None"]


def _expect_tcp(word: str, cursor: Words) -> _Core:
    text = cursor.take(word)
    if word == "string-lf":
        return Match.STRING, compile_format(text), None, (), None
    if word == "binary-lf":
        return Match.BINARY, hexed(compile_format(text)), None, (), None
    if word == "string":
        return Match.STRING, text.encode(), None, (), None
    if word == "binary":
        return Match.BINARY, hex_of(text), None, (), None
    if word == "rstring":
        return Match.RSTRING, text.encode(), regex_of(text), (), None
    return Match.RBINARY, text.encode(), regex_of(text.upper()), (), None


def _expect_http(word: str, cursor: Words) -> _Core:
    if word in ("hdr", "fhdr"):
        match = Match.FULL_HEADER if word == "fhdr" else Match.HEADER
        return match, b"", None, (), _header_pattern(word, cursor)
    text = cursor.take(word)
    if word == "status":
        return Match.STATUS, b"", None, _codes(text), None
    if word == "rstatus":
        return Match.RSTATUS, text.encode(), regex_of(text), (), None
    if word == "rstring":
        return Match.RBODY, text.encode(), regex_of(text), (), None
    return Match.BODY, compile_format(text) if word == "string-lf" else text.encode(), None, (), None


def _codes(text: str) -> tuple[tuple[int, int], ...]:
    ranges = []
    for part in text.split(","):
        match = _CODES.match(part)
        if match is None:
            raise CheckSyntax(f"'status' expects a list of codes or ranges of codes, got '{text}'.")
        ranges.append((int(match[1]), int(match[2] or match[1])))
    return tuple(ranges)


def _header_pattern(word: str, cursor: Words) -> HeaderPattern:
    found: dict[str, tuple[str, Value]] = {}
    while cursor.peek() in ("name", "name-lf", "value", "value-lf"):
        form = cursor.take(word)
        part = form.removesuffix("-lf")
        method = "str"
        if cursor.peek() == "-m":
            cursor.take(word)
            method = cursor.take("-m")
            if method not in _HEADER_METHODS:
                raise CheckSyntax(f"'{word}' expects 'str', 'beg', 'end', 'sub' or 'reg' after '-m'.")
        text = cursor.take(part)
        found[part] = (method, compile_format(text) if form != part else text.encode())
    if "name" not in found:
        raise CheckSyntax(f"'{word}' expects 'name' or 'name-lf' as first argument.")
    name_method, name = found["name"]
    value_method, value = found.get("value", ("str", None))
    return HeaderPattern(name, name_method, value, value_method, word == "fhdr")
