"""The same configuration in two programs: what a client, a server and the log see of each.

A ``Stand`` starts one program with listening sockets it is given (``fd@``), an origin that answers what
the scenario says and keeps what it was sent, and a socket for log lines. ``Stand.play`` runs a scenario
and says what could be observed. Nothing is timed: the end of a scenario is a marker request of its own,
whose log line comes after those of the scenario.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

SECONDS = 10.0
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
LOG = "%ft|%b|%s|%ST|%tsc|%rc|%{+Q}r|%hr|%hs|%U|%B"


PAGES = {
    "403.http": b"HTTP/1.1 403 Nope\r\ncontent-type: text/plain\r\nx-e: 1\r\n\r\nno way\n",
    "404.http": b"HTTP/1.1 404 Lost\r\ncontent-length: 4\r\n\r\nlost",
    "503.http": b"HTTP/1.0 503 Down\r\ncache-control: no-cache\r\nconnection: close\r\n\r\ndown\n",
}
"""Files in the folder of each stand, ``@FOLDER@`` in the template."""


@dataclass(frozen=True)
class Scenario:
    """``send`` goes to ``front``; the origin answers each request it gets with ``answer``.

    ``replies`` are how many responses are read before the end of the connection is looked for. ``shut``:
    the client ends its stream after sending. ``close``: the origin does after its answer. ``skip`` leaves
    out what is not compared (``log``, ``origin``, ``client``).
    """

    name: str
    send: bytes
    answer: bytes = OK
    front: str = "main"
    replies: int = 1
    shut: bool = False
    close: bool = False  # the origin closes after its answer
    skip: Sequence[str] = ()


@dataclass
class Seen:
    client: list[bytes] = field(default_factory=list)
    stays: bool = False
    origin: list[bytes] = field(default_factory=list)
    log: list[str] = field(default_factory=list)


class Origin:
    """Answers every request head with the bytes of the scenario; keeps all it was sent, by connection."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self.listening.getsockname()[1]
        self.answer, self.close_after = OK, False
        self.received: list[bytearray] = []
        self.peers: list[socket.socket] = []
        self.reading = threading.Lock()  # held from taking something off a socket until it is noted
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while readable([self.listening], None):
            with self.reading:
                try:
                    peer, _ = self.listening.accept()
                except OSError:
                    return
                self.peers.append(peer)
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer: socket.socket) -> None:
        pending = bytearray()
        kept: bytearray | None = None
        with contextlib.suppress(OSError):
            while readable([peer], None):
                replies = 0
                with self.reading:
                    data = peer.recv(65536)
                    if not data:
                        break
                    pending += data
                    if kept is None:
                        kept = bytearray()
                        self.received.append(kept)
                    kept += data
                    while (end := request_end(pending)) is not None:
                        del pending[:end]
                        kept = None
                        replies += 1
                for _ in range(replies):
                    peer.sendall(self.answer)
                    if self.close_after:
                        peer.shutdown(socket.SHUT_WR)
        with self.reading:
            self.peers.remove(peer)
            peer.close()

    def settle(self) -> None:
        """Until all is noted that was sent so far: on a busy machine threads come later than answers."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            with self.reading:
                if not readable([self.listening, *self.peers], 0):
                    return
            time.sleep(0.001)

    def stop(self) -> None:
        end_listening(self.listening)


def readable(sockets: Sequence[socket.socket], seconds: float | None) -> bool:
    poll = select.poll()
    for one in sockets:
        poll.register(one, select.POLLIN)
    return bool(poll.poll(None if seconds is None else seconds * 1000))


def deaf() -> socket.socket:
    """Bound without listening: who connects is refused, and nobody else gets the port meanwhile."""
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    return made


def end_listening(listening: socket.socket) -> None:
    """Close it, and let go who is in ``accept``: he would hold the socket and a descriptor's number."""
    with contextlib.suppress(OSError):
        listening.shutdown(socket.SHUT_RDWR)
    listening.close()


def request_end(data: bytes | bytearray) -> int | None:
    head, separator, _ = bytes(data).partition(b"\r\n\r\n")
    if not separator:
        return None
    start = len(head) + 4
    lines = head.lower()
    if b"\r\ntransfer-encoding: chunked" in lines:
        at = bytes(data).find(b"\r\n0\r\n", start - 2)
        end = bytes(data).find(b"\r\n\r\n", at + 3) if at >= 0 else -1
        return end + 4 if end >= 0 else None
    found = re.search(rb"\r\ncontent-length: *(\d+)", lines)
    length = int(found[1]) if found else 0
    return start + length if len(data) >= start + length else None


def read_response(peer: socket.socket, data: bytearray, head_only: bool) -> bytes | None:
    """One response (interim ones included) out of the stream; None at its end."""
    while True:
        head, separator, _ = bytes(data).partition(b"\r\n\r\n")
        if separator:
            length = body_length(head, bytes(data), len(head) + 4, head_only)
            if length is not None:
                taken = bytes(data[: len(head) + 4 + length])
                del data[: len(taken)]
                return taken
        try:
            got = peer.recv(65536)
        except ConnectionResetError:
            got = b""
        if not got:
            taken = bytes(data)
            data.clear()
            return taken or None
        data += got


