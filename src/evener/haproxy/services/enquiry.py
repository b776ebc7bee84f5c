"""Questions of a worker to the control process, as policy sees them.

Policy asks and is called again when the answer has come; how questions travel is the machine's business
(``host.questions``), which sets ``ask``. An answer is a whole ``Reply``, packed in bytes: status, reason and
headers on a line of JSON, then the body.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from evener.haproxy.builtin_pages import builtin_reply
from evener.haproxy.enquiries import Enquiries
from evener.haproxy.plan import Reply
from evener.haproxy.replies import LENGTH
from evener.haproxy.txn import PENDING, REPLIED, Txn

PATIENCE: Final = 10.0  #: seconds
NAMES: Final = {"stats": b"<STATS>", "prometheus-exporter": b"<PROMEX>"}  #: in logs, in the place of a server
_PLACE: Final = " enquiry"


def pack(reply: Reply) -> bytes:
    status, reason, headers, body = reply
    lines = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in headers]
    import json

    return json.dumps([status, reason.decode("latin-1"), lines]).encode() + b"\n" + body


def unpack(answer: bytes) -> Reply:
    head, _, body = answer.partition(b"\n")
    import json

    status, reason, lines = json.loads(head)
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in lines]
    return status, reason.encode("latin-1"), headers, body


class _Waiting:
    """One question on its way; ``answer`` is empty when nobody could answer."""

    __slots__ = ("answer", "until")

    def __init__(self) -> None:
        self.answer: bytes | None = None
        self.until = time.monotonic() + PATIENCE


def consult(txn: Txn, enquiries: Enquiries, subject: str, question: Callable[[], list[Any]]) -> int:
    """Reply with what the control process says; ``question`` is only made once. 503 without an answer."""
    waiting: _Waiting | None = txn.vars.get(_PLACE)
    if waiting is None:
        waiting = txn.vars[_PLACE] = _Waiting()
        enquiries.ask(subject, question(), lambda answer: _told(txn, waiting, answer))
    if waiting.answer is None:
        left = waiting.until - time.monotonic()
        if left > 0:
            txn.wait(int(left * 1000) + 1)
            return PENDING
    del txn.vars[_PLACE]
    if not waiting.answer:
        return txn.reply(*builtin_reply(503))
    status, reason, lines, body = unpack(waiting.answer)
    txn.serve(_head(txn.req, status, reason, lines, body), body, NAMES[subject])
    return REPLIED


def _head(
    request: Any, status: int, reason: bytes, lines: Sequence[tuple[bytes, bytes]], body: bytes
) -> bytes:
    """A page goes out while it is being made, so nobody knows its length: in chunks, or until the end."""
    framing = b"transfer-encoding: chunked\r\n" if request.minor else b"connection: close\r\n"
    if not body:
        framing = b"content-length: 0\r\n"
    elif request.method == b"HEAD":
        framing = b""
    text = [framing if line == LENGTH else b"%b: %b\r\n" % line for line in lines]
    if LENGTH not in lines:
        text.append(framing)
    return b"HTTP/1.1 %d %b\r\n%b\r\n" % (status, reason, b"".join(text))


def _told(txn: Txn, waiting: _Waiting, answer: bytes | None) -> None:
    waiting.answer = answer or b""
    txn.resume()
