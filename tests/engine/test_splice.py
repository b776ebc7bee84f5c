"""Long bodies and streams go through a pipe: every byte, each framing, and when a side is lost."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from origin import CHUNKED, OK, Origin, TcpOrigin, reset
from proxy import Peer, Proxy, wait_for

from evener.engine.columns import Column
from evener.engine.pipe import configure

pytestmark = pytest.mark.timeout(30)

BODY = os.urandom(1 << 20)
CHUNK = 200_000


@pytest.fixture(params=[0, 1, 8])
def pipes(request: pytest.FixtureRequest) -> Iterator[int]:
    """So many pipes; the engine copies when it gets none."""
    configure(request.param, 65536)
    yield request.param
    configure(8, 65536)


def chunked(data: bytes, size: int) -> bytes:
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(b"%X\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


ANSWERS = {
    "/length": OK % (len(BODY), b"", BODY),
    "/chunked": CHUNKED + chunked(BODY, CHUNK),
    "/small-chunks": CHUNKED + chunked(BODY, 5000),
    "/close": b"HTTP/1.1 200 OK\r\n\r\n" + BODY,
}
ENDLESS = OK % (1 << 40, b"", b"")


def serve(connection: socket.socket, head: bytes, rest: bytes) -> bool:
    path = head.split()[1].decode()
    if path == "/endless":
        connection.sendall(ENDLESS)
        while True:  # until the connection is broken, which ends this thread
            connection.sendall(BODY)
    connection.sendall(ANSWERS[path])
    return path != "/close"


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def payload(peer: Peer) -> bytes:
    body = b""
    while size := int(peer.until(b"\r\n"), 16):
        body += peer.exactly(size)
        assert peer.exactly(2) == b"\r\n"
    assert peer.until(b"\r\n") == b"\r\n"
    return body


@pytest.mark.parametrize("path", ANSWERS)
def test_every_byte_of_a_response(pipes: int, path: str) -> None:
    origin = Origin(serve)
    expected = ANSWERS[path].partition(b"\r\n\r\n")[2]
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        for _ in range(1 if path == "/close" else 3):
            peer.send(b"GET %s HTTP/1.1\r\nhost: a\r\n\r\n" % path.encode())
            peer.head()
            if path == "/small-chunks":  # some leave as one
                assert payload(peer) == BODY
                continue
            assert peer.exactly(len(expected)) == expected
        log = proxy.log()
        assert log["end"] == b"--" and log["out"] > len(BODY)
        spliced = proxy.cell(1, Column.SPLICED_OUT)
        assert proxy.cell(3, Column.SPLICED_IN) == spliced
        assert (spliced > 0) == (pipes > 0 and path != "/small-chunks")
    origin.close()


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_every_byte_of_a_request(pipes: int, framing: str) -> None:
    received: list[bytes] = []

    def take(connection: socket.socket, head: bytes, rest: bytes) -> bool:
        body = rest
        while len(body) < len(sent):
            body += connection.recv(1 << 16)
        received.append(body)
        connection.sendall(OK % (2, b"", b"ok"))
        return True

    sent = BODY if framing == "length" else chunked(BODY, CHUNK)
    header = b"content-length: %d" % len(BODY) if framing == "length" else b"transfer-encoding: chunked"
    origin = Origin(take)
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        for _ in range(2):
            peer.send(b"POST / HTTP/1.1\r\nhost: a\r\n%s\r\n\r\n%s" % (header, sent))
            peer.head()
            assert peer.exactly(2) == b"ok"
        assert received == [sent, sent]
        assert (proxy.cell(3, Column.SPLICED_OUT) > 0) == (pipes > 0)
        assert proxy.cell(1, Column.SPLICED_IN) == proxy.cell(3, Column.SPLICED_OUT)
    origin.close()


def test_streams_both_ways(pipes: int) -> None:
    origin = TcpOrigin()
    with Proxy(origin.port, http=False) as proxy, proxy.connect() as peer:
        threading.Thread(target=peer.send, args=(BODY * 4,), daemon=True).start()
        assert peer.exactly(4 * len(BODY)) == BODY * 4
        peer.send(b"a few more")
        assert peer.exactly(10) == b"a few more"
        peer.socket.shutdown(socket.SHUT_WR)
        assert peer.rest() == b"bye"
        log = proxy.log()
        assert (log["end"], log["in"], log["out"]) == (b"--", 4 * len(BODY) + 10, 4 * len(BODY) + 13)
        assert (proxy.cell(1, Column.SPLICED_OUT) > 0) == (pipes > 0)
    origin.close()


LONG = BODY * 12
"""More than the kernel's buffers hold: whoever sends it has to wait for a reader that takes its time."""
SLOW_ANSWERS = {
    "/length": OK % (len(LONG), b"", LONG),
    "/chunked": CHUNKED + chunked(LONG, 3_000_000),
    "/close": b"HTTP/1.1 200 OK\r\n\r\n" + LONG,
}


