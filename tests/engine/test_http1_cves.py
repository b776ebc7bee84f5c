"""What once went wrong in HAProxy's forwarding of HTTP/1, a test for each number (parsing: smuggling)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from origin import Origin, answer
from proxy import Proxy

pytestmark = pytest.mark.timeout(30)


@pytest.fixture
def origin() -> Iterator[Origin]:
    made = Origin()
    yield made
    made.close()


def test_cve_2012_2942_a_rule_cannot_outgrow_the_buffer(origin: Origin) -> None:
    def enlarge(txn: Any) -> int:
        txn.req.add(b"x", b"a" * 60_000)
        return 0

    with Proxy(origin.port) as proxy:
        proxy.frontend.on_request = enlarge
        assert proxy.get()[0] == 500 and not origin.heads
        assert not proxy.errors


def test_cve_2013_1912_rules_wait_while_the_next_request_is_there(origin: Origin) -> None:
    """Pipelined requests behind one that is looked at for a while."""
    looked: list[bytes] = []

    def wait_once(txn: Any) -> int:
        looked.append(txn.req.path)
        return 0 if looked.count(txn.req.path) > 1 else txn.wait(20)

    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        proxy.frontend.on_content = wait_once
        peer.send(b"".join(b"GET /%d HTTP/1.1\r\nhost: a\r\n\r\n" % n for n in range(20)))
        for _ in range(20):
            assert peer.response() == (200, b"hello")
        assert [head.split(b" ")[1] for head in origin.heads] == [b"/%d" % n for n in range(20)]


def test_cve_2014_6269_a_body_larger_than_any_buffer(origin: Origin) -> None:
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        body = b"a" * 3_000_000
        peer.send(b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % len(body))
        peer.send(body)
        assert peer.response() == (200, body)


def test_cve_2015_3281_nothing_of_one_request_is_in_the_next() -> None:
    """Pipelined requests whose bodies wrap around what a buffer holds."""
    bodies: list[bytes] = []

    def script(connection: socket.socket, head: bytes, rest: bytes) -> object:
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        while len(rest) < length:
            rest += connection.recv(65536)
        bodies.append(rest[:length])
        connection.sendall(answer(b"ok"))
        return rest[length:]

    origin = Origin(script)
    with Proxy(origin.port) as proxy, proxy.connect() as peer:
        sent = [bytes((97 + n,)) * (5000 + 3001 * n) for n in range(12)]
        for body in sent:
            peer.send(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        for _ in sent:
            assert peer.response() == (200, b"ok")
        assert bodies == sent
    origin.close()


@pytest.mark.parametrize("method", [b"GET /admin", b"GET\t", b"", b"G\r\nET", b"G\xff"])
def test_cve_2021_39241_a_method_is_one_word(origin: Origin, method: bytes) -> None:
    def change(txn: Any) -> int:
        with pytest.raises(ValueError):
            txn.req.method = method
        return 0

    with Proxy(origin.port) as proxy:
        proxy.frontend.on_request = change
        assert proxy.get() == (200, b"hello")
        assert origin.heads[0].startswith(b"GET / HTTP/1.1\r\n") and not proxy.errors


def test_cve_2023_0056_an_interim_response_changes_nothing(origin: Origin) -> None:
    """100 and 103 of a server, in any number, before and between pipelined requests."""

    def script(connection: socket.socket, head: bytes, rest: bytes) -> object:
        connection.sendall(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" * 3 + answer()
        )
        return rest

    chatty = Origin(script)
    with Proxy(chatty.port) as proxy, proxy.connect() as peer:
        for _ in range(2):
            peer.request("/")
            statuses = [peer.response()[0] for _ in range(7)]
            assert statuses == [100, 103] * 3 + [200]
    chatty.close()
