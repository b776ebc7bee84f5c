"""Rings: the last messages of a log, and the connections over which log servers get all of them.

A ring never makes anybody wait: when it is full the oldest messages go, and who has not read them has
missed them. A ``Feeder`` sends a ring's messages to one server over TCP, from the oldest that is there when
it connects; it connects when there is something to send, again after a pause when that fails, and closes a
connection whose peer takes nothing for too long.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from collections import deque
from collections.abc import Callable
from typing import Final

from evener.host.reactor import READABLE, WRITABLE, Reactor, Timer
from evener.host.ring_file import RingFile
from evener.wire.syslog_frames import counted, line

PAUSE: Final = 1.0  #: seconds between attempts to connect
BATCH: Final = 64 << 10
_OVERHEAD: Final = 8  #: bytes that a message takes beside its own


class LogRing:
    """At most ``size`` bytes of messages of at most ``longest`` bytes each."""

    def __init__(self, name: str, size: int = 16384, longest: int = 1024, description: str = "") -> None:
        self.name = name
        self.description = description or name
        self._size = size
        self._longest = longest
        self._messages: deque[bytes] = deque()
        self._held = 0
        self.first = 0  #: the number of the oldest message that is there
        self.dropped = 0
        self.readers: list[Callable[[], None]] = []
        self.file: RingFile | None = None  #: that has the messages as well

    @property
    def end(self) -> int:
        """The number that the next message will have."""
        return self.first + len(self._messages)

    def append(self, message: bytes) -> bool:
        """Keep a message, called ``sink`` by senders; False when it does not fit at all."""
        message = message[: self._longest]
        cost = len(message) + _OVERHEAD
        if cost > self._size:
            self.dropped += 1
            return False
        while self._held + cost > self._size:
            self._held -= len(self._messages.popleft()) + _OVERHEAD
            self.first += 1
        self._messages.append(message)
        self._held += cost
        if self.file is not None:
            self.file.append(message)
        for reader in self.readers:
            reader()
        return True

    def get(self, number: int) -> bytes | None:
        """A message by its number; None when it is gone, or not there yet."""
        at = number - self.first
        return self._messages[at] if 0 <= at < len(self._messages) else None

    def messages(self) -> list[bytes]:
        return list(self._messages)


class Feeder:
    """Sends what comes into a ring to one address."""

    def __init__(
        self,
        reactor: Reactor,
        ring: LogRing,
        family: int,
        address: object,
        *,
        octet_count: bool = False,
        connect_timeout: float = 5.0,
        server_timeout: float = 10.0,
    ) -> None:
        self._reactor = reactor
        self._ring = ring
        self._family, self._address = family, address
        self._frame = counted if octet_count else line
        self._patience = (connect_timeout, server_timeout)
        self._connection: socket.socket | None = None
        self._connected = False
        self._sending = b""
        self._next = ring.first
        self._pausing = False
        self._timer: Timer | None = None
        ring.readers.append(self._news)

    def _news(self) -> None:
        if self._connection is None and not self._pausing:
            self._connect()
        elif self._connected and not self._sending:
            self._send()

    def _connect(self) -> None:
        self._connection = socket.socket(self._family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        failure = self._connection.connect_ex(self._address)  # type: ignore[arg-type]
        if failure not in (0, errno.EINPROGRESS, errno.EAGAIN):
            self._fail()
            return
        self._wait(self._patience[0])
        self._reactor.watch(self._connection.fileno(), WRITABLE, self._ready)

    def _wait(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._reactor.later(seconds, self._fail)

    def _ready(self, events: int) -> None:
        assert self._connection is not None
        if not self._connected:
            if self._connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self._fail()
                return
            self._connected = True
        elif events & READABLE and not self._read():
            return
        self._send()

    def _read(self) -> bool:
        """Servers have nothing to say; the end of the connection shows here. False when it is gone."""
        assert self._connection is not None
        try:
            if self._connection.recv(4096):
                return True
        except BlockingIOError:
            return True
        except OSError:
            pass
        self._fail()
        return False

    def _send(self) -> None:
        assert self._connection is not None
        while True:
            if not self._sending:
                self._fill()
            if not self._sending:
                break
            try:
                sent = self._connection.send(self._sending)
            except BlockingIOError:
                break
            except OSError:
                self._fail()
                return
            self._sending = self._sending[sent:]
        if self._timer is not None:
            self._timer.cancel()
        if self._sending:
            self._wait(self._patience[1])
        events = READABLE | (WRITABLE if self._sending else 0)
        self._reactor.watch(self._connection.fileno(), events, self._ready)

    def _fill(self) -> None:
        """Take the next messages; those that are gone already were not waited for."""
        parts: list[bytes] = []
        size = 0
        self._next = max(self._next, self._ring.first)
        while size < BATCH and (message := self._ring.get(self._next)) is not None:
            parts.append(self._frame(message))
            size += len(parts[-1])
            self._next += 1
        self._sending = b"".join(parts)

    def _fail(self) -> None:
        """Drop the connection; try again after a pause if there is something to send."""
        self.close()
        self._pausing = True
        self._reactor.later(PAUSE, self._resume)

    def _resume(self) -> None:
        self._pausing = False
        if self._next < self._ring.end:
            self._connect()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._reactor.unwatch(self._connection.fileno())
            self._connection.close()
        self._connection, self._connected, self._sending = None, False, b""
