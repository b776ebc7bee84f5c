"""Checks that speak one protocol: ``option smtpchk`` and ``option redis-check``.

Each is a script whose expectations are functions: they get what was received so far and whether the
server has closed, and return (status, code, sentence), or None to wait for more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from evener.haproxy.checks.outcome import CheckStatus
from evener.haproxy.checks.steps import Connect, Expect, Match, Script, Send
from evener.haproxy.line import word_bytes

Said = tuple[CheckStatus, int, str] | None

_GREETED = re.compile(rb"\d{3}[ \r]")
_GOOD = re.compile(rb"(?:2\d\d-[^\r]*\r\n)*2\d\d[ \r]")


def smtp_greeting(data: bytes, closed: bool) -> Said:
    """The first line; whatever is no code and a blank is no SMTP."""
    if len(data) < 4 and not (closed and data):
        return None
    if not _GREETED.match(data):
        return CheckStatus.L7RSP, 0, _line(data)
    return _smtp_said(data)


def smtp_reply(data: bytes, closed: bool) -> Said:
    """Only 2xx is good (RFC 5321 4.2); anything else is waited out: maybe more comes."""
    return _smtp_said(data) if _GOOD.match(data) or (closed and data) else None


def _smtp_said(data: bytes) -> Said:
    status = CheckStatus.L7OK if _GOOD.match(data) else CheckStatus.L7STS
    code = int(data[:3]) if data[:3].isdigit() else 0
    return status, code, _line(data[4:].lstrip(b" "))


def _line(data: bytes) -> str:
    return re.split(rb"[\r\n]", data, maxsplit=1)[0].decode("utf-8", "surrogateescape")


def redis_reply(data: bytes, closed: bool) -> Said:
    """``+PONG`` is good; what else came when the server closes is what it says is wrong."""
    if data.startswith(b"+PONG\r\n"):
        return CheckStatus.L7OK, 0, "Redis server is ok"
    return (CheckStatus.L7STS, 0, _line(data)) if closed and data else None


def smtp_script(words: Sequence[str]) -> Script:
    """``option smtpchk [<hello> <domain>]``."""
    hello, domain = "HELO", "localhost"
    if len(words) >= 2 and words[0] in ("HELO", "EHLO"):
        hello, domain = words[0], words[1]
    reply = Expect(Match.SPEECH, speech=smtp_reply, error=CheckStatus.L7STS)
    return Script(
        (
            Connect(default=True, linger=True),
            Expect(Match.SPEECH, speech=smtp_greeting),
            Send(word_bytes(f"{hello} {domain}\r\n")),
            reply,
            Send(b"QUIT\r\n"),
            reply,
        )
    )


def redis_script() -> Script:
    return Script(
        (
            Connect(default=True, linger=True),
            Send(b"*1\r\n$4\r\nPING\r\n"),
            Expect(Match.SPEECH, speech=redis_reply, error=CheckStatus.L7STS),
        )
    )
