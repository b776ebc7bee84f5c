"""Actions on the request line and the status line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from evener.haproxy.action import Words, action, wrong
from evener.haproxy.cast import to_bytes
from evener.haproxy.logformat import Format, compile_logformat
from evener.haproxy.messages import authority_of, path_and_query
from evener.haproxy.normalize import NORMALIZERS, NormalizeError
from evener.haproxy.replies import error_answer, reason_of, terminated
from evener.haproxy.scope import CompileEnv
from evener.haproxy.substitution import expand
from evener.haproxy.txn import CONTINUE
from evener.text.pcre import translate

Run = Callable[[Any], int]
_REQUEST: Final = ("http-request",)
_ONE: Final = "expects exactly 1 argument <format>"
_TWO: Final = "expects exactly 2 arguments <match-regex> and <replace-format>"


def split_uri(uri: bytes) -> tuple[bytes, bytes, bytes]:
    """What precedes the path, the path, and the query with its mark. Without a path all is one."""
    tail = path_and_query(uri) or uri
    head = uri[: len(uri) - len(tail)] if uri.endswith(tail) else uri
    path, mark, query = tail.partition(b"?")
    return head, path, mark + query


@action("set-method", _REQUEST, expects=_ONE, ok=["set-method GET"], bad=["set-method"])
def set_method(fmt: Format, *, env: CompileEnv) -> Run:
    """Rewrite the method of the request."""
    write = compile_logformat(fmt, env)

    def run(txn: Any) -> int:
        txn.req.method = write(txn)
        return CONTINUE

    return run


@action(
    "set-uri",
    _REQUEST,
    expects=_ONE,
    ok=["set-uri /x?y", "set-uri %[path]"],
    bad=["set-uri", "set-uri %[nope]"],
)
def set_uri(fmt: Format, *, env: CompileEnv) -> Run:
    """Rewrite the whole request target: scheme, authority, path and query."""
    write = compile_logformat(fmt, env)

    def run(txn: Any) -> int:
        retarget(txn.req, write(txn))
        return CONTINUE

    return run


def retarget(request: Any, uri: bytes) -> None:
    """Set the whole target; a host header follows an authority in it (RFC 9112 section 3.2.2)."""
    request.uri = uri
    authority = authority_of(uri)
    if authority and request.get(b"host") is not None:
        request.rewrite(b"host", [authority])


@action("set-path", _REQUEST, expects=_ONE, ok=["set-path /a%[path]"], bad=["set-path"])
def set_path(fmt: Format, *, env: CompileEnv) -> Run:
    """Rewrite the path; scheme, authority and query stay."""
    write = compile_logformat(fmt, env)

    def run(txn: Any) -> int:
        head, _, query = split_uri(txn.req.uri)
        txn.req.uri = head + write(txn) + query
        return CONTINUE

    return run


@action("set-pathq", _REQUEST, expects=_ONE, ok=["set-pathq /a?b"], bad=["set-pathq"])
def set_pathq(fmt: Format, *, env: CompileEnv) -> Run:
    """Rewrite the path and the query together; scheme and authority stay."""
    write = compile_logformat(fmt, env)

    def run(txn: Any) -> int:
        txn.req.uri = split_uri(txn.req.uri)[0] + write(txn)
        return CONTINUE

    return run


@action(
    "set-query",
    _REQUEST,
    expects=_ONE,
    ok=["set-query a=b", "set-query %[query,regsub(%3D,=,g)]"],
    bad=["set-query"],
)
def set_query(fmt: Format, *, env: CompileEnv) -> Run:
    """Rewrite what follows the question mark, which is added when needed and never removed."""
    write = compile_logformat(fmt, env)

    def run(txn: Any) -> int:
        head, mark, _ = txn.req.uri.partition(b"?")
        query = write(txn)
        txn.req.uri = head + b"?" + query if mark or query else head
        return CONTINUE

    return run


def _read_replace(words: Words) -> Sequence[Any]:
    return words.regex(_TWO), words.format(_TWO)


def _replacer(
    regex: str,
    fmt: Format,
    env: CompileEnv,
    part: Callable[[bytes], tuple[bytes, bytes, bytes]],
    whole: bool = False,
) -> Run:
    """Replace the middle part of the target when the pattern is found in it; the others stay."""
    search, write = translate(regex).search, compile_logformat(fmt, env)

    def run(txn: Any) -> int:
        before, middle, after = part(txn.req.uri)
        if not whole and middle == b"*":
            return CONTINUE  # which is no path
        match = search(middle)
        if match is not None:
            made = before + expand(write(txn), match) + after
            if whole:
                retarget(txn.req, made)
            else:
                txn.req.uri = made
        return CONTINUE

    return run


@action(
    "replace-path", _REQUEST, parser=_read_replace, ok=[r"replace-path (.*) /foo\1"], bad=["replace-path a"]
)
def replace_path(regex: str, fmt: Format, *, env: CompileEnv) -> Run:
    """Rewrite the path by a regular expression and a format with back-references."""
    return _replacer(regex, fmt, env, split_uri)


@action(
    "replace-pathq",
    _REQUEST,
    parser=_read_replace,
    ok=[r"replace-pathq ([^?]*)(.*) \1/x\2"],
    bad=["replace-pathq a"],
)
def replace_pathq(regex: str, fmt: Format, *, env: CompileEnv) -> Run:
    """As ``replace-path``, on the path with its query."""

    def part(uri: bytes) -> tuple[bytes, bytes, bytes]:
        head, path, query = split_uri(uri)
        return head, path + query, b""

    return _replacer(regex, fmt, env, part)


@action(
    "replace-uri",
    _REQUEST,
    parser=_read_replace,
    ok=[r"replace-uri ^http://(.*) https://\1"],
    bad=["replace-uri (a b"],
)
def replace_uri(regex: str, fmt: Format, *, env: CompileEnv) -> Run:
    """As ``replace-path``, on the whole request target."""
    return _replacer(regex, fmt, env, lambda uri: (b"", uri, b""), whole=True)


def _read_status(words: Words) -> Sequence[Any]:
    expects = "expects an integer status code between 100 and 999"
    text = words.word(expects)
    if not (text.isascii() and text.isdigit() and 100 <= int(text) <= 999):
        wrong(expects)
    reason = words.word("expects a reason text") if words.take("reason") else ""
    return int(text), reason


@action(
    "set-status",
    ("http-response", "http-after-response"),
    parser=_read_status,
    signature="set-status <status> [ reason <str> ]",
    ok=["set-status 431", "set-status 503 reason Slow"],
    bad=["set-status 99", "set-status x"],
)
def set_status(status: int, reason: str) -> Run:
    """Replace the status of the response and its reason, the usual one unless given."""
    phrase = to_bytes(reason) or reason_of(status)

    def run(txn: Any) -> int:
        txn.res.status = status
        txn.res.reason = phrase
        return CONTINUE

    return run


def _read_normalizer(words: Words) -> Sequence[Any]:
    name = words.word("missing argument <normalizer>")
    known = NORMALIZERS.get(name)
    if known is None:
        wrong(f"unknown normalizer '{name}'")
    option = words.word("") if known.option and words.peek() == known.option else ""
    if known.option and not option and words.peek() in ("if", "unless"):
        return "path-merge-slashes", ""  # what every release of the original makes of these with a condition
    return name, option


@action(
    "normalize-uri",
    _REQUEST,
    parser=_read_normalizer,
    signature="normalize-uri <normalizer>",
    experimental=True,
    ok=["normalize-uri path-merge-slashes", "normalize-uri path-strip-dotdot full"],
    bad=["normalize-uri", "normalize-uri x"],
)
def normalize_uri(name: str, option: str, *, env: CompileEnv) -> Run:
    """Rewrite the request target into one of its equivalent, simpler spellings.

    A normalizer that knows an option, and has none but a condition, merges slashes instead: so does every
    release of the original. Put ``full`` or ``strict`` before the condition to have what was asked for.
    """
    normalize = NORMALIZERS[name].function
    refuse = terminated(error_answer(env, 400), b"PR")
    full = bool(option)

    def run(txn: Any) -> int:
        head, path, query = split_uri(txn.req.uri)
        try:
            path, query = normalize(path, query, full)
        except NormalizeError:
            return refuse(txn)
        txn.req.uri = head + path + query
        return CONTINUE

    return run
