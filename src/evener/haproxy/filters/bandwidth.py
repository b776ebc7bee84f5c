"""``bwlim-in`` and ``bwlim-out``: at most so many bytes of a body in a period (manual, section 9.7).

A bucket holds what may be sent: it starts full with ``limit`` bytes and is refilled evenly over ``period``.
Less than ``least`` bytes are not sent at a time, unless that is all there is. A shared limit is kept by an
entry of a stick table instead, whose rate has a period of its own.
"""

from __future__ import annotations

from typing import Any

from evener.haproxy.filters.flow import Stage
from evener.haproxy.stick_data import Cell


class Shared(Stage):
    """What all who have the same key may send together: a rate of a stick table's entry."""

    def __init__(self, entry: Any, cell: Cell, limit: int, least: int) -> None:
        self.entry, self.cell = entry, cell
        self.limit, self.least = max(1, limit), least
        self.kept = b""

    def push(self, data: bytes, last: bool, now: int) -> bytes:
        del last
        self.kept += data
        return self.more(now)

    def more(self, now: int) -> bytes:
        del now
        needed = min(max(1, self.least), len(self.kept), self.limit)
        room = self.limit - self.entry.rate(self.cell.at, self.cell.period)
        out = self.kept[:room] if room >= needed else b""
        self.kept = self.kept[len(out) :]
        if out:
            self.entry.add(-1, self.cell.at, self.cell.period, len(out))
        self.held = bool(self.kept)
        if self.held:
            missing = max(1, needed - max(0, room - len(out)))
            self.wait = max(1, min(self.cell.period, -(-missing * self.cell.period // self.limit)))
        return out

    def close(self) -> None:
        self.kept = b""
        self.held = False


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
