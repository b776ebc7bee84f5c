"""Reading ``http-check expect`` and ``tcp-check expect``.

The words are those after ``expect``, already unquoted; the forms are those of the manual. They come in any
order: one pattern, maybe after a ``!``, and settings before and after it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import field

from evener.haproxy.checks.lively import compile_code, compile_format
from evener.haproxy.checks.outcome import CheckStatus
from evener.haproxy.checks.steps import Expect, HeaderPattern, Match, Value, hexed
from evener.haproxy.checks.words import CheckSyntax, Words, hex_of, regex_of
from evener.haproxy.line import word_bytes
from evener.haproxy.scope import CompileEnv
from evener.text.record import dataclass

_CODES = re.compile(r"(\d{0,9})(?:-(\d{0,9}))?", re.ASCII)
_HEADER_METHODS = ("str", "beg", "end", "sub", "reg")
_TCP_MATCHES = {"string", "string-lf", "binary", "binary-lf", "rstring", "rbinary"}
_HTTP_MATCHES = {"status", "rstatus", "hdr", "fhdr", "string", "rstring", "string-lf"}
_PATTERN = "'{}' expects a <pattern> as argument"
_SUPPORTS_HTTP = (
    "'only supports min-recv, [!]string', '[!]rstring', '[!]string-lf', '[!]status', "
    "'[!]rstatus', [!]hdr, [!]fhdr or comment but got '{}' as argument."
)
_SUPPORTS_TCP = (
    "'only supports min-recv, '[!]binary', '[!]string', '[!]rstring', '[!]string-lf'"
    "'[!]rbinary', '[!]binary-lf' or comment but got '{}' as argument."
)
_SETTINGS = {
    "min-recv", "comment", "on-success", "on-error", "ok-status", "error-status", "tout-status",
    "status-code",
}  # fmt: skip
_STATUSES = {
    "ok-status": ("L4OK", "L6OK", "L7OK", "L7OKC"),
    "error-status": ("L4CON", "L6RSP", "L7RSP", "L7STS"),
    "tout-status": ("L4TOUT", "L6TOUT", "L7TOUT"),
}
#: Accepted besides what is told.
_UNTOLD = {"error-status": ("L7OKC",)}
_SHORT = {status.short: status for status in CheckStatus}
_INT_MAX = (1 << 31) - 1

_Core = tuple[Match, Value, "re.Pattern[bytes] | None", tuple[tuple[int, int], ...], "HeaderPattern | None"]


@dataclass(slots=True)
class _Common:
    """The words any expect may carry around its match."""

    negated: bool = False
    min_recv: int = -1
    texts: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, CheckStatus] = field(default_factory=dict)


def parse_expect(words: Sequence[str], http: bool, env: CompileEnv | None = None) -> Expect:
    """``expect [min-recv <n>] [comment <msg>] [ok-status <st>] ... [!] <match> <pattern>``."""
    if not words:
        raise CheckSyntax("expects at least a matching pattern as arguments")
    cursor, common = Words(words, env), _Common()
    core: _Core | None = None
    in_pattern = False
    while cursor.more():
        word = cursor.next()
        if word.startswith("!"):
            in_pattern = True
            bare = word.lstrip("!")
            common.negated ^= bool((len(word) - len(bare)) % 2)
            if not bare:
                continue
            word = bare
        if word in (_HTTP_MATCHES if http else _TCP_MATCHES):
            if core is not None:
                raise CheckSyntax("only one pattern expected")
            core = (_expect_http if http else _expect_tcp)(word, cursor)
            in_pattern = False
        elif word not in _SETTINGS:
            raise CheckSyntax((_SUPPORTS_HTTP if http else _SUPPORTS_TCP).replace("{}", word))
        elif in_pattern:
            raise CheckSyntax(f"[!] not supported with '{word}'")
        else:
            _setting(word, cursor, common)
    if core is None:
        raise CheckSyntax("pattern not found")
    return _made(core, common, env)


def _made(core: _Core, common: _Common, env: CompileEnv | None) -> Expect:
    texts = common.texts
    code = texts.get("status-code")
    return Expect(
        *core,
        negated=common.negated,
        min_recv=common.min_recv,
        ok=common.statuses.get("ok-status"),
        error=common.statuses.get("error-status"),
        timeout=common.statuses.get("tout-status"),
        on_success=_message(texts, "on-success", env),
        on_error=_message(texts, "on-error", env),
        code=compile_code(code, env) if code is not None else None,
        comment=texts.get("comment", ""),
    )


def _message(texts: dict[str, str], word: str, env: CompileEnv | None) -> Value:
    return compile_format(texts[word], env) if word in texts else b""


def _setting(word: str, cursor: Words, common: _Common) -> None:
    if word == "min-recv":
        text = cursor.take(word, "'{}' expects a integer as argument")
        number = re.match(r"[+-]?\d{1,18}", text, re.ASCII)
        common.min_recv = int(number[0]) if number else 0
        if not -1 <= common.min_recv <= _INT_MAX:
            raise CheckSyntax("'min-recv' expects -1 or an integer from 0 to INT_MAX")
    elif word in _STATUSES:
        text = cursor.take(word)
        if text not in (*_STATUSES[word], *_UNTOLD.get(word, ())):
            *first, last = (f"'{name}'" for name in _STATUSES[word])
            raise CheckSyntax(f"'{word}' only supports {', '.join(first)} or {last} status (got '{text}').")
        common.statuses[word] = _SHORT[text]
    elif word == "status-code":
        common.texts[word] = cursor.take(word, "'{}' expects an expression as argument")
    else:
        common.texts[word] = cursor.take(word)


def _expect_tcp(word: str, cursor: Words) -> _Core:
    text = cursor.take(word, _PATTERN)
    if word == "string-lf":
        return Match.STRING, compile_format(text, cursor.env), None, (), None
    if word == "binary-lf":
        return Match.BINARY, hexed(compile_format(text, cursor.env)), None, (), None
    if word == "string":
        return Match.STRING, word_bytes(text), None, (), None
    if word == "binary":
        try:
            return Match.BINARY, hex_of(text), None, (), None
        except CheckSyntax as error:
            raise CheckSyntax(f"invalid binary string ({error})") from None
    if word == "rstring":
        return Match.RSTRING, word_bytes(text), regex_of(text), (), None
    return Match.RBINARY, word_bytes(text), regex_of(text.upper()), (), None


def _expect_http(word: str, cursor: Words) -> _Core:
    if word in ("hdr", "fhdr"):
        match = Match.FULL_HEADER if word == "fhdr" else Match.HEADER
        return match, b"", None, (), _header_pattern(word, cursor)
    text = cursor.take(word, _PATTERN)
    if word == "status":
        return Match.STATUS, b"", None, _codes(text), None
    if word == "rstatus":
        return Match.RSTATUS, word_bytes(text), regex_of(text), (), None
    if word == "rstring":
        return Match.RBODY, word_bytes(text), regex_of(text), (), None
    return (
        Match.BODY,
        compile_format(text, cursor.env) if word == "string-lf" else word_bytes(text),
        None,
        (),
        None,
    )


def _codes(text: str) -> tuple[tuple[int, int], ...]:
    ranges = []
    at = 0
    while True:
        match = _CODES.match(text, at)
        assert match is not None  # it matches the empty string
        low = int(match[1] or 0)
        high = low if match[2] is None else int(match[2] or 0)
        if low > high:
            raise CheckSyntax(f"invalid range of status codes '{text}'")
        ranges.append((low, high))
        at = match.end()
        if at == len(text):
            return tuple(ranges)
        if text[at] != ",":
            raise CheckSyntax(f"invalid character '{text[at]}' in the list of status codes")
        at += 1


def _header_pattern(word: str, cursor: Words) -> HeaderPattern:
    form = cursor.peek()
    if form not in ("name", "name-lf") or len(cursor.words) < cursor.at + 2:
        raise CheckSyntax(f"'{word}' expects at the name keyword as first argument followed by a pattern")
    name, name_method = _part(word, cursor)
    if cursor.peek() not in ("value", "value-lf") or len(cursor.words) < cursor.at + 2:
        return HeaderPattern(name, name_method, None, "str", word == "fhdr")
    value, value_method = _part(word, cursor)
    return HeaderPattern(name, name_method, value, value_method, word == "fhdr")


def _part(word: str, cursor: Words) -> tuple[Value, str]:
    """``name|value[-lf] [-m <method>] <pattern>``: the pattern and the method."""
    lively = cursor.next().endswith("-lf")
    method = "str"
    if cursor.peek() == "-m":
        cursor.next()
        wanted = f"'{word}' : '-m' expects at a matching pattern ('str', 'beg', 'end', 'sub' or 'reg')"
        method = cursor.take("-m", wanted)
        if method not in _HEADER_METHODS:
            supports = "only supports 'str', 'beg', 'end', 'sub' or 'reg'"
            raise CheckSyntax(f"'{word}' : '-m' {supports} (got '{method}')")
        if method == "reg" and lively:
            raise CheckSyntax(f"'{word}': log-format string is not supported with a regex matching method")
    text = cursor.take(word, "'{}' expect a pattern with the value keyword")
    if method == "reg":
        regex_of(text)
    return compile_format(text, cursor.env) if lively else word_bytes(text), method
