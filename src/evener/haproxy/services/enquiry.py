"""Questions of a worker to the control process, as policy sees them.

Policy asks and is called again when the answer has come; how questions travel is the machine's business
(``host.questions``), which sets ``ask``. An answer is a whole ``Reply``, packed in bytes: status, reason and
headers on a line of JSON, then the body.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.builtin_pages import builtin_reply
from evener.haproxy.enquiries import Enquiries
from evener.haproxy.plan import Reply
from evener.haproxy.txn import PENDING, Txn

PATIENCE: Final = 10.0  #: seconds
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
    return txn.reply(*(unpack(waiting.answer) if waiting.answer else builtin_reply(503)))


def _told(txn: Txn, waiting: _Waiting, answer: bytes | None) -> None:
    waiting.answer = answer or b""
    txn.resume()
