"""Checks that only exchange greetings: ``option ssl-hello-chk`` and ``option spop-check``.

The TLS hello is one of SSLv3 that every TLS server answers, if only with an alert: nothing is negotiated,
so that no TLS library is needed. A SPOP agent answers a hello with its version and limits.
"""

from __future__ import annotations

import time
from typing import Final

from evener.haproxy.checks.outcome import CheckStatus, Said
from evener.haproxy.checks.steps import Connect, Expect, Match, Scene, Script, Send
from evener.wire import spop

_SUITES: Final = b"".join(n.to_bytes(2, "big") for n in (*range(0x01, 0x1C), *range(0x2F, 0x3B)))
_RANDOM: Final = b"HAPROXYSSLCHK\n" * 2
MAX_FRAME: Final = 16380
MIN_FRAME: Final = 256
VERSIONS: Final = ("2.0",)


def ssl_hello(_scene: Scene) -> bytes:
    """A client hello of SSLv3 with the suites of its time (RFC 6101 5.6.1.2), sent at this second."""
    now = int(time.time()).to_bytes(8, "big")[4:]
    body = b"\3\0" + now + _RANDOM + b"\0" + len(_SUITES).to_bytes(2, "big") + _SUITES + b"\1\0"
    handshake = b"\1" + len(body).to_bytes(3, "big") + body
    return b"\x16\3\0" + len(handshake).to_bytes(2, "big") + handshake


def ssl_hello_script() -> Script:
    reply = Expect(Match.SPEECH, speech=ssl_reply, error=CheckStatus.L6RSP, timeout=CheckStatus.L6TOUT)
    return Script((Send(ssl_hello), reply))


def ssl_reply(data: bytes, closed: bool) -> Said:
    """A handshake record or an alert: whoever says that speaks TLS."""
    if not data or (len(data) < 5 and not closed):
        return None
    return (CheckStatus.L6OK if data[0] in (0x15, 0x16) else CheckStatus.L6RSP), 0, ""


def spop_script() -> Script:
    hello = spop.frame(
        spop.HAPROXY_HELLO,
        spop.text(b"supported-versions") + bytes([spop.STRING]) + spop.text(b"2.0")
        + spop.text(b"max-frame-size") + bytes([spop.UINT32]) + spop.varint(MAX_FRAME)
        + spop.text(b"capabilities") + bytes([spop.STRING]) + spop.text(b"")
        + spop.text(b"healthcheck") + bytes([spop.BOOLEAN | 0x10]),
    )  # fmt: skip
    return Script((Connect(default=True), Send(hello), Expect(Match.SPEECH, speech=spop_reply)))


def spop_reply(data: bytes, closed: bool) -> Said:
    """An agent's hello that can be worked with; a farewell is one without a version."""
    invalid = CheckStatus.L7RSP, 0, spop.ERRORS[4]
    if not data or (len(data) < 11 and not closed):
        return None
    if len(data) < 11 or data[4] not in (spop.AGENT_HELLO, spop.AGENT_DISCONNECT):
        return invalid
    length = int.from_bytes(data[:4], "big")
    if int.from_bytes(data[5:9], "big") != spop.FIN or data[9:11] != b"\0\0":
        return invalid
    if len(data) < 4 + length:
        return invalid if closed or length > MAX_FRAME else None
    try:
        found = dict(spop.items(data[11 : 4 + length]))
    except spop.ProtocolError:
        return invalid
    return _hello(found)


def _hello(found: dict[bytes, spop.Value]) -> Said:
    error = 0
    version, size = found.get(b"version"), found.get(b"max-frame-size")
    if not isinstance(version, bytes):
        error = 5
    elif version.decode("utf-8", "surrogateescape").strip() not in VERSIONS:
        error = 8
    elif not isinstance(size, int):
        error = 6
    elif not MIN_FRAME <= size <= MAX_FRAME:
        error = 9
    elif b"capabilities" not in found:
        error = 7
    if error:
        return CheckStatus.L7RSP, error, spop.ERRORS[error]
    return CheckStatus.L7OK, 0, "SPOA server is ok"
