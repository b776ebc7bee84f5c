"""Sequence numbers of auth_hmac and AH: what is sent next, and whether what was received is new.

auth_hmac: a number is a moment of the wall clock (seconds, and a fraction of 1/2^16) with a counter below
it. It is compared as a serial number (RFC 1982), so that it survives its own end. Nothing is stored: after a
restart the clock has moved on. In time mode a moment has to lie within a window around our clock.
"""

from __future__ import annotations

from evener.keepalived.vrrp.plan import HmacAuth
from evener.wire.ah import SEQUENCE_MAX

BITS = 1 << 64
MOST_SENDERS = 16
"""Of a multicast instance; the one that was heard longest ago is forgotten first."""


def moment(wall_ns: int) -> int:
    """A reading of the wall clock as a sequence number with its counter at zero."""
    seconds, rest = divmod(wall_ns, 1_000_000_000)
    return (seconds & 0xFFFFFFFF) << 32 | (rest << 16) // 1_000_000_000 << 16


def after(first: int, second: int) -> bool:
    """Whether ``first`` comes after ``second``."""
    return 0 < (first - second) % BITS < BITS // 2


def seconds_between(first: int, second: int) -> int:
    """How many seconds ``first`` is ahead of ``second``."""
    return ((first >> 32) - (second >> 32) + (1 << 31)) % (1 << 32) - (1 << 31)


class Count:
    """The sequence number of AH, of what is sent and heard: a new master goes on from the old one's."""

    __slots__ = ("last",)

    def __init__(self) -> None:
        self.last = 0

    def next(self) -> int:
        self.last = min(self.last + 1, SEQUENCE_MAX)
        return self.last

    def accept(self, number: int) -> bool:
        """Note a genuine number; False when it is not greater than the one before."""
        fresh = number > self.last
        self.last = max(number, self.last)
        return fresh


class Sequence:
    """The numbers of one sender."""

    __slots__ = ("_auth", "_last")

    def __init__(self, auth: HmacAuth) -> None:
        self._auth, self._last = auth, 0

    def next(self, wall_ns: int) -> int:
        """Always greater than the last, except that time mode follows a clock that was set back."""
        now = moment(wall_ns)
        ahead = seconds_between(self._last, now)
        if after(now, self._last) or (self._auth.timed and ahead > self._auth.window_s):
            self._last = now
        else:
            self._last = (self._last + 1) % BITS
        return self._last


class Replays:
    """The highest number of each sender whose advert was genuine."""

    __slots__ = ("_auth", "_marks")

    def __init__(self, auth: HmacAuth) -> None:
        self._auth = auth
        self._marks: dict[bytes, int] = {}

    def fresh(self, wall_ns: int, sequence: int) -> bool:
        """Whether a number lies within the window (always, unless in time mode)."""
        return not self._auth.timed or abs(self.skew_s(wall_ns, sequence)) <= self._auth.window_s

    @staticmethod
    def skew_s(wall_ns: int, sequence: int) -> int:
        return seconds_between(moment(wall_ns), sequence)

    def accept(self, wall_ns: int, source: bytes, sequence: int) -> bool:
        """Note a genuine number; False when it is not greater than the one before."""
        mark = self._marks.pop(source, None)
        if mark is not None and self.fresh(wall_ns, mark) and not after(sequence, mark):
            self._marks[source] = mark
            return False
        self._marks[source] = sequence  # at the end: the first one was heard longest ago
        if len(self._marks) > MOST_SENDERS:
            del self._marks[next(iter(self._marks))]
        return True
