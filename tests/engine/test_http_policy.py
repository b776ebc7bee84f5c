"""Callbacks between the phases: verdicts, waiting, replies, and what happens when one raises."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from origin import Origin, header_of
from proxy import Proxy, wait_for

from evener.engine.columns import Column

pytestmark = pytest.mark.timeout(20)
CONTINUE, PENDING, REPLIED, CLOSED = range(4)


@pytest.fixture
def origin() -> Iterator[Origin]:
    made = Origin()
    yield made
    made.close()


def test_phases_run_in_order_and_share_the_stream(origin: Origin) -> None:
    seen: list[str] = []
    streams: set[int] = set()

    def phase(name: str) -> Any:
        def run(txn: Any) -> int:
            seen.append(name)
            streams.add(txn.id)
            txn.vars["txn.last"] = name
            txn.session.vars["sess.count"] = txn.session.vars.get("sess.count", 0) + 1
            return CONTINUE

        return run

    with Proxy(origin.port) as proxy:
        front, back = proxy.frontend, proxy.backend
        for side, half in ((front, "f"), (back, "b")):
            side.on_content = phase(half + "-content")
            side.on_request = phase(half + "-request")
            side.on_response = phase(half + "-response")
            side.on_after_response = phase(half + "-after")
        assert proxy.get() == (200, b"hello")
        proxy.log()
    assert seen == [
        "f-content", "f-request", "b-content", "b-request", "b-response", "f-response", "b-after", "f-after",
    ]  # fmt: skip
    assert len(streams) == 1 and not proxy.errors


def test_headers_are_edited_both_ways(origin: Origin) -> None:
    def request(txn: Any) -> int:
        txn.req.set(b"x-forwarded-for", b"1.2.3.4")
        return CONTINUE

    def response(txn: Any) -> int:
        txn.res.add(b"x-seen", b"%d" % txn.res.status)
        return CONTINUE

    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        proxy.frontend.on_request = request
        proxy.backend.on_response = response
        peer.request("/")
        assert b"x-seen: 200" in peer.head()
        assert header_of(origin.heads[0], b"x-forwarded-for") == b"1.2.3.4"


def test_reply_keeps_the_connection_and_drains_the_body(origin: Origin) -> None:
    def deny(txn: Any) -> int:
        if txn.req.path == b"/deny":
            txn.termination = b"PR"
            return txn.reply(403, b"Forbidden", [(b"x-why", b"rule")], b"no") or REPLIED
        return CONTINUE

    def after(txn: Any) -> int:
        txn.res.set(b"x-after", b"1")
        return CONTINUE

    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        proxy.frontend.on_request = deny
        proxy.frontend.on_after_response = after
        peer.send(b"POST /deny HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nab")
        head = peer.head()
        assert head.startswith(b"HTTP/1.1 403 Forbidden\r\n")
        assert b"x-why: rule" in head and b"x-after: 1" in head
        assert peer.exactly(2) == b"no"
        peer.send(b"cde")
        peer.request("/")
        assert peer.response() == (200, b"hello")
        first = proxy.log(0)
        assert (first["end"], first["status"], first["out"]) == (b"PR", 403, 75)
        assert first["timers"][:4] == (0, -1, -1, -1)
        assert proxy.cell(1, Column.DENIED_REQ) == 1 and proxy.cell(1, Column.HRSP_4XX) == 1


def test_other_replies_are_local(origin: Origin) -> None:
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        proxy.frontend.on_request = lambda txn: txn.reply(302, b"Found", [(b"location", b"/x")], b"")
        peer.request("/", method=b"HEAD")
        assert peer.response(no_body=True)[0] == 302
        assert proxy.log()["end"] == b"LR"
        assert proxy.cell(1, Column.INTERCEPTED) == 1


def test_reply_instead_of_the_response(origin: Origin) -> None:
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        proxy.backend.on_response = lambda txn: txn.reply(200, b"OK", [], b"mine" * 10000)
        peer.request("/")
        assert peer.response() == (200, b"mine" * 10000)
        assert proxy.log()["end"] == b"LH" and proxy.log()["out"] == 54 + 53 + 40000


def test_closed_says_nothing(origin: Origin) -> None:
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        proxy.frontend.on_request = lambda txn: CLOSED
        peer.request("/")
        assert peer.closed()
        log = proxy.log()
        assert (log["status"], log["end"], log["timers"][0]) == (-1, b"PR", -1)


@pytest.mark.parametrize("phase", ["on_request", "on_response", "on_after_response"])
def test_an_exception_is_a_500(origin: Origin, phase: str) -> None:
    def fail(txn: Any) -> int:
        raise ZeroDivisionError

    with Proxy(origin.port) as proxy:
        setattr(proxy.backend, phase, fail)
        with proxy.connect() as peer:
            peer.request("/")
            assert peer.response()[0] == 500
        wait_for(lambda: proxy.logs)
        assert all(isinstance(error, ZeroDivisionError) for error in proxy.errors) and proxy.errors
        setattr(proxy.backend, phase, None)
        assert proxy.get() == (200, b"hello")


def test_pending_until_the_body_is_there(origin: Origin) -> None:
    calls: list[bytes] = []

    def wait_for_body(txn: Any) -> int:
        calls.append(txn.body())
        return CONTINUE if txn.body_complete() else txn.wait(2000)

    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        proxy.frontend.on_request = wait_for_body
        peer.send(b"POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n")
        wait_for(lambda: calls)
        assert origin.accepted == 0
        time.sleep(0.03)
        peer.send(b"2\r\nde\r\n0\r\n\r\n")
        assert peer.response()[0] == 200
        assert calls[0] == b"abc" and calls[-1] == b"abcde" and len(calls) <= 3


def test_pending_body_sends_100_continue(origin: Origin) -> None:
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        proxy.frontend.on_request = lambda txn: CONTINUE if txn.body_complete() else txn.wait(2000)
        peer.send(b"POST /echo HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n")
        assert peer.head().startswith(b"HTTP/1.1 100")
        peer.send(b"ab")
        assert peer.response() == (200, b"ab")


def test_pending_times_out_and_resumes(origin: Origin) -> None:
    stamps: list[float] = []
    held: list[Any] = []

    def tarpit(txn: Any) -> int:
        stamps.append(time.monotonic())
        return txn.wait(150) if len(stamps) == 1 else CONTINUE

    def park(txn: Any) -> int:
        held.append(txn)
        return PENDING if len(held) == 1 else CONTINUE

    with Proxy(origin.port) as proxy:
        proxy.frontend.on_request = tarpit
        assert proxy.get() == (200, b"hello")
        assert len(stamps) == 2 and 0.14 < stamps[1] - stamps[0] < 0.5
        proxy.frontend.on_request = park
        with proxy.connect() as peer:
            peer.request("/")
            wait_for(lambda: held)
            proxy.engine.later(1, lambda: held[0].resume())
            assert peer.response() == (200, b"hello")


def test_body_of_the_response(origin: Origin) -> None:
    bodies: list[tuple[bytes, bool]] = []

    def look(txn: Any) -> int:
        bodies.append((txn.body(), txn.body_complete()))
        return CONTINUE if txn.body_complete() else txn.wait(1000)

    with Proxy(origin.port) as proxy:
        proxy.backend.on_response = look
        assert proxy.get() == (200, b"hello")
        assert bodies[-1] == (b"hello", True)


def test_switching_and_forced_server() -> None:
    origins = [Origin(), Origin()]
    try:
        with Proxy(*(origin.port for origin in origins)) as proxy:
            proxy.backend.on_request = lambda txn: txn.set_server(1) or CONTINUE
            for _ in range(4):
                assert proxy.get()[0] == 200
            assert len(origins[1].heads) == 4
    finally:
        for origin in origins:
            origin.close()


def test_no_backend_and_custom_page(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        proxy.frontend.default_backend = -1
        assert proxy.get()[0] == 503
        assert proxy.log()["end"] == b"SC"
        proxy.frontend.errors[503] = (503, b"Nope", [(b"x-page", b"1")], b"custom")
        with proxy.connect() as peer:
            peer.request("/")
            head = peer.head()
            assert head.startswith(b"HTTP/1.1 503 Nope\r\n") and b"x-page: 1" in head
            assert peer.exactly(6) == b"custom"
        proxy.frontend.errors[503] = (0, b"", [], b"")  # an empty errorfile
        with proxy.connect() as peer:
            peer.request("/")
            assert peer.closed()
        assert proxy.log(2)["status"] == 503


def test_connection_and_session_rules(origin: Origin) -> None:
    with Proxy(origin.port) as proxy:
        proxy.frontend.on_connection = lambda txn: CLOSED if txn.src_ip == b"\x7f\0\0\1" else CONTINUE
        assert proxy.turns_away()
        proxy.frontend.on_connection = None
        proxy.frontend.on_session = lambda txn: CLOSED
        assert proxy.turns_away()
        proxy.frontend.on_session = None
        assert proxy.get()[0] == 200
        assert proxy.cell(1, Column.DENIED_CONN) == proxy.cell(1, Column.DENIED_SESS) == 1
        wait_for(lambda: proxy.cell(1, Column.CUR) == 0)
        assert proxy.cell(1, Column.CONNECTIONS) == 3 and proxy.cell(1, Column.TOTAL) == 2


def test_hash_key_picks_the_same_server() -> None:
    origins = [Origin(), Origin(), Origin()]
    try:
        with Proxy(*(origin.port for origin in origins)) as proxy:
            proxy.backend.key = lambda txn: len(txn.req.path)
            for _ in range(3):
                assert proxy.get("/four5")[0] == 200
            counts = [len(origin.heads) for origin in origins]
            assert sorted(counts) == [0, 0, 3] and counts[6 % 3] == 3
    finally:
        for origin in origins:
            origin.close()


def test_engine_calls_the_control_plane(origin: Origin) -> None:
    import os

    read, write = os.pipe()
    got: list[bytes] = []
    ready = threading.Event()
    with Proxy(origin.port) as proxy:
        proxy.engine.watch(read, lambda: got.append(os.read(read, 10)))
        proxy.engine.later(1, ready.set)
        assert ready.wait(2)
        os.write(write, b"ping")
        wait_for(lambda: got == [b"ping"])
        proxy.engine.later(1, lambda: proxy.engine.unwatch(read))
    os.close(read)
    os.close(write)


def test_head_turned_into_get_gets_no_body(origin: Origin) -> None:
    def turn(txn: Any) -> int:
        txn.req.method = b"GET"
        return CONTINUE

    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        proxy.frontend.on_request = turn
        for path in ("/", "/chunked", "/big/200000", "/"):
            peer.request(path, method=b"HEAD")
            assert peer.response(no_body=True)[0] == 200


def test_addresses_set_for_one_request_only(origin: Origin) -> None:
    def claim(txn: Any) -> int:
        if txn.number == 1:
            txn.src_ip, txn.src_port = b"\1\2\3\4", 9
        return CONTINUE

    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        proxy.frontend.on_request = claim
        for _ in range(2):
            peer.request("/")
            peer.response()
        assert proxy.log(0)["src"] == (b"\1\2\3\4", 9)
        assert proxy.log(1)["src"][0] == b"\x7f\0\0\1"


def test_client_leaves_while_its_body_is_awaited(origin: Origin) -> None:
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        proxy.backend.on_request = lambda txn: CONTINUE if txn.body_complete() else txn.wait(2000)
        peer.send(b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc")
        time.sleep(0.05)
        peer.socket.shutdown(1)
        assert peer.rest() == b""
        log = proxy.log()
        assert (log["end"], log["status"], log["backend"], log["server"]) == (b"CR", 400, b"b", None)
        assert not origin.heads


def test_what_comes_while_policy_says_that_it_waits(origin: Origin) -> None:
    """The last of a body is read right after the callback asked for it, and no event follows."""
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        proxy.frontend.on_request = lambda txn: CONTINUE if txn.body_complete() else txn.wait(5000)
        body = b"a" * 16370  # with its head more than a buffer, without it less
        peer.send(b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        assert peer.response() == (200, body)


@pytest.mark.parametrize(("size", "status"), [(500, 200), (2000, 500)])
def test_a_head_grows_by_what_its_body_leaves_of_the_buffer(origin: Origin, size: int, status: int) -> None:
    def enlarge(txn: Any) -> int:
        txn.req.set(b"x", b"a" * size)
        return CONTINUE

    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        proxy.backend.on_request = enlarge
        proxy.frontend.on_request = lambda txn: CONTINUE if txn.body_complete() else txn.wait(5000)
        peer.send(b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 15000\r\n\r\n" + b"a" * 15000)
        assert peer.response()[0] == status


@pytest.mark.parametrize("when", ["on_connection", "on_request"])
def test_a_vanished_connection_says_nothing(origin: Origin, when: str) -> None:
    """With the privilege to: neither an end nor a reset; what comes afterwards finds nobody."""

    def vanish(txn: Any) -> int:
        txn.vanish(0)
        return CLOSED

    with socket.socket() as probe:
        try:
            probe.setsockopt(socket.IPPROTO_TCP, 19, 1)  # TCP_REPAIR
        except PermissionError:
            pytest.skip("silence takes CAP_NET_ADMIN")
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        setattr(proxy.frontend, when, vanish)
        peer = proxy.connect()
        if when == "on_request":
            peer.request("/")
        wait_for(lambda: proxy.cell(1, Column.CONNECTIONS) >= 2 and proxy.cell(1, Column.CUR) <= 1)
        peer.socket.settimeout(0.2)
        with pytest.raises(TimeoutError):
            peer.socket.recv(1)
        peer.socket.close()


@pytest.mark.parametrize(("path", "connections"), [("/", 1), ("/late", 3)])
def test_the_connection_of_a_response_that_is_replaced_is_kept_when_it_was_whole(
    path: str, connections: int
) -> None:
    def script(connection: socket.socket, head: bytes, _rest: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n" + b"ok" * (b"late" not in head))

    origin = Origin(script)
    with Proxy(origin.port) as proxy:
        proxy.backend.on_response = lambda txn: txn.reply(403, b"No", [], b"no")
        for _ in range(3):
            assert proxy.get(path) == (403, b"no")
        proxy.log(2)
    origin.close()
    assert origin.accepted == connections
