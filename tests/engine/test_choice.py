"""Which server is taken: rings, draws, the first with room, limits that follow the load, and priorities."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from origin import Origin
from proxy import Proxy, unused_port, wait_for

from evener.engine.columns import Column

pytestmark = pytest.mark.timeout(20)


@pytest.fixture
def origin() -> Iterator[Origin]:
    made = Origin()
    yield made
    made.close()


def served(proxy: Proxy, count: int) -> str:
    """The servers of so many requests, one after the other."""
    start = len(proxy.logs)
    for _ in range(count):
        assert proxy.get()[0] == 200
    return "".join(proxy.log(start + n)["server"].decode()[1:] for n in range(count))


def keyed(proxy: Proxy, *keys: int) -> None:
    turn = iter(keys)
    proxy.backend.key = lambda txn: next(turn)


RING = [(100, 0), (200, 1), (300, 2), (4_000_000_000, 1)]


def test_a_key_finds_the_nearest_point(origin: Origin) -> None:
    with Proxy(*[origin.port] * 3) as proxy:
        proxy.backend.set_ring(RING)
        # between two points the nearer one, the lower of equals; the ring is closed
        keyed(proxy, 100, 149, 150, 151, 301, 3_999_999_000, 0, (1 << 32) - 1, 2_000_000_150)
        assert served(proxy, 9) == "000121002"


def test_full_servers_are_passed_over_when_asked_for(origin: Origin) -> None:
    with Proxy(*[origin.port] * 3) as proxy:
        proxy.backend.set_ring(RING)
        proxy.backend.affinity = 1
        proxy.backend.servers[1].maxconn = 1
        proxy.segment.set(5, Column.CUR, 1)
        keyed(proxy, 200, 4_000_000_000, 300)
        assert served(proxy, 3) == "202"
        proxy.backend.affinity = 2
        proxy.backend.servers[1].maxqueue = 2
        proxy.segment.set(5, Column.Q_CUR, 1)
        with proxy.connect() as peer:
            keyed(proxy, 200)
            peer.request("/")
            wait_for(lambda: proxy.cell(5, Column.Q_CUR) == 2)
            keyed(proxy, 200)
            assert served(proxy, 1) == "2"


def test_nobody_gets_far_more_than_the_average(origin: Origin) -> None:
    with Proxy(*[origin.port] * 3) as proxy:
        proxy.backend.set_ring(RING)
        proxy.backend.balance_factor = 150
        peers = [proxy.connect() for _ in range(6)]
        keyed(proxy, *[100] * 6)
        for peer in peers:
            peer.request("/slow")
            time.sleep(0.01)
        loads = [proxy.cell(4 + n, Column.CUR) for n in range(3)]
        assert sum(loads) == 6 and max(loads) <= 3
        for peer in peers:
            assert peer.response()[0] == 200
            peer.socket.close()


def test_the_first_with_room(origin: Origin) -> None:
    with Proxy(*[origin.port] * 3) as proxy:
        proxy.backend.first = True
        assert served(proxy, 3) == "000"
        proxy.backend.servers[0].maxconn = 1
        proxy.segment.set(4, Column.CUR, 1)
        assert served(proxy, 2) == "11"


def test_draws_reach_everybody_and_prefer_the_idle(origin: Origin) -> None:
    with Proxy(*[origin.port] * 3) as proxy:
        proxy.backend.draws = 1
        assert set(served(proxy, 60)) == {"0", "1", "2"}
        proxy.backend.draws = 8
        proxy.segment.set(4, Column.CUR, 50)
        proxy.segment.set(5, Column.CUR, 50)
        assert Counter(served(proxy, 12))["2"] >= 10
        for row in (4, 5):
            proxy.segment.set(row, Column.CUR, 0)
        others = Counter(served(proxy, 4))
        assert others["2"] <= 1, "of those that do as little, who had the fewest lately"
        for row in (4, 5, 6):
            proxy.segment.set(row, Column.USABLE, 0)
        assert proxy.get()[0] == 503


def test_a_limit_grows_with_the_load_of_the_backend(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        server = proxy.backend.servers[0]
        server.minconn, server.maxconn, proxy.backend.fullconn = 1, 10, 100
        peers = [proxy.connect() for _ in range(2)]
        for peer in peers:
            peer.request("/slow")
            time.sleep(0.02)
        assert (proxy.cell(4, Column.CUR), proxy.cell(3, Column.Q_CUR)) == (1, 1)
        proxy.segment.add(3, Column.CUR, 60)  # as if other workers were busy
        wait_for(lambda: proxy.cell(4, Column.CUR) == 2)
        for peer in peers:
            assert peer.response()[0] == 200
            peer.socket.close()


def test_a_full_queue_is_refused(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        server = proxy.backend.servers[0]
        server.maxconn = server.maxqueue = 1
        keyed(proxy, 0, 0, 0)
        peers = [proxy.connect() for _ in range(2)]
        for peer in peers:
            peer.request("/slow")
            time.sleep(0.02)
        assert proxy.get()[0] == 503
        assert proxy.log()["end"] == b"SQ"
        for peer in peers:
            assert peer.response()[0] == 200
            peer.socket.close()


def test_queues_are_served_by_priority(origin: Origin) -> None:
    def classify(txn: Any) -> int:
        txn.priority = int(txn.req.get(b"x-class") or b"0") << 40
        return 0

    with Proxy(origin.port) as proxy:
        proxy.frontend.on_request = classify
        proxy.backend.servers[0].maxconn = 1
        first = proxy.connect()
        first.request("/slow")
        time.sleep(0.02)
        waiting = {}
        for name in (b"0", b"5", b"-3", b"5", b"-3"):
            peer = proxy.connect()
            peer.request("/x" + name.decode(), b"x-class: " + name + b"\r\n")
            waiting[peer] = name
            time.sleep(0.01)
        assert first.response()[0] == 200
        for peer in (first, *waiting):
            assert peer is first or peer.response()[0] == 200
            peer.socket.close()
        paths = [head.split(b" ")[1] for head in origin.heads]
        assert paths == [b"/slow", b"/x-3", b"/x-3", b"/x0", b"/x5", b"/x5"]


def test_retries_and_timeouts_of_one_stream() -> None:
    def limits(txn: Any) -> int:
        if txn.req.get(b"x-none"):
            txn.max_retries = 0
        assert txn.get_timeout("server") == -1
        txn.set_timeout("server", 60)
        assert txn.get_timeout("server") == 60
        return 0

    origin = Origin()
    with Proxy(unused_port()) as proxy:
        proxy.frontend.plan = proxy.backend.plan = SimpleNamespace(ir=1)
        proxy.frontend.on_request = limits
        proxy.backend.retries, proxy.backend.timeout_connect = 2, 20
        assert proxy.get(extra=b"x-none: 1\r\n")[0] == 503
        assert proxy.get()[0] == 503
        assert [proxy.log(n)["retries"] for n in (0, 1)] == [0, 2]
    with Proxy(origin.port) as proxy:
        proxy.frontend.plan = proxy.backend.plan = SimpleNamespace(ir=1)
        proxy.frontend.on_request = limits
        assert proxy.get("/slow")[0] == 504
        assert proxy.log()["end"] == b"sH"
        proxy.backend.plan = SimpleNamespace(ir=2)  # another proxy: what the frontend said is not for it
        assert proxy.get("/slow")[0] == 200
    origin.close()


def test_socket_options_of_both_sides(origin: Origin) -> None:
    import socket

    seen: list[Any] = []

    def ask(txn: Any) -> int:
        txn.set_option(False, socket.IPPROTO_IP, socket.IP_TOS, 0x20)
        txn.set_option(True, socket.IPPROTO_IP, socket.IP_TOS, 0x40)
        txn.set_option(True, 9999, 9999, 1)
        seen.append(txn.get_option(False, socket.IPPROTO_IP, socket.IP_TOS, 4))
        seen.append(txn.get_option(True, socket.IPPROTO_IP, socket.IP_TOS, 4))
        seen.append(txn.get_option(False, 9999, 9999, 4))
        return 0

    def later(txn: Any) -> int:
        seen.append(txn.get_option(True, socket.IPPROTO_IP, socket.IP_TOS, 4))
        seen.append(len(txn.get_option(True, socket.IPPROTO_TCP, socket.TCP_INFO, 104)))
        return 0

    with Proxy(origin.port) as proxy:
        proxy.frontend.on_request, proxy.backend.on_response = ask, later
        assert proxy.get()[0] == 200
        assert [one[0] if isinstance(one, bytes) else one for one in seen] == [0x20, None, None, 0x40, 104]
