"""A body on its way through filters: stages one behind the other.

The engine pushes the payload a piece at a time and sends what comes out. A stage may change the bytes
(``changes``: their number too), only look at them, or keep some back for a while (``held``); while something
is held the engine pushes nothing more, and asks again after ``wait`` milliseconds. ``close`` comes once, when
the stream ends, whether or not the body was complete: only ``push(..., last=True)`` means that it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final


class Stage:
    """One filter on one body. This one lets everything pass."""

    changes: ClassVar[bool] = False
    trailers: ClassVar[bool] = True  #: what follows the last chunk passes too
    held: bool = False
    wait: int = 0  #: milliseconds until ``more`` may give something

    def push(self, data: bytes, last: bool, now: int) -> bytes:
        """What leaves now; ``now`` is in milliseconds of a clock that only goes forward."""
        del last, now
        return data

    def flush(self, now: int) -> bytes:
        """Nothing more has arrived: what leaves rather than waiting for it."""
        del now
        return b""

    def more(self, now: int) -> bytes:
        """Some of what is held."""
        del now
        return b""

    def close(self) -> None:
        """The stream has ended."""


class DropTrailers(Stage):
    """The payload passes, what follows the last chunk does not."""

    trailers = False


class Flow:
    """The stages of one body. What the engine asks for is what ``Stage`` says, and ``over``."""

    __slots__ = ("changes", "ended", "held", "stages", "trailers")

    def __init__(self, stages: Sequence[Stage]) -> None:
        self.stages: Final = tuple(stages)
        self.changes = any(stage.changes for stage in self.stages)
        self.trailers = all(stage.trailers for stage in self.stages)
        self.held = False
        self.ended = False

    @property
    def over(self) -> bool:
        """Everything has left."""
        return self.ended and not self.held

    @property
    def wait(self) -> int:
        return min((stage.wait for stage in self.stages if stage.held), default=0)

    def push(self, data: bytes, last: bool, now: int) -> bytes:
        self.ended = last
        return self._run(0, data, now)

    def flush(self, now: int) -> bytes:
        out = b""
        for at, stage in enumerate(self.stages):
            kept = stage.flush(now)
            if kept:
                out += self._run(at + 1, kept, now)
        return out

    def more(self, now: int) -> bytes:
        """The last stage first, so that what is nearest to leaving leaves."""
        for at in range(len(self.stages) - 1, -1, -1):
            if self.stages[at].held:
                data = self.stages[at].more(now)
                if data or not self.stages[at].held:
                    return self._run(at + 1, data, now)
        return b""

    def close(self) -> None:
        for stage in self.stages:
            stage.close()

    def _run(self, at: int, data: bytes, now: int) -> bytes:
        """Through the stages from ``at`` on; the end is not passed on before what is held has left."""
        last = self.ended and not any(stage.held for stage in self.stages[:at])
        for stage in self.stages[at:]:
            if not data and not last:
                break
            data = stage.push(data, last, now)
            last = last and not stage.held
        self.held = any(stage.held for stage in self.stages)
        return data
