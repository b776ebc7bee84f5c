"""What is said to a mail server, and when its answers are good: greeting, HELO, QUIT.

Only the first line of an answer counts, and it has to be the code alone or the code and a blank: an answer
of several lines (``220-``) is a bad one, as in keepalived.
"""

from __future__ import annotations

import re
from enum import Enum, auto

LINE_BYTES = 512
GOOD = re.compile(rb"(\d{3})(?: |$)")


class Stage(Enum):
    """What is awaited."""

    BANNER = auto()
    HELO = auto()
    QUIT = auto()


class SmtpTalk:
    """``heard`` takes what comes; ``server`` is how the log calls it."""

    def __init__(self, helo: bytes, server: str) -> None:
        self._helo = helo
        self._server = server
        self._line = b""
        self.stage = Stage.BANNER
        self.failed = ""
        self.done = False

    def heard(self, data: bytes) -> bytes:
        """What to say next; nothing while a line is incomplete, and at the end (``done`` or ``failed``)."""
        self._line += data
        line, newline, _ = self._line.partition(b"\n")
        if not newline:
            self._line = self._line[:LINE_BYTES] if len(self._line) < LINE_BYTES else b""
            return b""
        self._line = b""
        match = GOOD.match(line)
        return self._answered(int(match[1]) if match else 0)

    def _answered(self, code: int) -> bytes:
        if self.stage is Stage.QUIT:
            self.done = True
        elif self.stage is Stage.BANNER and code == 220:
            self.stage = Stage.HELO
            return b"HELO " + self._helo + b"\r\n"
        elif self.stage is Stage.HELO and code == 250:
            self.stage = Stage.QUIT
            return b"QUIT\r\n"
        else:
            what = "greeting banner" if self.stage is Stage.BANNER else "HELO response"
            self.failed = f"Bad {what} from server {self._server}"
        return b""
