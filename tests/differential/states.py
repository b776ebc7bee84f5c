"""How a stream of each termination state is brought about: every row of the manual's table (section 8.5).

``play`` starts a program, ends one stream in each way, and gives the states that were logged, by row. The
table is the test: what the manual names must be seen.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pair import deaf, end_listening

SECONDS = 10.0
LARGE = 8_000_000
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
#: Rows of the manual that cannot be brought about: PC and RC need a process without descriptors (where
#: there is no source address, it is SC); and a client that leaves while it is tarpitted is PT in fact.
UNREACHABLE = ("PC",)
IN_FACT = {"CT": "PT", "RC": "SC"}

TEMPLATE = """
global
    nbthread 1
    log @LOG@ local0
defaults
    mode http
    log global
    retries 0
    log-format "state=%ts path=%HP backend=%b@MORE@"
    timeout client 5s
    timeout server 5s
    timeout connect 5s
    option abortonclose
frontend f
    bind fd@@FRONT@
    http-request deny if { path_beg /PR }
    http-request tarpit if { path_beg /PT } or { path_beg /CT }
    http-request return status 200 if { path_beg /LR }
    timeout http-request 1s
    timeout tarpit 300
    use_backend %[path,field(2,/)]
    default_backend ok
frontend quick
    bind fd@@QUICK@
    timeout client 300
    timeout http-request 5s
    use_backend %[path,field(2,/)]
backend ok
    server s @ORIGIN@
backend CC
    server s @FULL@
backend sC
    timeout connect 300
    server s @FULL@
backend SC
    server s @DEAD@
backend RC
    server s @ORIGIN@ source 127.0.0.1:@TAKEN@-@TAKEN@
backend LC
    server s @ORIGIN@ redir http://b.example
backend LH
    http-response return status 200
    server s @ORIGIN@
backend sQ
    timeout queue 300
    server s @ORIGIN@ maxconn 1
backend CQ
    timeout queue 5s
    server s @ORIGIN@ maxconn 1
backend sH
    timeout server 300
    server s @ORIGIN@
backend sD
    timeout server 300
    server s @ORIGIN@
