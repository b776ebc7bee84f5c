"""When gratuitous ARPs and unsolicited neighbour advertisements are due. Sends nothing itself.

A master announces its addresses at once, again after ``master_delay``, and then every ``refresh``. A
lower-priority advert (two masters met) triggers a set of its own, at once and after
``lower_prio_delay``. Of these delayed sets a rival that does not give up makes no more than MOST_PENDING.
"""

from __future__ import annotations

from evener.keepalived.vrrp.plan import GarpOptions

MOST_PENDING = 32


class GarpSchedule:
    """The pending sets of one instance: due times, or None. ``rivals_us`` are in order."""

    __slots__ = ("delayed_us", "extra_us", "options", "refresh_us", "rivals_us")

    def __init__(self, options: GarpOptions) -> None:
        self.options = options
        self.cancel()

    def cancel(self) -> None:
        """The instance is no longer master: nothing is due."""
        self.delayed_us: int | None = None
        self.rivals_us: tuple[int, ...] = ()
        self.refresh_us: int | None = None
        self.extra_us: int | None = None

    def become_master(self, now: int) -> int:
        """Start the schedule; returns how many announcements of each address are due at once."""
        options = self.options
        if options.master_delay_us:
            self.delayed_us = now + options.master_delay_us
        if options.refresh_us:
            self.refresh_us = now + options.master_delay_us + options.refresh_us
        if options.extra_us:
            self.extra_us = now + options.master_delay_us + options.extra_us
        return options.master_repeat

    def rival_seen(self, now: int) -> int:
        """A lower-priority advert was received; returns how many announcements are due at once."""
        options = self.options
        later = options.lower_prio_repeat and options.lower_prio_delay_us
        if later and len(self.rivals_us) < MOST_PENDING:
            self.rivals_us += (now + options.lower_prio_delay_us,)
        return options.lower_prio_repeat

    def next_timer(self) -> int | None:
        # Asked with every advert; mostly there is nothing left to announce.
        soonest = self.delayed_us
        if self.rivals_us and (soonest is None or self.rivals_us[0] < soonest):
            soonest = self.rivals_us[0]
        if self.refresh_us is not None and (soonest is None or self.refresh_us < soonest):
            soonest = self.refresh_us
        if self.extra_us is not None and (soonest is None or self.extra_us < soonest):
            soonest = self.extra_us
        return soonest

    def extra_due(self, now: int) -> bool:
        """Whether addresses on other interfaces are to be announced now."""
        if self.extra_us is None or self.extra_us > now:
            return False
        self.extra_us = now + self.options.extra_us
        return True

    def due(self, now: int) -> int:
        """How many announcements of each address are due now; what was due is forgotten or renewed."""
        options, repeat = self.options, 0
        if self.delayed_us is not None and self.delayed_us <= now:
            self.delayed_us = None
            repeat += options.master_repeat
        while self.rivals_us and self.rivals_us[0] <= now:
            self.rivals_us = self.rivals_us[1:]
            repeat += options.lower_prio_repeat
        if self.refresh_us is not None and self.refresh_us <= now:
            self.refresh_us = now + options.refresh_us
            repeat += options.refresh_repeat
        return repeat
