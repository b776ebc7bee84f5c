"""Whether a process still does what it is there for: neither stopped nor hanging.

Before it waits, the watched process writes down until when (``Promise``: a page of memory that both have, no
system call). One that spins, or sleeps somewhere in the kernel, is later than it promised; so is one that got
no processor, and it does not matter why: no advert leaves meanwhile, and the others elect a master.
``Absence`` is patient for as long as they certainly do not.
"""

from __future__ import annotations

import mmap
import os
import signal
from collections.abc import Iterable

from evener.host.vrrp_stopped import Stillness

NEVER = 0
STOPPED, HANGS = "is stopped", "hangs"
HOPELESS_US = 10_000_000


class Promise:
    """When a process will have run again. Made before the other one is forked from it."""

    def __init__(self) -> None:
        self._moment = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("q")

    def make(self, deadlines: Iterable[int | None]) -> None:
        self._moment[0] = min((when for when in deadlines if when is not None), default=NEVER)

    def late_us(self, now: int) -> int:
        promised = self._moment[0]
        return now - promised if promised != NEVER else 0


class Absence:
    """Of the process ``pid``. Times are microseconds of the monotonic clock."""

    def __init__(self, pid: int, promise: Promise, patience_us: int) -> None:
        self._stillness, self._promise, self._patience_us = Stillness(pid), promise, patience_us
        self._told = False
        self._hangs_since: int | None = None
        try:
            self._process = os.pidfd_open(pid)
        except OSError:
            self._process = -1

    def begins(self, now: int) -> str:
        """STOPPED or HANGS, once for each time; "" while there is nothing new."""
        self._stillness.look()
        late = self._promise.late_us(now) > self._patience_us
        if not late or self._stillness.stopped:
            self._hangs_since = None
        elif self._hangs_since is None:
            self._hangs_since = now
        absent = self._stillness.lasts or late
        begins, self._told = absent and not self._told, absent
        if not begins:
            return ""
        return STOPPED if self._stillness.stopped else HANGS

    def is_hopeless(self, now: int) -> bool:
        """It hangs for so long that it will not come back. Somebody who debugs it is left alone."""
        return self._hangs_since is not None and now - self._hangs_since > HOPELESS_US

    def end(self) -> None:
        """Kill it: another one is started in its place."""
        self._hangs_since = None
        if self._process >= 0:
            signal.pidfd_send_signal(self._process, signal.SIGKILL)
