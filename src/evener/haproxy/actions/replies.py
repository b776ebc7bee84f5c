"""Actions that answer: deny, return, tarpit, auth, redirect, early-hint."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from evener.haproxy.action import Ruleset, Words, action, wrong
from evener.haproxy.cast import to_bytes
from evener.haproxy.cookie_lines import note_cookie
from evener.haproxy.credentials import challenge
from evener.haproxy.logformat import Format, Text, compile_logformat
from evener.haproxy.messages import path_and_query
from evener.haproxy.notes import backend_plan, notes
from evener.haproxy.replies import (
    ReplyWords,
    compile_reply,
    read_reply,
    reason_of,
    terminated,
)
from evener.haproxy.scope import CompileEnv
from evener.haproxy.txn import CONTINUE
from evener.text.record import dataclass

Run = Callable[[Any], int]
_BOTH: Final = ("http-request", "http-response")
_REPLY: Final = (
    "[ { status | deny_status } <code> ] [ content-type <type> ] "
    "[ { default-errorfiles | errorfile <file> | errorfiles <name> | file <file> | lf-file <file> | "
    "string <str> | lf-string <fmt> } ] [ hdr <name> <fmt> ]*"
)


def _read_deny(words: Words) -> Sequence[Any]:
    return (read_reply(words, 403 if words.ruleset.request else 502, implied=True),)


@action(
    "deny",
    _BOTH,
    parser=_read_deny,
    signature=f"deny {_REPLY}",
    final=True,
    ok=["deny", "deny deny_status 429 if TRUE", "deny status 403 content-type text/plain string no"],
    bad=["deny status", "deny status 999", "deny string x"],
)
def deny(reply: ReplyWords, *, env: CompileEnv, ruleset: Ruleset) -> Run:
    """Refuse: answer 403 to a request, 502 instead of a response, or what the arguments say."""
    answer = terminated(compile_reply(reply, env), b"PR" if ruleset.request else b"PH")
    return noted(answer) if ruleset.request else answer


def noted(answer: Run) -> Run:
    """The log shows the cookies of who was refused, though rules come before cookies."""

    def run(txn: Any) -> int:
        note_cookie(txn)
        back = backend_plan(txn)
        if back is not None and back.read_cookies is not None and back.shows_cookie:
            back.read_cookies(txn)
            kept = notes(txn)
            if kept.persisted.server >= 0:
                kept.meant = to_bytes(back.servers[kept.persisted.server].name)
        return answer(txn)

    return run


def _read_return(words: Words) -> Sequence[Any]:
    return (read_reply(words, 200, implied=False),)


@action(
    "return",
    _BOTH,
    parser=_read_return,
    signature=f"return {_REPLY.replace('{ status | deny_status }', 'status')}",
    final=True,
    ok=["return", "return status 200 content-type text/plain lf-string %[src] hdr X-A b"],
    bad=["return status", "return string x", "return content-type a string b file c"],
)
def return_(reply: ReplyWords, *, env: CompileEnv) -> Run:
    """Answer at once with a response made of the arguments, 200 unless told otherwise."""
    return compile_reply(reply, env)


def _read_tarpit(words: Words) -> Sequence[Any]:
    return (read_reply(words, 500, implied=True),)


@action(
    "tarpit",
    ("http-request",),
    parser=_read_tarpit,
    signature=f"tarpit {_REPLY}",
    final=True,
    ok=["tarpit", "tarpit deny_status 429"],
    bad=["tarpit deny_status"],
)
def tarpit(reply: ReplyWords, *, env: CompileEnv) -> Run:
    """Keep the client waiting for ``timeout tarpit``, then refuse: 500, or what the arguments say."""
    answer = noted(terminated(compile_reply(reply, env), b"PT"))

    def run(txn: Any) -> int:
        state = notes(txn)
        delay = state.timeouts.get("tarpit", env.tarpit)
        if delay <= 0 or state.tarpitted:
            return answer(txn)
        state.tarpitted = reply.status
        return int(txn.wait(delay))

    return run


def _read_auth(words: Words) -> Sequence[Any]:
    return (words.word("missing realm value.\n") if words.take("realm") else "",)


@action(
    "auth",
    ("http-request",),
    parser=_read_auth,
    signature="auth [ realm <realm> ]",
    final=True,
    ok=["auth", "auth realm Secret if TRUE"],
    bad=["auth realm"],
)
def auth(realm: str, *, env: CompileEnv) -> Run:
    """Ask for a user name and password: 401, or 407 to a proxy's client (option http-use-proxy-header)."""
    return challenge(realm or env.proxy, env)


# -- redirect -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Redirect:
    """``kind`` is location, prefix or scheme; ``cookie`` a whole Set-Cookie value or a format of one."""

    kind: str
    target: Format
    code: int = 302
    drop_query: bool = False
    keep_query: bool = False
    append_slash: bool = False
    ignore_empty: bool = False
    set_cookie: str = ""
    set_cookie_fmt: Format | None = None
    clear_cookie: str = ""


_FLAGS: Final = ("drop-query", "keep-query", "append-slash", "ignore-empty")
_CODES: Final = (301, 302, 303, 307, 308)
_KINDS: Final = ("location", "prefix", "scheme")
_UNEXPECTED: Final = (
    "expects 'code', 'prefix', 'location', 'scheme', 'set-cookie', 'set-cookie-fmt', 'clear-cookie', "
    "'drop-query', 'keep-query', 'ignore-empty' or 'append-slash' (was '{}')"
)


