"""What the VRRP process asks of the kernel for itself: scheduling, memory, and not to outlive its parent."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
from collections.abc import Callable, Iterable
from dataclasses import replace

from evener.keepalived.vrrp.plan import Scheduling, VrrpPlan

PR_SET_PDEATHSIG, PR_SET_TIMERSLACK = 1, 29
MCL_CURRENT, MCL_FUTURE = 1, 2
RLIMIT_RTTIME = 15
DEFAULT_RTTIME_US = 10_000
LONGEST_RTTIME_US = 1_000_000
SYS_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274, "riscv64": 274}.get(os.uname().machine)
SCHED_ATTR = struct.Struct("=IIQiIQQQ")
"""struct sched_attr, of its first version: size, policy, flags, nice, priority, runtime, deadline, period."""
SCHED_FLAG_RESET_ON_FORK = 1
SLICE_NS = 100_000
"""The shortest that there is."""


def die_with_parent(parent: int) -> bool:
    """SIGTERM when the parent dies (a graceful stop); False when it is dead already."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    return os.getppid() == parent


def wake_precisely() -> None:
    """Timers may be late by a microsecond, rather than by the 50 that the kernel grants itself; and a process
    that runs for a moment only asks not to wait for the end of somebody else's time slice."""
    _prctl(PR_SET_TIMERSLACK, 1000)
    if SYS_SCHED_SETATTR is not None and os.sched_getscheduler(0) == os.SCHED_OTHER:
        _ask_for_short_slices(SYS_SCHED_SETATTR)


def _ask_for_short_slices(call: int) -> None:
    """sched_setattr(2): since Linux 6.12 the runtime of SCHED_OTHER is the slice; older kernels ignore it."""
    nice, flags = os.getpriority(os.PRIO_PROCESS, 0), SCHED_FLAG_RESET_ON_FORK
    wanted = SCHED_ATTR.pack(SCHED_ATTR.size, os.SCHED_OTHER, flags, nice, 0, SLICE_NS, 0, 0)
    ctypes.CDLL(None).syscall(call, 0, wanted, 0)


def _prctl(option: int, argument: int) -> None:
    ctypes.CDLL(None).prctl(option, ctypes.c_ulong(argument), 0, 0, 0)


def apply_scheduling(wanted: Scheduling, complain: Callable[[str], None]) -> None:
    """Carry out what global_defs asks for; what is refused is said and otherwise ignored."""
    steps: list[tuple[bool, str, Callable[[], object]]] = [
        (bool(wanted.cpu_affinity), "cpu affinity", lambda: os.sched_setaffinity(0, wanted.cpu_affinity)),
        (wanted.rt_priority is not None, "realtime priority", lambda: _realtime(wanted, complain)),
        (wanted.nice is not None, "priority", lambda: os.setpriority(os.PRIO_PROCESS, 0, wanted.nice or 0)),
        (wanted.no_swap, "no swap", _lock_memory),
    ]
    for asked, what, step in steps:
        if asked:
            try:
                step()
            except (OSError, ValueError) as error:
                complain(f"Unable to set {what}: {error}")


def _realtime(wanted: Scheduling, complain: Callable[[str], None]) -> None:
    """The limit is there for a process that does not stop; one that takes its time at a start or a reload
    must not be killed with its addresses on the interface: that is said, and it may go on as long again."""
    limit = wanted.rlimit_rttime_us or DEFAULT_RTTIME_US
    signal.signal(signal.SIGXCPU, lambda _number, _frame: complain(f"ran for {limit} usecs without a pause"))
    resource.setrlimit(RLIMIT_RTTIME, (limit, max(2 * limit, LONGEST_RTTIME_US)))
    # Scripts must not inherit it.
    policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
    os.sched_setscheduler(0, policy, os.sched_param(wanted.rt_priority or 1))


def prefer_realtime(wanted: Scheduling, complain: Callable[[str], None]) -> None:
    """Where nothing is configured, and where it is permitted: the lowest realtime priority.

    Adverts that wait for the end of somebody's time slices are late by 10 ms on a busy machine, by more on
    an overloaded one: that is how a master is taken for dead. What little runs here harms nobody; should it
    ever run for a second without a pause, it is an ordinary process from then on.
    """
    if wanted.nice is not None or wanted.rt_priority is not None or wanted.most_auto_priority:
        return
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
        hard = resource.getrlimit(RLIMIT_RTTIME)[1]
        soft = LONGEST_RTTIME_US if hard == resource.RLIM_INFINITY else min(LONGEST_RTTIME_US, hard)
        resource.setrlimit(RLIMIT_RTTIME, (soft, hard))
    except OSError:
        return
    signal.signal(signal.SIGXCPU, lambda _number, _frame: _be_ordinary(complain))


def _be_ordinary(complain: Callable[[str], None]) -> None:
    os.sched_setscheduler(0, os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, os.sched_param(0))
    complain("ran for a second without a pause: no realtime priority any more")
    wake_precisely()


def _lock_memory() -> None:
    if ctypes.CDLL(None, use_errno=True).mlockall(MCL_CURRENT | MCL_FUTURE) != 0:
        raise OSError(ctypes.get_errno(), "mlockall")


def promote_secondaries(interface: str) -> None:
    """Removing one address of a network must not remove the others."""
    try:
        _write(f"/proc/sys/net/ipv4/conf/{interface}/promote_secondaries", "1\n")
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
            _realtime(replace(self._wanted, rt_priority=self._priority), self._complain)
        except OSError as error:
            self._complain(f"Unable to raise the realtime priority: {error.strerror}")
            self._priority = self._wanted.most_auto_priority
            return
        self._complain(f"woken {now - due} usecs late: realtime priority is now {self._priority}")


IGMP_REPORTS = "/proc/sys/net/ipv4/igmp_link_local_mcast_reports"


def quiet_igmp() -> Callable[[], None] | None:
    """No IGMP reports for groups that no router forwards; returns what puts the setting back."""
    try:
        with open(IGMP_REPORTS, encoding="ascii") as file:
            before = file.read()
        _write(IGMP_REPORTS, "0\n")
    except OSError:
        return None
    return lambda: _put_back(IGMP_REPORTS, before)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def _put_back(path: str, text: str) -> None:
    try:
        _write(path, text)
    except OSError:
        pass  # it was writable a moment ago; nothing more can be done


def startup_delay_us(plan: VrrpPlan, since_boot: int) -> int:
    """The longer of vrrp_startup_delay and what is left of vrrp_delay_after_boot."""
    options = plan.options
    return max(options.startup_delay_us, options.delay_after_boot_us - since_boot, 0)