"""
for_origin = ("CD", "cD", "CH", "cH", "SD", "SH", "PD", "PH", "CR")
TEMPLATE += "".join(f"backend {row}\n    server s @ORIGIN@\n" for row in for_origin)


def reset(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def answer(peer: socket.socket, path: bytes, released: threading.Event) -> None:
    """What the origin does with a request for that row."""
    row = path.split(b"/")[1].decode()
    if row in ("CH", "sH", "cH"):
        released.wait(SECONDS)
    elif row in ("CD", "cD"):
        peer.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % LARGE)
        peer.sendall(bytes(LARGE))
    elif row == "SD":
        peer.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok")
        reset(peer)
    elif row == "sD":
        peer.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok")
        released.wait(SECONDS)
    elif row == "SH":
        reset(peer)
    elif row == "PH":
        peer.sendall(b"HTTP/1.1 2x0 OK\r\n\r\n")
    elif row == "PD":
        peer.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n")
        time.sleep(0.2)  # what follows must not come with the head
        peer.sendall(b"xyz\r\n\r\n")
    elif row in ("sQ", "CQ") and path.endswith(b"/first"):
        released.wait(SECONDS)
        peer.sendall(OK)
    else:
        peer.sendall(OK)


class Stage:
    """A program, an origin, a socket for its log."""

    def __init__(self, command: Sequence[str], folder: Path, more: str = "") -> None:
        """``more`` ends the lines of the log; what it gives is kept in ``last``."""
        self.last = ""
        self.released = threading.Event()
        self.opened: list[socket.socket] = []
        self.others: list[str] = []
        self.log = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.log.bind(("127.0.0.1", 0))
        self.log.settimeout(SECONDS)
        origin, self.front, self.quick = (self.listen() for _ in range(3))
        self.dead = deaf()
        full = self.listen(0)
        for _ in range(4):  # who comes now waits for ever
            waiting = socket.socket()
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(full.getsockname())
            self.opened.append(waiting)
        taken = self.listen()
        places = {"ORIGIN": origin, "FULL": full, "DEAD": self.dead, "LOG": self.log}
        text = TEMPLATE.replace("@TAKEN@", str(taken.getsockname()[1])).replace("@MORE@", more)
        for name, one in places.items():
            text = text.replace(f"@{name}@", f"127.0.0.1:{one.getsockname()[1]}")
        text = text.replace("@@FRONT@", f"@{self.front.fileno()}").replace(
            "@@QUICK@", f"@{self.quick.fileno()}"
        )
        threading.Thread(target=self.serve, args=(origin,), daemon=True).start()
        (folder / "cfg").write_text(text)
        for door in (self.front, self.quick):
            door.set_inheritable(True)
        with (folder / "out").open("wb") as out:
            self.process = subprocess.Popen(
                [*command, "-db", "-f", str(folder / "cfg")],
                stdout=out,
                stderr=subprocess.STDOUT,
                close_fds=False,
            )

    def listen(self, backlog: int = 64) -> socket.socket:
        made = socket.socket()
        made.bind(("127.0.0.1", 0))
        made.listen(backlog)
        self.opened.append(made)
        return made

    def serve(self, origin: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = origin.accept()
                threading.Thread(target=self.speak, args=(peer,), daemon=True).start()

    def speak(self, peer: socket.socket) -> None:
        with peer, contextlib.suppress(OSError):
            while (head := peer.recv(65536)).startswith((b"GET /", b"POST /")):
                answer(peer, head.split(b" ")[1], self.released)

    def stop(self) -> None:
        self.released.set()
        self.process.kill()
        self.process.wait()
        for one in self.opened:
            end_listening(one)
        self.log.close()
        self.dead.close()

    def client(
        self, door: socket.socket, row: str, *, body: bytes = b"", head: bytes = b"", small: bool = False
    ) -> socket.socket:
        peer = socket.socket()
        if small:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.settimeout(SECONDS)
        peer.connect(door.getsockname())
        method = b"POST" if body or b"content-length" in head else b"GET"
        peer.sendall(
            method
            + b" /%s/x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n%s\r\n%s" % (row.encode(), head, body)
        )
        return peer

    def logged(self, row: str) -> str:
        """The state of the stream for that row's path, or of one without a path."""
        while True:
            line = self.log.recv(65536).decode().split(": ", 1)[1].strip()
            if not line.startswith("state="):
                self.others.append(line)  # what is said beside the lines of streams
                continue
            words = dict(word.split("=", 1) for word in line.split(" ")[:3])
            self.last = line.rpartition(" ")[2]
            if words["path"].startswith((f"/{row}/x", "<BADREQ>", "-")):
                return words["state"]

    # -- ways to end ---------------------------------------------------------------------------------

    def read_on(self, row: str) -> str:
        with self.client(self.front, row) as peer, contextlib.suppress(OSError):
            while peer.recv(1 << 20):
                pass
        return self.logged(row)

    def leave(self, row: str, after: float = 0.3, first: bool = False) -> str:
        """The client resets its connection after a while."""
        peer = self.client(self.front, row)
        if first:
            peer.recv(100)
        time.sleep(after)
        reset(peer)
        return self.logged(row)

    def shut(self, row: str) -> str:
        """The client ends its stream after a while."""
        with self.client(self.front, row) as peer:
            time.sleep(0.3)
            peer.shutdown(socket.SHUT_WR)
            with contextlib.suppress(OSError):
                peer.recv(65536)
        return self.logged(row)

    def half_a_head(self, row: str, leave: bool) -> str:
        peer = socket.create_connection(self.front.getsockname(), timeout=SECONDS)
        peer.sendall(b"GET /")
        if leave:
            peer.close()
        state = self.logged(row)
        peer.close()
        return state

    def stop_reading(self, row: str) -> str:
        with self.client(self.quick, row, small=True):
            return self.logged(row)

    def stop_sending(self, row: str) -> str:
        with self.client(self.quick, row, head=b"content-length: 10\r\n", body=b"abc"):
            return self.logged(row)

    def queue(self, row: str, leave: bool) -> str:
        with socket.create_connection(self.front.getsockname(), timeout=SECONDS) as first:
            first.sendall(b"GET /%s/first HTTP/1.1\r\nhost: a\r\n\r\n" % row.encode())
            time.sleep(0.2)
            return self.leave(row) if leave else self.read_on(row)


ROWS: dict[str, Callable[[Stage], str]] = {
    "--": lambda stage: stage.read_on("ok"),
    "CC": lambda stage: stage.leave("CC"),
    "CD": lambda stage: stage.leave("CD", first=True),
    "cD": lambda stage: stage.stop_reading("cD"),
    "CH": lambda stage: stage.shut("CH"),
    "cH": lambda stage: stage.stop_sending("cH"),
    "CQ": lambda stage: stage.queue("CQ", leave=True),
    "CR": lambda stage: stage.half_a_head("CR", leave=True),
    "cR": lambda stage: stage.half_a_head("cR", leave=False),
    "CT": lambda stage: stage.leave("CT", after=0.1),
    "LC": lambda stage: stage.read_on("LC"),
    "LR": lambda stage: stage.read_on("LR"),
    "LH": lambda stage: stage.read_on("LH"),
    "SC": lambda stage: stage.read_on("SC"),
    "sC": lambda stage: stage.read_on("sC"),
    "SD": lambda stage: stage.read_on("SD"),
    "sD": lambda stage: stage.read_on("sD"),
    "SH": lambda stage: stage.read_on("SH"),
    "sH": lambda stage: stage.read_on("sH"),
    "sQ": lambda stage: stage.queue("sQ", leave=False),
    "PD": lambda stage: stage.read_on("PD"),
    "PH": lambda stage: stage.read_on("PH"),
    "PR": lambda stage: stage.read_on("PR"),
    "PT": lambda stage: stage.read_on("PT"),
    "RC": lambda stage: stage.read_on("RC"),
}


def await_service(stage: Stage) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        assert stage.process.poll() is None
        with contextlib.suppress(OSError, IndexError), stage.client(stage.front, "ok") as peer:
            if peer.recv(100):
                stage.logged("ok")
                return
        time.sleep(0.05)
    raise AssertionError("it does not serve")
