"""The course of one check: when the next attempt is due, and what an attempt's outcome means.

It knows no socket and no clock: ``ended`` takes the outcome of an attempt and returns a ``Step``, which says
how long to wait, what to log and what to report. The kinds differ in when they retry and in their words, as
in keepalived 2.4: here is what TCP_CHECK, UDP_CHECK and PING_CHECK do, ``checking_talks`` and
``checking_scripts`` hold the others. Some rules are common:

* Without ``alpha`` a check counts as succeeded until it has failed; one failure is enough the first time.
* While a check counts as succeeded, ``retry`` more attempts are made, ``delay_before_retry`` apart, before it
  counts as failed; while it counts as failed, attempts are ``delay_loop`` apart.
"""

from __future__ import annotations

from evener.keepalived.arguments import SECOND
from evener.keepalived.lvs.check_plan import Check, Outcome, Report
from evener.text.record import dataclass

BOOTSTRAP_US = 1 * SECOND
"""No check is made in the first second."""


@dataclass(frozen=True, slots=True)
class Names:
    """How messages show the servers."""

    real: str
    virtual: str


@dataclass(frozen=True, slots=True)
class Step:
    """What follows from an attempt. ``from_start``: the delay counts from when the attempt began."""

    delay_us: int
    log: tuple[str, ...] = ()
    report: Report | None = None
    from_start: bool = False


class Course:
    """What all kinds have in common. ``up``: what the check counts as; ``run``: it has had a result."""

    def __init__(self, check: Check, names: Names) -> None:
        self.check = check
        self.names = names
        self.up = not check.timing.alpha
        self.run = False
        self.retried = check.timing.retry
        self.weight: int | None = None
        self.offset = 0
        self._log: list[str] = []
        self._report: Report | None = None

    def first_delay_us(self, fraction: float) -> int:
        """The first attempt; ``fraction`` (0-1) is a random number."""
        return BOOTSTRAP_US + int(self.check.timing.warmup_us * fraction)

    @property
    def part(self) -> int:
        """Which part of the probe the next attempt is (the url of an HTTP_GET)."""
        return 0

    def adopt(self, old: Course) -> None:
        """Go on where an equal probe stood before a reload changed the timing."""
        self.up, self.run = old.up, old.run
        self.weight, self.offset = old.weight, old.offset
        retry = self.check.timing.retry
        self.retried = retry + 1 if not self.up else min(old.retried, retry)

    def join(self, doubtful: bool) -> None:
        """The check is new beside known ones. Only where those are in ``doubtful`` state alpha counts."""
        self.up = not (doubtful and self.check.timing.alpha)
        self.retried = self.check.timing.retry if doubtful else 0

    def ended(self, outcome: Outcome) -> Step:
        """An attempt ended."""
        self._log, self._report = [], None
        for note in outcome.notes:
            self._say(note)
        delay = self._judge(outcome) if outcome.made else self.check.timing.delay_loop_us
        return Step(delay, tuple(self._log), self._report)

    def _judge(self, outcome: Outcome) -> int:
        """Update the state; the delay until the next attempt. Files and sessions are not tried: they tell."""
        raise TypeError(f"{type(self).__name__} makes no attempts")

    def _turn(self, up: bool, mail: str) -> None:
        """The check counts as ``up`` from now on."""
        first, changed = not self.run, self.up != up
        self.up, self.run = up, True
        if first or changed:
            self._report = Report(up, first, self.weight, self.offset, mail if changed else "")

    def _say(self, text: str) -> None:
        """Log a line; ``{rs}`` and ``{vs}`` are the servers."""
        self._log.append(text.replace("{rs}", self.names.real).replace("{vs}", self.names.virtual))

    @property
    def _undecided(self) -> bool:
        """A failure may change what the check counts as, or is the first result."""
        return self.up or not self.run


@dataclass(frozen=True, slots=True)
class CheckView:
    """A check as it stands. ``began_s``: the wall clock when its last attempt began; 0: there was none."""

    course: Course
    enabled: bool
    began_s: float = 0.0

    @property
    def title(self) -> str:
        names = self.course.names
        return f"{names.virtual} -> {names.real}"


@dataclass(frozen=True, slots=True)
class Words:
    """How TCP_CHECK and its like say things."""

    what: str
    failed: str
    failed_again: str
    mail: str


WORDS = {
    "TCP_CHECK": Words("TCP", "TCP_CHECK on service {rs}", "TCP_CHECK on service {rs}", "TCP CHECK"),
    "UDP_CHECK": Words("UDP", "UDP_CHECK on service {rs}", "UDP_CHECK on service {rs}", "UDP CHECK"),
    "PING_CHECK": Words(
        "ICMP", "ICMP CHECK on service {rs}", "ICMP CHECK on service {rs} of {vs}", "ICMP CHECK"
    ),
}


class ConnectCourse(Course):
    """TCP_CHECK, UDP_CHECK and PING_CHECK."""

    def __init__(self, check: Check, names: Names) -> None:
        super().__init__(check, names)
        self._words = WORDS[check.probe.kind]

    def _judge(self, outcome: Outcome) -> int:
        timing, delay = self.check.timing, self.check.timing.delay_loop_us
        if outcome.text and self.up and timing.log_all_failures:
            self._say(outcome.text)
        if outcome.ok:
            self.retried = 0
            self._succeeded()
        elif self._undecided and self.retried >= timing.retry:
            self.retried = 0
            self._failed()
        elif self.up:
            delay = timing.delay_before_retry_us
            self.retried += 1
        self.run = True
        return delay

    def _succeeded(self) -> None:
        if not self.up or not self.run:
            self._say(f"{self._words.what} connection to {{rs}} success.")
            self._turn(True, f"=> {self._words.mail} succeed on service <=")

    def _failed(self) -> None:
        if self.check.timing.retry and self.run:
            self._say(f"{self._words.failed_again} failed after {self.check.timing.retry} retries.")
        else:
            self._say(f"{self._words.failed} failed.")
        self._turn(False, f"=> {self._words.mail} failed on service <=")
