"""Who may send echo requests without a raw socket: net.ipv4.ping_group_range has to hold our group.

As in the original the range is widened to begin with group 0 while there is a PING_CHECK, and set back at
the end. Where that is not allowed, the socket says so at every check.
"""

from __future__ import annotations

import contextlib

PATH = "/proc/sys/net/ipv4/ping_group_range"


class PingRange:
    """``widen`` once, ``restore`` at the end."""

    def __init__(self, path: str = PATH) -> None:
        self._path = path
        self._before: str | None = None

    def widen(self) -> str | None:
        """A remark for the log when a range that allowed somebody was changed."""
        if self._before is not None:
            return None
        try:
            with open(self._path, encoding="ascii") as file:
                low, high = (int(word) for word in file.read().split())
            if low == 0:
                return None
            self._write(f"0\t{high}\n")
        except (OSError, ValueError):
            return None
        self._before = f"{low}\t{high}\n"
        if low > 1 and high > 1:
            return f"Warning: {self._path} being expanded from {low} {high} to 0 {high}"
        return None

    def restore(self) -> None:
        before, self._before = self._before, None
        if before is not None:
            with contextlib.suppress(OSError):
                self._write(before)

    def _write(self, text: str) -> None:
        with open(self._path, "w", encoding="ascii") as file:
            file.write(text)
