"""A clock that only moves when a test says so: microseconds, as the state machines count."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Clock:
    """``now`` starts away from zero, so that nothing can mistake zero for "now"."""

    now: int = 1_000_000_000

    def advance(self, seconds: float) -> int:
        self.now += round(seconds * 1_000_000)
        return self.now