def read_redirect(words: Words) -> Sequence[Any]:
    """The arguments of ``redirect``, also as a keyword of its own."""
    found: dict[str, Any] = {}
    literal = words.at == 1  # the keyword of its own: only http-request and http-response know formats
    while not words.rest_is_condition():
        word = words.word("")
        missing = f"missing argument for '{word}'"
        if word in _KINDS:
            found["kind"] = word
            found["target"] = _literal(words.word(missing)) if literal else words.format(missing)
        elif word in _FLAGS:
            found[word.replace("-", "_")] = True
        elif word == "code":
            found["code"] = _code(words.word(missing))
        elif word in ("set-cookie", "clear-cookie"):
            found[word.replace("-", "_")] = words.word(missing)
        elif word == "set-cookie-fmt":
            found["set_cookie_fmt"] = words.format(missing)
        else:
            wrong(_UNEXPECTED.format(word))
    if "kind" not in found:
        wrong("redirection type expected ('prefix', 'location', or 'scheme')")
    return (Redirect(**found),)


def _literal(text: str) -> Format:
    return Format(text, (Text(text),) if text else ())


def _code(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    if number not in _CODES:
        wrong(f"'code': unsupported HTTP code '{text}' (must be one of 301, 302, 303, 307 or 308)")
    return number


@action(
    "redirect",
    _BOTH,
    parser=read_redirect,
    signature="redirect { location <fmt> | prefix <fmt> | scheme <fmt> } [ code <code> ] [ <option> ... ]",
    final=True,
    ok=[
        "redirect location /x",
        "redirect scheme https code 301 unless TRUE",
        "redirect prefix http://a drop-query",
    ],
    bad=["redirect", "redirect foo", "redirect location /x code 300", "redirect location"],
)
def redirect(rule: Redirect, *, env: CompileEnv, ruleset: Ruleset) -> Run:
    """Answer with a redirection: to a location, to the same path behind a prefix, or to another scheme."""
    return compile_redirect(rule, env)


def compile_redirect(rule: Redirect, env: CompileEnv) -> Run:
    """The closure that redirects."""
    where = _target(rule, compile_logformat(rule.target, env))
    extra = _cookie(rule, env)
    code, reason = rule.code, reason_of(rule.code)
    ignore_empty = rule.ignore_empty
    # A temporary redirection must be asked for again each time.
    fresh = [(b"cache-control", b"no-cache")] if code in (302, 303, 307) else []

    def run(txn: Any) -> int:
        target = where(txn)
        if ignore_empty and not target:
            return CONTINUE
        headers = [(b"location", target), *fresh]
        if extra is not None:
            headers.append((b"set-cookie", extra(txn)))
        return txn.reply(code, reason, headers, b"")  # type: ignore[no-any-return]

    return run


def _target(rule: Redirect, write: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    if rule.kind == "location":
        if not rule.keep_query:
            return write
        return lambda txn: _with_query(write(txn), txn.req.query)
    if rule.kind == "scheme":

        def to_scheme(txn: Any) -> bytes:
            return b"%b://%b%b" % (write(txn), txn.req.get(b"host") or b"", _path(txn, rule))

        return to_scheme

    root = str(rule.target) == "/"

    def to_prefix(txn: Any) -> bytes:
        # of the path alone: ``//`` at its head would name another host
        return re.sub(rb"\A//+", b"/", _path(txn, rule)) if root else write(txn) + _path(txn, rule)

    return to_prefix


def _with_query(target: bytes, query: bytes) -> bytes:
    if not query:
        return target
    return target + (b"&" if b"?" in target else b"?") + query


def _path(txn: Any, rule: Redirect) -> bytes:
    """The request's path as the new location needs it."""
    path = path_and_query(txn.req.uri) or b"/"
    if rule.drop_query:
        path = path.partition(b"?")[0]
    if rule.append_slash and not path.endswith(b"/"):
        path += b"/"
    return path


def _cookie(rule: Redirect, env: CompileEnv) -> Callable[[Any], bytes] | None:
    if rule.set_cookie_fmt is not None:
        write = compile_logformat(rule.set_cookie_fmt, env)
        return lambda txn: write(txn) + b"; path=/;"
    if rule.set_cookie:
        value = to_bytes(rule.set_cookie) + b"; path=/;"
        return lambda txn: value
    if rule.clear_cookie:
        value = to_bytes(rule.clear_cookie) + b"; path=/; Max-Age=0;"
        return lambda txn: value
    return None


JOINED_HINTS: Final = "joined hints"  #: the ids of rules after which the 103 response goes on
_ENDS: Final = bytes.maketrans(b"\r\n\0", b"   ")


def one_line(value: bytes) -> bytes:
    """A line end inside a value would start a new header: RFC 9110 5.5 has it replaced by a space."""
    return value.translate(_ENDS)


@action(
    "early-hint",
    ("http-request",),
    expects="expects exactly 2 arguments",
    ok=["early-hint Link </a.css>;rel=preload"],
    bad=["early-hint Link"],
)
def early_hint(name: str, fmt: Format, *, env: CompileEnv, rule: Any) -> Run:
    """Send a 103 response with that header line before the final one; rules in a row without conditions
    share one."""
    key, write = to_bytes(name).lower(), compile_logformat(fmt, env)
    goes_on = id(rule) in env.compiled.get(JOINED_HINTS, ())

    def run(txn: Any) -> int:
        hints = notes(txn).early_hints
        hints.append((key, one_line(write(txn))))
        if not goes_on:
            txn.inform(
                b"HTTP/1.1 103 Early Hints\r\n%b\r\n" % b"".join(b"%b: %b\r\n" % line for line in hints)
            )
            hints.clear()
        return CONTINUE

    return run