def slowly(connection: socket.socket, count: int) -> bytes:
    """Read so that the other end's buffers are full, and become free by small pieces."""
    received = bytearray()
    time.sleep(0.3)
    while len(received) < count:
        data = connection.recv(min(count - len(received), 50_000))
        if not data:
            break
        received += data
    return bytes(received)


@pytest.mark.parametrize("path", SLOW_ANSWERS)
def test_every_byte_for_a_slow_client(pipes: int, path: str) -> None:
    """What a pipe still holds when everything has come from the server is not forgotten."""
    expected = SLOW_ANSWERS[path]

    def serve_slow(connection: socket.socket, head: bytes, rest: bytes) -> bool:
        connection.sendall(expected)
        return path != "/close"

    origin = Origin(serve_slow)
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        peer.request(path)
        data = slowly(peer.socket, 1 << 30 if path == "/close" else len(expected))
        assert data.partition(b"\r\n\r\n")[2] == expected.partition(b"\r\n\r\n")[2]
        assert proxy.log()["end"] == b"--"
    origin.close()


def test_every_byte_for_a_slow_server(pipes: int) -> None:
    received: list[bytes] = []

    def take(connection: socket.socket, head: bytes, rest: bytes) -> bool:
        received.append(rest + slowly(connection, len(LONG) - len(rest)))
        connection.sendall(OK % (2, b"", b"ok"))
        return True

    origin = Origin(take)
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        peer.send(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % len(LONG))
        threading.Thread(target=peer.send, args=(LONG,), daemon=True).start()
        peer.head()
        assert received == [LONG]
    origin.close()


def test_a_slow_stream(pipes: int) -> None:
    origin = TcpOrigin(lambda connection: connection.sendall(LONG))
    with Proxy(origin.port, http=False) as proxy, proxy.connect() as peer:
        assert slowly(peer.socket, len(LONG) + 1) == LONG
        peer.socket.close()
        assert proxy.log()["out"] == len(LONG)
    origin.close()


def test_a_client_lost_amid_the_body_costs_no_descriptor() -> None:
    origin = Origin(serve)
    with Proxy(origin.port) as proxy:
        before = descriptors()
        for _ in range(40):
            peer = proxy.connect()
            peer.send(b"GET /endless HTTP/1.1\r\nhost: a\r\n\r\n")
            peer.exactly(100_000)
            peer.reset()
            assert proxy.log()["end"] == b"CD"
            proxy.logs.clear()
        # Pipes that were empty are kept for later, no more than a few.
        wait_for(lambda: descriptors() <= before + 34)
    origin.close()


def test_a_server_lost_amid_the_body() -> None:
    def die(connection: socket.socket, head: bytes, rest: bytes) -> bool:
        connection.sendall(ANSWERS["/length"][: len(BODY) // 2])
        reset(connection)
        return False

    origin = Origin(die)
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        peer.send(b"GET /length HTTP/1.1\r\nhost: a\r\n\r\n")
        peer.head()
        assert BODY.startswith(peer.rest())
        assert proxy.log()["end"] == b"SD"
    origin.close()


def test_a_server_that_refuses_amid_a_long_request() -> None:
    def refuse(connection: socket.socket, head: bytes, rest: bytes) -> bool:
        connection.recv(1 << 16)
        connection.sendall(b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 2\r\n\r\nno")
        connection.shutdown(socket.SHUT_RDWR)
        return False

    origin = Origin(refuse)
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        peer.send(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % (8 * len(BODY)) + BODY)
        assert peer.head().startswith(b"HTTP/1.1 413")
        assert peer.exactly(2) == b"no"
    origin.close()
