"""Answers made here: what ``deny``, ``return`` and ``tarpit`` send, and whole responses kept in files.

Decides how the arguments of these actions (manual section 4.4, "return") become a response. The pages
of the statuses themselves (``errorfile`` of a proxy, ``http-errors`` sections) come from ``CompileEnv``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from evener.haproxy.action import Words, wrong
from evener.haproxy.builtin_pages import BUILTIN
from evener.haproxy.cast import to_bytes
from evener.haproxy.logformat import Format, compile_logformat, compile_raw
from evener.haproxy.notes import notes
from evener.haproxy.scope import CompileEnv
from evener.haproxy.txn import CONTINUE, PENDING
from evener.text.record import dataclass

Reply = tuple[int, bytes, list[tuple[bytes, bytes]], bytes]
Run = Callable[[Any], int]
Page = Reply | Run

#: Statuses a proxy has a page for, own or built in.
PAGES: Final = (
    200,
    400,
    401,
    403,
    404,
    405,
    407,
    408,
    410,
    413,
    414,
    421,
    422,
    425,
    429,
    431,
    500,
    501,
    502,
    503,
    504,
)
_REASONS: Final = {
    200: "OK", 201: "Created", 202: "Accepted", 203: "Non-Authoritative Information", 204: "No Content",
    205: "Reset Content", 206: "Partial Content", 207: "Multi-Status", 210: "Content Different",
    226: "IM Used",
    300: "Multiple Choices", 301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified",
    305: "Use Proxy", 307: "Temporary Redirect", 308: "Permanent Redirect", 310: "Too many Redirects",
    400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 406: "Not Acceptable", 407: "Proxy Authentication Required",
    408: "Request Time-out", 409: "Conflict", 410: "Gone", 411: "Length Required", 412: "Precondition Failed",
    413: "Request Entity Too Large", 414: "Request-URI Too Long", 415: "Unsupported Media Type",
    416: "Requested range unsatisfiable", 417: "Expectation failed", 418: "I'm a teapot",
    421: "Misdirected Request", 422: "Unprocessable Content", 423: "Locked", 424: "Method failure",
    425: "Too Early", 426: "Upgrade Required", 428: "Precondition Required", 429: "Too Many Requests",
    431: "Request Header Fields Too Large", 449: "Retry With", 450: "Blocked by Windows Parental Controls",
    451: "Unavailable For Legal Reasons", 456: "Unrecoverable Error", 499: "client has closed connection",
    500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway or Proxy Error",
    503: "Service Unavailable", 504: "Gateway Time-out", 505: "HTTP Version not supported",
    506: "Variant also negotiate", 507: "Insufficient storage", 508: "Loop detected",
    509: "Bandwidth Limit Exceeded", 510: "Not extended", 511: "Network authentication required",
    520: "Web server is returning an unknown error",
}  # fmt: skip
_CLASSES: Final = {1: "Information", 2: "Success", 3: "Redirection", 4: "Client Error", 5: "Server Error"}


def reason_of(status: int) -> bytes:
    """The usual reason phrase of a status; that of its class for an unknown one."""
    return (_REASONS.get(status) or _CLASSES.get(status // 100, "Other")).encode("ascii")


#: Lines of a reply that are none: to be sent as HTTP/1.0; without a length, up to the end of the connection.
VERSION_1_0: Final = b":1.0"
UNTIL_CLOSE: Final = b":close"
#: Where the length stands among the lines of a reply, which is first without this one.
LENGTH: Final = (b"content-length", b"")


class ReplyError(Exception):
    """A file holds no response; the message follows the file's name."""


def parse_response(content: bytes) -> Reply:
    """A whole response, as error files hold it: status line, headers, empty line, body.

    Framing headers are the sender's to make: of a length, only its place is kept. What a file says by its
    version, and by having no length, is kept as lines with names that no header can have.
    """
    head, separator, body = content.partition(b"\r\n\r\n")
    if not separator:
        head, separator, body = content.partition(b"\n\n")
    first, *lines = head.replace(b"\r\n", b"\n").split(b"\n")
    version, _, rest = first.partition(b" ")
    status, _, reason = rest.partition(b" ")
    if not separator or not version.startswith(b"HTTP/") or not (len(status) == 3 and status.isdigit()):
        raise ReplyError("unable to parse headers (error offset: 0)")
    headers: list[tuple[bytes, bytes]] = []
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon:
            raise ReplyError("unable to parse headers (error offset: 0)")
        headers.append((name.strip().lower(), value.strip(b" \t")))
    kept = [line for line in headers if line[0] != b"transfer-encoding"]
    kept = [LENGTH if line[0] == LENGTH[0] else line for line in kept]
    if version == b"HTTP/1.0":
        kept.append((VERSION_1_0, b""))
    if not any(name == b"content-length" for name, _ in headers):
        kept.append((UNTIL_CLOSE, b""))
    return int(status), reason, kept, body


@dataclass(frozen=True, slots=True)
class ReplyWords:
    """The arguments of ``return`` and ``deny``. ``kind`` is the payload argument's name, or empty.

    ``payload`` is the format, text, file content or section name that goes with it.
    """

    status: int
    kind: str = ""
    payload: Any = None
    content_type: str = ""
    headers: tuple[tuple[str, Format], ...] = ()


