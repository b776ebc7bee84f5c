"""Limits, queues, the end of service, and what other workers share."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from origin import Origin
from proxy import LOCALHOST, Peer, Proxy, unused_port, wait_for

from evener.engine.columns import PROCESS_ROW, WIDTH, Column
from evener.engine.core import Segment

pytestmark = pytest.mark.timeout(60)  # for busy machines


@pytest.fixture
def origin() -> Iterator[Origin]:
    made = Origin()
    yield made
    made.close()


def test_segment() -> None:
    segment = Segment(2)
    assert segment.add(1, 5, 3) == 3 and segment.add(1, 5, -1) == 2
    segment.raise_to(1, 5, 9)
    segment.raise_to(1, 5, 4)
    assert segment.get(1, 5) == 9
    for row, column in ((2, 0), (-1, 0), (0, WIDTH), (0, -1)):
        with pytest.raises(IndexError):
            segment.get(row, column)
    assert segment.rate(0, Column.SESS_RATE, 5) == 5
    assert segment.rate(0, Column.SESS_RATE) == 5
    child = os.fork()
    if child == 0:
        segment.add(0, 7, 42)
        os._exit(0)
    os.waitpid(child, 0)
    assert segment.get(0, 7) == 42


def test_rate_slides() -> None:
    segment = Segment(1)
    segment.rate(0, Column.SESS_RATE, 100)
    time.sleep(1.2)
    assert 0 < segment.rate(0, Column.SESS_RATE) < 100
    time.sleep(1.0)
    assert segment.rate(0, Column.SESS_RATE) == 0


def test_queue_of_a_full_server(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        proxy.backend.servers[0].maxconn = 1
        peers = [proxy.connect() for _ in range(3)]
        for peer in peers:
            peer.request("/slow")
            time.sleep(0.02)
        assert proxy.cell(3, Column.Q_CUR) == 2 and proxy.cell(4, Column.CUR) == 1
        for peer in peers:
            assert peer.response() == (200, b"hello")
            peer.socket.close()
        logs = [proxy.log(index) for index in range(3)]
        assert [log["queue"] for log in logs] == [(0, 0), (0, 1), (0, 2)]
        assert logs[2]["timers"][1] >= 500
        assert proxy.cell(4, Column.MAX) == 1 and proxy.cell(3, Column.Q_MAX) == 2
        assert proxy.cell(3, Column.Q_CUR) == 0


def test_queue_timeout_and_abort(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        proxy.segment.set(4, Column.MAXCONN, 1)
        proxy.backend.timeout_queue = 100
        with proxy.connect() as first:
            first.request("/slow")
            time.sleep(0.03)
            assert proxy.get()[0] == 503
            log = proxy.log()
            assert (log["end"], log["server"]) == (b"sQ", None) and log["timers"][1] >= 100
            peer = proxy.connect()
            peer.request("/")
            time.sleep(0.03)
            peer.reset()
            assert proxy.log(1)["end"] == b"CQ"
            assert first.response() == (200, b"hello")
        assert proxy.cell(3, Column.Q_CUR) == 0


def test_hashed_request_waits_for_its_server() -> None:
    origins = [Origin(), Origin()]
    with Proxy(*(origin.port for origin in origins)) as proxy:
        proxy.backend.key = lambda txn: 0
        proxy.backend.servers[0].maxconn = 1
        peers = [proxy.connect() for _ in range(2)]
        for peer in peers:
            peer.request("/slow")
            time.sleep(0.02)
        assert proxy.cell(4, Column.Q_CUR) == 1
        for peer in peers:
            assert peer.response()[0] == 200
        assert proxy.log(1)["queue"] == (1, 0) and not origins[1].heads
        # the server goes down while somebody waits for it
        for peer in peers:
            peer.request("/slow")
            time.sleep(0.02)
        proxy.segment.set(4, Column.USABLE, 0)
        proxy.segment.set(4, Column.ACTIVE, 0)
        wait_for(lambda: origins[1].heads)
        for peer in peers:
            assert peer.response()[0] == 200
            peer.socket.close()
    for origin in origins:
        origin.close()


def test_least_connections() -> None:
    origins = [Origin(), Origin()]
    with Proxy(*(origin.port for origin in origins)) as proxy:
        proxy.backend.least = True
        with proxy.connect() as busy:
            busy.request("/slow")
            wait_for(lambda: any(origin.heads for origin in origins))
            loaded = 0 if origins[0].heads else 1
            for _ in range(4):
                assert proxy.get()[0] == 200
            assert len(origins[1 - loaded].heads) == 4
            busy.response()
    for origin in origins:
        origin.close()


def test_rebuild_follows_the_epoch(origin: Origin) -> None:
    calls: list[int] = []
    with Proxy(origin.port) as proxy:
        proxy.backend.set_rotation([])
        proxy.backend.rebuild = lambda backend: (calls.append(1), backend.set_rotation([0]))
        assert proxy.get()[0] == 200
        assert proxy.get()[0] == 200 and len(calls) == 1
        proxy.segment.add(3, Column.EPOCH, 1)
        assert proxy.get()[0] == 200 and len(calls) == 2


def test_frontend_maxconn_leaves_clients_in_the_backlog(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        proxy.frontend.maxconn = 1
        first = proxy.connect()
        first.request("/")
        assert first.response()[0] == 200
        second = proxy.connect()
        second.request("/")
        time.sleep(0.1)
        assert proxy.cell(1, Column.CUR) == 1 and proxy.cell(1, Column.CONNECTIONS) == 1
        first.socket.close()
        assert second.response() == (200, b"hello")
        second.socket.close()


def test_process_maxconn_and_stopped_frontend(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        proxy.engine.maxconn = 1
        with proxy.connect() as first:
            first.request("/")
            first.response()
            second = proxy.connect()
            time.sleep(0.05)
            assert proxy.cell(PROCESS_ROW, Column.CUR) == 1
        second.request("/")
        assert second.response()[0] == 200
        second.socket.close()
        proxy.segment.set(1, Column.STOPPED, 1)
        third = proxy.connect()
        third.request("/")
        time.sleep(0.1)
        assert proxy.cell(1, Column.CONNECTIONS) == 2
        proxy.segment.set(1, Column.STOPPED, 0)
        assert third.response()[0] == 200
        third.socket.close()


def test_no_descriptors_left(origin: Origin) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Proxy(origin.port) as proxy:
        assert proxy.get()[0] == 200
        peer = socket.socket()
        blockers = []
        highest = max(int(name) for name in os.listdir("/proc/self/fd"))
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 12, hard))
        try:
            with pytest.raises(OSError):
                while True:
                    blockers.append(os.dup(0))
            peer.connect(("127.0.0.1", proxy.port))
            before = sum(os.times()[:2])
            time.sleep(0.3)
            assert sum(os.times()[:2]) - before < 0.15  # no busy loop
            for fd in blockers:
                os.close(fd)
            blockers.clear()
            with Peer(peer) as client:
                client.request("/")
                assert client.response() == (200, b"hello")
        finally:
            for fd in blockers:
                os.close(fd)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_soft_stop_answers_what_is_in_flight(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        idle, busy = proxy.connect(), proxy.connect()
        idle.request("/")
        idle.response()
        busy.request("/slow")
        time.sleep(0.05)
        proxy.engine.later(1, proxy.engine.soft_stop)
        assert idle.closed()
        assert b"connection: close" in busy.head() and busy.rest() == b"hello"
        proxy.thread.join(2)
        assert not proxy.thread.is_alive()
        idle.socket.close()
        busy.socket.close()
        proxy.listener.detach()


def test_a_soft_stop_that_takes_its_time(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        proxy.engine.spread = 60_000
        peers = [proxy.connect() for _ in range(3)]
        for peer in peers:
            peer.request("/")
            peer.response()
        proxy.engine.later(1, proxy.engine.soft_stop)
        wait_for(lambda: not _reachable(proxy.port))
        told = 0
        for peer in peers:
            peer.request("/")
            told += b"connection: close" in peer.head()
        assert told < len(peers), "the chance that one of them is told is one in thousands"
        for peer in peers:
            peer.socket.close()
        proxy.thread.join(2)
        assert not proxy.thread.is_alive()
        proxy.listener.detach()


def test_a_short_time_to_stop_is_kept_to(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        proxy.engine.spread = 50
        idle = proxy.connect()
        idle.request("/")
        idle.response()
        proxy.engine.later(1, proxy.engine.soft_stop)
        assert idle.closed()
        proxy.thread.join(2)
        assert not proxy.thread.is_alive()
        idle.socket.close()
        proxy.listener.detach()


def test_a_soft_stop_that_leaves_connections_to_themselves(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        proxy.engine.spread = -1
        peer = proxy.connect()
        peer.request("/")
        peer.response()
        proxy.engine.later(1, proxy.engine.soft_stop)
        wait_for(lambda: not _reachable(proxy.port))
        peer.request("/")
        assert b"connection: close" not in peer.head()
        peer.socket.close()
        proxy.thread.join(2)
        assert not proxy.thread.is_alive()
        proxy.listener.detach()


def test_pause_and_resume(origin: Origin) -> None:
    with Proxy(origin.port, port=unused_port()) as proxy:
        proxy.engine.later(1, proxy.engine.pause)
        wait_for(lambda: not _reachable(proxy.port))
        proxy.engine.later(1, proxy.engine.resume)
        wait_for(lambda: _reachable(proxy.port))
        assert proxy.get()[0] == 200


def _reachable(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.3).close()
    except OSError:
        return False
    return True


def test_shutdown_sessions_of_a_server(origin: Origin) -> None:
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        peer.request("/hang")
        time.sleep(0.05)
        proxy.segment.add(4, Column.SHUTDOWN_EPOCH, 1)
        assert peer.closed()
        assert proxy.log()["end"] == b"KH"


def test_workers_share_limits(origin: Origin) -> None:
    """Two forked workers, one slot: what one gives back, the other's queue gets."""
    proxy = Proxy(origin.port)
    proxy.backend.servers[0].maxconn = 1
    children = []
    ready, running = os.pipe()
    for _ in range(2):
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGTERM, lambda *_: proxy.engine.stop())
            proxy.engine.later(0, lambda: os.write(running, b"r"))
            try:
                proxy.engine.run()
            finally:
                os._exit(0)
        children.append(child)
    try:
        for _ in children:
            assert os.read(ready, 1) == b"r"  # one that does not run yet would not be ended, but killed
        peers = [proxy.connect() for _ in range(8)]
        for peer in peers:
            peer.request("/")
        for peer in peers:
            assert peer.response() == (200, b"hello")
            peer.socket.close()
        assert proxy.cell(4, Column.MAX) == 1 and proxy.cell(4, Column.TOTAL) == 8
        assert proxy.cell(3, Column.Q_CUR) == 0
    finally:
        for child in children:
            os.kill(child, signal.SIGTERM)
        for child in children:
            assert os.waitpid(child, 0)[1] == 0
        os.close(ready)
        os.close(running)
        proxy.listener.close()


