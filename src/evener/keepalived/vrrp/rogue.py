"""Another router that says it owns the addresses too, while our own address is the higher one.

It should give way as soon as it hears us. Two of our adverts later it has a little more than an advert
interval left: whoever is still advertising then does not mean to, and we go ourselves, with a priority that
is no owner's, until somebody else is master or its claim ends.
"""

from __future__ import annotations

PATIENCE = 2
"""Of our adverts that it may ignore."""


class Rogue:
    """One that was heard while we are master. Times are microseconds."""

    __slots__ = ("_adverts_left", "_interval_us", "_until", "source")

    def __init__(self, source: bytes, interval_us: int) -> None:
        self.source = source
        self._interval_us = interval_us
        self._adverts_left = PATIENCE
        self._until: int | None = None

    def advert_sent(self, now: int, interval_us: int) -> None:
        """We have said once more that we are there."""
        self._adverts_left -= 1
        if self._adverts_left == 0:
            self._until = now + max(interval_us, self._interval_us) * 12 // 10

    def insists(self, now: int) -> bool:
        """Whether an advert of ``now`` is one too many."""
        return self._until is not None and now < self._until

    def is_silent(self, now: int) -> bool:
        return self._until is not None and now >= self._until
