"""The course of checks that are a conversation: HTTP_GET and SSL_GET, SMTP_CHECK, DNS_CHECK."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from evener.keepalived.lvs.check_plan import Check, Outcome
from evener.keepalived.lvs.checking import Course, Names, Step
from evener.keepalived.lvs.probes import WebProbe


class WebCourse(Course):
    """The urls are asked for one after the other, one in each attempt; one that failed is asked for again.

    When it answers, all of them are asked for from the first one on before the check counts as succeeded.
    """

    def __init__(self, check: Check, names: Names) -> None:
        super().__init__(check, names)
        self._probe = cast(WebProbe, check.probe)
        self.url = 0
        self.failed: int | None = None
        self._said: dict[int, tuple[str, ...]] = {}

    @property
    def part(self) -> int:
        return self.url

    def adopt(self, old: Course) -> None:
        super().adopt(old)
        if not self.up and isinstance(old, WebCourse):
            self.url = old.url
            self.failed = old.failed

    def ended(self, outcome: Outcome) -> Step:
        """A remark that was made of an url the last time is not repeated."""
        notes = outcome.notes if outcome.notes != self._said.get(self.url) else ()
        self._said[self.url] = outcome.notes
        return super().ended(replace(outcome, notes=notes))

    def _judge(self, outcome: Outcome) -> int:
        delay = self._answered(outcome) if outcome.ok else self._unanswered(outcome)
        hurry = not self.run or (not self.up and self.failed is None)
        return 0 if self._probe.fast_recovery and hurry else delay

    def _answered(self, outcome: Outcome) -> int:
        timing, path = self.check.timing, self._probe.urls[self.url].path
        if not self.up:
            self._log.append(f"{outcome.text} success to {self.names.real} url({path})")
        self.retried = 0
        self.url += 1
        if self.failed is not None:
            self.failed, self.url = None, 0
        elif self.url == len(self._probe.urls):
            self.url = 0
            self._complete()
        if not self.run:
            self.retried = timing.retry
        return timing.delay_loop_us

    def _complete(self) -> None:
        if not self.up or not self.run:
            self._log.append(f"Remote Web server {self.names.real} succeed on service.")
            self._turn(True, "=> CHECK succeed on service <=")

    def _unanswered(self, outcome: Outcome) -> int:
        timing = self.check.timing
        if self._undecided:
            if timing.log_all_failures:
                self._log.append(f"{outcome.text} server {self.names.real}.")
            first, self.run = not self.run, True
            self.retried += 1
            if self.retried > timing.retry:
                self._failed(first)
                self.failed = self.url
        if self.failed is not None:
            return max(timing.delay_before_retry_us, timing.delay_loop_us)
        return timing.delay_before_retry_us

    def _failed(self, first: bool) -> None:
        if not self.up:
            return
        kind = "HTTP" if self._probe.tls is None else "SSL"
        again = f" after {self.retried - 1} retries" if self.check.timing.retry else ""
        self._log.append(f"{kind}_CHECK on service {self.names.real} failed{again}.")
        self.run = not first
        self._turn(False, "=> CHECK failed on service : HTTP/SSL request failed <=")


class SmtpCourse(Course):
    """All retries are made even for the first result."""

    def __init__(self, check: Check, names: Names) -> None:
        super().__init__(check, names)
        self.retried = 0

    def adopt(self, old: Course) -> None:
        super().adopt(old)
        self.retried = 0

    @property
    def _pair(self) -> str:
        """The real server without its protocol."""
        before, _, port = self.names.real.rpartition(":")
        return f"{before.rpartition(':')[0]}:{port}"

    def _judge(self, outcome: Outcome) -> int:
        timing, text = self.check.timing, outcome.text.replace("{pair}", self._pair)
        if outcome.ok:
            self.retried = 0
            self._succeeded()
            return timing.delay_loop_us
        if self._undecided and (timing.log_all_failures or self.retried >= timing.retry):
            self._log.append(f"SMTP_CHECK {text}")
        self.retried += 1
        if self.retried <= timing.retry:
            return timing.delay_before_retry_us
        self.retried = 0
        if self._undecided:
            self._turn(False, f"=> CHECK failed on service : {text} <=")
        return timing.delay_loop_us

    def _succeeded(self) -> None:
        if not self.up or not self.run:
            self._log.append(f"Remote SMTP server {self.names.real} succeed on service.")
            self._turn(True, "=> CHECK succeed on service <=")


class DnsCourse(Course):
    """Success is not worth a word."""

    def _judge(self, outcome: Outcome) -> int:
        timing = self.check.timing
        if outcome.ok:
            self._turn(True, "=> DNS_CHECK: succeed on service <=")
        elif self._undecided:
            last = self.retried >= timing.retry
            if timing.log_all_failures or last:
                again = f" after {timing.retry} retries" if self.run and last else ""
                self._log.append(f"DNS_CHECK ({self.names.real}) {outcome.text}{again}")
            if not last:
                self.retried += 1
                self.run = True
                return timing.delay_before_retry_us
            self._turn(False, "=> DNS_CHECK: failed on service <=")
        self.retried = 0
        return timing.delay_loop_us
