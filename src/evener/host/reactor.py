"""A small event loop for the control process: descriptors, timers and signals.

It decides nothing. The control process watches a handful of sockets, up to some thousands of health
checks, and timers; epoll and a heap are enough, and importing them costs nothing at start-up. Time is
``now()``, monotonic seconds, read once per turn so that all callbacks of a turn agree on it.

A callback that raises ends the loop: nothing here hides a defect.
"""

from __future__ import annotations

import heapq
import os
import select
import signal
import time
from collections.abc import Callable
from itertools import count

READABLE = select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR
WRITABLE = select.EPOLLOUT | select.EPOLLHUP | select.EPOLLERR

EVENTS_A_TURN = 64
"""So many, then timers: of thousands of descriptors that are ready at once only a few delay what is due."""
STALLED_S = 0.5
"""With timers so late nobody was here for a while: what has arrived meanwhile came before they were due."""
CROWDED = 4096
"""With that many timers, those that were cancelled are looked for."""

Callback = Callable[[], None]
IoCallback = Callable[[int], None]


class Timer:
    """A pending callback; ``cancel`` is idempotent and safe after it ran."""

    __slots__ = ("callback", "when")

    def __init__(self, when: float, callback: Callback) -> None:
        self.when = when
        self.callback: Callback | None = callback

    def cancel(self) -> None:
        self.callback = None


class Reactor:
    """One loop in one thread."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._watched: dict[int, IoCallback] = {}
        self._timers: list[tuple[float, int, Timer]] = []
        self._serial = count()
        self._crowded = CROWDED
        self._signals: dict[int, Callback] = {}
        self._wake: tuple[int, int] | None = None
        self._stopped = False
        self._now = time.monotonic()

    def now(self) -> float:
        return self._now

    def watch(self, fd: int, events: int, callback: IoCallback) -> None:
        """Call back with the ready events; a second watch on the same descriptor replaces the first."""
        if fd in self._watched:
            self._epoll.modify(fd, events)
        else:
            self._epoll.register(fd, events)
        self._watched[fd] = callback

    def unwatch(self, fd: int) -> None:
        if self._watched.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def later(self, seconds: float, callback: Callback) -> Timer:
        timer = Timer(self._now + max(0.0, seconds), callback)
        if len(self._timers) >= self._crowded:
            self._sweep()
        heapq.heappush(self._timers, (timer.when, next(self._serial), timer))
        return timer

    def _sweep(self) -> None:
        """Cancelled timers of a far future must not pile up, as those of checks that end early do."""
        self._timers = [entry for entry in self._timers if entry[2].callback is not None]
        heapq.heapify(self._timers)
        self._crowded = max(CROWDED, 2 * len(self._timers))

    def on_signal(self, number: int, callback: Callback) -> None:
        """Run ``callback`` in the loop after signal ``number``; several deliveries may become one call."""
        if self._wake is None:
            reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
            self._wake = (reader, writer)
            signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
            self.watch(reader, READABLE, self._signalled)
        self._signals[number] = callback
        signal.signal(number, lambda _number, _frame: None)

    def _signalled(self, _events: int) -> None:
        assert self._wake is not None
        for number in sorted(set(os.read(self._wake[0], 256))):
            callback = self._signals.get(number)
            if callback is not None:
                callback()

    def stop(self) -> None:
        self._stopped = True

    def run(self) -> None:
        """Serve until ``stop``."""
        self._stopped = False
        while not self._stopped:
            self.turn()

    def turn(self, longest: float = 3600.0) -> None:
        """Wait for one batch of events, at most ``longest`` seconds, and run what is due."""
        self._now = time.monotonic()
        self._serve(self._patience(longest), EVENTS_A_TURN)
        if self._timers and self._now - self._timers[0][0] > STALLED_S:
            self._serve(0, max(1, len(self._watched)))
        self._expire()

    def _serve(self, patience: float, most: int) -> None:
        for fd, events in self._epoll.poll(patience, most):
            self._now = time.monotonic()
            callback = self._watched.get(fd)
            if callback is not None:
                callback(events)
        self._now = time.monotonic()

    def _patience(self, longest: float) -> float:
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        if not self._timers:
            return longest
        # epoll rounds down to a millisecond: without the margin the last millisecond would spin.
        return min(longest, max(0.0, self._timers[0][0] - self._now + 0.0005))

    def _expire(self) -> None:
        while self._timers and self._timers[0][0] <= self._now:
            timer = heapq.heappop(self._timers)[2]
            callback, timer.callback = timer.callback, None
            if callback is not None:
                callback()

    def close(self) -> None:
        """Release the loop's own descriptors (a forked child calls this; watched ones stay open)."""
        if self._wake is not None:
            signal.set_wakeup_fd(-1)
            os.close(self._wake[0])
            os.close(self._wake[1])
            self._wake = None
        for number in self._signals:
            signal.signal(number, signal.SIG_DFL)
        self._signals.clear()
        self._watched.clear()
        self._epoll.close()
