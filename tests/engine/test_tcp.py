"""Mode tcp: content rules, relaying both ways, half-closing, timeouts, termination states."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from origin import TcpOrigin, reset
from proxy import Proxy, unused_port, wait_for

from evener.engine.columns import Column

pytestmark = pytest.mark.timeout(20)
CONTINUE, PENDING, REPLIED, CLOSED = range(4)


@pytest.fixture
def origin() -> Iterator[TcpOrigin]:
    made = TcpOrigin()
    yield made
    made.close()


def test_half_close_passes_and_the_rest_comes_back(origin: TcpOrigin) -> None:
    with Proxy(origin.port, http=False) as proxy, proxy.connect() as peer:
        peer.send(b"abc")
        assert peer.exactly(3) == b"abc"
        peer.socket.shutdown(socket.SHUT_WR)
        assert peer.rest() == b"bye"
        log = proxy.log()
        assert (log["end"], log["in"], log["out"]) == (b"--", 3, 6)
        wait_for(lambda: proxy.cell(1, Column.CUR) == 0)
        assert proxy.cell(4, Column.CUR) == 0 and proxy.cell(4, Column.BYTES_OUT) == 6


def test_bulk_both_ways(origin: TcpOrigin) -> None:
    data = bytes(range(256)) * 20000
    with Proxy(origin.port, http=False) as proxy, proxy.connect() as peer:
        threading.Thread(target=peer.send, args=(data,), daemon=True).start()
        assert peer.exactly(len(data)) == data
        peer.socket.shutdown(socket.SHUT_WR)
        assert peer.rest() == b"bye"


def test_the_server_closes_first() -> None:
    origin = TcpOrigin(lambda connection: connection.sendall(b"hello"))
    with Proxy(origin.port, http=False) as proxy, proxy.connect() as peer:
        assert peer.rest() == b"hello"
        peer.socket.close()
        assert proxy.log()["end"] == b"--"
    origin.close()


def test_resets(origin: TcpOrigin) -> None:
    def die(connection: socket.socket) -> None:
        connection.recv(100)
        reset(connection)

    dying = TcpOrigin(die)
    with Proxy(dying.port, http=False) as proxy, proxy.connect() as peer:
        peer.send(b"abc")
        assert peer.closed()
        assert proxy.log()["end"] == b"SD"
        assert proxy.cell(4, Column.SERVER_ABORTS) == 1
    dying.close()
    with Proxy(origin.port, http=False) as proxy:
        peer = proxy.connect()
        peer.send(b"abc")
        peer.exactly(3)
        peer.reset()
        assert proxy.log()["end"] == b"CD"


def reset_seen(connection: socket.socket, seen: list[str]) -> None:
    """Read up to the end of the connection, and say which it was."""
    try:
        while connection.recv(65536):
            pass
        seen.append("end")
    except ConnectionResetError:
        seen.append("reset")


@pytest.mark.parametrize(("nolinger", "how"), [(False, "end"), (True, "reset")])
def test_a_server_that_is_not_to_linger_is_reset(nolinger: bool, how: str) -> None:
    seen: list[str] = []
    origin = TcpOrigin(lambda connection: reset_seen(connection, seen))
    with Proxy(origin.port, http=False) as proxy, proxy.connect() as peer:
        proxy.backend.servers[0].reset = nolinger
        peer.send(b"abc")
        wait_for(lambda: proxy.cell(4, Column.CUR) == 1)
        peer.socket.shutdown(socket.SHUT_WR)
        assert peer.rest() == b""
        wait_for(lambda: seen == [how])
        assert proxy.log()["end"] == b"--"
    origin.close()


def test_refused() -> None:
    proxy = Proxy(unused_port(), http=False)
    proxy.backend.retries = 1
    proxy.backend.timeout_connect = 50
    with proxy, proxy.connect() as peer:
        assert peer.closed()
        log = proxy.log()
        assert (log["end"], log["retries"], log["timers"][2]) == (b"SC", 1, -1)


@pytest.mark.parametrize(("client", "server", "end"), [(150, 3000, b"cD"), (3000, 150, b"sD")])
def test_inactivity(origin: TcpOrigin, client: int, server: int, end: bytes) -> None:
    with Proxy(origin.port, http=False) as proxy:
        proxy.frontend.timeout_client = client
        proxy.backend.timeout_server = server
        with proxy.connect() as peer:
            for _ in range(3):
                peer.send(b"x")
                assert peer.exactly(1) == b"x"
                time.sleep(0.08)
            assert peer.closed()
        assert proxy.log()["end"] == end and proxy.log()["timers"][4] > 300


def test_tunnel_timeout_replaces_the_others(origin: TcpOrigin) -> None:
    with Proxy(origin.port, http=False) as proxy:
        proxy.frontend.timeout_client = proxy.backend.timeout_server = 50
        proxy.backend.timeout_tunnel = 5000
        with proxy.connect() as peer:
            peer.send(b"x")
            peer.exactly(1)
            time.sleep(0.15)
            peer.send(b"y")
            assert peer.exactly(1) == b"y"


def test_content_rules_wait_for_data_and_choose(origin: TcpOrigin) -> None:
    seen: list[tuple[bytes, bool]] = []

    def inspect(txn: Any) -> int:
        seen.append((txn.peek(), txn.peer_closed()))
        return CONTINUE if len(txn.peek()) >= 4 else txn.wait(2000)

    proxy = Proxy(origin.port, http=False)
    proxy.frontend.on_content = inspect
    with proxy, proxy.connect() as peer:
        peer.send(b"ab")
        wait_for(lambda: seen and seen[-1][0] == b"ab")
        peer.send(b"cd")
        assert peer.exactly(4) == b"abcd"
        assert seen[-1] == (b"abcd", False)


def test_content_rules_reject(origin: TcpOrigin) -> None:
    proxy = Proxy(origin.port, http=False)
    proxy.frontend.on_content = lambda txn: CLOSED if txn.peek() else txn.wait(1000)
    with proxy, proxy.connect() as peer:
        peer.send(b"x")
        assert peer.closed()
        assert proxy.log()["end"] == b"PR" and proxy.cell(1, Column.DENIED_REQ) == 1
        proxy.frontend.on_content = lambda txn: 1 // 0
        with proxy.connect() as second:
            assert second.closed()
        wait_for(lambda: proxy.errors)


def test_content_inspection_ends_by_time(origin: TcpOrigin) -> None:
    calls: list[float] = []

    def inspect(txn: Any) -> int:
        calls.append(time.monotonic())
        return CONTINUE if len(calls) > 1 else txn.wait(120)

    proxy = Proxy(origin.port, http=False)
    proxy.frontend.on_content = inspect
    with proxy, proxy.connect() as peer:
        wait_for(lambda: len(calls) == 2)
        assert calls[1] - calls[0] > 0.1
        peer.send(b"x")
        assert peer.exactly(1) == b"x"


def test_a_client_that_resets_has_its_server_reset() -> None:
    """As HAProxy does: what is cut off must not look as if it were complete."""
    seen: list[str] = []

    def serve(connection: socket.socket) -> None:
        connection.sendall(connection.recv(100))
        try:
            seen.append("end" if connection.recv(100) == b"" else "data")
        except ConnectionResetError:
            seen.append("reset")

    origin = TcpOrigin(serve)
    with Proxy(origin.port, http=False) as proxy:
        peer = proxy.connect()
        peer.send(b"abc")
        assert peer.exactly(3) == b"abc"
        peer.reset()
        assert proxy.log()["end"] == b"CD"
        wait_for(lambda: seen)
        assert seen == ["reset"]
    origin.close()
