"""What the VRRP process asks of the kernel for itself: scheduling, memory, and not to outlive its parent."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from evener.keepalived.vrrp.plan import Scheduling

PR_SET_PDEATHSIG, PR_SET_TIMERSLACK = 1, 29
MCL_CURRENT, MCL_FUTURE = 1, 2
RLIMIT_RTTIME = 15
DEFAULT_RTTIME_US = 10_000


def die_with_parent(parent: int) -> bool:
    """SIGTERM when the parent dies (a graceful stop); False when it is dead already."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    return os.getppid() == parent


def wake_precisely() -> None:
    """Timers may be late by a microsecond, rather than by the 50 that the kernel grants itself."""
    _prctl(PR_SET_TIMERSLACK, 1000)


def _prctl(option: int, argument: int) -> None:
    ctypes.CDLL(None).prctl(option, ctypes.c_ulong(argument), 0, 0, 0)


def apply_scheduling(wanted: Scheduling, complain: Callable[[str], None]) -> None:
    """Carry out what global_defs asks for; what is refused is said and otherwise ignored."""
    steps: list[tuple[bool, str, Callable[[], object]]] = [
        (bool(wanted.cpu_affinity), "cpu affinity", lambda: os.sched_setaffinity(0, wanted.cpu_affinity)),
        (wanted.rt_priority is not None, "realtime priority", lambda: _realtime(wanted)),
        (wanted.nice is not None, "priority", lambda: os.setpriority(os.PRIO_PROCESS, 0, wanted.nice or 0)),
        (wanted.no_swap, "no swap", _lock_memory),
    ]
    for asked, what, step in steps:
        if asked:
            try:
                step()
            except (OSError, ValueError) as error:
                complain(f"Unable to set {what}: {error}")


def _realtime(wanted: Scheduling) -> None:
    limit = wanted.rlimit_rttime_us or DEFAULT_RTTIME_US
    resource.setrlimit(RLIMIT_RTTIME, (limit, limit))
    # Scripts must not inherit it.
    policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
    os.sched_setscheduler(0, policy, os.sched_param(wanted.rt_priority or 1))


def _lock_memory() -> None:
    if ctypes.CDLL(None, use_errno=True).mlockall(MCL_CURRENT | MCL_FUTURE) != 0:
        raise OSError(ctypes.get_errno(), "mlockall")


def promote_secondaries(interface: str) -> None:
    """Removing one address of a network must not remove the others."""
    try:
        Path("/proc/sys/net/ipv4/conf", interface, "promote_secondaries").write_text("1\n", encoding="ascii")
    except OSError:
        pass  # read-only /proc or no such interface: the addresses are added back when needed


class AutoPriority:
    """max_auto_priority: a process that is woken too late asks for realtime scheduling, and then for more."""

    def __init__(self, wanted: Scheduling, complain: Callable[[str], None]) -> None:
        self._wanted, self._complain = wanted, complain
        self._priority = wanted.rt_priority or 0

    def judge(self, now: int, deadlines: Iterable[int | None]) -> None:
        """The loop has just turned; ``deadlines`` are those it was to turn for."""
        if self._priority >= self._wanted.most_auto_priority:
            return
        due = min((when for when in deadlines if when is not None), default=now)
        if now - due < self._wanted.auto_delay_us:
            return
        self._priority += 1
        try:
            _realtime(replace(self._wanted, rt_priority=self._priority))
        except OSError as error:
            self._complain(f"Unable to raise the realtime priority: {error.strerror}")
            self._priority = self._wanted.most_auto_priority
            return
        self._complain(f"woken {now - due} usecs late: realtime priority is now {self._priority}")


IGMP_REPORTS = Path("/proc/sys/net/ipv4/igmp_link_local_mcast_reports")


def quiet_igmp() -> Callable[[], None] | None:
    """No IGMP reports for groups that no router forwards; returns what puts the setting back."""
    try:
        before = IGMP_REPORTS.read_text(encoding="ascii")
        IGMP_REPORTS.write_text("0\n", encoding="ascii")
    except OSError:
        return None
    return lambda: _write(IGMP_REPORTS, before)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="ascii")
    except OSError:
        pass  # it was writable a moment ago; nothing more can be done
