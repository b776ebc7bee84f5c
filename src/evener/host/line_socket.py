"""A unix socket that answers lines: one command a line, each answer closed by an empty line.

Knows no command. Everything is bounded: connections, the length of a line, what waits to be sent to somebody
who does not read, and how long a connection may be silent. ``GET /metrics`` is answered as HTTP, for
scrapers that can use a unix socket.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from collections.abc import Callable

from evener.host.reactor import READABLE, WRITABLE, Reactor, Timer

MOST_CONNECTIONS = 16
LONGEST_LINE = 4096
MOST_WAITING = 1 << 20
"""Bytes that wait to be sent before another command is looked at."""
IDLE_S = 60.0
MODE = 0o600

Answer = Callable[[str], str]


def listen(path: str) -> socket.socket:
    """A socket that only its owner can use. What a daemon that has died left behind is replaced; raises
    OSError when somebody listens there, or when there is something else."""
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    mask = os.umask(0o777 & ~MODE)
    try:
        listener.bind(path)
        listener.listen(MOST_CONNECTIONS)
    except BaseException:
        listener.close()
        raise
    finally:
        os.umask(mask)
    return listener


def _remove_stale(path: str) -> None:
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise FileExistsError(17, "is not a socket")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
        except BlockingIOError:
            pass
        raise OSError(98, "somebody listens there")


class LineSocket:
    def __init__(self, reactor: Reactor, path: str, answer: Answer) -> None:
        self.reactor = reactor
        self.answer = answer
        self._path = path
        self._listener = listen(path)
        self._identity = os.stat(path).st_ino
        self._open: set[_Conversation] = set()
        reactor.watch(self._listener.fileno(), READABLE, lambda _events: self._accept())

    def close(self) -> None:
        for conversation in list(self._open):
            conversation.close()
        self.reactor.unwatch(self._listener.fileno())
        self._listener.close()
        with contextlib.suppress(OSError):
            if os.stat(self._path).st_ino == self._identity:
                os.unlink(self._path)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        if len(self._open) >= MOST_CONNECTIONS:
            connection.close()
            return
        connection.setblocking(False)
        self._open.add(_Conversation(self, connection))

    def gone(self, conversation: _Conversation) -> None:
        self._open.discard(conversation)


class _Conversation:
    def __init__(self, owner: LineSocket, connection: socket.socket) -> None:
        self._owner = owner
        self._connection = connection
        self._received = b""
        self._sending = b""
        self._finished = False  #: nothing more will come, or be looked at
        self._idle: Timer | None = None
        self._touch()
        self._watch()

    def close(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._owner.reactor.unwatch(self._connection.fileno())
        self._connection.close()
        self._owner.gone(self)

    def _touch(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = self._owner.reactor.later(IDLE_S, self.close)

    def _watch(self) -> None:
        reading = 0 if self._finished or len(self._sending) > MOST_WAITING else READABLE
        events = reading | (WRITABLE if self._sending else 0)
        self._owner.reactor.watch(self._connection.fileno(), events, self._ready)

    def _ready(self, events: int) -> None:
        try:
            if events & WRITABLE and self._sending:
                self._send()
            if events & READABLE and not self._finished:
                self._read()
            self._go_on()
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            return
        if self._finished and not self._sending:
            self.close()
            return
        self._touch()
        self._watch()

    def _read(self) -> None:
        data = self._connection.recv(LONGEST_LINE)
        self._received += data
        if not data:
            self._finished = True
        elif len(self._received.partition(b"\n")[0]) > LONGEST_LINE:
            self._received = b""
            self._sending += b"error: the line is too long\n\n"
            self._finished = True

    def _go_on(self) -> None:
        while b"\n" in self._received and len(self._sending) <= MOST_WAITING:
            line, _, self._received = self._received.partition(b"\n")
            text = line.decode("utf-8", "replace").strip()
            if text.startswith("GET /metrics "):
                self._as_http()
                break
            self._sending += (self._owner.answer(text) + "\n").encode("utf-8", "replace")
        if self._sending:
            self._send()

    def _as_http(self) -> None:
        body = self._owner.answer("show metrics").encode("utf-8", "replace")
        kind = "Content-Type: text/plain; version=0.0.4"
        head = f"HTTP/1.0 200 OK\r\n{kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        self._sending += head.encode("ascii") + body
        self._received, self._finished = b"", True

    def _send(self) -> None:
        sent = self._connection.send(self._sending)
        self._sending = self._sending[sent:]
