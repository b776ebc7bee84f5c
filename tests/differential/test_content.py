"""TCP rules that look at what clients and servers say: the same verdicts, servers, variables and captures.

What comes in pieces is sent in pieces; each connection is closed and logged before the next is made.
"""

from __future__ import annotations

import shutil
import ssl
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from pair import Stand, both

pytest.importorskip("evener.engine.core")

REFERENCE = shutil.which("haproxy", path="/usr/sbin:/usr/bin")
END: Final = b"\r\n\r\n"

RULES: Final = {
    "length": "accept if { req.len gt 8 }\n    tcp-request content reject",
    "unlike": "reject if { req.payload(0,1) -m str a }\n    tcp-request content accept if { req.len gt 8 }",
    "payload": "accept if { req.payload(0,4) -m found }\n"
    "    use_backend dead if { req.payload(0,3) -m str abc }",
    "kept": "set-var(sess.two) req.payload(0,2)\n    tcp-request content accept if { req.len ge 4 }\n"
    "    use_backend dead if { var(sess.two) -m str xy }",
    "caught": "capture req.payload(0,4) len 4\n    tcp-request content accept if { req.len ge 4 }",
    "cookie": "accept if RDP_COOKIE\n    use_backend dead if { req.rdp_cookie(mstshash) -m str bob }",
    "hello": "accept if { req.ssl_hello_type 1 }\n    use_backend dead if { req.ssl_sni -i a.example }",
    "ended": "accept if { req.payload(0,1) -m str q }\n    tcp-request content reject if WAIT_END",
}

TEMPLATE: Final = """
global
    log @LOG@ local0
    nbthread 1
defaults
    log global
    mode tcp
    timeout connect 1s
    timeout client 5s
    timeout server 5s
    retries 0
frontend main
    bind @MAIN_FD@
    mode http
    log-format %HU\\ .
    http-request return status 299
backend alive
    server s @ORIGIN@
backend dead
    server s @DEAD@
""" + "".join(
    f"frontend {name}\n    bind @{name.upper()}_FD@\n    tcp-request inspect-delay 250ms\n"
    '    log-format "%ft %b %ts %B <%[var(sess.two)]> <%[capture.req.hdr(0)]>"\n'
    f"    tcp-request content {rules}\n    default_backend alive\n"
    for name, rules in RULES.items()
)


def hello(name: str | None) -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname=name).do_handshake()
    return outgoing.read()


def remote_desktop(name: bytes) -> bytes:
    body = b"\xe0\0\0\0\0\0Cookie: mstshash=" + name + b"\r\n"
    return b"\3\0" + (len(body) + 5).to_bytes(2, "big") + bytes([len(body)]) + body + END


def played() -> list[tuple[str, tuple[bytes, ...]]]:
    """Front and pieces."""
    plain = [
        (b"abcdefgh" + END,),
        (b"ab", b"cdefgh" + END),
        (b"xyz",),
        (b"xy", b"zzzz" + END),
        (b"qq" + END,),
    ]
    secure = [(hello("a.example"),), (hello("b.example"),), (hello(None),)]
    named = hello("a.example")
    cases = [(front, pieces) for front in RULES for pieces in plain]
    cases += [("hello", pieces) for pieces in [*secure, (named[:50], named[50:])]]
    desktops = [(remote_desktop(b"bob"),), (remote_desktop(b"al"),), (remote_desktop(b"bob")[:20], b"junk")]
    return cases + [("cookie", pieces) for pieces in desktops]


CASES: Final = played()


@pytest.fixture(scope="module")
def stands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stand, Stand]]:
    yield from both(REFERENCE, TEMPLATE, ("main", *RULES), tmp_path_factory)


def play(stand: Stand, front: str, pieces: tuple[bytes, ...]) -> tuple[bytes, str]:
    """What the client hears, and the line of the log."""
    heard = b""
    with stand.connect(front) as peer:
        for number, piece in enumerate(pieces):
            if number:
                time.sleep(0.05)
            peer.sendall(piece)
        peer.settimeout(0.7)  # well after the delay of the inspection
        try:
            while data := peer.recv(65536):
                heard += data
        except (TimeoutError, ConnectionResetError):
            pass
    return heard, stand.log.recv(65536).decode("latin-1").split(": ", 1)[1]


@pytest.mark.peer
@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda n: f"{CASES[n][0]}-{n}")
def test_the_same_verdict(stands: tuple[Stand, Stand], number: int) -> None:
    with ThreadPoolExecutor(2) as players:
        expected, seen = players.map(lambda stand: play(stand, *CASES[number]), stands)
    assert seen == expected
