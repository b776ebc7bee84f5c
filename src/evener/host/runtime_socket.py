"""The sockets of the runtime API: accepts, reads lines, sends what the session answers.

Sessions decide (``haproxy.runtime_api``); here are buffers, idle time and half-closed connections. A
client that shuts down its side still gets the answers to what it sent. At most ``limit`` sessions are
open; further ones wait in the listen queue. What a client reads has happened: while somebody has not been
able to take what was decided (``settled``), nobody is answered, for a second at most.
"""

from __future__ import annotations

import contextlib
import socket
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

from evener.haproxy.runtime_api import Delayed, Follow, Long, Piece, Session
from evener.host.reactor import READABLE, WRITABLE, Reactor, Timer
from evener.host.socket_handover import QUESTION, Handed, hand_over
from evener.text.record import dataclass

LONGEST_LINE = 1 << 20
RECOVERY = 0.2  #: seconds
UNSETTLED = 1000  #: times a millisecond
PIECES = 100  #: of a long answer, before others have their turn


@dataclass(slots=True, eq=False)
class RuntimeSocket:
    """One ``stats socket``. ``session`` makes the session of a new connection."""

    reactor: Reactor
    listener: socket.socket
    session: Callable[[], Session]
    limit: int = 10
    settled: Callable[[], bool] = lambda: True
    exposed: Callable[[], Sequence[Handed]] | None = None  #: listening sockets, for a process that follows
    open: int = 0

    def start(self) -> None:
        if self.listener.fileno() < 0:
            return  # closed by a soft stop
        self.reactor.watch(self.listener.fileno(), READABLE, self._accept)

    def stop(self) -> None:
        self.reactor.unwatch(self.listener.fileno())

    def _accept(self, _events: int) -> None:
        while self.open < self.limit:
            try:
                connection, _ = self.listener.accept()
            except BlockingIOError:
                return
            except OSError:
                # Out of descriptors: the connection stays in the queue; look again soon, not at once.
                self.stop()
                self.reactor.later(RECOVERY, self.start)
                return
            connection.setblocking(False)
            self.open += 1
            _Conversation(self, connection).start()
        self.stop()

    def closed(self) -> None:
        if self.open == self.limit:
            self.start()
        self.open -= 1


class _Conversation:
    def __init__(self, owner: RuntimeSocket, connection: socket.socket) -> None:
        self._owner = owner
        self._reactor = owner.reactor
        self._connection = connection
        self._session = owner.session()
        self._received = bytearray()
        self._lines: deque[bytes] = deque()
        self._sending = b""
        self._patience = UNSETTLED
        self._queue: list[Piece] = []
        self._waiting = False
        self._finished = False  #: the peer will send no more
        self._idle: Timer | None = None

    def start(self) -> None:
        self._watch()
        self._touch()

    def _watch(self) -> None:
        events = 0 if self._finished else READABLE
        self._reactor.watch(
            self._connection.fileno(), events | (WRITABLE if self._sending else 0), self._ready
        )

    def _touch(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = self._reactor.later(self._session.timeout, self._close)

    def _close(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._reactor.unwatch(self._connection.fileno())
        self._connection.close()
        self._owner.closed()

    def _ready(self, events: int) -> None:
        self._touch()
        if events & WRITABLE and not self._send():
            return
        if events & READABLE and not self._finished and not self._read():
            return
        self._go_on()

    def _read(self) -> bool:
        try:
            data = self._connection.recv(65536)
        except BlockingIOError:
            return True
        except OSError:
            self._close()
            return False
        if not data:
            self._finished = True
        self._received += data
        if b"\n" in data:
            *lines, rest = self._received.split(b"\n")
            self._lines.extend(bytes(line) for line in lines)
            self._received = rest
        if len(self._received) > LONGEST_LINE:
            self._close()
            return False
        return True

    def _go_on(self) -> None:
        """Answer the lines that are here, unless an answer is still on its way or being waited for."""
        while not self._waiting and not self._sending:
            if self._queue and self._patience and not self._owner.settled():
                self._patience -= 1
                self._waiting = True
                self._reactor.later(0.001, self._turn)
                break
            self._patience = UNSETTLED
            if self._queue:
                self._say()
            elif self._session.ended:
                self._close()
                return
            elif self._lines:
                line = self._lines.popleft()
                if line.rstrip() == QUESTION:
                    self._hand_over()
                    return
                self._queue += self._session.feed(line.decode("utf-8", "surrogateescape")) or []
            elif self._finished:
                self._close()
                return
            else:
                break
            if not self._send():
                return
        self._touch()
        self._watch()

    def _hand_over(self) -> None:
        """The only thing that is waited for here: whoever asks wants to begin at once."""
        exposed = self._owner.exposed
        with contextlib.suppress(OSError):
            if exposed is not None:
                hand_over(self._connection, exposed())
        self._close()

    def _say(self) -> None:
        piece = self._queue.pop(0)
        if isinstance(piece, Follow):
            self._follow(piece)
        elif isinstance(piece, Delayed):
            self._waiting = True
            self._reactor.later(piece.seconds, lambda: self._waited(piece))
        elif isinstance(piece, Long):
            parts = list(islice(piece.pieces, PIECES))
            if parts:
                self._sending += "".join(parts).encode("utf-8", "surrogateescape")
                self._queue.insert(0, piece)
                self._waiting = True
                self._reactor.later(0, self._turn)
        else:
            self._sending += piece.encode("utf-8", "surrogateescape")

    def _follow(self, piece: Follow) -> None:
        """Goes on until the client has sent something, which means nothing else."""
        if self._received or self._lines or self._finished:
            self._received.clear()
            self._lines.clear()
            return
        self._sending += piece.more().encode("utf-8", "surrogateescape")
        self._queue.insert(0, piece)
        self._waiting = True
        self._touch()
        self._reactor.later(piece.seconds, self._turn)

    def _turn(self) -> None:
        """The next part of a long answer, unless the last one is still on its way."""
        self._waiting = False
        if self._connection.fileno() >= 0:
            self._go_on()

    def _waited(self, delayed: Delayed) -> None:
        if self._connection.fileno() < 0:
            return
        self._waiting = False
        self._touch()
        answer = delayed.again() if delayed.again is not None else delayed.answer
        self._queue.insert(0, answer if isinstance(answer, Delayed) else str(answer))
        self._go_on()

    def _send(self) -> bool:
        """False when the connection is gone."""
        if not self._sending:
            return True
        try:
            sent = self._connection.send(self._sending)
        except BlockingIOError:
            return True
        except OSError:
            self._close()
            return False
        self._sending = self._sending[sent:]
        return True
