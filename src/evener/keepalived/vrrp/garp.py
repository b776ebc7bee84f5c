"""When gratuitous ARPs and unsolicited neighbour advertisements are due. Sends nothing itself.

A master announces its addresses at once, again after ``master_delay``, and then every ``refresh``. A
lower-priority advert (two masters met) triggers a set of its own, at once and after
``lower_prio_delay``; while one such delayed set is pending, further adverts do not add more.
"""

from __future__ import annotations

from evener.keepalived.vrrp.plan import GarpOptions


class GarpSchedule:
    """The pending sets of one instance: three slots, each with a due time or None."""

    __slots__ = ("delayed_us", "options", "refresh_us", "rival_us")

    def __init__(self, options: GarpOptions) -> None:
        self.options = options
        self.cancel()

    def cancel(self) -> None:
        """The instance is no longer master: nothing is due."""
        self.delayed_us: int | None = None
        self.rival_us: int | None = None
        self.refresh_us: int | None = None

    def become_master(self, now: int) -> int:
        """Start the schedule; returns how many announcements of each address are due at once."""
        options = self.options
        if options.master_delay_us:
            self.delayed_us = now + options.master_delay_us
        if options.refresh_us:
            self.refresh_us = now + options.master_delay_us + options.refresh_us
        return options.master_repeat

    def rival_seen(self, now: int) -> int:
        """A lower-priority advert was received; returns how many announcements are due at once."""
        options = self.options
        if options.lower_prio_repeat and options.lower_prio_delay_us and self.rival_us is None:
            self.rival_us = now + options.lower_prio_delay_us
        return options.lower_prio_repeat

    def next_timer(self) -> int | None:
        # Asked with every advert; mostly there is nothing left to announce.
        soonest = self.delayed_us
        if self.rival_us is not None and (soonest is None or self.rival_us < soonest):
            soonest = self.rival_us
        if self.refresh_us is not None and (soonest is None or self.refresh_us < soonest):
            soonest = self.refresh_us
        return soonest

    def due(self, now: int) -> int:
        """How many announcements of each address are due now; what was due is forgotten or renewed."""
        options, repeat = self.options, 0
        if self.delayed_us is not None and self.delayed_us <= now:
            self.delayed_us = None
            repeat += options.master_repeat
        if self.rival_us is not None and self.rival_us <= now:
            self.rival_us = None
            repeat += options.lower_prio_repeat
        if self.refresh_us is not None and self.refresh_us <= now:
            self.refresh_us = now + options.refresh_us
            repeat += options.refresh_repeat
        return repeat