def body_length(head: bytes, data: bytes, start: int, head_only: bool) -> int | None:
    lines = head.lower()
    status = int(head.split(b" ", 2)[1][:3] or 0) if head.startswith(b"HTTP/") else 200
    if head_only or 100 <= status < 200 or status in (204, 304):
        return 0
    if b"\r\ntransfer-encoding: chunked" in lines:
        at = (
            data.find(b"0\r\n", start)
            if data[start : start + 3] == b"0\r\n"
            else data.find(b"\r\n0\r\n", start)
        )
        end = data.find(b"\r\n\r\n", at) if at >= 0 else -1
        return end + 4 - start if end >= 0 else None
    found = re.search(rb"\r\ncontent-length: *(\d+)", lines)
    if found is None:
        return None
    return int(found[1]) if len(data) >= start + int(found[1]) else None


class Stand:
    """One program with its origin and its log."""

    def __init__(self, command: Sequence[str], template: str, fronts: Sequence[str], folder: Path) -> None:
        self.origin = Origin()
        self.log = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.log.bind(("127.0.0.1", 0))
        self.log.settimeout(SECONDS)
        self.doors = {name: socket.create_server(("127.0.0.1", 0), backlog=128) for name in fronts}
        self.ports = {name: door.getsockname()[1] for name, door in self.doors.items()}
        self.markers = itertools.count()
        self.dead = deaf()
        values = {
            "ORIGIN": f"127.0.0.1:{self.origin.port}",
            "LOG": f"127.0.0.1:{self.log.getsockname()[1]}",
            "DEAD": f"127.0.0.1:{self.dead.getsockname()[1]}",
            "FORMAT": f"'{LOG}'",
            "FOLDER": str(folder),
            **{f"{name.upper()}_FD": f"fd@{door.fileno()}" for name, door in self.doors.items()},
        }
        for name, page in PAGES.items():
            (folder / name).write_bytes(page)
        config = folder / "cfg"
        config.write_text(re.sub(r"@([A-Z0-9_]+)@", lambda found: values[found[1]], template))
        for door in self.doors.values():
            os.set_inheritable(door.fileno(), True)
        self.out = folder / "out"
        with self.out.open("wb") as out:
            self.process = subprocess.Popen(
                [*command, "-db", "-f", str(config)], stdout=out, stderr=subprocess.STDOUT, close_fds=False
            )

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self.origin.stop()
        self.log.close()
        self.dead.close()
        for door in self.doors.values():
            door.close()

    def connect(self, front: str) -> socket.socket:
        peer = socket.create_connection(("127.0.0.1", self.ports[front]), timeout=SECONDS)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return peer

    def play(self, scenario: Scenario) -> Seen:
        self.origin.answer, self.origin.close_after = scenario.answer, scenario.close
        self.origin.received.clear()
        seen = Seen()
        with self.connect(scenario.front) as peer, contextlib.suppress(TimeoutError):
            if scenario.shut:  # the last bytes and the end come together
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
            peer.sendall(scenario.send)
            if scenario.shut:
                peer.shutdown(socket.SHUT_WR)
            self.listen(peer, scenario, seen)
        seen.log = self.lines()
        self.origin.settle()
        seen.origin = [neutral(bytes(data)) for data in self.origin.received]
        return seen

    def listen(self, peer: socket.socket, scenario: Scenario, seen: Seen) -> None:
        data = bytearray()
        finals = 0
        head = scenario.send.startswith(b"HEAD ")
        while finals < scenario.replies:
            one = read_response(peer, data, head)
            if one is None:
                return
            seen.client.append(neutral(one))
            finals += not one.startswith((b"HTTP/1.1 1", b"HTTP/1.0 1"))
        if scenario.shut:
            return
        try:
            peer.sendall(b"GET /probe HTTP/1.1\r\nhost: probe\r\n\r\n")
            one = read_response(peer, data, False)
        except (ConnectionError, TimeoutError):
            one = None
        seen.stays = one is not None and b"299" in one

    def lines(self) -> list[str]:
        """The log lines of what came before now."""
        number = next(self.markers)
        with self.connect("main") as peer:
            peer.sendall(b"GET /probe/%d HTTP/1.1\r\nhost: probe\r\nconnection: close\r\n\r\n" % number)
            while peer.recv(65536):
                pass
        found: list[str] = []
        while True:
            line = self.log.recv(65536).decode("latin-1").split(": ", 1)[1].rstrip("\n")
            if f"/probe/{number} " in line:
                return found
            if "/probe" not in line:
                found.append(line)


_DATES = re.compile(rb"(?i)(\r\n(?:date|age):|expires=)[^\r;]*")


def neutral(data: bytes) -> bytes:
    """Without what differs from one run to the next, and the case of names."""
    head, separator, body = _DATES.sub(rb"\1", data).partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    lines = [name.lower() + colon + value for name, colon, value in (line.partition(b":") for line in lines)]
    return b"\r\n".join([first, *lines]) + separator + body


def await_service(stand: Stand) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        assert stand.process.poll() is None, stand.out.read_text()
        with contextlib.suppress(OSError):
            stand.log.settimeout(SECONDS)
            with stand.connect("main") as peer:
                peer.sendall(b"GET /probe/ready HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
                if peer.recv(100):
                    stand.log.recv(65536)
                    return
        time.sleep(0.02)
    raise AssertionError(stand.out.read_text())


def both(
    reference: str | None, template: str, fronts: Sequence[str], folders: pytest.TempPathFactory
) -> Iterator[tuple[Stand, Stand]]:
    """The reference and evener with one configuration, until the tests of a module are over."""
    if reference is None:
        pytest.skip("no haproxy installed")
    evener = [sys.executable, "-m", "evener.cli.haproxy"]
    made = [
        Stand(command, template, fronts, folders.mktemp(name))
        for name, command in (("reference", [reference]), ("evener", evener))
    ]
    try:
        for stand in made:
            await_service(stand)
        yield made[0], made[1]
    finally:
        for stand in made:
            stand.stop()
