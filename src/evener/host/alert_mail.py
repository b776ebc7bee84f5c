"""Handing mails to mail servers from the control process, without ever waiting for one.

Every mailer gets its mails one after the other; a flapping server makes many, and more than
``MOST_WAITING`` are not kept.
"""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from evener.haproxy.email import Delivery, Letter
from evener.host.reactor import READABLE, WRITABLE, Reactor, Timer

MOST_WAITING: Final = 100


class Post:
    """``complain`` gets a sentence about each mail that was not taken."""

    def __init__(self, reactor: Reactor, complain: Callable[[str], None]) -> None:
        self._reactor, self._complain = reactor, complain
        self._waiting: dict[str, deque[Letter]] = {}

    def send(self, letters: Iterable[Letter]) -> None:
        for letter in letters:
            queue = self._waiting.setdefault(letter.mailer.address.text, deque())
            if len(queue) >= MOST_WAITING:
                self._complain(f"Can't send email alert to {letter.mailer.name}: too many are waiting")
                continue
            queue.append(letter)
            if len(queue) == 1:
                self._next(queue)

    def _next(self, queue: deque[Letter]) -> None:
        letter = queue[0]

        def over(failure: str) -> None:
            queue.popleft()
            if failure:
                self._complain(f"Can't send email alert to {letter.mailer.name}: {failure}")
            if queue:
                self._reactor.later(0, lambda: self._next(queue))

        _Conversation(self._reactor, Delivery(letter), over)


class _Conversation:
    def __init__(self, reactor: Reactor, delivery: Delivery, over: Callable[[str], None]) -> None:
        self._reactor, self._delivery, self._over = reactor, delivery, over
        self._unsent = b""
        self._connecting = True
        address = delivery.letter.mailer.address
        self._socket = socket.socket(address.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        seconds = delivery.letter.timeout_ms / 1000
        self._timer: Timer = reactor.later(seconds, lambda: self._end("timeout"))
        self._socket.connect_ex((address.host, address.port))
        reactor.watch(self._socket.fileno(), WRITABLE, self._ready)

    def _ready(self, _events: int) -> None:
        if self._connecting:
            number = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                self._end(os.strerror(number))
                return
            self._connecting = False
        try:
            self._talk()
        except OSError as error:
            self._end(error.strerror or "failed")
        if self._delivery.over:
            self._end(self._delivery.failure)

    def _talk(self) -> None:
        try:
            received = self._socket.recv(4096)
        except BlockingIOError:
            received = None
        if received:
            self._unsent += self._delivery.feed(received)
        elif received is not None:
            self._delivery.ended()
        if self._unsent:
            try:
                self._unsent = self._unsent[self._socket.send(self._unsent) :]
            except BlockingIOError:
                pass
        if not self._delivery.over:
            descriptor = self._socket.fileno()
            self._reactor.unwatch(descriptor)
            self._reactor.watch(descriptor, READABLE | (WRITABLE if self._unsent else 0), self._ready)

    def _end(self, failure: str) -> None:
        if self._socket.fileno() < 0:
            return
        self._timer.cancel()
        self._reactor.unwatch(self._socket.fileno())
        self._socket.close()
        self._over(failure)
