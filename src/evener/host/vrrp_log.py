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
    """``console`` is --log-console, ``syslog`` is off with --no-syslog, ``detail`` is --log-detail."""

    console: bool = False
    syslog: bool = True
    detail: bool = False
    facility: int = LOG_DAEMON


class LogSink:
    """The log of one process; ``tag`` is what syslog calls it."""

    def __init__(self, options: LogOptions, tag: str) -> None:
        self.options = options
        target = Target("/dev/log", family=1, format="local", facility=options.facility, length=1100)
        self._sender = Sender([target] if options.syslog else [], Identity(tag, os.getpid()))

    def __call__(self, message: str, detail: bool = False) -> None:
        if detail and not self.options.detail:
            return
        self._sender.send(Level.INFO, message.encode("utf-8", "replace"))
        if self.options.console:
            line = f"{time.asctime()}: {message}\n".encode("utf-8", "replace")
            try:
                os.write(sys.stderr.fileno(), line)
            except (OSError, ValueError):
                pass

    def close(self) -> None:
        self._sender.close()
