"""A tiny origin server for the engine's tests: a script per path, one thread per connection.

It keeps what it received, so that a test can look at it. Behaviours are chosen by the request's path.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n%s\r\n%s"


def answer(body: bytes = b"hello", extra: bytes = b"") -> bytes:
    return OK % (len(body), extra, body)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Origin:
    """Serves until ``close``; ``script(connection, head, rest)`` answers a request, returns False to end."""

    def __init__(self, script: Callable[[socket.socket, bytes, bytes], object] | None = None) -> None:
        self.script = script or plain
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self.listener.getsockname()[1]
        self.accepted = 0
        self.last_peer: tuple[str, int] = ("", 0)
        self.heads: list[bytes] = []
        self.open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, self.last_peer = self.listener.accept()
                self.accepted += 1
                self.open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        buffered = b""
        with contextlib.suppress(OSError):
            while True:
                while b"\r\n\r\n" not in buffered:
                    received = connection.recv(65536)
                    if not received:
                        connection.close()
                        return
                    buffered += received
                head, _, rest = buffered.partition(b"\r\n\r\n")
                self.heads.append(head)
                left = self.script(connection, head, rest)
                if left is False:
                    connection.close()
                    return
                buffered = left if isinstance(left, bytes) else b""
        connection.close()

    def drop_idle(self) -> None:
        """Close every connection, as a server does whose keep-alive ran out."""
        for connection in self.open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.drop_idle()


def path_of(head: bytes) -> str:
    return head.split(b" ", 2)[1].decode()


def header_of(head: bytes, name: bytes) -> bytes | None:
    for line in head.split(b"\r\n")[1:]:
        if line.lower().startswith(name + b":"):
            return line.split(b":", 1)[1].strip()
    return None


def read_body(connection: socket.socket, head: bytes, rest: bytes) -> tuple[bytes, bytes]:
    """The body of a request as sent (chunked: with its framing), and what follows it."""
    length = header_of(head, b"content-length")
    if length is not None:
        while len(rest) < int(length):
            received = connection.recv(65536)
            if not received:
                raise ConnectionError("request cut off")
            rest += received
        return rest[: int(length)], rest[int(length) :]
    if header_of(head, b"transfer-encoding") == b"chunked":
        while not (rest.endswith(b"\r\n\r\n") and b"0\r\n" in rest):
            received = connection.recv(65536)
            if not received:
                raise ConnectionError("request cut off")
            rest += received
        return rest, b""
    return b"", rest


def plain(connection: socket.socket, head: bytes, rest: bytes) -> object:
    """What most tests use; see the paths."""
    path = path_of(head)
    if path == "/early":
        connection.sendall(b"HTTP/1.1 413 Big\r\ncontent-length: 0\r\n\r\n")
        time.sleep(0.2)
        return False
    if path == "/continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    if path == "/half":
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello")
        time.sleep(0.05)
        return False
    if path == "/close":
        return False
    if path == "/reset":
        reset(connection)
        return False
    body, left = read_body(connection, head, rest)
    if path == "/echo" or path == "/continue":
        connection.sendall(answer(body))
    elif path == "/slow":
        time.sleep(0.3)
        connection.sendall(answer())
    elif path == "/hang":
        time.sleep(1.5)
        return False
    elif path == "/garbage":
        connection.sendall(b"garbage\r\n\r\n")
        time.sleep(0.1)
        return False
    elif path == "/chunked":
        connection.sendall(CHUNKED + b"5\r\nhello\r\n0\r\nx-t: 1\r\n\r\n")
    elif path == "/badchunk":
        connection.sendall(CHUNKED + b"zz\r\n")
        time.sleep(0.1)
        return False
    elif path == "/until-close":
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nhello")
        return False
    elif path == "/empty":
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
    elif path.startswith("/big/"):
        size = int(path[5:])
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
        block = b"0123456789abcdef" * 4096
        for _ in range(size // len(block)):
            connection.sendall(block)
        connection.sendall(block[: size % len(block)])
    elif path == "/upgrade":
        connection.sendall(b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n")
        while received := connection.recv(65536):
            connection.sendall(received)
        return False
    else:
        connection.sendall(answer())
    return left


def echo(connection: socket.socket) -> None:
    while received := connection.recv(65536):
        connection.sendall(received)
    connection.sendall(b"bye")
    connection.close()


class TcpOrigin:
    """A server of raw bytes: ``script(connection)`` per connection."""

    def __init__(self, script: Callable[[socket.socket], None] = echo) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self.listener.getsockname()[1]
        self.script = script
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self.script(connection)
        connection.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
