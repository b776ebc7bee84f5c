"""Who keeps a promise is there; who is late hangs, and who is late for too long is hopeless."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from evener.host.vrrp_guard import patience_us
from evener.host.vrrp_hang import HANGS, HOPELESS_US, STOPPED, Absence, Promise
from evener.keepalived.vrrp.plan import Instance

PATIENCE = 1_000


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    running = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield running
    running.kill()
    running.communicate()


def test_who_is_late_hangs_until_it_runs_again(process: subprocess.Popen[bytes]) -> None:
    promise = Promise()
    absence = Absence(process.pid, promise, PATIENCE)
    assert absence.begins(10**9) == "", "nothing was promised"
    for start in (0, 50_000):
        promise.make((None, start + 500, start + 100))
        assert [absence.begins(start + now) for now in (0, 100, 1_100, 1_101, 5_000)] == [
            "",
            "",
            "",
            HANGS,
            "",
        ]
    promise.make((None, None))
    assert absence.begins(10**9) == "", "it waits for somebody else"


def test_a_process_sees_what_the_one_it_was_forked_from_promises() -> None:
    promise = Promise()
    near, far = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.read(near, 1)
        os._exit(promise.late_us(7_000) == 2_000)
    promise.make((5_000,))
    os.write(far, b".")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
    os.close(near)
    os.close(far)


def test_who_hangs_for_too_long_is_killed(process: subprocess.Popen[bytes]) -> None:
    promise = Promise()
    absence = Absence(process.pid, promise, PATIENCE)
    promise.make((1,))
    assert absence.begins(2_000) == HANGS
    assert not absence.is_hopeless(2_000 + HOPELESS_US)
    assert absence.is_hopeless(2_001 + HOPELESS_US)
    absence.end()
    assert process.wait(10) == -signal.SIGKILL
    assert not absence.is_hopeless(2_002 + HOPELESS_US)


def test_who_is_stopped_is_left_alone(process: subprocess.Popen[bytes]) -> None:
    """And is not said to hang as well, though it is late."""
    promise = Promise()
    absence = Absence(process.pid, promise, PATIENCE)
    promise.make((1,))
    process.send_signal(signal.SIGSTOP)
    os.waitpid(process.pid, os.WUNTRACED)
    assert [absence.begins(now) for now in (100, 600, 9_000)] == ["", STOPPED, ""]
    assert not absence.is_hopeless(10 * HOPELESS_US)


@pytest.mark.parametrize(
    ("advert_cs", "adverts", "expected"), [(100, 3, 1_500_000), (100, 5, 3_500_000), (1, 3, 200_000)]
)
def test_patience(advert_cs: int, adverts: int, expected: int) -> None:
    config = Instance("V", 1, "eth0", advert_cs=advert_cs, down_timer_adverts=adverts)
    assert patience_us(config) == expected
