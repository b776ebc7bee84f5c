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

_REPLY = re.compile(rb"([1-5]\d\d)(?:([ -])([^\r\n]*))?\r?\n")


def smtp_reply(data: bytes, closed: bool) -> Said:
    """A whole reply, of one line or several; only 2xx is good (RFC 5321 4.2)."""
    at = 0
    while True:
        match = _REPLY.match(data, at)
        if match is None:
            break
        if match[2] != b"-":
            code = int(match[1])
            status = CheckStatus.L7OK if code // 100 == 2 else CheckStatus.L7STS
            return status, code, (match[3] or b"").decode("latin-1")
        at = match.end()
    line, newline, _ = data[at:].partition(b"\n")
    if (newline or closed) and line:
        return CheckStatus.L7RSP, 0, line.rstrip(b"\r").decode("latin-1")
    return None


def redis_reply(data: bytes, closed: bool) -> Said:
    """``+PONG`` is good, ``-...`` is what the server says is wrong."""
    if data.startswith(b"+PONG\r\n"):
        return CheckStatus.L7OK, 0, "Redis server is ok"
    line, newline, _ = data.partition(b"\r\n")
    if not newline and not (closed and data):
        return None
    if line.startswith(b"-"):
        return CheckStatus.L7STS, 0, line.decode("latin-1")
    return CheckStatus.L7RSP, 0, "Redis unknown error"


def smtp_script(words: Sequence[str]) -> Script:
    """``option smtpchk [<hello> <domain>]``."""
    hello, domain = "HELO", "localhost"
    if len(words) >= 2 and words[0] in ("HELO", "EHLO"):
        hello, domain = words[0], words[1]
    reply = Expect(Match.SPEECH, speech=smtp_reply)
    return Script(
        (
            Connect(default=True, linger=True),
            reply,
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
            Expect(Match.SPEECH, speech=redis_reply),
        )
    )
