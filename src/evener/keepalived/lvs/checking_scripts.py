"""The course of checks whose result comes from outside: a program, a tracked file, a BFD session."""

from __future__ import annotations

from typing import cast

from evener.keepalived.lvs.check_plan import Check, Outcome, Report
from evener.keepalived.lvs.checking import Course, Names, Step
from evener.keepalived.lvs.probes import BfdProbe, FileProbe, MiscProbe
from evener.keepalived.vrrp.plan_tracked import TrackedFile

WEIGHT_FAULT = -(2**31)
"""A file's number times its weight that low is a failure."""
STATUS_MAX = 255


def exited(probe: MiscProbe, code: int, timed_out: bool) -> Outcome:
    """The outcome of a program: its return code (negative: a signal), and whether it was ended by us."""
    if timed_out:
        return Outcome(False, "")
    if code < 0:
        return Outcome(False, f"due to signal {-code}")
    weighs = probe.dynamic and 2 <= code <= STATUS_MAX
    return Outcome(code == 0 or weighs, f"exited with status {code}", code - 2 if weighs else None)


class MiscCourse(Course):
    """Runs are ``delay_loop`` apart from start to start; exit statuses may be weights."""

    def __init__(self, check: Check, names: Names) -> None:
        super().__init__(check, names)
        self._path = cast(MiscProbe, check.probe).program.argv[0]

    def ended(self, outcome: Outcome) -> Step:
        step = super().ended(outcome)
        return Step(step.delay_us, step.log, step.report, from_start=True)

    def _judge(self, outcome: Outcome) -> int:
        timing = self.check.timing
        if outcome.ok:
            self._succeeded(outcome)
        elif self._undecided:
            self._failed(outcome)
        self.run = True
        return timing.delay_before_retry_us if self.retried else timing.delay_loop_us

    def _succeeded(self, outcome: Outcome) -> None:
        self.retried = 0
        weighs, self.weight = outcome.weight != self.weight, outcome.weight
        if self.up and self.run:
            if weighs:
                self._report = Report(True, False, self.weight)
            return
        self._tell("succeeded", "", "")
        self._announce(True, "succeeded")

    def _failed(self, outcome: Outcome) -> None:
        timing = self.check.timing
        how = "failed" if outcome.text else "timed out"
        if self.retried < timing.retry:
            self.retried += 1
            if timing.log_all_failures:
                self._tell(how, self._which(), outcome.text)
            return
        self.retried = 0
        self.weight = None
        self._tell(how, self._which(), outcome.text)
        self._announce(False, how)

    def _announce(self, up: bool, how: str) -> None:
        """An alert goes out even for a first result that changes nothing."""
        self._turn(up, "")
        assert self._report is not None
        mail = f"=> MISC CHECK {how} on service <="
        self._report = Report(up, self._report.first, self.weight, 0, mail)

    def _which(self) -> str:
        retry = self.check.timing.retry
        if not retry:
            return " with retry disabled"
        retries = f"{retry} {'retry' if retry == 1 else 'retries'}"
        if self.retried == 1:
            return f", will do {retries}"
        return f" on retry {self.retried - 1}/{retry}" if self.retried > 1 else f" after {retries}"

    def _tell(self, how: str, which: str, reason: str) -> None:
        names, why = self.names, f" ({reason})" if reason else ""
        self._log.append(
            f"Misc check for [{names.real} VS {names.virtual}] by [{self._path}] {how}{which}{why}."
        )


class FileCourse(Course):
    """What the file holds is known at once and whenever it changes: nothing is retried or delayed."""

    def __init__(self, check: Check, names: Names) -> None:
        super().__init__(check, names)
        self._probe = cast(FileProbe, check.probe)

    @property
    def file(self) -> TrackedFile:
        return self._probe.file

    def holds(self, value: int) -> Report | None:
        """The file holds a number (0 when it holds none)."""
        probe = self._probe
        product = value * probe.weight * (-1 if probe.reverse else 1)
        up = product > WEIGHT_FAULT if probe.weight else bool(value) == probe.reverse
        before, self.offset = self.offset, min(max(product, WEIGHT_FAULT + 1), -WEIGHT_FAULT - 1) if up else 0
        self._report = None
        self._turn(up, "")
        if self._report is None and before != self.offset:
            self._report = Report(up, False, None, self.offset)
        return self._report


class BfdCourse(Course):
    """The state of a BFD session, as what runs it says."""

    @property
    def session(self) -> str:
        return cast(BfdProbe, self.check.probe).name

    def is_up(self, up: bool) -> Step | None:
        """The session is up, or is not; None when that is known."""
        if self.run and up == self.up:
            return None
        name = self.session
        self._turn(up, f"=> BFD CHECK {name} {'succeeded' if up else 'failed'} on service <=")
        log = f"BFD check of [{name}] RS({self.names.real}) is {'UP' if up else 'DOWN'}"
        return Step(0, (log,), self._report)
