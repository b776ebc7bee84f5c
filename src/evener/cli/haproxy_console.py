"""What the running haproxy says on its terminal, and what it remembers of it for ``show startup-logs``."""

from __future__ import annotations

import os
from dataclasses import field

from evener.cli.haproxy_report import executable
from evener.haproxy.build import VERSION
from evener.text import render
from evener.text.diagnostic import Severity
from evener.text.record import dataclass


@dataclass(slots=True)
class Console:
    """``quiet``: nothing is printed (``-q``, or a daemon that left its terminal); all is remembered
    until ``started``."""

    quiet: bool = False
    introduced: bool = False
    starting: bool = True
    warnings: int = 0
    lines: list[str] = field(default_factory=list)

    def tell(self, severity: str, text: str) -> None:
        """``[WARNING]  (pid) : text``; the first complaint is introduced by who complains."""
        level = Severity[severity]
        pid = os.getpid()
        if level is not Severity.NOTICE and not self.introduced:
            self.introduced = True
            self._put(render.haproxy_introduction(pid, VERSION, executable()))
        if level is Severity.WARNING:
            self.warnings += 1
        self._put(render.haproxy_line(level, text, pid) + "\n")

    def _put(self, text: str) -> None:
        if self.starting:
            self.lines.append(text)
        if not self.quiet:
            render.write(2, text)
