"""Whether a process is stopped: by SIGSTOP, or by somebody's debugger.

The kernel says so in ``/proc/PID/status``, so a process that merely waits for a processor, on however busy a
machine, is never taken for stopped. One that is traced (strace) is stopped at each of its system calls for a
moment: only who is found stopped twice, without having been scheduled in between, stands still.
"""

from __future__ import annotations

import os

STATE, SWITCHES = b"\nState:\t", b"\nvoluntary_ctxt_switches:"
STOPPED = (b"T", b"t")
MOST = 8192


class Stillness:
    """Of the process ``pid``; another one that gets its number later does not count."""

    def __init__(self, pid: int) -> None:
        self._before: bytes | None = None
        self.stopped = self.lasts = False
        """At the last look; and since the look before it at least."""
        try:
            self._file = os.open(f"/proc/{pid}/status", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._file = -1  # without /proc nobody is ever found stopped

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def look(self) -> None:
        switches = self._switches_of_stopped()
        self.stopped = switches is not None
        self.lasts = self.stopped and switches == self._before
        self._before = switches

    def _switches_of_stopped(self) -> bytes | None:
        """How often it was scheduled, if it is stopped now."""
        try:
            status = os.pread(self._file, MOST, 0)
        except OSError:
            return None
        state = status.partition(STATE)[2][:1]
        return status.partition(SWITCHES)[2] if state in STOPPED else None
