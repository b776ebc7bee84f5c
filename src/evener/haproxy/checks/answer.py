"""The HTTP response of a health check: enough of HTTP/1 to judge it.

Checks need a status, the header lines and the body, of one response, in a bounded buffer; the data
path's parser is the engine's and is not needed here. ``parse`` is called again with everything that
was received so far, which is at most the buffer size.
"""

from __future__ import annotations

import re
from dataclasses import field

from evener.text.record import dataclass

_STATUS = re.compile(rb"HTTP/\d\.\d (\d\d\d)(?: ([^\r\n]*))?$")
_DECIMAL = re.compile(rb"\d{1,18}$")
_HEX = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?$")

LIMIT = 16384


class InvalidAnswer(Exception):
    """What came is not an HTTP response."""


@dataclass(slots=True)
class Answer:
    status: int
    reason: str
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    complete: bool = False
    broken: bool = False  #: what follows the head is not what it announces


def _head(block: bytes) -> Answer:
    lines = block.split(b"\n")
    first = _STATUS.match(lines[0].rstrip(b"\r"))
    if first is None:
        raise InvalidAnswer
    answer = Answer(int(first[1]), (first[2] or b"").decode("utf-8", "surrogateescape"))
    for line in lines[1:]:
        name, colon, value = line.rstrip(b"\r").partition(b":")
        if not colon or not name or name != name.strip():
            raise InvalidAnswer
        answer.headers.append((name.lower(), value.strip()))
    return answer


def _chunks(data: bytes) -> tuple[bytes, bool]:
    body = b""
    while True:
        line, newline, rest = data.partition(b"\n")
        if not newline:
            return body, False
        size = _HEX.match(line.rstrip(b"\r"))
        if size is None:
            raise InvalidAnswer
        length = int(size[1], 16)
        if length == 0:
            return body, True
        body += rest[:length]
        if len(rest) < length + 2:
            return body, False
        data = rest[length:].lstrip(b"\r").removeprefix(b"\n")


def _end_of_head(data: bytes) -> tuple[int, int]:
    """(where the head ends, where the body starts), or (-1, -1)."""
    found = [(at, at + len(mark)) for mark in (b"\r\n\r\n", b"\n\n") if (at := data.find(mark)) >= 0]
    return min(found, default=(-1, -1))


def parse(data: bytes, closed: bool) -> Answer | None:
    """The response so far, None while its head is incomplete. Raises InvalidAnswer."""
    data = data.lstrip(b"\r\n")
    end, start = _end_of_head(data)
    if end < 0:
        if closed or len(data) >= LIMIT or (len(data) >= 5 and not data.startswith(b"HTTP/")):
            raise InvalidAnswer
        return None
    answer = _head(data[:end])
    try:
        _rest(answer, data[start:], closed)
    except InvalidAnswer:
        answer.broken = True
    return answer


def has_head(data: bytes) -> bool:
    return _end_of_head(data.lstrip(b"\r\n"))[0] >= 0


def _rest(answer: Answer, data: bytes, closed: bool) -> None:
    """What follows the head. An interim response is judged like a final one, which has to follow it."""
    if answer.status >= 200 or answer.status in (0, 101):
        _body(answer, data, closed)
    else:
        answer.complete = True
        if data:
            parse(data, closed)


def _body(answer: Answer, data: bytes, closed: bool) -> None:
    fields = dict(reversed(answer.headers))
    length = fields.get(b"content-length", b"")
    if answer.status in (101, 204, 304):
        answer.complete = True
    elif fields.get(b"transfer-encoding", b"").lower().endswith(b"chunked"):
        answer.body, answer.complete = _chunks(data)
    elif _DECIMAL.match(length):
        answer.body = data[: int(length)]
        answer.complete = len(data) >= int(length)
    else:
        answer.body = data
    answer.complete = answer.complete or closed or len(data) >= LIMIT
