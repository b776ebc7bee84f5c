"""``bwlim-in`` and ``bwlim-out``: at most so many bytes of a body in a period (manual, section 9.7).

A bucket holds what may be sent: it starts full with ``limit`` bytes and is refilled evenly over ``period``.
Less than ``least`` bytes are not sent at a time, unless that is all there is.
"""

from __future__ import annotations

from evener.haproxy.filters.flow import Stage


class Pace(Stage):
    def __init__(self, limit: int, period: int, least: int = 0) -> None:
        self.limit = max(1, limit)
        self.period = max(1, period)
        self.least = least
        self.level: float = self.limit
        self.filled: int | None = None  #: when the bucket was last topped up
        self.kept = b""

    def push(self, data: bytes, last: bool, now: int) -> bytes:
        del last
        self.kept += data
        return self.more(now)

    def more(self, now: int) -> bytes:
        if self.filled is not None:
            gained = (now - self.filled) * self.limit / self.period
            self.level = min(float(self.limit), self.level + gained)
        self.filled = now
        needed = min(max(1, self.least), len(self.kept), self.limit)
        count = int(self.level) if self.level >= needed else 0
        out, self.kept = self.kept[:count], self.kept[count:]
        self.level -= len(out)
        self.held = bool(self.kept)
        if self.held:
            needed = min(max(1, self.least), len(self.kept), self.limit)
            missing = needed - self.level
            self.wait = max(1, -(-int(missing * self.period) // self.limit)) if missing > 0 else 1
        return out

    def close(self) -> None:
        self.kept = b""
        self.held = False
