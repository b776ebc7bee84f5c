"""Rates, connections of clients' own, spelled header names, and streams as the control process sees them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from origin import Origin
from proxy import Peer, Proxy, wait_for

from evener.engine import http1
from evener.engine.columns import PROCESS_ROW, Column

pytestmark = pytest.mark.timeout(20)


@pytest.fixture
def origin() -> Iterator[Origin]:
    made = Origin()
    yield made
    made.close()


RATES = {Column.CONN_RATE_LIMIT: Column.CONN_RATE, Column.SESS_RATE_LIMIT: Column.SESS_RATE}


@pytest.mark.parametrize("where", ["frontend", Column.CONN_RATE_LIMIT, Column.SESS_RATE_LIMIT])
def test_no_more_come_in_than_may_per_second(origin: Origin, where: Any) -> None:
    with Proxy(origin.port) as proxy:
        if where == "frontend":
            proxy.frontend.session_rate = 2
        else:
            proxy.segment.set(PROCESS_ROW, where, 2)
        row, column = (1, Column.SESS_RATE) if where == "frontend" else (PROCESS_ROW, RATES[where])
        proxy.segment.rate(row, column, 1000)  # as if so many had just come to another worker
        with proxy.connect() as peer:
            peer.request("/")
            peer.socket.settimeout(0.1)
            with pytest.raises(TimeoutError):
                peer.socket.recv(1)
            assert proxy.cell(1, Column.CONNECTIONS) == 0
            peer.socket.settimeout(5)
            assert peer.response() == (200, b"hello")  # when the rate has fallen


def get_five(peer: Peer) -> None:
    for _ in range(5):
        peer.request("/")
        assert peer.response() == (200, b"hello")


def test_the_server_of_the_last_connection() -> None:
    origins = [Origin(), Origin()]
    with Proxy(*(origin.port for origin in origins)) as proxy:
        proxy.backend.reuse = 0
        proxy.backend.prefer_last = True
        with proxy.connect() as peer:
            get_five(peer)
        assert sorted(len(origin.heads) for origin in origins) == [0, 5]
    for origin in origins:
        origin.close()


def test_a_busy_server_is_not_waited_for() -> None:
    origins = [Origin(), Origin()]
    with Proxy(*(origin.port for origin in origins)) as proxy:
        proxy.backend.reuse = 0
        proxy.backend.prefer_last = True
        proxy.backend.last_queue = 0
        with proxy.connect() as peer, proxy.connect() as other:
            peer.request("/")
            assert peer.response()[0] == 200
            used = 0 if origins[0].heads else 1
            proxy.segment.set(4 + used, Column.MAXCONN, 1)
            proxy.segment.set(4 + used, Column.CUR, 1)  # as if another worker's client were there
            peer.request("/")
            assert peer.response()[0] == 200
            assert len(origins[1 - used].heads) == 1
            proxy.segment.set(4 + used, Column.CUR, 0)
            other.request("/")
            assert other.response()[0] == 200
    for origin in origins:
        origin.close()


@pytest.mark.parametrize(("most", "connections"), [(0, 5), (1, 1)])
def test_connections_a_client_has_for_itself(origin: Origin, most: int, connections: int) -> None:
    with Proxy(origin.port) as proxy:
        proxy.backend.reuse = 0
        proxy.frontend.own_max = most
        with proxy.connect() as peer:
            get_five(peer)
        assert proxy.cell(4, Column.CONNECTIONS) == connections


def test_strict_maxconn_counts_connections(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        proxy.backend.reuse = 0
        server = proxy.backend.servers[0]
        server.strict, server.maxconn = True, 1
        with proxy.connect() as first, proxy.connect() as second:
            first.request("/")
            assert first.response()[0] == 200
            second.request("/")
            assert second.response()[0] == 503
            first.request("/")
            assert first.response()[0] == 200
        log = next(log for log in proxy.logs if log["status"] == 503)
        assert (log["end"], log["retries"]) == (b"SC", 3)
        # an idle connection is closed in favour of one that is needed
        proxy.backend.reuse = 3
        with proxy.connect() as peer:
            get_five(peer)
        assert proxy.cell(4, Column.IDLE_CUR) + proxy.cell(4, Column.USED_CUR) <= 1


def test_spelled_names_and_the_servers_name(origin: Origin) -> None:
    http1.adjust_case(
        [(b"host", b"HOST"), (b"content-length", b"Content-Length"), (b"connection", b"CONNECTION")]
    )
    try:
        with Proxy(origin.port) as proxy:
            proxy.frontend.cased = proxy.backend.cased = True
            proxy.backend.name_header = b"x-server"
            with proxy.connect() as peer:
                peer.request("/", b"x-server: forged\r\n", version=b"1.0")
                head = peer.head()
            assert b"\r\nContent-Length: 5\r\n" in head and b"\r\nCONNECTION: close\r\n" in head
            sent = origin.heads[0]
            assert b"\r\nHOST: a\r\n" in sent and b"\r\nx-server: s0\r\n" in sent and b"forged" not in sent
    finally:
        http1.adjust_case([])


def test_idle_connections_outlive_a_soft_stop(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        proxy.frontend.patient = True
        peer = proxy.connect()
        peer.request("/")
        assert peer.response()[0] == 200
        proxy.engine.soft_stop()
        time.sleep(0.1)
        peer.request("/")
        assert b"connection: close" in peer.head()
        peer.socket.close()


def test_streams_are_told_and_ended(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        found: list[Any] = []
        peer = proxy.connect()
        peer.request("/slow")
        wait_for(lambda: proxy.cell(4, Column.CUR))
        proxy.engine.later(1, lambda: found.extend(proxy.engine.streams()))
        wait_for(lambda: found)
        (number, host, _, front, back, server, *_) = found[0]
        assert (host, front, back, server) == (b"\x7f\0\0\1", b"f", b"b", b"s0")
        ended: list[bool] = []
        for wanted in (number + 1, number):
            proxy.engine.later(1, lambda wanted=wanted: ended.append(proxy.engine.end_stream(wanted)))
        assert peer.closed()
        peer.socket.close()
        assert ended == [False, True]
        assert proxy.log()["end"] == b"KD" and proxy.cell(4, Column.CUR) == 0


def test_messages_that_are_none_are_told(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        told: list[tuple[Any, ...]] = []
        proxy.engine.hear_invalid(lambda *what: told.append(what))
        with proxy.connect() as peer:
            peer.send(b"GET / HTTP/1.1\r\nhost: a\r\nb d: x\r\n\r\n")
            assert peer.response()[0] == 400
        assert len(told) == 1
        front, back, server, source, data, position = told[0]
        assert (front.name, back, server) == (b"f", None, None) and source[0] == b"\x7f\0\0\1"
        assert data[position - 1 : position + 1] == b"b " and data.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"DELETE"])
def test_bodies_that_http_1_0_may_not_see(method: bytes) -> None:
    head = method + b" / HTTP/1.0\r\ncontent-length: 2\r\n\r\n"
    error = http1.parse_request_bytes(head)
    assert isinstance(error, int) and http1.status_of(error) == 413
    assert not isinstance(http1.parse_request_bytes(head.replace(b": 2", b": 0")), int)
    assert not isinstance(http1.parse_request_bytes(head.replace(b"1.0", b"1.1\r\nhost: a")), int)
    http1.configure(any_payload=True)
    try:
        assert not isinstance(http1.parse_request_bytes(head), int)
    finally:
        http1.configure()


def test_a_length_beside_chunks_closes_unless_told_otherwise() -> None:
    head = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n"
    for trusting in (False, True):
        http1.configure(trust_both=trusting)
        try:
            made = http1.parse_request_bytes(head)
            assert isinstance(made, http1.Request) and bool(made.flags & http1.FLAGS["both"]) is not trusting
        finally:
            http1.configure()
