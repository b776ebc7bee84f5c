"""``filter trace``: tells on stderr what passes, and passes it in pieces of any size to try others."""

from __future__ import annotations

import random
from collections.abc import Callable

from evener.haproxy.filters.flow import Stage


class TraceStage(Stage):
    """``tell`` gets a line for each piece; ``most`` bytes leave at a time (0: all), or a random number."""

    def __init__(self, tell: Callable[[str], None] | None, at_random: bool, most: int, hexdump: bool) -> None:
        self.tell = tell
        self.at_random = at_random
        self.most = most
        self.hexdump = hexdump
        self.kept = b""

    def push(self, data: bytes, last: bool, now: int) -> bytes:
        self.kept += data
        if self.tell is not None:
            self.tell(f"{len(data)} bytes{', the last' if last else ''}")
        return self.more(now)

    def more(self, now: int) -> bytes:
        del now
        count = len(self.kept)
        if self.most:
            count = min(count, self.most)
        if self.at_random and count:
            count = random.randint(1, count)
        out, self.kept = self.kept[:count], self.kept[count:]
        self.held = bool(self.kept)
        if self.tell is not None and out:
            self.tell(f"forwards {len(out)} bytes")
            if self.hexdump:
                self.tell(out.hex(" "))
        return out
