"""Where log messages of others come in: datagram sockets and connections of ``log-forward`` sections.

Each message goes to ``deliver(raw, source)``; the source is the sender's address as text, empty for a unix
socket. A receiver takes a bounded number of messages in a row, so that the loop stays fair.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Final

from evener.host.reactor import READABLE, Reactor, Timer
from evener.wire.syslog_frames import Frames, NotSyslog

Deliver = Callable[[bytes, bytes], None]
MOST: Final = 64
LONGEST: Final = 65536


def source_of(address: object) -> bytes:
    return address[0].removeprefix("::ffff:").encode() if isinstance(address, tuple) else b""


class DatagramReceiver:
    def __init__(self, reactor: Reactor, opened: socket.socket, deliver: Deliver) -> None:
        self._socket, self._deliver = opened, deliver
        reactor.watch(opened.fileno(), READABLE, self._ready)

    def _ready(self, _events: int) -> None:
        for _ in range(MOST):
            try:
                data, sender = self._socket.recvfrom(LONGEST)
            except OSError:
                return
            if data:
                self._deliver(data, source_of(sender))


class StreamReceiver:
    """Connections to one listening socket, at most ``limit`` of them."""

    def __init__(
        self,
        reactor: Reactor,
        listener: socket.socket,
        deliver: Deliver,
        *,
        limit: int = 10,
        timeout: float | None = None,
        only_lines: bool = False,
    ) -> None:
        self.reactor, self.deliver, self.timeout, self.only_lines = reactor, deliver, timeout, only_lines
        self._listener, self._limit, self._open = listener, limit, 0
        self._start()

    def _start(self) -> None:
        self.reactor.watch(self._listener.fileno(), READABLE, self._accept)

    def _accept(self, _events: int) -> None:
        while self._open < self._limit:
            try:
                connection, address = self._listener.accept()
            except OSError:
                return
            connection.setblocking(False)
            self._open += 1
            _Sender(self, connection, source_of(address))
        self.reactor.unwatch(self._listener.fileno())

    def left(self) -> None:
        self._open -= 1
        if self._open == self._limit - 1:
            self._start()


class _Sender:
    """One connection."""

    def __init__(self, owner: StreamReceiver, connection: socket.socket, source: bytes) -> None:
        self._owner, self._connection, self._source = owner, connection, source
        self._frames = Frames(owner.only_lines)
        self._timer: Timer | None = None
        owner.reactor.watch(connection.fileno(), READABLE, self._ready)
        self._touch()

    def _touch(self) -> None:
        if self._owner.timeout is not None:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._owner.reactor.later(self._owner.timeout, self._close)

    def _ready(self, _events: int) -> None:
        try:
            data = self._connection.recv(LONGEST)
            messages = self._frames.feed(data)
        except BlockingIOError:
            return
        except (OSError, NotSyslog):
            self._close()
            return
        for message in messages:
            self._owner.deliver(message, self._source)
        if not data or self._spoilt():
            self._close()
        else:
            self._touch()

    def _spoilt(self) -> bool:
        """Whether what follows the messages is no syslog."""
        try:
            self._frames.feed(b"")
        except NotSyslog:
            return True
        return False

    def _close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._owner.reactor.unwatch(self._connection.fileno())
        self._connection.close()
        self._owner.left()
