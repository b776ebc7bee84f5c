"""In the test kernel: clients that connect without a pause, and how many connections succeed in a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

CLIENTS = 4
WINDOW_S = 1.5


class Crowd:
    """``ask`` makes one connection and says whether it was served; ``enter`` puts a thread where clients are.
    Close it."""

    def __init__(self, ask: Callable[[], bool], enter: Callable[[], None]) -> None:
        self._ask, self._enter = ask, enter
        self._served: list[float] = []
        self._over = False
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        self._enter()
        while not self._over:
            if self._ask():
                self._served.append(time.monotonic())

    def rate(self) -> float:
        """Connections a second, from now on."""
        start = time.monotonic()
        time.sleep(WINDOW_S)
        return sum(start <= when < start + WINDOW_S for when in list(self._served)) / WINDOW_S

    def served_since(self, start: float) -> float | None:
        """When the first connection after ``start`` was."""
        return min((when for when in list(self._served) if when > start), default=None)

    def close(self) -> None:
        self._over = True
        for thread in self._threads:
            thread.join()
