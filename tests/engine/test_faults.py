"""What broke a connection is known when its stream is logged; what streams cost is measured when asked."""

import errno
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from origin import Origin, answer, reset
from proxy import Proxy, unused_port, wait_for

from evener.engine.columns import PROCESS_ROW, Column

pytestmark = pytest.mark.timeout(30)


@pytest.fixture
def seen() -> Iterator[list[Any]]:
    yield []


def noting(proxy: Proxy, seen: list[Any], what: Callable[[Any], Any]) -> None:
    def note(txn: Any) -> int:
        seen.append(what(txn))
        return 0

    proxy.frontend.on_log = note


def faults(txn: Any) -> tuple[int, int | None]:
    return txn.client_fault, txn.server_fault


def test_nothing_went_wrong(seen: list[Any]) -> None:
    origin = Origin()
    with Proxy(origin.port) as proxy:
        noting(proxy, seen, faults)
        assert proxy.get() == (200, b"hello")
        wait_for(lambda: bool(seen))
    assert seen == [(0, 0)]
    origin.close()


def test_a_server_that_refuses(seen: list[Any]) -> None:
    with Proxy(unused_port()) as proxy:
        noting(proxy, seen, faults)
        proxy.backend.retries = 0
        assert proxy.get()[0] == 503
        wait_for(lambda: bool(seen))
    assert seen == [(0, errno.ECONNREFUSED)]


def test_the_fault_of_an_attempt_is_not_that_of_the_next(seen: list[Any]) -> None:
    origin = Origin()
    with Proxy(unused_port(), origin.port) as proxy:
        noting(proxy, seen, faults)
        proxy.backend.retries, proxy.backend.redispatch = 2, 1
        assert proxy.get() == (200, b"hello")
        wait_for(lambda: bool(seen))
    assert seen == [(0, 0)]
    origin.close()


def test_a_server_that_resets(seen: list[Any]) -> None:
    def script(connection: socket.socket, head: bytes, rest: bytes) -> object:
        reset(connection)
        return False

    origin = Origin(script)
    with Proxy(origin.port) as proxy:
        noting(proxy, seen, faults)
        assert proxy.get()[0] == 502
        wait_for(lambda: bool(seen))
    assert seen == [(0, errno.ECONNRESET)]
    origin.close()


def test_without_a_server_there_is_no_fault_of_one(seen: list[Any]) -> None:
    with Proxy() as proxy:
        noting(proxy, seen, faults)
        assert proxy.get()[0] == 503
        wait_for(lambda: bool(seen))
    assert seen == [(0, None)]


@pytest.mark.parametrize("http", [True, False])
def test_a_client_that_resets(seen: list[Any], http: bool) -> None:
    def script(connection: socket.socket, head: bytes, rest: bytes) -> object:
        return rest  # and no answer

    origin = Origin(script)
    with Proxy(origin.port, http=http) as proxy:
        noting(proxy, seen, faults)
        with proxy.connect() as peer:
            peer.request("/")
            wait_for(lambda: bool(origin.heads))
            reset(peer.socket)
        wait_for(lambda: bool(seen))
    assert seen == [(errno.ECONNRESET, 0)]
    origin.close()


def test_a_socks4_proxy_that_says_no(seen: list[Any]) -> None:
    no = socket.create_server(("127.0.0.1", 0))
    with Proxy(no.getsockname()[1]) as proxy:
        noting(proxy, seen, faults)
        proxy.backend.retries = 0
        proxy.backend.servers[0].aim = lambda txn: (None, None, b"\x04\x01\x00\x50\x7f\x00\x00\x01\x00")
        with proxy.connect() as peer:
            peer.request("/")
            asked, _ = no.accept()
            assert asked.recv(9) == b"\x04\x01\x00\x50\x7f\x00\x00\x01\x00"
            asked.sendall(b"\x00\x5b" + bytes(6))
            assert peer.response()[0] == 503
            asked.close()
        wait_for(lambda: bool(seen))
    assert seen == [(0, -41)]
    no.close()


def test_calls_are_counted_and_their_time_only_when_asked_for(seen: list[Any]) -> None:
    origin = Origin()
    with Proxy(origin.port) as proxy:
        noting(proxy, seen, lambda txn: (txn.calls, txn.cpu_ns, txn.lat_ns))
        proxy.get()
        wait_for(lambda: len(seen) == 1)
        proxy.segment.set(PROCESS_ROW, Column.PROFILING, 1)

        def measured() -> bool:
            proxy.get()
            return seen[-1][1] > 0

        wait_for(measured)
        wait_for(lambda: proxy.cell(PROCESS_ROW, Column.PROF_CALLS) > 0)
    assert seen[0][0] >= 1 and seen[0][1:] == (0, 0)
    calls, spent, waited = seen[-1]
    assert 0 < spent < 10**9 and 0 <= waited < 10**9
    assert calls >= 1 and proxy.cell(PROCESS_ROW, Column.PROF_CPU) > 0
    origin.close()


def test_what_is_open_is_listed() -> None:
    origin = Origin()
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        peer.request("/")
        assert peer.response() == (200, b"hello")
        found: list[list[tuple[Any, ...]]] = []
        proxy.engine.later(1, lambda: found.append(proxy.engine.descriptors()))
        wait_for(lambda: bool(found))
    rows = {row[0]: row for row in found[0]}
    assert {"listener", "front", "back"} <= set(rows)
    assert rows["front"][2] == b"f" and rows["front"][5] == proxy.port
    assert rows["back"][3] == b"s0" and rows["back"][7] == 1
    assert all(len(row[1]) == 6 and row[1][0] >= 0 for row in found[0])
    origin.close()


def test_a_restless_worker_serves_as_well() -> None:
    origin = Origin(lambda connection, head, rest: connection.sendall(answer(b"ok")) or rest)  # type: ignore[func-returns-value]
    proxy = Proxy(origin.port)
    proxy.engine.restless = True
    with proxy:
        assert proxy.engine.restless and proxy.get() == (200, b"ok")
    origin.close()
