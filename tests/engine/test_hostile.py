"""Peers that leave at any byte, or say what nobody may: an answer or an end, and nothing is left behind."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator

import pytest
from origin import Origin, answer, reset
from proxy import Proxy, wait_for

from evener.engine.columns import PROCESS_ROW, Column

pytestmark = pytest.mark.timeout(60)
POST = b"POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx: y\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
#: Sizes of chunks that one reader or another takes for a number.
NOT_SIZES = [
    b"_3", b"3_0", b"+3", b"-3", b"0x3", b"3 3", b" 3", b"\t3", b"3\x00", b"\x003", b"g", b"", b"3\x0b",
    b"\xb2", b"10000000000000003", b"00000000000000000000x", b"12345678901234567890", b"3\n", b"3,3", b"3.0",
]  # fmt: skip
NOT_LENGTHS = [b"_3", b"3_0", b"+3", b"-3", b"0x3", b"3 3", b"3\x00", b"\xb2", b"9" * 20, b"3.0", b"", b"3;"]


@pytest.fixture
def origin() -> Iterator[Origin]:
    made = Origin()
    yield made
    made.close()


@contextlib.contextmanager
def nothing_left(proxy: Proxy) -> Iterator[None]:
    """Descriptors and counters are afterwards what they were before."""
    proxy.backend.reuse = 0
    before = len(os.listdir("/proc/self/fd"))
    yield
    for row in (PROCESS_ROW, 1, 2, 3, 4):
        wait_for(lambda row=row: proxy.cell(row, Column.CUR) == 0)
    wait_for(lambda: proxy.cell(4, Column.USED_CUR) == 0 and proxy.cell(4, Column.IDLE_CUR) == 0)
    wait_for(lambda: len(os.listdir("/proc/self/fd")) <= before)
    assert not proxy.errors


@pytest.mark.parametrize("how", ["reset", "end"])
def test_clients_that_leave_at_every_byte(origin: Origin, how: str) -> None:
    with Proxy(origin.port) as proxy, nothing_left(proxy):
        for length in range(len(POST) + 1):
            peer = proxy.connect()
            peer.send(POST[:length])
            if how == "reset":
                peer.reset()
                continue
            peer.socket.shutdown(socket.SHUT_WR)
            said = peer.rest()
            peer.socket.close()
            whole = length == len(POST)
            if POST.index(b"\r\n\r\n") + 4 <= length < len(POST):
                assert said == b"", (length, said)  # its body will never come: nothing is worth saying
                continue
            assert said.startswith(b"HTTP/1.1 200 " if whole else b"HTTP/1.1 400 "), (length, said)


@pytest.mark.parametrize("how", ["reset", "end"])
def test_servers_that_leave_at_every_byte(how: str) -> None:
    whole = CHUNKED + b"3\r\nabc\r\n0\r\nx: y\r\n\r\n"
    cut = 0

    def script(connection: socket.socket, head: bytes, rest: bytes) -> object:
        connection.sendall(whole[:cut])
        if how == "reset":
            reset(connection)
        else:
            connection.close()
        return False

    origin = Origin(script)
    with Proxy(origin.port) as proxy, nothing_left(proxy):
        for cut in range(len(whole) + 1):
            with proxy.connect() as peer:
                peer.request("/", b"connection: close\r\n")
                said = peer.rest()
            status = said[9:12]
            if cut < len(CHUNKED):
                assert status == b"502", (cut, said)
            elif cut < len(whole):
                # nothing may look complete that is not
                assert status == b"502" or b"\r\n0\r\n" not in said or not said.endswith(b"\r\n\r\n"), (
                    cut,
                    said,
                )
            elif how == "end":
                assert status == b"200" and said.endswith(b"0\r\nx: y\r\n\r\n")
    origin.close()


@pytest.mark.parametrize("size", NOT_SIZES)
def test_sizes_of_chunks_have_one_reading(origin: Origin, size: bytes) -> None:
    chunk = size + b"\r\nabc\r\n0\r\n\r\n"

    def script(connection: socket.socket, head: bytes, rest: bytes) -> object:
        connection.sendall(CHUNKED + chunk)
        return False

    hostile = Origin(script)
    with Proxy(origin.port) as proxy, nothing_left(proxy):
        with proxy.connect() as peer:
            peer.send(
                POST.partition(b"\r\n\r\n")[0]
                + b"\r\n\r\n"
                + chunk
                + b"GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n"
            )
            said = peer.rest()
        assert said.startswith(b"HTTP/1.1 400 ") and said.count(b"HTTP/1.1 ") == 1, said
        assert not any(b"smuggled" in head for head in origin.heads)
    with Proxy(hostile.port) as proxy, nothing_left(proxy), proxy.connect() as peer:
        peer.request("/")
        assert peer.head().startswith(b"HTTP/1.1 502 ")
    hostile.close()


@pytest.mark.parametrize("length", NOT_LENGTHS)
def test_lengths_have_one_reading(origin: Origin, length: bytes) -> None:
    def script(connection: socket.socket, head: bytes, rest: bytes) -> object:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: " + length + b"\r\n\r\nabc")
        return False

    hostile = Origin(script)
    with Proxy(origin.port) as proxy, nothing_left(proxy), proxy.connect() as peer:
        peer.send(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: " + length + b"\r\n\r\nabc")
        assert peer.rest().startswith(b"HTTP/1.1 400 ") and not origin.heads
    with Proxy(hostile.port) as proxy, nothing_left(proxy), proxy.connect() as peer:
        peer.request("/")
        assert peer.head().startswith(b"HTTP/1.1 502 ")
    hostile.close()


BIG = [
    pytest.param(b"x: " + b"a" * 65536 + b"\r\n", id="64 KB in a line"),
    pytest.param(b"".join(b"x%d: y\r\n" % n for n in range(10_000)), id="10,000 lines"),
    pytest.param(b"x" * 65536 + b": y\r\n", id="64 KB of a name"),
    pytest.param(b"x: y\r\n" * 200, id="200 short lines"),
]


@pytest.mark.parametrize("lines", BIG)
def test_heads_have_a_size(origin: Origin, lines: bytes) -> None:
    def script(connection: socket.socket, head: bytes, rest: bytes) -> object:
        with contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\n" + lines + b"content-length: 0\r\n\r\n")
        return False

    hostile = Origin(script)
    with Proxy(origin.port) as proxy, nothing_left(proxy), proxy.connect() as peer:
        with contextlib.suppress(OSError):
            peer.send(b"GET / HTTP/1.1\r\nhost: a\r\n" + lines + b"\r\n")
        assert peer.head()[9:12] in (b"400", b"431") and not origin.heads
    with Proxy(hostile.port) as proxy, nothing_left(proxy), proxy.connect() as peer:
        peer.request("/")
        assert peer.head().startswith(b"HTTP/1.1 502 ")
    hostile.close()


@pytest.mark.parametrize(
    "data", [b"\x00" * 64, b"\xff" * 64, b"\r\n" * 200 + b"x", b"\x16\x03\x01\x00\xa5\x01"]
)
def test_what_is_no_http(origin: Origin, data: bytes) -> None:
    with Proxy(origin.port) as proxy, nothing_left(proxy), proxy.connect() as peer:
        peer.send(data)
        peer.socket.shutdown(socket.SHUT_WR)
        assert peer.rest().startswith(b"HTTP/1.1 400 ") and not origin.heads


def test_values_of_rules_cannot_end_a_line(origin: Origin) -> None:
    """CVE-2019-19330 and its kin: whatever a rule makes of what it was given stays in its line."""
    evil = b"a\r\nx-evil: 1\r\n\r\nGET /smuggled HTTP/1.1\r\n\x00"

    def rule(txn: object) -> int:
        txn.req.set(b"x", evil)  # type: ignore[attr-defined]
        txn.req.uri = b"/a b\r\nx-evil: 2"  # type: ignore[attr-defined]
        return 0

    with Proxy(origin.port) as proxy, nothing_left(proxy):
        proxy.frontend.on_request = rule
        assert proxy.get() == (200, b"hello")
        (head,) = origin.heads
        lines = head.split(b"\r\n")
        assert not any(line.startswith((b"x-evil", b"GET /smuggled")) for line in lines), lines
        assert b"\x00" not in head and b"\n" not in head.replace(b"\r\n", b"")


def test_slow_heads_and_bodies_have_a_time(origin: Origin) -> None:
    """A byte now and then does not keep a request alive, nor a connection that sends nothing at all."""
    with Proxy(origin.port) as proxy, nothing_left(proxy):
        proxy.frontend.timeout_http_request = 300
        proxy.frontend.timeout_client = 300
        with proxy.connect() as peer, contextlib.suppress(BrokenPipeError, ConnectionResetError):
            peer.socket.settimeout(0.05)
            for byte in POST[:40]:
                with contextlib.suppress(TimeoutError):
                    if not peer.more() or peer.buffer:
                        break
                peer.send(bytes((byte,)))
            assert peer.buffer.startswith(b"HTTP/1.1 408 ")
        with proxy.connect() as peer:
            peer.send(b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nabc")
            assert peer.response()[0] == 400


def test_half_closed_servers() -> None:
    """A server that ends its stream after the answer may still be read from, and is not used again."""

    def script(connection: socket.socket, head: bytes, rest: bytes) -> object:
        connection.sendall(answer())
        connection.shutdown(socket.SHUT_WR)
        return b""

    origin = Origin(script)
    with Proxy(origin.port) as proxy, nothing_left(proxy), proxy.connect() as peer:
        for _ in range(3):
            peer.request("/")
            assert peer.response() == (200, b"hello")
        assert origin.accepted == 3
    origin.close()
