"""MISC_CHECK: a program that the script helper runs, never this process."""

from __future__ import annotations

import os
from collections.abc import Callable

from evener.host.checks.attempt import Done, not_made
from evener.host.reactor import Reactor, Timer
from evener.host.scripts import Ended, ScriptClient
from evener.keepalived.lvs.checking_scripts import exited
from evener.keepalived.lvs.probes import MiscProbe

FLUSH_S = 0.01
PATIENCE_S = 10.0
"""A report that the helper could not get rid of does not come any more."""


class Programs:
    """The programs that are running. Without a helper none can be; when it is lost, so are they."""

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor
        self._client: ScriptClient | None = None
        self._waiting: dict[int, Callable[[Ended | None], None]] = {}
        self._last = 0

    def helped_by(self, client: ScriptClient | None) -> None:
        self._client = client
        lost, self._waiting = self._waiting, {}
        for ended in lost.values():
            ended(None)

    def run(self, probe: MiscProbe, ended: Callable[[Ended | None], None]) -> int | None:
        """Its number; None when there is no helper."""
        if self._client is None:
            return None
        self._last += 1
        self._waiting[self._last] = ended
        self._client.once(self._last, probe.program, probe.timeout_us)
        self._flush()
        return self._last

    def _flush(self) -> None:
        """What a full socket held back is handed over soon."""
        if self._client is not None and not self._client.flush():
            self._reactor.later(FLUSH_S, self._flush)

    def forget(self, number: int) -> None:
        """End a program; nobody wants to know how."""
        if self._waiting.pop(number, None) is not None and self._client is not None:
            self._client.forget(number)

    def hear(self, ended: Ended) -> None:
        waiting = self._waiting.pop(ended.number, None)
        if waiting is not None:
            waiting(ended)


def disabled(probe: MiscProbe) -> str | None:
    """Why a program will never run, as the log says it; None when it may."""
    name = probe.program.argv[0]
    import shutil

    path = name if "/" in name else shutil.which(name)
    if path is not None and os.path.isfile(path) and os.access(path, os.X_OK):
        return None
    shown = " ".join(f"'{word}'" for word in probe.program.argv)
    return f"Disabling misc script {shown} since not found/accessible"


class MiscAttempt:
    def __init__(self, reactor: Reactor, programs: Programs, probe: MiscProbe, done: Done) -> None:
        self._reactor = reactor
        self._timer: Timer | None = None
        self._programs = programs
        self._probe = probe
        self._done = done
        self._number: int | None = None

    def start(self) -> None:
        self._number = self._programs.run(self._probe, self._ended)
        if self._number is None:
            self._done(not_made())
            return
        patience = self._probe.timeout_us / 1e6 + PATIENCE_S
        self._timer = self._reactor.later(patience, self._unheard)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._number is not None:
            self._programs.forget(self._number)

    def _unheard(self) -> None:
        self.close()
        self._done(exited(self._probe, 0, True))

    def _ended(self, ended: Ended | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if ended is None:
            self._done(not_made())
        else:
            self._done(exited(self._probe, ended.code, ended.timed_out))
