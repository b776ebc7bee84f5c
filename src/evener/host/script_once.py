"""Programs that the helper runs once, for at most so long: those of MISC_CHECK.

A program that takes too long has failed at that moment; that is reported, then its process group is ended,
first politely. What it leaves running after an end of its own is its business, as in the original.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from evener.host.reactor import Timer
from evener.keepalived.vrrp.plan import Program

if TYPE_CHECKING:
    from evener.host.scripts import Helper

KILL_AFTER_S = 2.0
NOT_STARTED = 127
"""What a shell returns for a program it does not find."""


class Once:
    """One run. ``ended`` gets (return code, whether the time was over), unless ``give_up`` comes first."""

    def __init__(
        self, helper: Helper, program: Program, seconds: float, ended: Callable[[int, bool], None]
    ) -> None:
        self._helper = helper
        self._ended: Callable[[int, bool], None] | None = ended
        self._timer: Timer | None = None
        self._pid = helper.start(program, (), self._reaped)
        if self._pid is None:
            self._tell(NOT_STARTED, False)
        else:
            self._timer = helper.reactor.later(seconds, self._expire)

    @property
    def running(self) -> bool:
        return self._pid is not None

    def give_up(self) -> None:
        self._ended = None
        if self._pid is not None:
            self._signal(signal.SIGKILL)

    def _tell(self, code: int, late: bool) -> None:
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(code, late)

    def _expire(self) -> None:
        self._tell(-signal.SIGTERM, True)
        self._signal(signal.SIGTERM)
        self._timer = self._helper.reactor.later(KILL_AFTER_S, lambda: self._signal(signal.SIGKILL))

    def _reaped(self, code: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._ended is None:
            self._signal(signal.SIGKILL)  # what it left behind after we ended it
        self._pid = None
        self._tell(code, False)

    def _signal(self, number: signal.Signals) -> None:
        if self._pid is not None:
            self._helper.signal_group(self._pid, number)


class OnceRunner:
    """The helper's end of ``ScriptClient.once`` and ``forget``."""

    def __init__(self, helper: Helper, report: Callable[[int, int, bool], None]) -> None:
        self._helper = helper
        self._report = report
        self._runs: dict[int, Once] = {}

    def run(self, number: int, program: Program, microseconds: int) -> None:
        def ended(code: int, late: bool) -> None:
            self._runs.pop(number, None)
            self._report(number, code, late)

        once = Once(self._helper, program, microseconds / 1e6, ended)
        if once.running:
            self._runs[number] = once

    def forget(self, number: int) -> None:
        once = self._runs.pop(number, None)
        if once is not None:
            once.give_up()

    def close(self) -> None:
        for number in list(self._runs):
            self.forget(number)
