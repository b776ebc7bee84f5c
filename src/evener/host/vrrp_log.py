"""Where the VRRP processes' log lines go: syslog, the console, or both, as the command line says.

The shape is keepalived's: ``Keepalived_vrrp[pid]: text`` at daemon.info in syslog, and the date before the
text on the console. Nothing here blocks.
"""

from __future__ import annotations

import os
import sys
import time

from evener.host.syslog import Identity, Level, Sender, Target
from evener.text.record import dataclass

LOG_DAEMON = 3


@dataclass(frozen=True, slots=True)
class LogOptions:
    """``console`` is --log-console, ``syslog`` is off with --no-syslog, ``detail`` is --log-detail.

    ``file`` is --log-file; each process has one of its own, and adds what it is to the name.
    """

    console: bool = False
    syslog: bool = True
    detail: bool = False
    facility: int = LOG_DAEMON
    file: str | None = None


PARTS = {
    "Keepalived": "",
    "Keepalived_vrrp": "_vrrp",
    "Keepalived_healthcheckers": "_check",
    "Keepalived_bfd": "_bfd",
}


class LogSink:
    """The log of one process; ``tag`` is what syslog calls it."""

    def __init__(self, options: LogOptions, tag: str) -> None:
        self.options, self.tag = options, tag
        target = Target("/dev/log", family=1, format="local", facility=options.facility, length=1100)
        self._sender = Sender([target] if options.syslog else [], Identity(tag, os.getpid()))
        self._file = _opened(options.file, PARTS.get(tag, f"_{tag}")) if options.file else None

    def __call__(self, message: str, detail: bool = False) -> None:
        if detail and not self.options.detail:
            return
        self._sender.send(Level.INFO, message.encode("utf-8", "replace"))
        if self.options.console:
            _write(sys.stderr.fileno(), f"{time.asctime()}: {message}\n")
        if self._file is not None:
            now = time.time_ns()
            date, year = (time.strftime(form, time.localtime(now // 10**9)) for form in ("%a %b %d %T", "%Y"))
            _write(self._file, f"{date}.{now % 10**9:09} {year}: {message}\n")

    def close(self) -> None:
        self._sender.close()
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _opened(path: str, part: str) -> int | None:
    stem, extension = os.path.splitext(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(f"{stem}{part}{extension}", flags, 0o644)
    except OSError:
        return None  # there is nobody to tell, and what is to be done is more important


def _write(descriptor: int, line: str) -> None:
    try:
        os.write(descriptor, line.encode("utf-8", "replace"))
    except (OSError, ValueError):
        pass
