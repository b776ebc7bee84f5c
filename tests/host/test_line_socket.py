"""The socket that answers lines: who may speak, how long, and what becomes of those who do not listen."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from evener.host.line_socket import LONGEST_LINE, MOST_CONNECTIONS, MOST_WAITING, LineSocket
from evener.host.reactor import Reactor


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    reactor = Reactor()
    yield reactor
    reactor.close()


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "s")


@pytest.fixture
def served(reactor: Reactor, path: str) -> Iterator[LineSocket]:
    made = LineSocket(reactor, path, lambda line: f"<{line}>\n")
    yield made
    made.close()


def connected(path: str) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)
    client.setblocking(False)
    return client


def hears(reactor: Reactor, client: socket.socket, turns: int = 50) -> bytes:
    """What comes until the connection is closed, or nothing more comes."""
    heard = b""
    for _ in range(turns):
        reactor.turn(0)
        try:
            data = client.recv(1 << 20)
        except BlockingIOError:
            continue
        if not data:
            return heard + b"|closed"
        heard += data
    return heard


def test_lines_are_answered_in_order(reactor: Reactor, served: LineSocket, path: str) -> None:
    with connected(path) as client:
        client.send(b"one\ntw")
        assert hears(reactor, client) == b"<one>\n\n"
        client.send(b"o\nthree\n")
        client.shutdown(socket.SHUT_WR)
        assert hears(reactor, client) == b"<two>\n\n<three>\n\n|closed"


def test_only_the_owner_may_use_it_and_it_goes_away(reactor: Reactor, path: str) -> None:
    made = LineSocket(reactor, path, lambda line: "")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    made.close()
    assert not os.path.exists(path)


def test_what_is_in_the_way(reactor: Reactor, served: LineSocket, path: str, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="listens"):
        LineSocket(reactor, path, lambda line: "")
    file = tmp_path / "file"
    file.write_text("precious", encoding="ascii")
    with pytest.raises(FileExistsError):
        LineSocket(reactor, str(file), lambda line: "")
    assert file.read_text(encoding="ascii") == "precious"
    stale = str(tmp_path / "stale")
    left = socket.socket(socket.AF_UNIX)
    left.bind(stale)
    left.close()
    LineSocket(reactor, stale, lambda line: "").close()


def test_a_line_that_does_not_end(reactor: Reactor, served: LineSocket, path: str) -> None:
    with connected(path) as client:
        client.send(b"x" * (LONGEST_LINE + 1))
        assert hears(reactor, client) == b"error: the line is too long\n\n|closed"


def test_bytes_that_are_no_text(reactor: Reactor, served: LineSocket, path: str) -> None:
    with connected(path) as client:
        client.send(b"\xff\x00\n")
        assert hears(reactor, client).startswith(b"<\xef\xbf\xbd")


def test_too_many(reactor: Reactor, served: LineSocket, path: str) -> None:
    clients = [connected(path) for _ in range(MOST_CONNECTIONS)]
    for _ in range(MOST_CONNECTIONS):
        reactor.turn(0)
    with connected(path) as further:
        assert hears(reactor, further) == b"|closed"
    clients.pop().close()
    reactor.turn(0)
    with connected(path) as again:
        again.send(b"x\n")
        assert hears(reactor, again) == b"<x>\n\n"
    for client in clients:
        client.close()


def test_somebody_who_does_not_read_is_not_listened_to(reactor: Reactor, path: str) -> None:
    asked: list[str] = []

    def answer(line: str) -> str:
        asked.append(line)
        return "y" * 300_000

    served = LineSocket(reactor, path, answer)
    with connected(path) as client:
        client.send(b"x\n" * 1000)
        for _ in range(50):
            reactor.turn(0)
        assert len(asked) <= 2 * MOST_WAITING // 300_000
    served.close()


def test_scrapers(reactor: Reactor, served: LineSocket, path: str) -> None:
    with connected(path) as client:
        client.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        head, _, body = hears(reactor, client).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.0 200 ") and b"Content-Length: 15" in head
        assert body == b"<show metrics>\n|closed"
