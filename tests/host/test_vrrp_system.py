"""What a process asks of the scheduler for itself, in a process of its own."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest

from evener.host import vrrp_system
from evener.host.vrrp_system import (
    SCHED_ATTR,
    SYS_SCHED_SETATTR,
    apply_scheduling,
    prefer_realtime,
    wake_precisely,
)
from evener.keepalived.vrrp.plan import Scheduling

MOST_BURNT_S = 20.0


def elsewhere(action: Callable[[], str]) -> tuple[int, str]:
    """Run something in a child; how it ended, and what it says."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writer, action().encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read().decode()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said


def may_be_realtime() -> bool:
    def attempt() -> str:
        try:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        except OSError:
            return ""
        return "yes"

    return elsewhere(attempt)[1] == "yes"


def burn(seconds: float) -> None:
    """So much processor time without a pause."""
    begun, end = time.thread_time(), time.monotonic() + MOST_BURNT_S
    while time.thread_time() - begun < seconds and time.monotonic() < end:
        pass


def test_a_realtime_process_that_takes_its_time_is_told_and_goes_on() -> None:
    """vrrp_rt_priority with a vrrp_rlimit_rttime that is over soon."""
    if not may_be_realtime():
        pytest.skip("realtime priorities are not permitted here")
    said: list[str] = []

    def action() -> str:
        apply_scheduling(Scheduling(rt_priority=3, rlimit_rttime_us=10_000), said.append)
        policy = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK
        burn(0.1)
        return f"{policy == os.SCHED_RR} {said}"

    assert elsewhere(action) == (0, "True ['ran for 10000 usecs without a pause']")


def test_one_that_does_not_stop_is_ended() -> None:
    if not may_be_realtime():
        pytest.skip("realtime priorities are not permitted here")

    def action() -> str:
        apply_scheduling(Scheduling(rt_priority=3, rlimit_rttime_us=10_000), lambda message: None)
        burn(5)
        return "still here"

    assert elsewhere(action) == (-signal.SIGKILL, "")


def policy() -> str:
    found = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK
    return {os.SCHED_RR: "realtime", os.SCHED_OTHER: "ordinary"}[found]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Scheduling(), "realtime"),
        (Scheduling(nice=0), "ordinary"),
        (Scheduling(most_auto_priority=5), "ordinary"),
    ],
)
def test_realtime_where_nothing_is_configured(wanted: Scheduling, expected: str) -> None:
    if not may_be_realtime():
        pytest.skip("realtime priorities are not permitted here")

    def action() -> str:
        prefer_realtime(wanted, lambda message: None)
        return f"{policy()} {elsewhere(policy)[1]}"

    assert elsewhere(action) == (0, f"{expected} ordinary"), "and its children are ordinary"


def test_one_that_nobody_asked_for_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    if not may_be_realtime():
        pytest.skip("realtime priorities are not permitted here")
    monkeypatch.setattr(vrrp_system, "LONGEST_RTTIME_US", 10_000)
    said: list[str] = []

    def action() -> str:
        prefer_realtime(Scheduling(), said.append)
        burn(0.1)
        return f"{policy()} {said}"

    wanted = "ordinary ['ran for a second without a pause: no realtime priority any more']"
    assert elsewhere(action) == (0, wanted)


def test_slices_are_short_and_not_inherited() -> None:
    if SYS_SCHED_SETATTR is None:
        pytest.skip("the number of the system call is not known")

    def action() -> str:
        wake_precisely()
        own = attributes()
        return f"{own[2] & 1} {own[5]} {elsewhere(lambda: str(attributes()[2] & 1))[1]}"

    code, said = elsewhere(action)
    reset, runtime, inherited = said.split()
    assert (code, reset, inherited) == (0, "1", "0")
    assert int(runtime) in (0, 100_000), "older kernels do not say"


def attributes() -> tuple[int, ...]:
    """sched_getattr(2) of ourselves."""
    import ctypes

    assert SYS_SCHED_SETATTR is not None
    found = ctypes.create_string_buffer(SCHED_ATTR.size)
    ctypes.CDLL(None).syscall(SYS_SCHED_SETATTR + 1, 0, found, SCHED_ATTR.size, 0)
    return tuple(SCHED_ATTR.unpack(found.raw))
