"""An engine in a thread between a client and origins, for the tests of this directory."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

from evener.engine.columns import Column
from evener.engine.core import Backend, Engine, Frontend, Listener, Segment, Server
from evener.engine.pipe import configure as configure_pipes

configure_pipes(8, 65536)
LOCALHOST = bytes((127, 0, 0, 1))


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


class Proxy:
    """One frontend (row 1), one listener (row 2), one backend (row 3), servers from row 4 on."""

    def __init__(self, *ports: int, http: bool = True, port: int = 0) -> None:
        self.segment = Segment(64)
        self.engine = Engine(self.segment)
        self.logs: list[dict[str, Any]] = []
        self.errors: list[BaseException] = []
        self.engine.on_exception = self.errors.append
        self.frontend = Frontend(b"f", 1)
        self.backend = Backend(b"b", 3)
        self.frontend.http = self.backend.http = http
        self.frontend.default_backend = 0
        self.frontend.timeout_client = self.backend.timeout_server = 3000
        self.backend.timeout_connect = 1000
        self.frontend.on_log = self._log
        self.backend.reuse = 3
        for target in ports:
            self.add_server(self.backend, target)
        self.backend.set_rotation(range(len(ports)))
        self.engine.add_frontend(self.frontend)
        self.engine.add_backend(self.backend)
        self.listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port: int = self.listener.getsockname()[1]
        self.engine.add_listener(Listener(self.listener.fileno(), self.frontend, 2))
        self.thread = threading.Thread(target=self.engine.run, daemon=True)

    def add_server(self, backend: Backend, port: int) -> Server:
        server = Server(b"s%d" % len(backend.servers), 4 + 20 * backend.index + len(backend.servers))
        server.set_address(socket.AF_INET, LOCALHOST, port)
        for column, value in ((Column.USABLE, 1), (Column.ACTIVE, 1), (Column.WEIGHT, 16)):
            self.segment.set(server.row, column, value)
        backend.add_server(server)
        return server

    def _log(self, txn: Any) -> int:
        self.logs.append(
            {
                "method": txn.req.method,
                "status": txn.res.status if txn.res is not None else -1,
                "end": txn.termination,
                "timers": (txn.t_request, txn.t_queue, txn.t_connect, txn.t_response, txn.t_active),
                "in": txn.bytes_in,
                "out": txn.bytes_out,
                "server": txn.server.name if txn.server is not None else None,
                "backend": txn.backend.name if txn.backend is not None else None,
                "retries": txn.retries,
                "redispatched": txn.redispatched,
                "queue": (txn.srv_queue, txn.be_queue),
                "conns": txn.conns,
                "reused": txn.reused,
                "src": (txn.src_ip, txn.src_port),
                "dst": (txn.dst_ip, txn.dst_port),
            }
        )
        return 0

    def __enter__(self) -> Proxy:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.stop()
        self.thread.join(5)
        with contextlib.suppress(OSError):
            self.listener.close()
        assert not self.thread.is_alive()

    def cell(self, row: int, column: Column) -> int:
        return self.segment.get(row, column)

    def log(self, index: int = 0) -> dict[str, Any]:
        """The log entry of that number, waiting for it."""
        wait_for(lambda: len(self.logs) > index)
        return self.logs[index]

    def connect(self) -> Peer:
        return Peer(socket.create_connection(("127.0.0.1", self.port), timeout=5))

    def turns_away(self) -> bool:
        """Whether a new connection is closed at once; its reset may come before ``connect`` has returned."""
        try:
            with self.connect() as peer:
                return peer.closed()
        except ConnectionResetError:
            return True

    def get(self, path: str = "/", extra: bytes = b"") -> tuple[int, bytes]:
        """One request on a connection of its own: status and body."""
        with self.connect() as peer:
            peer.request(path, extra)
            return peer.response()


def wait_for(condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Poll until the condition holds; fails when it does not in time."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "condition did not come about"
        time.sleep(0.005)


class Peer:
    """A client's end of a connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.buffer = b""

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def request(self, path: str, extra: bytes = b"", method: bytes = b"GET", version: bytes = b"1.1") -> None:
        self.send(b"%s %s HTTP/%s\r\nhost: a\r\n%s\r\n" % (method, path.encode(), version, extra))

    def more(self) -> bool:
        received = self.socket.recv(262144)
        self.buffer += received
        return bool(received)

    def until(self, mark: bytes) -> bytes:
        while mark not in self.buffer:
            assert self.more(), f"connection ended before {mark!r}: {self.buffer[-200:]!r}"
        found, _, self.buffer = self.buffer.partition(mark)
        return found + mark

    def head(self) -> bytes:
        return self.until(b"\r\n\r\n")

    def exactly(self, count: int) -> bytes:
        while len(self.buffer) < count:
            assert self.more(), "connection ended early"
        found, self.buffer = self.buffer[:count], self.buffer[count:]
        return found

    def response(self, no_body: bool = False) -> tuple[int, bytes]:
        head = self.head()
        status = int(head.split(b" ", 2)[1])
        if no_body or status in (204, 304) or status < 200:
            return status, b""
        for line in head.split(b"\r\n"):
            if line.startswith(b"content-length: "):
                return status, self.exactly(int(line[16:]))
        if b"transfer-encoding: chunked" in head:
            return status, self.until(b"\r\n\r\n")
        return status, self.rest()

    def rest(self) -> bytes:
        while self.more():
            pass
        found, self.buffer = self.buffer, b""
        return found

    def closed(self) -> bool:
        """Whether the other side has closed, waiting for that."""
        try:
            return not self.buffer and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