#: ``hdr`` lines that are ignored: the reply has its own.
_FRAMING: Final = frozenset({"content-length", "content-type", "transfer-encoding"})
_WITH_FILE: Final = "when used with an errorfile"
_SOURCES: Final = ("default-errorfiles", "errorfile", "errorfiles", "file", "lf-file", "string", "lf-string")
_EXPECTS: Final = {
    "errorfile": "<fmt>",
    "errorfiles": "<name>",
    "file": "<file>",
    "lf-file": "<file>",
    "string": "<str>",
    "lf-string": "<fmt>",
}


def read_reply(words: Words, default: int, *, implied: bool) -> ReplyWords:
    """Read the arguments up to the condition.

    ``implied``: without a payload the proxy's own page is meant (deny, tarpit), unless
    ``status`` or headers are given.
    """
    status, kind, content_type = default, "", ""
    stated = False
    payload: Any = None
    headers: list[tuple[str, Format]] = []
    while True:
        word = words.peek()
        if word == "status" or (implied and word == "deny_status"):
            stated = stated or word == "status"
            status = _status(words)
        elif word == "content-type":
            words.take(word)
            content_type = words.word("'content-type' expects <ctype> as argument")
        elif word in _SOURCES:
            words.take(word)
            if kind:
                wrong(f"unexpected '{word}' argument, '{kind}' already defined")
            kind, payload = word, _payload(words, word)
        elif word == "hdr":
            words.take(word)
            name = words.word("'hdr' expects <name> and <value> as arguments")
            expects = "'hdr' expects <name> and <value> as arguments"
            if name.lower() not in _FRAMING:
                headers.append((name, words.format(expects)))
            else:
                words.word(expects)
                implied = False  # it counts as an argument all the same
                words.warn("framing-header", f"header '{name}' always ignored by the http reply.")
        else:
            break
    reply = ReplyWords(status, kind, payload, content_type, tuple(headers))
    return _complete(words, reply, implied and not stated)


def _status(words: Words) -> int:
    name = words.word("")
    text = words.word(f"'{name}' expects <status_code> as argument")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    if not 200 <= number <= 599:
        wrong(f"Unexpected status code '{number}'")
    return number


def _payload(words: Words, kind: str) -> Any:
    if kind == "default-errorfiles":
        return None
    expects = f"'{kind}' expects {_EXPECTS[kind]} as argument"
    if kind == "lf-string":
        return words.format(expects)
    text = words.word(expects)
    if kind in ("errorfiles", "string"):
        return text
    try:
        with open(to_bytes(text), "rb") as stream:
            content = stream.read()
    except OSError:
        wrong(f"error opening file '{text}'.") if kind == "errorfile" else wrong(
            f"error opening file '{text}'"
        )
    if kind == "errorfile":
        try:
            return parse_response(content) if content else None
        except ReplyError as error:
            wrong(f"'{text}': {error}")
    if kind == "lf-file":
        return words.read_format(content.decode("utf-8", "surrogateescape"))
    return content


def _complete(words: Words, reply: ReplyWords, implied: bool) -> ReplyWords:
    """Cross-checks, and the payload that is meant where none is given."""
    if reply.kind in ("file", "lf-file", "string", "lf-string"):
        empty = reply.payload in ("", b"") or (isinstance(reply.payload, Format) and not reply.payload.items)
        if not reply.content_type and not empty:
            wrong("a content type must be defined when non-empty payload is configured")
        if reply.content_type and reply.payload in ("", b""):
            message = (
                f"content-type '{reply.content_type}' ignored by the http reply when used with an empty "
            )
            words.warn("content-type-ignored", message + "payload.")
        return reply
    if reply.content_type:
        because = "because neither errorfile nor payload defined" if not reply.kind else _WITH_FILE
        message = f"content-type '{reply.content_type}' ignored by the http reply {because}."
        words.warn("content-type-ignored", message)
    if reply.headers and reply.kind:
        words.warn("headers-ignored", f"hdr parameters ignored by the http reply {_WITH_FILE}.")
    if implied and not reply.kind and not reply.headers:
        return ReplyWords(reply.status, "default-errorfiles")
    return reply


def compile_reply(reply: ReplyWords, env: CompileEnv) -> Run:
    """The closure that answers; returns the verdict of ``txn.reply``."""
    if reply.kind in ("default-errorfiles", "errorfile", "errorfiles"):
        return _page(reply, env)
    write_headers = _headers(reply, env)
    status, reason = reply.status, reason_of(reply.status)
    body = _body(reply, env)
    typed = [LENGTH, (b"content-type", to_bytes(reply.content_type or ""))]

    def headers(txn: Any, body: bytes) -> list[tuple[bytes, bytes]]:
        """Those of the rule, the length, and the type of what there is."""
        own = [] if write_headers is None else write_headers(txn)
        return [*own, *(typed if body and reply.content_type and reply.kind else [LENGTH])]

    if isinstance(body, bytes):
        constant = body
        if write_headers is None:
            fixed = headers(None, constant)
            return lambda txn: txn.reply(status, reason, list(fixed), constant)
        return lambda txn: txn.reply(status, reason, headers(txn, constant), constant)
    make = told(status, body)

    def run(txn: Any) -> Any:
        made = make(txn)
        return txn.reply(status, reason, headers(txn, made), made)

    return run


