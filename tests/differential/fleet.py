"""Many small configurations in one process: each case has a door, a backend and three origins of its own.

A ``Fleet`` starts one program with all cases; ``run`` plays them, some at a time, and says what could be
observed of each: what the clients read, what each origin was sent on which connection, and the log lines
that name the case. Several fleets - the references and evener - play the same cases and are compared.
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from pair import OK, body_length, deaf, end_listening, neutral, request_end

SECONDS = 5.0
ORIGINS = ("O1", "O2", "O3")
HEAD = """
global
    log @LOG@ local0 debug
    nbthread @THREADS@
    stats socket @FOLDER@/admin level admin
defaults
    mode http
    log global
    log-format "%ft %b/%s %ST %tsc %CC %CS %sq/%bq %rc %hr %{+Q}r"
    timeout connect 300ms
    timeout client 700ms
    timeout server 700ms
    retries 2
frontend mark
    bind @MARK@
    http-request return status 200
"""
Script = Callable[["Peer", int], None]


@dataclass(frozen=True)
class Case:
    """``text`` are lines of ``f_<name>`` and ``b_<name>``; ``play`` is the traffic."""

    name: str
    text: str
    play: Callable[[Place], None]


class Peer:
    """One connection, from either side; ``note`` keeps what the case should see of it."""

    def __init__(self, peer: socket.socket, note: Callable[[bytes], None]) -> None:
        self.socket, self.note, self.data = peer, note, bytearray()
        peer.settimeout(SECONDS)

    def send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self.socket.sendall(data)

    def fill(self) -> bytes:
        """How the stream ended, empty while it has not."""
        try:
            got = self.socket.recv(65536)
        except ConnectionError:
            return b"<RST>"
        except TimeoutError:
            return b"<SILENCE>"
        except OSError:
            return b"<GONE>"
        self.data += got
        return b"" if got else b"<EOF>"

    def request(self) -> bytes:
        """The next whole request, empty at the end of the stream."""
        while (end := request_end(self.data)) is None:
            if self.fill():
                return b""
        got = bytes(self.data[:end])
        del self.data[:end]
        return got

    def response(self, head: bool = False) -> None:
        """Notes one response, or what there was of it and how the stream ended."""
        while True:
            text, separator, _ = bytes(self.data).partition(b"\r\n\r\n")
            length = body_length(text, bytes(self.data), len(text) + 4, head) if separator else None
            if length is not None:
                got = bytes(self.data[: len(text) + 4 + length])
                del self.data[: len(got)]
                self.note(neutral(got))
                if not got.startswith((b"HTTP/1.1 10", b"HTTP/1.0 10")):
                    return
                continue
            if end := self.fill():
                self.note(neutral(bytes(self.data)) + end if self.data else end)
                self.data.clear()
                return

    def rest(self) -> None:
        """Notes all that comes until the end."""
        while not (end := self.fill()):
            pass
        parts = re.split(rb"(?=HTTP/1\.\d \d{3} )", bytes(self.data))
        self.note(b"".join(neutral(part) if b"\r\n\r\n" in part else part for part in parts) + end)
        self.data.clear()

    def drain(self) -> None:
        while not self.fill():
            pass

    def alive(self, seconds: float = 0.1) -> None:
        """Notes whether the other side has closed."""
        self.socket.settimeout(seconds)
        end = self.fill()
        self.socket.settimeout(SECONDS)
        self.note(bytes(self.data) + (b"<OPEN>" if end == b"<SILENCE>" else end))
        self.data.clear()

    def shut(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def polite(peer: Peer, _: int) -> None:
    while peer.request():
        peer.send(OK)


class Origin:
    """Plays ``script`` on each connection; keeps what it was sent, by number of connection."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self.listening.getsockname()[1]
        self.script: Script = polite
        self.seen: list[bytearray] = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                peer, _ = self.listening.accept()
            except OSError:
                return
            self.seen.append(bytearray())
            threading.Thread(target=self.serve, args=(peer, len(self.seen) - 1), daemon=True).start()

    def serve(self, peer: socket.socket, number: int) -> None:
        kept, own = self.seen[number], Peer(peer, lambda _: None)
        usual = own.fill

        def fill() -> bytes:
            before = len(own.data)
            end = usual()
            kept.extend(own.data[before:])
            return end

        own.fill = fill  # type: ignore[method-assign]
        with peer, contextlib.suppress(OSError):
            self.script(own, number)


