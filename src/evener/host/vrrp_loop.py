"""The loop of the VRRP process: a few descriptors and one deadline, on time.

Time is an integer of microseconds of the monotonic clock. epoll rounds its timeout to a millisecond, so
the wait is a select on the epoll descriptor itself, which takes microseconds. Readable descriptors are
served before the deadline is looked at: an advert that lies in a socket must be heard before a
master-down timer may say that there was none. Garbage is collected only when there is time for it.
"""

from __future__ import annotations

import gc
import select
import signal
import socket
import time
from collections.abc import Callable, Iterable

IDLE_US = 50_000
COLLECT_EVERY_US = 30_000_000
LONGEST_US = 60_000_000


def clock() -> int:
    """Now, in microseconds of the monotonic clock."""
    return time.monotonic_ns() // 1000


class Loop:
    """One thread's loop. Callbacks must not block."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._watched: dict[int, Callable[[], None]] = {}
        self._collected = clock()
        self._wake, self._waker = socket.socketpair()
        self._wake.setblocking(False)
        self._waker.setblocking(False)
        self._signals: dict[int, Callable[[], None]] = {}
        self.watch(self._wake.fileno(), self._signalled)

    def watch(self, descriptor: int, readable: Callable[[], None]) -> None:
        self._epoll.register(descriptor, select.EPOLLIN)
        self._watched[descriptor] = readable

    def unwatch(self, descriptor: int) -> None:
        if self._watched.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def on_signals(self, handlers: dict[int, Callable[[], None]]) -> None:
        """Call handlers from the loop rather than in the middle of something."""
        self._signals = handlers
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        for number in handlers:
            signal.signal(number, lambda _number, _frame: None)

    def _signalled(self) -> None:
        try:
            numbers = self._wake.recv(4096)
        except BlockingIOError:
            return
        for number in sorted(set(numbers)):
            handler = self._signals.get(number)
            if handler is not None:
                handler()

    def turn(self, deadlines: Iterable[int | None]) -> None:
        """Wait until something is readable or the earliest deadline has come; serve what is readable."""
        now = clock()
        due = min((when for when in deadlines if when is not None), default=now + LONGEST_US)
        wait = min(max(due - now, 0), LONGEST_US)
        if wait > IDLE_US and now - self._collected > COLLECT_EVERY_US:
            self._collected = now
            gc.collect()
            wait = max(due - clock(), 0)
        select.select([self._epoll], [], [], wait / 1e6)
        for descriptor, _ in self._epoll.poll(0):
            readable = self._watched.get(descriptor)
            if readable is not None:
                readable()

    def close(self) -> None:
        if self._signals:
            signal.set_wakeup_fd(-1)
        self._epoll.close()
        self._wake.close()
        self._waker.close()


def settle_memory() -> None:
    """Everything loaded so far stays: never look at it again, and collect only when idle."""
    gc.collect()
    gc.freeze()
    gc.disable()
