"""One check as it is being made: its course, its timer, and the attempt that is under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evener.host.checks.attempt import Attempt
from evener.host.checks.kinds import ATTEMPTS
from evener.host.reactor import Timer
from evener.keepalived.lvs.check_plan import CheckId, Outcome
from evener.keepalived.lvs.checking import Course

if TYPE_CHECKING:
    from evener.host.checks.house import CheckHouse

LEAST_DELAY_S = 0.001
"""A check that fails at once and is repeated at once must not keep the loop to itself."""


class Task:
    """One check."""

    __slots__ = ("attempt", "course", "enabled", "house", "id", "started", "timer")

    def __init__(self, house: CheckHouse, name: CheckId, course: Course) -> None:
        self.house = house
        self.id = name
        self.course = course
        self.enabled = True
        self.started = 0.0
        self.timer: Timer | None = None
        self.attempt: Attempt | None = None

    @property
    def timed(self) -> bool:
        """It is made at intervals; others are told their results."""
        return self.course.check.probe.kind in ATTEMPTS

    def plan(self, seconds: float) -> None:
        self.timer = self.house.reactor.later(max(seconds, LEAST_DELAY_S), self.begin)

    def begin(self) -> None:
        check, house = self.course.check, self.house
        if not self.enabled:
            self.plan(check.timing.delay_loop_us / 1e6)
            return
        self.started = house.reactor.now()
        make = ATTEMPTS[check.probe.kind]
        self.attempt = make(house.tools, check.probe, self.course.part, self._ended)
        self.attempt.start()

    def _ended(self, outcome: Outcome) -> None:
        self.attempt = None
        step = self.course.ended(outcome)
        spent = self.house.reactor.now() - self.started if step.from_start else 0.0
        self.plan(step.delay_us / 1e6 - spent)
        self.house.tell(self, step)

    def close(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        if self.attempt is not None:
            self.attempt.close()
            self.attempt = None
