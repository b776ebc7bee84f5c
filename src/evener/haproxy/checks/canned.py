"""Checks that speak one protocol: ``option smtpchk`` and ``option redis-check``.

Both are scripts like those of ``option tcp-check``, said in the same words, so that whatever a server does -
an answer in pieces, half of one, something else - is judged as it would be there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from evener.haproxy.checks.parse import tcp_script
from evener.haproxy.checks.steps import Connect, Script, Send
from evener.haproxy.line import word_bytes
from evener.haproxy.scope import CompileEnv

_WHOLE: Final = "%[res.payload(0,0),cut_crlf]"
_TEXT: Final = "%[res.payload(4,0),ltrim(' '),cut_crlf]"
_CODE: Final = ("status-code", "res.payload(0,3)")
_SMTP: Final = (
    ("expect", "rstring", "^[0-9]{3}[ \r]", "min-recv", "4", "error-status", "L7RSP", "on-error", _WHOLE),
    (
        "expect", "rstring", "^2[0-9]{2}[ \r]", "min-recv", "4",
        "error-status", "L7STS", "on-error", _TEXT, *_CODE,
    ),
    (
        "expect", "rstring", "^(2[0-9]{2}-[^\r]*\r\n)*2[0-9]{2}[ \r]",
        "error-status", "L7STS", "on-error", _TEXT, "on-success", _TEXT, *_CODE,
    ),
    (
        "expect", "rstring", "^2[0-9]{2}[- \r]", "min-recv", "4",
        "error-status", "L7STS", "on-error", _TEXT, "on-success", _TEXT, *_CODE,
    ),
)  # fmt: skip
_REDIS: Final = (
    "expect", "string", "+PONG\r\n", "error-status", "L7STS", "on-error", _WHOLE,
    "on-success", "Redis server is ok",
)  # fmt: skip


def smtp_script(words: Sequence[str], env: CompileEnv | None = None) -> Script:
    """``option smtpchk [<hello> <domain>]``: a greeting of one line, a hello, a good bye."""
    hello, domain = "HELO", "localhost"
    if len(words) >= 2 and words[0] in ("HELO", "EHLO"):
        hello, domain = words[0], words[1]
    greeting, code, welcome, bye = tcp_script(_SMTP, env).steps
    said = Send(word_bytes(f"{hello} {domain}\r\n")), Send(b"QUIT\r\n")
    opening = Connect(default=True, linger=True)
    return Script((opening, greeting, code, said[0], welcome, said[1], bye))


def redis_script(env: CompileEnv | None = None) -> Script:
    (pong,) = tcp_script([_REDIS], env).steps
    return Script((Connect(default=True, linger=True), Send(b"*1\r\n$4\r\nPING\r\n"), pong))