def told(status: int, make: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    """A text in which ``%ST`` is the status of the reply it belongs to."""

    def run(txn: Any) -> bytes:
        notes(txn).replying = status
        return make(txn)

    return run


def _headers(reply: ReplyWords, env: CompileEnv) -> Callable[[Any], list[tuple[bytes, bytes]]] | None:
    """The ``hdr`` lines of a reply; one whose value turns out empty is left out."""
    if not reply.headers:
        return None
    lines = [
        (to_bytes(name).lower(), told(reply.status, compile_logformat(fmt, env)) if fmt.items else _nothing)
        for name, fmt in reply.headers
    ]
    return lambda txn: [(name, value) for name, write in lines if (value := write(txn))]


def _nothing(txn: Any) -> bytes:
    return b""


def _body(reply: ReplyWords, env: CompileEnv) -> bytes | Callable[[Any], bytes]:
    if isinstance(reply.payload, Format):
        return compile_raw(reply.payload, env)
    if isinstance(reply.payload, bytes):
        return reply.payload
    return to_bytes(reply.payload) if reply.payload else b""


def _page(reply: ReplyWords, env: CompileEnv) -> Run:
    page: Page | None
    if reply.kind == "errorfile":
        page = reply.payload or (0, b"", [], b"")  # an empty file: no answer
    elif reply.kind == "errorfiles":
        bare: Page = (reply.status, reason_of(reply.status), [], b"")  # the section has no page for it
        page = env.http_errors(reply.payload, reply.status) or bare
    else:
        return own_or_client_side(reply.status, env, lambda page: _answering(reply, page))
    answer = _answering(reply, page)
    return answer if reply.kind != "errorfile" else logged_as(reply.status, answer)


def _answering(reply: ReplyWords, page: Page | None) -> Run:
    if isinstance(page, tuple) and page[0] not in (0, reply.status):
        # a page is sent as it is; the log has the status that was asked for, all the same
        return sending((page[0], page[1], [(b":status", b"%d" % reply.status), *page[2]], page[3]))
    if isinstance(page, tuple) and page[0] == 0:
        page = (0, b"%d" % reply.status, [], b"")  # silence; the log has the status all the same
    return sending(page or plain_page(reply.status))


def own_or_client_side(status: int, env: CompileEnv, make: Callable[[Page | None], Run]) -> Run:
    """The answer with the proxy's page for a status; a backend without one has that of the frontend."""
    page = env.error_reply(status)
    answer = make(page)
    if page is not BUILTIN.get(status) or env.backend("") is None:
        return answer
    made: dict[int, Run] = {}

    def run(txn: Any) -> int:
        other = txn.frontend.errors.get(status)
        if other is None:
            return answer(txn)
        index = txn.frontend.index
        found = made.get(index)
        if found is None:
            found = made[index] = make(other)
        return found(txn)

    return run


def logged_as(status: int, answer: Run) -> Run:
    """A page of one's own may have any status: logs show the one of the rule."""

    def run(txn: Any) -> int:
        txn.blame(None, status)
        return answer(txn)

    return run


def sending(page: Page) -> Run:
    """The closure that answers with a page."""
    if not isinstance(page, tuple):
        return page
    status, reason, headers, body = page
    return lambda txn: txn.reply(status, reason, list(headers), body)


def error_answer(env: CompileEnv, status: int) -> Run:
    """The closure that answers with the proxy's page for a status."""
    return own_or_client_side(status, env, lambda page: sending(page or plain_page(status)))


def awaited_body(limit: int, at_least: int, late: Run, state: bytes) -> Run:
    """Goes on when the body is complete, or that much of it is here; ``late`` answers after ``limit`` ms."""

    def run(txn: Any) -> int:
        known = notes(txn)
        txn.invite()
        if txn.body_complete() or (at_least and len(txn.body()) >= at_least):
            known.waiting_since = None
            return CONTINUE
        now = time.monotonic()
        if known.waiting_since is None:
            known.waiting_since = now
        left = limit - int((now - known.waiting_since) * 1000)
        if left > 0 or not limit:
            txn.wait(left if limit else 3_600_000)
            return PENDING
        known.waiting_since = None
        txn.termination = state
        return late(txn)

    return run


def plain_page(status: int) -> Reply:
    """A page for a status nobody has one for."""
    reason = reason_of(status)
    text = b"<html><body><h1>%d %b</h1>\n</body></html>\n" % (status, reason)
    return status, reason, [(b"cache-control", b"no-cache"), (b"content-type", b"text/html")], text


def terminated(run: Run, state: bytes) -> Run:
    """The same answer, logged with that termination state (manual section 8.5)."""

    def stop(txn: Any) -> int:
        txn.termination = state
        return run(txn)

    return stop


Statuses = Sequence[int]
