"""A line of interface_up_down_delays."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from evener.keepalived.arguments import SECOND, Timer, Value
from evener.keepalived.line import quoted
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Cursor

DELAY = Timer(0, 255 * SECOND)


@dataclass(frozen=True, slots=True)
class DelayEntry:
    """How long a state has to last, in microseconds; ``up`` None: as long as ``down``."""

    interface: str
    down: int
    up: int | None = None
    at: Span | None = field(default=None, compare=False, repr=False)


class DelayLine(Value):
    """``IFNAME DOWN [UP]``."""

    usage = "<IFNAME> <DECIMAL> [<DECIMAL>]"
    good = ("eth0 1 2", "eth0 0.5")
    bad = ("eth0 300", "eth0 x", "")

    def read(self, cursor: Cursor) -> DelayEntry:
        name = cursor.take()
        reading: Any = cursor.context
        at = cursor.span()
        if reading.surroundings.lacks(name) and not reading.dynamic_interfaces:
            raise cursor.bad("unknown-interface", f"unknown interface {name} specified for up/down delay")
        if not cursor.more:
            reading.notice("delay-missing", f"no delay is given for {name}: it has none", at)
            return DelayEntry(name, 0, None, at)
        delays: list[int] = []
        for _ in range(2 if len(cursor.words) > cursor.index + 1 else 1):
            delays.append(DELAY.read(cursor))
        return DelayEntry(name, delays[0], delays[1] if len(delays) > 1 else None, at)

    def words(self, value: DelayEntry) -> list[str]:
        def text(number: int) -> str:
            return f"{number // SECOND}.{number % SECOND:06}"

        return [quoted(value.interface), text(value.down), *([] if value.up is None else [text(value.up)])]
