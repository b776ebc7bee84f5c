"""What checks are pointed at in tests, in the loop of the test itself: no thread, no second process.

A ``Target`` listens on loopback and gives every connection to ``Visitor`` objects that a test scripts.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from evener.host.reactor import READABLE, WRITABLE, Reactor

AT_ONCE = struct.pack("ii", 1, 0)


class Visitor:
    """A connection that a check has made."""

    def __init__(
        self, reactor: Reactor, connection: socket.socket, heard: Callable[[Visitor, bytes], None]
    ) -> None:
        self.reactor = reactor
        self.socket = connection
        self._heard = heard
        connection.setblocking(False)
        reactor.watch(connection.fileno(), READABLE, self._readable)

    def _readable(self, _events: int) -> None:
        try:
            data = self.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._heard(self, data)
        else:
            self.close()

    def say(self, data: bytes, end: bool = True) -> None:
        self.socket.send(data)
        if end:
            self.close()

    def drip(self, data: bytes, seconds: float) -> None:
        """A byte at a time."""
        if self.socket.fileno() < 0:
            return
        try:
            self.socket.send(data[:1])
        except OSError:
            self.close()
            return
        self.reactor.later(seconds, lambda: self.drip(data[1:] or b"x", seconds))

    def flood(self, data: bytes, piece: bytes) -> None:
        """``data``, then ``piece`` without end."""
        waiting = [data]

        def more(_events: int) -> None:
            try:
                sent = self.socket.send(waiting[0])
                waiting[0] = waiting[0][sent:] or piece
            except BlockingIOError:
                pass
            except OSError:
                self.close()

        self.reactor.watch(self.socket.fileno(), WRITABLE, more)

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        self.close()

    def close(self) -> None:
        if self.socket.fileno() >= 0:
            self.reactor.unwatch(self.socket.fileno())
            self.socket.close()


@contextmanager
def target(
    reactor: Reactor,
    heard: Callable[[Visitor, bytes], None] = lambda _visitor, _data: None,
    met: Callable[[Visitor], None] = lambda _visitor: None,
) -> Iterator[int]:
    """A port; ``met`` is told each connection, ``heard`` what comes over it."""
    visitors: list[Visitor] = []
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        listening.setblocking(False)

        def accept(_events: int) -> None:
            visitor = Visitor(reactor, listening.accept()[0], heard)
            visitors.append(visitor)
            met(visitor)

        reactor.watch(listening.fileno(), READABLE, accept)
        try:
            yield listening.getsockname()[1]
        finally:
            reactor.unwatch(listening.fileno())
            for visitor in visitors:
                visitor.close()


@contextmanager
def packets(reactor: Reactor, answer: Callable[[bytes], list[bytes]]) -> Iterator[int]:
    """A UDP port that answers a packet with those that ``answer`` returns."""
    with socket.socket(type=socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.setblocking(False)

        def read(_events: int) -> None:
            data, where = made.recvfrom(65536)
            for packet in answer(data):
                made.sendto(packet, where)

        reactor.watch(made.fileno(), READABLE, read)
        try:
            yield made.getsockname()[1]
        finally:
            reactor.unwatch(made.fileno())