@dataclass
class Place:
    """A case in one program, while it is played."""

    fleet: Fleet
    name: str
    door: socket.socket
    origins: dict[str, Origin]
    notes: list[bytes] = field(default_factory=list)
    peers: list[Peer] = field(default_factory=list)

    def connect(self) -> Peer:
        peer = socket.create_connection(self.door.getsockname(), timeout=SECONDS)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made = Peer(peer, self.notes.append)
        self.peers.append(made)
        return made

    def ask(self, data: bytes) -> None:
        """One request on a connection of its own."""
        peer = self.connect()
        peer.send(data)
        peer.response(data.startswith(b"HEAD "))
        peer.close()

    def command(self, text: str) -> bytes:
        """What the runtime API answers."""
        return self.fleet.command(text).rstrip(b"\n")

    def everywhere(self, script: Script) -> None:
        for origin in self.origins.values():
            origin.script = script


class Fleet:
    def __init__(self, command: Sequence[str], cases: Sequence[Case], threads: int = 1) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="fleet-"))
        self.log = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.log.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.log.bind(("127.0.0.1", 0))
        self.log.settimeout(SECONDS)
        self.mark = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.marks = 0
        self.deaf = deaf()
        self.dead = f"127.0.0.1:{self.deaf.getsockname()[1]}"
        self.places = {case.name: self.place(case) for case in cases}
        doors = [self.mark, *(place.door for place in self.places.values())]
        common = {
            "LOG": f"127.0.0.1:{self.log.getsockname()[1]}",
            "MARK": f"fd@{self.mark.fileno()}",
            "FOLDER": str(self.folder),
            "THREADS": str(threads),
            "DEAD": self.dead,
        }
        text = HEAD + "".join(self.text(case) for case in cases)
        config = self.folder / "cfg"
        config.write_text(re.sub(r"@(\w+)@", lambda found: common[found[1]], text))
        self.out = (self.folder / "out").open("wb")
        self.process = subprocess.Popen(
            [*command, "-db", "-f", str(config)],
            stdout=self.out, stderr=subprocess.STDOUT, pass_fds=[door.fileno() for door in doors],
        )  # fmt: skip

    def place(self, case: Case) -> Place:
        door = socket.create_server(("127.0.0.1", 0), backlog=128)
        return Place(self, case.name, door, {name: Origin() for name in ORIGINS if f"@{name}@" in case.text})

    def text(self, case: Case) -> str:
        place = self.places[case.name]
        values = {name: f"127.0.0.1:{origin.port}" for name, origin in place.origins.items()}
        values |= {f"P{name[1:]}": str(origin.port) for name, origin in place.origins.items()}
        values |= {"F": f"fd@{place.door.fileno()}", "N": case.name}
        return re.sub(r"@(\w+)@", lambda found: values.get(found[1], found[0]), case.text)

    def ready(self) -> None:
        end = time.monotonic() + 4 * SECONDS
        while time.monotonic() < end:
            assert self.process.poll() is None, (self.folder / "out").read_text()
            with contextlib.suppress(OSError):
                self.lines()
                return
            time.sleep(0.05)
        raise AssertionError((self.folder / "out").read_text())

    def lines(self) -> list[str]:
        """The log lines of what came before now."""
        self.marks += 1
        with socket.create_connection(self.mark.getsockname(), timeout=SECONDS) as peer:
            peer.sendall(b"GET /mark/%d HTTP/1.1\r\nhost: m\r\nconnection: close\r\n\r\n" % self.marks)
            while peer.recv(65536):
                pass
        found: list[str] = []
        while True:
            line = self.log.recv(65536).decode("latin-1").rstrip("\n")
            if f"/mark/{self.marks} " in line:
                return found
            if "/mark/" not in line:
                found.append(line)

    def command(self, text: str) -> bytes:
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(SECONDS)
            peer.connect(str(self.folder / "admin"))
            peer.sendall(text.encode() + b"\n")
            data = b""
            while got := peer.recv(65536):
                data += got
        return data

    def run(self, cases: Sequence[Case], at_once: int) -> dict[str, dict[str, list[str]]]:
        """What was seen of each case."""
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(self.play, cases))
        time.sleep(0.3)
        lines = self.lines()
        return {case.name: self.seen(case, lines) for case in cases}

    def play(self, case: Case) -> None:
        place = self.places[case.name]
        place.notes.clear()
        for origin in place.origins.values():
            origin.script = polite
        try:
            case.play(place)
        except OSError as error:
            place.notes.append(type(error).__name__.encode())
        while place.peers:
            place.peers.pop().close()

    def seen(self, case: Case, lines: Sequence[str]) -> dict[str, list[str]]:
        place = self.places[case.name]
        mine = re.compile(rf"\b[fb]_{case.name}\b")
        found = {"client": [self.plain(note) for note in place.notes]}
        for name, origin in place.origins.items():
            found[name] = [self.plain(b"\n".join(neutral_all(portless(bytes(data))))) for data in origin.seen]
            origin.seen = []
        found["log"] = [
            self.plain(line.encode("latin-1")) for line in sorted(lines, key=about) if mine.search(line)
        ]
        return found

    def plain(self, data: bytes) -> str:
        """Without ports, process numbers and times."""
        text = data.decode("latin-1").replace(str(self.folder), "@FOLDER@").replace(self.dead, "@DEAD@")
        for place in self.places.values():
            for name, origin in place.origins.items():
                text = text.replace(f"127.0.0.1:{origin.port}", f"@{name}@")
        text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:@", text)
        text = re.sub(r"port changed from '\d+'", "port changed from '@'", text)
        text = re.sub(r"(PROXY TCP[46] \S+ \S+) \d+ \d+", r"\1", text)
        text = re.sub(r"\b(C=|v\d~)[0-9a-f]{16}\b", r"\1@", text)
        text = re.sub(r"^(<\d+>)\w{3} [ \d]\d [\d:]{8} (haproxy)\[\d+\]", r"\1 \2", text)
        text = re.sub(r"\bcheck duration: \d+ms", "check duration: @", text)
        text = re.sub(r"\[\d+/\w+/\d+:[\d:.]+\]", "[@]", text)
        return re.sub(r"\b(exp|use|last_chg|0x)=?[0-9a-f]+", r"\1@", text)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self.out.close()
        self.log.close()
        self.mark.close()
        self.deaf.close()
        for place in self.places.values():
            place.door.close()
            for origin in place.origins.values():
                end_listening(origin.listening)


def neutral_all(data: bytes) -> Iterator[bytes]:
    """The requests of a connection, each without what differs from run to run."""
    rest = data
    while rest and (end := request_end(rest)) is not None:
        yield neutral(rest[:end])
        rest = rest[end:]
    if rest:
        yield rest


def about(line: str) -> bool:
    """Whether a log line tells of a server: another process may say it, a little earlier or later."""
    return bool(re.search(r"\]: (Server|Backend|Health check|Proxy|backend) ", line))


def portless(data: bytes) -> bytes:
    """The header of the PROXY protocol's second version in readable form, without its ports."""
    if not data.startswith(_PROXY2):
        return data
    size = int.from_bytes(data[14:16], "big")
    body, rest = data[16 : 16 + size], data[16 + size :]
    at = {0x11: 8, 0x21: 32}.get(data[13], len(body))  # of the ports
    body = body[:at] + body[at + 4 :]
    return b"PROXY2 %s\r\n" % (data[12:16] + body).hex().encode() + rest


_PROXY2 = bytes.fromhex("0d0a0d0a000d0a515549540a")
