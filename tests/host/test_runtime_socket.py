"""The runtime API over real unix sockets."""

import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "haproxy"))

from test_runtime_api import Machine

from evener.haproxy.runtime_api import Level, Session
from evener.host.reactor import Reactor
from evener.host.runtime_socket import RuntimeSocket


class Place:
    """A reactor with one runtime socket; ``talk`` turns it until the server has closed."""

    def __init__(self, path: str, limit: int = 10) -> None:
        self.reactor = Reactor()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        self.listener.setblocking(False)
        self.path = path
        self.sessions: list[Session] = []
        self.server = RuntimeSocket(self.reactor, self.listener, self.session, limit)
        self.server.start()
        self.machine = Machine()

    def session(self) -> Session:
        self.sessions.append(Session(self.machine.control, Level.ADMIN))
        return self.sessions[-1]

    def connect(self) -> socket.socket:
        client = socket.socket(socket.AF_UNIX)
        client.connect(self.path)
        client.setblocking(False)
        return client

    def read(self, client: socket.socket, until: bytes | None = None) -> bytes:
        received = b""
        end = time.monotonic() + 5
        while time.monotonic() < end:
            self.reactor.turn(0.05)
            try:
                data = client.recv(65536)
            except BlockingIOError:
                continue
            received += data
            if not data or (until is not None and received.endswith(until)):
                return received
        raise AssertionError(f"no end after {received!r}")

    def talk(self, data: bytes, shut: bool = False) -> bytes:
        with self.connect() as client:
            client.sendall(data)
            if shut:
                client.shutdown(socket.SHUT_WR)
            return self.read(client)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(str(tmp_path / "s"))
    yield place
    place.listener.close()
    place.reactor.close()


def test_one_line_and_close(place: Place) -> None:
    assert place.talk(b"show version\n") == b"3.5-test\n\n"
    assert place.talk(b"show version;show cli level\n", shut=True) == b"3.5-test\n\nadmin\n\n"
    assert place.server.open == 0


def test_nothing_and_garbage(place: Place) -> None:
    assert place.talk(b"", shut=True) == b""
    assert place.talk(b"no newline", shut=True) == b""
    assert b"Unknown command" in place.talk(b"\xff\x00\xfe\n")


def test_interactive(place: Place) -> None:
    with place.connect() as client:
        client.sendall(b"prompt\nshow version\n")
        assert place.read(client, until=b"test\n\n> ") == b"\n> 3.5-test\n\n> "
        client.sendall(b"show vers")
        place.reactor.turn(0.05)
        client.sendall(b"ion\nquit\n")
        assert place.read(client) == b"3.5-test\n\n> "


def test_waiting_keeps_the_order(place: Place) -> None:
    assert place.talk(b"wait 20;show version\n", shut=True) == b"Done.\n\n3.5-test\n\n"


def test_payload_lines(place: Place) -> None:
    assert place.talk(b"echo a <<\nb\n\n") == b"a\n\n"


def test_an_idle_session_is_closed(place: Place) -> None:
    with place.connect() as client:
        client.sendall(b"prompt i;set timeout cli 50ms\n")
        assert place.read(client) == b"\n\n"


def test_large_answers_are_sent_whole(place: Place) -> None:
    assert len(place.talk(b"show stat typed;" * 30 + b"\n")) > 300_000


def test_the_limit_leaves_others_waiting(tmp_path: Path) -> None:
    place = Place(str(tmp_path / "l"), limit=1)
    first, second = place.connect(), place.connect()
    first.sendall(b"prompt i\n")
    assert place.read(first, until=b"\n") == b"\n"
    second.sendall(b"show version\n")
    place.reactor.turn(0.05)
    assert place.server.open == 1
    first.close()
    assert place.read(second) == b"3.5-test\n\n"
    second.close()
    place.listener.close()
    place.reactor.close()


def test_nobody_is_answered_while_a_worker_has_not_taken_what_it_was_told(place: Place) -> None:
    settled: list[bool] = []
    place.server.settled = lambda: bool(settled)
    with place.connect() as client:
        client.send(b"show version\n")
        for _ in range(5):
            place.reactor.turn(0.01)
        with pytest.raises(BlockingIOError):
            client.recv(100)
        settled.append(True)
        assert place.read(client)
    place.server.settled = lambda: False
    assert place.talk(b"show version\n")  # one who hangs keeps nobody waiting for ever
