"""In the test kernel: clients that connect without a pause, and how many connections succeed in a second.

``Crowd`` waits for each connection to end before it makes the next one: what happens to it is what happens to
clients, with their timeouts. ``Newcomers`` come at intervals whatever became of the others: what happens to
them tells when connections are served again.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable

CLIENTS = 4
WINDOW_S = 1.5
INTERVAL_S = 0.02
AT_ONCE_S = 0.3
"""Served so soon, a connection was not begun twice: the kernel waits a second for that."""


class Crowd:
    """``ask`` makes one connection and says whether it was served; ``enter`` puts a thread where clients are.
    Close it."""

    def __init__(self, ask: Callable[[], bool], enter: Callable[[], None]) -> None:
        self._ask, self._enter = ask, enter
        self._served: list[float] = []
        self._over = False
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        self._enter()
        while not self._over:
            if self._ask():
                self._served.append(time.monotonic())

    def rate(self) -> float:
        """Connections a second, from now on."""
        start = time.monotonic()
        time.sleep(WINDOW_S)
        return sum(start <= when < start + WINDOW_S for when in list(self._served)) / WINDOW_S

    def served_since(self, start: float) -> float | None:
        """When the first connection after ``start`` was."""
        return min((when for when in list(self._served) if when > start), default=None)

    def close(self) -> None:
        self._over = True
        for thread in self._threads:
            thread.join()


class Newcomers:
    """``begin`` makes a socket that connects without waiting, or None. Close it."""

    def __init__(self, begin: Callable[[], socket.socket | None], enter: Callable[[], None]) -> None:
        self._begin, self._enter = begin, enter
        self._served: list[float] = []
        self._over = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._enter()
        waiting: dict[int, tuple[socket.socket, float]] = {}
        with select.epoll() as epoll:
            while not self._over:
                begun = time.monotonic()
                made = self._begin()
                if made is not None:
                    waiting[made.fileno()] = made, begun
                    epoll.register(made.fileno(), select.EPOLLIN)
                self._look(epoll, waiting, begun + INTERVAL_S)
        for made, _ in waiting.values():
            made.close()

    def _look(
        self, epoll: select.epoll, waiting: dict[int, tuple[socket.socket, float]], until: float
    ) -> None:
        while (left := until - time.monotonic()) > 0:
            for descriptor, _ in epoll.poll(left):
                made, begun = waiting.pop(descriptor)
                try:
                    served = bool(made.recv(16))
                except OSError:
                    served = False
                made.close()
                if served:
                    self._served.append(begun)
        for descriptor, (made, begun) in list(waiting.items()):
            if until - begun > AT_ONCE_S:
                made.close()
                del waiting[descriptor]

    def served_since(self, start: float) -> float | None:
        """When the first one of those who came after ``start`` and were served at once came."""
        return min((when for when in list(self._served) if when > start), default=None)

    def close(self) -> None:
        self._over = True
        self._thread.join()
