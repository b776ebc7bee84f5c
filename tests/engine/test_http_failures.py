"""What goes wrong, on which side, and what the client and the log are told."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from origin import Origin, TcpOrigin, answer
from proxy import Proxy, unused_port, wait_for

from evener.engine.columns import Column, Retry

pytestmark = pytest.mark.timeout(20)


@pytest.fixture
def origin() -> Iterator[Origin]:
    made = Origin()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("path", "status", "end"),
    [
        ("/close", 502, b"SH"),
        ("/reset", 502, b"SH"),
        ("/garbage", 502, b"PH"),
        ("/badchunk", 502, b"PH"),
    ],
)
def test_bad_servers(origin: Origin, path: str, status: int, end: bytes) -> None:
    with Proxy(origin.port) as proxy:
        proxy.backend.reuse = 0
        assert proxy.get(path)[0] == status
        log = proxy.log()
        assert (log["status"], log["end"]) == (status, end)
        assert log["timers"][2] >= 0 and log["timers"][3] == -1
        assert proxy.cell(4, Column.ERR_RES) == 1 and proxy.cell(4, Column.CUR) == 0


def test_a_head_that_drips_is_late() -> None:
    """``timeout server`` is for the whole head of a response; an interim one is an answer of its own."""

    def script(connection: socket.socket, head: bytes, rest: bytes) -> object:
        connection.sendall(b"HTTP/1.1 103 Early\r\n\r\n")
        with contextlib.suppress(OSError):
            for byte in b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200:
                connection.sendall(bytes((byte,)))
                time.sleep(0.02)
        return False

    origin = Origin(script)
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        proxy.backend.timeout_server = 300
        peer.request("/")
        assert [peer.response()[0], peer.response()[0]] == [103, 504]
        assert proxy.log()["end"] == b"sH"
    origin.close()


def test_a_reset_that_comes_with_the_last_bytes_is_an_end() -> None:
    """As HAProxy does: what was sent before is read, and what is known to follow is not looked at."""

    def script(connection: socket.socket, head: bytes, rest: bytes) -> object:
        if b"/wait" not in head:
            time.sleep(0.1)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nhello")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    def busy(txn: Any) -> int:
        if txn.req.path == b"/wait":
            time.sleep(0.4)  # both are there when the loop looks
        return 0

    origin = Origin(script)
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        proxy.frontend.on_request = busy
        peer.request("/")
        time.sleep(0.05)
        proxy.get("/wait")
        assert peer.response() == (200, b"hello")
        assert {log["end"] for log in (proxy.log(0), proxy.log(1)) if log["status"] == 200} == {b"--"}
    origin.close()


@pytest.mark.parametrize("asked", ["timeout", "close"])
def test_a_server_that_has_not_closed_is_reset(asked: str) -> None:
    """As HAProxy does: the port of a connection that was ended here is free again at once."""
    seen: list[str] = []

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        if asked == "close":
            connection.sendall(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        try:
            seen.append("end" if connection.recv(100) == b"" else "data")
        except ConnectionResetError:
            seen.append("reset")

    origin = TcpOrigin(serve)
    with Proxy(origin.port) as proxy:
        proxy.backend.timeout_server = 100
        assert proxy.get("/")[0] == (200 if asked == "close" else 504)
        wait_for(lambda: seen == ["reset"])
    origin.close()


def test_interim_responses_count_before_an_error() -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    origin = TcpOrigin(serve)
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        peer.request("/")
        assert peer.head().startswith(b"HTTP/1.1 100 ") and peer.head().startswith(b"HTTP/1.1 502 ")
        assert (proxy.log()["end"], proxy.log()["out"]) == (b"SH", 40 + 209)
    origin.close()


@pytest.mark.parametrize(("junk", "status"), [(b"junk\r\n\r\n", b"502"), (b"HTTP/1.1 20", b"103")])
def test_an_interim_response_with_junk_behind_it_is_not_passed_on(junk: bytes, status: bytes) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n" + junk)

    origin = TcpOrigin(serve)
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        peer.request("/")
        assert peer.head().split(b" ")[1] == status
    origin.close()


@pytest.mark.parametrize("cut", [b"3\r\nabc", b"3\r\nabc\r", b"3\r\nabc\r\n", b"3\r\nabc\r\n0\r\nx: y\r\n"])
def test_a_whole_chunk_is_passed_on_whole(cut: bytes) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + cut)

    origin = TcpOrigin(serve)
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        peer.request("/")
        peer.head()
        assert peer.rest() == b"3\r\nabc\r\n"
        assert proxy.log()["end"] == b"SD"
    origin.close()


def test_server_dies_in_the_body(origin: Origin) -> None:
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        peer.request("/half")
        peer.head()
        assert peer.rest() == b"hello"
        log = proxy.log()
        assert (log["status"], log["end"], log["out"]) == (200, b"SD", 55)
        assert proxy.cell(4, Column.SERVER_ABORTS) == 1


def test_server_timeout(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        proxy.backend.timeout_server = 200
        assert proxy.get("/hang")[0] == 504
        log = proxy.log()
        assert log["end"] == b"sH" and 195 <= log["timers"][4] <= 400


def test_server_timeout_in_the_body() -> None:
    def script(connection: socket.socket, head: bytes, rest: bytes) -> object:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello")
        time.sleep(1)
        return False

    origin = Origin(script)
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        proxy.backend.timeout_server = 200
        peer.request("/")
        peer.head()
        assert peer.rest() == b"hello"
        assert proxy.log()["end"] == b"sD"
    origin.close()


def test_refused_connection_is_retried_then_503() -> None:
    with Proxy(unused_port()) as proxy:
        proxy.backend.retries = 2
        proxy.backend.timeout_connect = 100
        assert proxy.get()[0] == 503
        log = proxy.log()
        assert (log["end"], log["retries"], log["redispatched"], log["server"]) == (b"SC", 2, False, b"s0")
        assert log["timers"][:4] == (0, 0, -1, -1) and log["timers"][4] >= 195
        assert proxy.cell(4, Column.RETRIES) == 2 and proxy.cell(4, Column.ERR_CONN) == 1


@pytest.mark.parametrize("interval", [-1, 1])
def test_redispatch(origin: Origin, interval: int) -> None:
    with Proxy(unused_port(), origin.port) as proxy:
        proxy.backend.retries = 2
        proxy.backend.timeout_connect = 50
        proxy.backend.redispatch = interval
        assert proxy.get() == (200, b"hello")
        log = proxy.log()
        assert log["server"] == b"s1" and log["redispatched"]
        assert log["retries"] == (2 if interval < 0 else 1)
        assert proxy.cell(3, Column.REDISPATCHES) == 1


def test_server_gone_down_is_left_without_the_option(origin: Origin) -> None:
    with Proxy(unused_port(), origin.port) as proxy:
        proxy.backend.timeout_connect = 100
        with proxy.connect() as peer:
            peer.request("/")
            wait_for(lambda: proxy.cell(4, Column.RETRIES) >= 1)
            proxy.segment.set(4, Column.USABLE, 0)
            assert peer.response() == (200, b"hello")
        assert proxy.log()["server"] == b"s1"


def test_no_server_is_usable(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        proxy.segment.set(4, Column.USABLE, 0)
        assert proxy.get()[0] == 503
        log = proxy.log()
        assert (log["end"], log["server"], log["timers"][:4]) == (b"SC", None, (0, -1, -1, -1))


def test_dead_idle_connection_is_replaced(origin: Origin) -> None:
    def once(connection: socket.socket, head: bytes, rest: bytes) -> object:
        if len(quirky.heads) % 2 == 0:
            return False  # the second request on each connection is met by a close
        connection.sendall(answer())
        return rest

    quirky = Origin(once)
    with Proxy(quirky.port) as proxy, proxy.connect() as peer:
        peer.request("/")
        assert peer.response() == (200, b"hello")
        peer.request("/")
        assert peer.response() == (200, b"hello")
        assert proxy.log(1)["end"] == b"--" and quirky.accepted == 2
        peer.send(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nx")
        assert peer.response()[0] == 502  # not repeatable
    quirky.close()


def test_idle_connection_closed_by_the_server_is_dropped(origin: Origin) -> None:
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        peer.request("/")
        assert peer.response() == (200, b"hello")
        origin.drop_idle()
        wait_for(lambda: proxy.cell(4, Column.IDLE_CUR) == 0)
        peer.request("/")
        assert peer.response() == (200, b"hello") and origin.accepted == 2


def test_retry_on_status_sends_the_body_again() -> None:
    def script(connection: socket.socket, head: bytes, rest: bytes) -> object:
        bodies.append(rest)
        if len(bodies) == 1:
            connection.sendall(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n")
        else:
            connection.sendall(answer(rest))
        return b""

    bodies: list[bytes] = []
    origin = Origin(script)
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        proxy.backend.retry_on = int(Retry.S503 | Retry.CONN_FAILURE)
        peer.send(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc")
        assert peer.response() == (200, b"abc")
        assert bodies == [b"abc", b"abc"] and proxy.log()["retries"] == 1
    origin.close()


# -- the client's side -----------------------------------------------------------------------------


def test_bad_request(origin: Origin) -> None:
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        peer.send(b"GET\r\n\r\n")
        head = peer.head()
        assert head.startswith(b"HTTP/1.1 400 Bad request\r\n") and b"connection: close" in head
        assert b"400 Bad request" in peer.rest()
        log = proxy.log()
        assert (log["method"], log["status"], log["end"]) == (b"", 400, b"PR")
        assert log["timers"] == (-1, -1, -1, -1, log["timers"][4])
        assert proxy.cell(1, Column.ERR_REQ) == 1


def test_bad_chunk_with_the_head(origin: Origin) -> None:
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        peer.send(b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n")
        assert peer.response()[0] == 400
        assert proxy.log()["end"] == b"PR" and not origin.heads


def test_head_too_large(origin: Origin) -> None:
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        peer.send(b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"a" * 40000 + b"\r\n\r\n")
        assert peer.response()[0] == 431


def test_request_timeouts(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        proxy.frontend.timeout_http_request = 150
        with proxy.connect() as peer:
            peer.send(b"GET / HTT")
            assert peer.response()[0] == 408
            assert proxy.log()["end"] == b"cR"
        with proxy.connect() as peer:
            peer.request("/")
            peer.response()
            peer.send(b"GET / HTT")
            assert peer.response()[0] == 408


def test_idle_client_is_closed_silently(origin: Origin) -> None:
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        proxy.frontend.timeout_http_keep_alive = 100
        peer.request("/")
        peer.response()
        assert peer.closed()
        assert len(proxy.logs) == 1


def test_connection_without_a_request(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        proxy.connect().socket.close()
        assert proxy.log()["end"] == b"CR"
        proxy.frontend.log_null = False
        proxy.connect().socket.close()
        wait_for(lambda: proxy.cell(1, Column.CUR) == 0)
        assert len(proxy.logs) == 1


def test_client_aborts(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        peer = proxy.connect()
        peer.send(b"GET / HT")
        time.sleep(0.05)
        peer.reset()
        assert proxy.log(0)["end"] == b"CR"
        peer = proxy.connect()
        peer.send(b"POST /hang HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nabc")
        time.sleep(0.05)
        peer.reset()
        assert proxy.log(1)["end"] == b"CH" and proxy.log(1)["status"] == 400
        peer = proxy.connect()
        peer.request("/big/50000000")
        peer.head()
        peer.reset()
        assert proxy.log(2)["end"] == b"CD" and proxy.log(2)["status"] == 200
        assert proxy.cell(4, Column.CLIENT_ABORTS) == 2


def test_half_closed_client(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        with proxy.connect() as peer:
            peer.request("/slow")
            peer.socket.shutdown(socket.SHUT_WR)
            assert peer.response() == (200, b"hello") and peer.closed()
        proxy.backend.abort_on_close = True
        with proxy.connect() as peer:
            peer.request("/slow")
            peer.socket.shutdown(socket.SHUT_WR)
            assert peer.response()[0] == 400
        assert proxy.log(1)["end"] == b"CH"


def test_client_stops_sending_its_body(origin: Origin) -> None:
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        proxy.frontend.timeout_client = 200
        peer.send(b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nabc")
        assert peer.response()[0] == 400
        assert proxy.log()["end"] == b"cH"


def test_client_stops_reading(origin: Origin) -> None:
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        proxy.frontend.timeout_client = 200
        peer.request("/big/50000000")
        log = proxy.log()
        assert (log["end"], log["status"]) == (b"cD", 200)


def test_client_leaves_a_tarpit(origin: Origin) -> None:
    def tarpit(txn: object) -> int:
        txn.termination = b"PT"  # type: ignore[attr-defined]
        return txn.wait(2000)  # type: ignore[attr-defined,no-any-return]

    with Proxy(origin.port) as proxy:
        proxy.frontend.on_request = tarpit
        peer = proxy.connect()
        peer.request("/")
        time.sleep(0.05)
        peer.reset()
        assert proxy.log()["end"] == b"PT"  # as the original, which does not look before its time


def test_never_reuse_keeps_one_connection_per_client(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        proxy.backend.reuse = 0
        with proxy.connect() as one, proxy.connect() as two:
            for _ in range(2):
                for peer in (one, two):
                    peer.request("/")
                    assert peer.response() == (200, b"hello")
        assert origin.accepted == 2
        wait_for(lambda: proxy.cell(4, Column.USED_CUR) == 0)


def test_safe_reuse_begins_with_a_connection_of_its_own(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        proxy.backend.reuse = 1
        for count in (1, 2):
            with proxy.connect() as peer:
                for _ in range(2):
                    peer.request("/")
                    assert peer.response() == (200, b"hello")
            assert origin.accepted == count


@pytest.mark.timeout(90)
def test_an_answer_in_the_middle_of_a_body_leaves_the_rest_of_it_where_it_is() -> None:
    """What was approved of a body and could not be sent must not be read as its beginning once more."""

    def script(connection: socket.socket, head: bytes, rest: bytes) -> object:
        if head.startswith(b"POST"):
            gone.wait(10)
            return False
        connection.sendall(answer())
        return b""

    gone = threading.Event()
    origin = Origin(script)
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        proxy.backend.timeout_server = 1000
        # more than the kernel's buffers of two connections hold
        left = memoryview(b"1000\r\n%s\r\n" % (b"a" * 4096) * 40_000 + b"0\r\n\r\n")
        peer.send(b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n")
        peer.socket.settimeout(0.1)
        with contextlib.suppress(TimeoutError):
            while left:
                left = left[peer.socket.send(left[:65536]) :]
        peer.socket.settimeout(5)
        assert peer.response()[0] == 504 and left
        peer.socket.sendall(left)
        peer.request("/")
        assert peer.response() == (200, b"hello")
        assert [head.split(b" ")[0] for head in origin.heads] == [b"POST", b"GET"]
    gone.set()
    origin.close()
