"""``observe``: errors of the traffic taken as failed checks.

The data path only counts. The control process looks at the counters of an observed server at short
intervals and hands the differences to its ``Observer``, which keeps the number of consecutive errors:
an interval with any success starts the count again. When ``error-limit`` is reached, ``on-error`` says
what happens; the count then starts over.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from evener.haproxy.columns import Column
from evener.text.record import dataclass

INTERVAL = 0.02  #: seconds between two looks


class OnError(Enum):
    FASTINTER = "fastinter"  #: check again soon
    FAIL_CHECK = "fail-check"  #: one failed check
    SUDDEN_DEATH = "sudden-death"  #: as if one more failure were enough
    MARK_DOWN = "mark-down"


@dataclass(frozen=True, slots=True)
class ObserveSettings:
    layer: int = 4  #: 4 or 7
    limit: int = 10
    on_error: OnError = OnError.FAIL_CHECK


@dataclass(frozen=True, slots=True)
class LimitReached:
    """``errors`` in a row; ``last`` is the kind of the latest, as messages tell it. ``going``: its session
    was still there at that time."""

    errors: int
    last: str
    going: bool

    def told(self) -> str:
        return f"Detected {self.errors} consecutive errors, last one was: {self.last}"


class Observer:
    """The consecutive errors of one server. ``cell`` reads the segment."""

    __slots__ = ("_cell", "_errors", "_row", "_seen", "settings")

    def __init__(self, settings: ObserveSettings, row: int, cell: Callable[[int, Column], int]) -> None:
        self.settings = settings
        self._row = row
        self._cell = cell
        self._errors = 0
        self._seen = self._read()

    def _read(self) -> tuple[int, int, int, int]:
        """(connection errors, broken responses, failed ones, good ones) since the start."""
        cell, row = self._cell, self._row
        connection = sum(cell(row, c) for c in (Column.ERR_CONN, Column.RETRIES, Column.REDISPATCHES))
        if self.settings.layer == 4:
            return connection, 0, 0, cell(row, Column.CONNECTIONS) - connection
        failed = cell(row, Column.HRSP_FAILED)
        good = sum(cell(row, c) for c in (Column.HRSP_2XX, Column.HRSP_3XX, Column.HRSP_4XX, Column.HRSP_5XX))
        return connection, cell(row, Column.ERR_RES), failed, good - failed

    def look(self) -> LimitReached | None:
        """Account for what happened since the last look."""
        before, self._seen = self._seen, self._read()
        new = (max(0, now - then) for now, then in zip(self._seen, before, strict=True))
        connection, broken, failed, good = new
        failures = connection + broken + failed
        if good > 0:
            self._errors = 0
            if not failures:
                return None
        self._errors += failures
        limit = self.settings.limit
        if not failures or self._errors < limit:
            return None
        last = "Wrong http response" if broken or failed else "L4 unsuccessful connection"
        self._errors = (self._errors - limit) % limit
        return LimitReached(limit, last, not broken)

    def forget(self) -> None:
        """A check passed: what was counted is over."""
        self._errors = 0
