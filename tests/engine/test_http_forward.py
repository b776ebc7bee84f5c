"""Requests that go through: keep-alive, pipelining, bodies both ways, tunnels."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from origin import Origin, answer
from proxy import Proxy, wait_for

from evener.engine.columns import PROCESS_ROW, Column

pytestmark = pytest.mark.timeout(20)


@pytest.fixture
def origin() -> Iterator[Origin]:
    made = Origin()
    yield made
    made.close()


def test_get_keep_alive_and_counters(origin: Origin) -> None:
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        for _ in range(3):
            peer.request("/")
            assert peer.response() == (200, b"hello")
        log = proxy.log(2)
        assert log["status"] == 200 and log["end"] == b"--" and log["server"] == b"s0"
        assert log["out"] == 54 and log["reused"]
        assert origin.accepted == 1
        assert proxy.cell(1, Column.REQUESTS) == 3 and proxy.cell(1, Column.TOTAL) == 1
        assert [proxy.cell(row, Column.HRSP_2XX) for row in (1, 3, 4)] == [3, 3, 3]
        assert proxy.cell(4, Column.TOTAL) == 3 and proxy.cell(4, Column.CONNECTIONS) == 1
        assert proxy.cell(PROCESS_ROW, Column.CONN_RATE_MAX) == proxy.cell(1, Column.CONN_RATE_MAX) == 1
        assert proxy.cell(4, Column.REUSED) == 2 and proxy.cell(4, Column.CUR) == 0
        assert proxy.cell(PROCESS_ROW, Column.CUR) == 1 and proxy.cell(PROCESS_ROW, Column.REQUESTS) == 3
        assert proxy.cell(4, Column.IDLE_CUR) == 1 and proxy.cell(4, Column.USED_CUR) == 0


def test_pipelined_requests_are_answered_in_order(origin: Origin) -> None:
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        one = b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n"
        peer.send(one + b"ab" + one + b"cd" + one + b"ef")
        assert [peer.response()[1] for _ in range(3)] == [b"ab", b"cd", b"ef"]


def test_bytes_one_by_one(origin: Origin) -> None:
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        head = b"POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
        for byte in head + b"3\r\nabc\r\n0\r\n\r\n":
            peer.send(bytes((byte,)))
            time.sleep(0.001)
        assert peer.response() == (200, b"3\r\nabc\r\n0\r\n\r\n")


def test_chunked_response_with_trailers(origin: Origin) -> None:
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        peer.request("/chunked")
        assert b"transfer-encoding: chunked" in peer.head()
        assert peer.until(b"\r\n\r\n") == b"5\r\nhello\r\n0\r\nx-t: 1\r\n\r\n"
        assert proxy.log()["out"] == 68  # names and values of trailers count
        peer.request("/")
        assert peer.response() == (200, b"hello")


def test_response_until_close(origin: Origin) -> None:
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        peer.request("/until-close")
        assert b"connection: close" in peer.head()
        assert peer.rest() == b"hello"
        assert proxy.log()["end"] == b"--"


def test_head_and_no_content(origin: Origin) -> None:
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        peer.request("/empty")
        assert peer.response() == (204, b"")
        peer.request("/empty")
        assert peer.response()[0] == 204


def test_http_10_client_is_closed_unless_it_asks(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        with proxy.connect() as peer:
            peer.request("/", version=b"1.0")
            assert b"connection: close" in peer.head() and peer.rest() == b"hello"
        with proxy.connect() as peer:
            peer.request("/", b"connection: keep-alive\r\n", version=b"1.0")
            assert b"connection: keep-alive" in peer.head() and peer.exactly(5) == b"hello"
            peer.request("/", b"connection: keep-alive\r\n", version=b"1.0")
            assert peer.response() == (200, b"hello")


def test_large_bodies_both_ways(origin: Origin) -> None:
    body = b"x" * 3_000_000
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        threading.Thread(
            target=peer.send,
            args=(b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % len(body) + body,),
            daemon=True,
        ).start()
        assert peer.response() == (200, body)


def test_slow_reader_stops_the_server_and_gets_everything(origin: Origin) -> None:
    size = 10_000_000
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        peer.request(f"/big/{size}")
        time.sleep(0.3)  # the engine may buffer a little, the rest must wait at the origin
        status, body = peer.response()
        assert status == 200 and len(body) == size and body[:16] == b"0123456789abcdef"
        assert proxy.log()["end"] == b"--"


def test_expect_continue_passes(origin: Origin) -> None:
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        peer.send(b"POST /continue HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n")
        assert peer.head().startswith(b"HTTP/1.1 100 Continue")
        peer.send(b"abc")
        assert peer.response() == (200, b"abc")
        assert proxy.log()["end"] == b"--"


def test_early_answer_while_the_request_is_being_sent(origin: Origin) -> None:
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        peer.send(b"POST /early HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc")
        assert peer.response()[0] == 413
        peer.send(b"defghij")
        peer.request("/")
        assert peer.response() == (200, b"hello")
        assert proxy.log(0)["status"] == 413 and proxy.log(0)["end"] == b"--"


def test_a_server_that_answers_early_and_stays_is_sent_the_rest(origin: Origin) -> None:
    seen: list[bytes] = []

    def serve(connection: socket.socket, head: bytes, rest: bytes) -> object:
        connection.sendall(answer(b"early"))
        while len(rest) < 6:
            rest += connection.recv(65536)
        seen.append(rest[:6])
        return rest[6:]

    origin.script = serve
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        peer.send(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\n\r\nabc")
        assert peer.response() == (200, b"early")
        for part in (b"d", b"ef"):
            peer.send(part)
        peer.send(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\n\r\nABCDEF")
        assert peer.response() == (200, b"early")
        wait_for(lambda: seen == [b"abcdef", b"ABCDEF"])
        assert origin.accepted == 1
        assert proxy.log()["end"] == b"--"


@pytest.mark.parametrize("sent", [b"ab", b"abcd"])
def test_an_upgrade_follows_the_body_of_its_request(origin: Origin, sent: bytes) -> None:
    seen: list[bytes] = []

    def serve(connection: socket.socket, head: bytes, rest: bytes) -> object:
        while len(rest) < len(sent):
            rest += connection.recv(65536)
        connection.sendall(b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n")
        seen.append(rest + connection.recv(65536))
        return False

    origin.script = serve
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        head = b"POST / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\ncontent-length: 4\r\n\r\n"
        peer.send(head + sent)
        status = peer.head().split(b" ")[1]
        if len(sent) < 4:
            assert status == b"502"  # what is left of the body is not the new protocol
            return
        assert status == b"101"
        peer.send(b"tunnel")
        assert peer.closed()
        assert seen == [b"abcdtunnel"]  # nothing twice


def test_upgrade_becomes_a_tunnel(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        proxy.backend.timeout_tunnel = 2000
        with proxy.connect() as peer:
            peer.request("/upgrade", b"connection: upgrade\r\nupgrade: echo\r\n")
            head = peer.head()
            assert head.startswith(b"HTTP/1.1 101") and b"upgrade: echo" in head
            for word in (b"one", b"two" * 50000):
                threading.Thread(target=peer.send, args=(word,), daemon=True).start()
                assert peer.exactly(len(word)) == word
            peer.socket.shutdown(1)
            assert peer.closed()
        log = proxy.log()
        assert log["status"] == 101 and log["end"] == b"--"


def test_connection_close_both_modes(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        proxy.backend.keep_alive = 1
        with proxy.connect() as peer:
            for _ in range(2):
                peer.request("/")
                assert peer.response() == (200, b"hello")
        wait_for(lambda: origin.accepted == 2)
        assert all(b"connection: close" in head for head in origin.heads)
        proxy.frontend.keep_alive = 2
        with proxy.connect() as peer:
            peer.request("/")
            assert b"connection: close" in peer.head() and peer.rest() == b"hello"


def test_addresses(origin: Origin) -> None:
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        peer.request("/")
        peer.response()
        log = proxy.log()
        assert log["src"] == (b"\x7f\x00\x00\x01", peer.socket.getsockname()[1])
        assert log["dst"] == (b"\x7f\x00\x00\x01", proxy.port)


def test_round_robin_over_servers() -> None:
    origins = [Origin(), Origin()]
    try:
        with Proxy(*(origin.port for origin in origins)) as proxy:
            for _ in range(6):
                assert proxy.get() == (200, b"hello")
            assert [len(origin.heads) for origin in origins] == [3, 3]
            assert proxy.cell(4, Column.LB_TOTAL) == proxy.cell(5, Column.LB_TOTAL) == 3
    finally:
        for origin in origins:
            origin.close()


def test_no_connection_is_kept_when_none_may_rest(origin: Origin) -> None:
    proxy = Proxy(origin.port)
    proxy.backend.servers[0].idle_life = 0
    with proxy, proxy.connect() as peer:
        for _ in range(3):
            peer.request("/")
            assert peer.response()[0] == 200
    assert origin.accepted == 3


def test_connections_come_from_the_source(origin: Origin) -> None:
    proxy = Proxy(origin.port)
    server = proxy.backend.servers[0]
    server.set_source(socket.AF_INET, bytes((127, 0, 0, 9)), 0, 0)
    with pytest.raises(ValueError):
        server.set_source(socket.AF_INET, bytes((127, 0, 0, 9)), 5, 4)
    with proxy:
        assert proxy.get("/") == (200, b"hello")
    assert origin.last_peer[0] == "127.0.0.9"


def test_what_a_connection_begins_with_decides_who_may_use_it(origin: Origin) -> None:
    said = iter([b"", b"", b"\r\n"])
    proxy = Proxy(origin.port)
    proxy.backend.servers[0].preface = lambda txn: next(said)
    with proxy, proxy.connect() as peer:
        for _ in range(3):
            peer.request("/")
            assert peer.response()[0] == 200
    assert origin.accepted == 2
