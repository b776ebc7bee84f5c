"""reload_time_file: the parent reloads at the time that a file names.

The file is looked at once a second, so that it may be written, renamed into place and removed at any time,
and on any file system. When the time has come it is removed, unless reload_repeat keeps a time of day
for the next day.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress

from evener.host.reactor import Reactor, Timer
from evener.keepalived.plan import ReloadTime
from evener.keepalived.reload_time import Due, due

LOOK_S = 1.0
LINE_BYTES = 64


class ReloadTimer:
    """Calls ``reload`` at the time that the file names. ``use`` names the file; None: there is none."""

    def __init__(
        self,
        reactor: Reactor,
        reload: Callable[[], None],
        log: Callable[[str], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._reactor, self._reload, self._log, self._now = reactor, reload, log, now
        self._told: ReloadTime | None = None
        self._line: str | None = None
        self._due: Due | None = None
        self._timer: Timer | None = None

    def use(self, told: ReloadTime | None) -> None:
        if told != self._told:
            self._line = self._due = None
        self._told = told
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if told is not None:
            self._look()

    def _look(self) -> None:
        assert self._told is not None
        self._timer = self._reactor.later(LOOK_S, self._look)
        line = first_line(self._told.path)
        if line != self._line:
            self._line = line
            self._changed(line)
        if self._due is not None and self._due.at <= self._now():
            self._come(self._told, self._due)

    def _changed(self, line: str | None) -> None:
        before, self._due = self._due, None
        found = None if line is None else due(line, self._now())
        if isinstance(found, Due):
            self._due = found
            shown = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(found.at))
            self._log(f"{'Rescheduling' if before else 'Scheduling'} reload at {shown}")
        elif before is not None:
            shown = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(before.at))
            self._log(f"Cancelling reload scheduled for {shown}")
        if isinstance(found, str):
            self._log(found)

    def _come(self, told: ReloadTime, now_due: Due) -> None:
        self._line = self._due = None
        if now_due.dated or not told.repeat:
            with suppress(OSError):
                os.unlink(told.path)
        self._reload()


def first_line(path: str) -> str | None:
    """None when there is no such file; a device or a FIFO does not block."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        return os.read(descriptor, LINE_BYTES).partition(b"\n")[0].decode("ascii", "replace")
    except OSError:
        return None
    finally:
        os.close(descriptor)
