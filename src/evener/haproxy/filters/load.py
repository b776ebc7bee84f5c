"""How busy this worker is: the share of the last half second that it was computing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import field
from typing import Final

from evener.text.record import dataclass

PERIOD: Final = 0.5


@dataclass(slots=True)
class Load:
    """``most`` is a percentage. Measured when asked for, over half a second at least."""

    most: int
    wall: Callable[[], float] = time.monotonic
    used: Callable[[], float] = time.process_time
    percent: float = 0.0
    _since: tuple[float, float] | None = field(default=None)

    def is_high(self) -> bool:
        now, used = self.wall(), self.used()
        if self._since is None:
            self._since = now, used
        elif now - self._since[0] >= PERIOD:
            self.percent = 100 * (used - self._since[1]) / (now - self._since[0])
            self._since = now, used
        return self.percent > self.most
