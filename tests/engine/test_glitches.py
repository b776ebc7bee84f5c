"""Violations of the protocol, let pass or not, are counted by connection, and too many of them end it.

The numbers at which connections end are what HAProxy 3.5 was seen to do.
"""

from __future__ import annotations

import socket
from typing import Any

import pytest
from origin import Origin
from proxy import Proxy, wait_for

STRANGE = b"GET /a#b HTTP/1.1\r\nhost: a\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\na[b: c\r\ncontent-length: 2\r\n\r\nok"


def answers(connection: socket.socket, head: bytes, rest: bytes) -> bool:
    connection.sendall(ANSWER if b"/strange" in head else ANSWER.replace(b"a[b", b"ab"))
    return True


def watch(proxy: Proxy) -> list[tuple[int, int]]:
    """Glitches of both sides, by stream."""
    seen: list[tuple[int, int]] = []

    def log(txn: Any) -> int:
        seen.append((txn.glitches(False), txn.glitches(True)))
        return 0

    proxy.frontend.on_log = log
    proxy.frontend.unsafe = proxy.backend.unsafe = True
    return seen


@pytest.mark.parametrize("most", [0, 8])
def test_a_client_s_connection_ends_at_three_quarters(most: int) -> None:
    origin = Origin(answers)
    with Proxy(origin.port) as proxy:
        seen = watch(proxy)
        proxy.frontend.glitches = most
        with proxy.connect() as peer:
            for number in range(1, 8):
                peer.send(STRANGE)
                head = peer.head()
                peer.exactly(2)
                assert (b"connection: close" in head) is (most == 8 and number == 6)
                if b"connection: close" in head:
                    assert peer.closed()
                    break
            wait_for(lambda: len(seen) == number)
    origin.close()
    assert seen == [(count, 0) for count in range(1, 7 if most else 8)]


def test_what_is_no_request_is_one_too() -> None:
    origin = Origin(answers)
    with Proxy(origin.port) as proxy:
        seen = watch(proxy)
        for text in (b"GARBAGE\r\n\r\n", b"GET /" + b"x" * 5, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"):
            with proxy.connect() as peer:
                peer.send(text)
                peer.socket.shutdown(socket.SHUT_WR)
                peer.rest()
        wait_for(lambda: len(seen) == 3)
    origin.close()
    assert seen == [(1, 0), (0, 0), (0, 0)]


def test_a_server_s_connection_is_left_at_three_quarters() -> None:
    origin = Origin(answers)
    with Proxy(origin.port) as proxy:
        seen = watch(proxy)
        proxy.backend.glitches = 3
        with proxy.connect() as peer:
            for path in ("/strange", "/", "/strange", "/strange"):
                peer.request(path)
                assert peer.response()[0] == 200
        wait_for(lambda: len(seen) == 4)
    origin.close()
    assert [glitches for _, glitches in seen] == [1, 1, 2, 1]
    assert origin.accepted == 2
