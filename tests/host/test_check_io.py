"""Checks over real loopback connections; the reactor turns until the outcome is there."""

import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "haproxy"))

from farm import make_fleet, make_plan

from evener.haproxy.checks.outcome import CheckStatus, Outcome
from evener.haproxy.checks.parse import http_script, tcp_script
from evener.haproxy.checks.steps import CONNECT_ONLY, Scene, Script
from evener.haproxy.health import CheckSettings
from evener.haproxy.server_state import ServerSettings
from evener.host.check_io import CheckRunner
from evener.host.reactor import Reactor
from evener.wire.proxy_protocol import V2_SIGNATURE


@contextmanager
def origin(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that gives each connection to ``answer`` and closes it."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    listener.settimeout(0.2)
    stopping = threading.Event()

    def serve() -> None:
        while not stopping.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(2)
                try:
                    answer(connection)
                except OSError:
                    continue

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        stopping.set()
        thread.join()
        listener.close()


def outcomes(
    port: int,
    script: Script,
    count: int = 1,
    inter: int = 3000,
    timeout: int = 0,
    **more: bool,
) -> list[Outcome]:
    settings = ServerSettings(check=CheckSettings(script, inter=inter, timeout=timeout, fastinter=10, **more))
    fleet = make_fleet(make_plan({"b": [{"port": port}]}), {"b/s1": settings})
    reactor = Reactor()
    found: list[Outcome] = []
    runner = CheckRunner(
        reactor, list(fleet), lambda _s, _h, outcome: found.append(outcome), lambda _s: Scene("b", "s1")
    )
    runner.start()
    end = time.monotonic() + 8
    while len(found) < count and time.monotonic() < end:
        reactor.turn(0.2)
    runner.stop()
    reactor.close()
    assert len(found) == count
    return found


def say(text: bytes) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(text)

    return answer


@pytest.mark.parametrize(
    ("said", "begins", "ends"),
    [
        ({}, b"PROXY TCP4 127.0.0.1 127.0.0.1 ", b"\r\n"),
        ({"proxy_v2": True}, V2_SIGNATURE + b"\x20\0\0\0", b""),
        ({"proxy_v2": True, "proxy_checksum": True}, V2_SIGNATURE + b"\x20\0\0\7\3\0\4", b"\xa9\xb8~\x8f"),
        (
            {"proxy_v2": True, "proxy_local": False},
            V2_SIGNATURE + b"\x21\x11\0\x0c" + b"\x7f\0\0\1" * 2,
            b"",
        ),
    ],
)
def test_the_header_that_says_who_checks(said: dict[str, bool], begins: bytes, ends: bytes) -> None:
    """Recorded of HAProxy 3.5; the numbers of the ports are the connection's own."""
    seen: list[tuple[bytes, int]] = []

    def answer(connection: socket.socket) -> None:
        seen.append((connection.recv(256), connection.getpeername()[1]))
        connection.sendall(b"hello")

    with origin(answer) as port:
        outcomes(port, tcp_script([["expect", "string", "hello"]]), send_proxy=True, **said)
    header, theirs = seen[0]
    assert header.startswith(begins)
    assert header.endswith(ends)
    if not said:
        assert header == begins + f"{theirs} {port}\r\n".encode()
    if said.get("proxy_local") is False:
        assert header[-4:] == struct.pack(">HH", theirs, port)


def test_connect_only() -> None:
    with origin(lambda _c: None) as port:
        assert outcomes(port, tcp_script([]))[0].status is CheckStatus.L4OK


def test_refused() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        found = outcomes(port, CONNECT_ONLY)[0]
    assert found.status is CheckStatus.L4CON
    assert found.info == "ECONNREFUSED returned by OS (Connection refused)"


def test_http_again_and_again() -> None:
    with origin(say(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")) as port:
        found = outcomes(port, http_script([], []), count=3)
    assert [(o.status, o.code) for o in found] == [(CheckStatus.L7OK, 200)] * 3


def test_conversation() -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(b"hello\n")
        assert connection.recv(100) == b"who\n"
        connection.sendall(b"me\n")

    rules = [["expect", "string", "hello"], ["send", "who\n"], ["expect", "rstring", "^me"]]
    with origin(answer) as port:
        assert outcomes(port, tcp_script(rules))[0].status is CheckStatus.L7OK


def test_a_silent_server_times_out() -> None:
    def answer(connection: socket.socket) -> None:
        while connection.recv(4096):
            pass

    with origin(answer) as port:
        found = outcomes(port, http_script([], []), timeout=80)[0]
    assert found.status is CheckStatus.L7TOUT
    assert found.duration >= 80


def test_a_server_that_closes() -> None:
    with origin(say(b"")) as port:
        assert outcomes(port, http_script([], []))[0].status is CheckStatus.SOCKERR