def test_unix_servers(tmp_path_factory: pytest.TempPathFactory) -> None:
    import tempfile
    import threading

    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        path = directory + "/s"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()

            def serve() -> None:
                connection, _ = listener.accept()
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                connection.close()

            threading.Thread(target=serve, daemon=True).start()
            with Proxy(1) as proxy:
                proxy.backend.servers[0].set_address(socket.AF_UNIX, path.encode(), 0)
                assert proxy.get() == (200, b"ok")
    with Proxy(1) as proxy, pytest.raises(ValueError):
        proxy.backend.servers[0].set_address(socket.AF_INET, LOCALHOST + b"x", 1)


def _swallow(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while connection.recv(1 << 20):
            pass


def test_one_fast_transfer_does_not_hold_up_the_others(origin: Origin) -> None:
    with Proxy(origin.port) as proxy, proxy.connect() as bulk:
        bulk.request("/big/400000000")
        reader = threading.Thread(target=_swallow, args=(bulk.socket,), daemon=True)
        reader.start()
        for _ in range(5):
            begin = time.monotonic()
            assert proxy.get() == (200, b"hello")
            assert time.monotonic() - begin < 2
        bulk.socket.shutdown(socket.SHUT_RDWR)
        reader.join(5)


def test_many_clients_at_once(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        proxy.backend.servers[0].maxconn = 5
        peers = [proxy.connect() for _ in range(60)]
        for peer in peers:
            peer.request("/echo", b"content-length: 3\r\n", method=b"POST")
            peer.send(b"abc")
        for peer in peers:
            assert peer.response() == (200, b"abc")
            peer.socket.close()
        assert proxy.cell(4, Column.MAX) <= 5
        wait_for(lambda: proxy.cell(PROCESS_ROW, Column.CUR) == 0)
        for row, column in (
            (1, Column.CUR),
            (3, Column.CUR),
            (4, Column.CUR),
            (3, Column.Q_CUR),
            (4, Column.USED_CUR),
        ):
            assert proxy.cell(row, column) == 0


def test_a_soft_stop_waits_for_the_first_request_of_who_has_connected(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        with proxy.connect() as idle, proxy.connect() as fresh:
            idle.request("/")
            idle.response()
            wait_for(lambda: proxy.engine.clients == 2)
            proxy.engine.later(1, proxy.engine.soft_stop)
            assert idle.closed()
            fresh.request("/")
            assert b"\r\nconnection: close\r\n" in fresh.head()
        proxy.thread.join(5)
        assert not proxy.thread.is_alive()
        proxy.listener.detach()


def test_a_hard_stop_logs_what_it_ends(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        with proxy.connect() as peer, proxy.connect():
            peer.request("/slow")
            wait_for(lambda: origin.heads)
            proxy.engine.later(1, proxy.engine.hard_stop)
            assert peer.closed()
        proxy.thread.join(5)
        assert not proxy.thread.is_alive()
    assert [(seen["end"], seen["status"]) for seen in proxy.logs] == [(b"KH", 500)]


def test_who_was_told_that_the_connection_stays_may_ask_once_more_in_a_soft_stop() -> None:
    released = threading.Event()

    def script(connection: socket.socket, head: bytes, _rest: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no")
        assert b"/slow" not in head or released.wait(5)
        connection.sendall(b"k")

    origin = Origin(script)
    with Proxy(origin.port) as proxy:
        with proxy.connect() as peer:
            peer.request("/slow")
            assert b"connection: close" not in peer.head()
            proxy.engine.later(1, proxy.engine.soft_stop)
            wait_for(lambda: not _reachable(proxy.port))
            released.set()
            peer.exactly(2)
            peer.request("/")
            assert b"\r\nconnection: close\r\n" in peer.head()
        proxy.thread.join(5)
        assert not proxy.thread.is_alive()
        proxy.listener.detach()
    origin.close()
