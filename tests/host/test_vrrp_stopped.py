"""Who is stopped is found so from the second look on; who waits, runs or is gone never is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from evener.host.vrrp_stopped import Stillness

PROGRAMS = {"waits": "input()", "runs": "while True: pass"}


@pytest.fixture(params=PROGRAMS)
def process(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    running = subprocess.Popen([sys.executable, "-c", PROGRAMS[request.param]], stdin=subprocess.PIPE)
    yield running
    running.kill()
    running.communicate()


def lasts(stillness: Stillness) -> bool:
    stillness.look()
    return stillness.lasts


def stop(process: subprocess.Popen[bytes]) -> None:
    """Until it has left its processor, too: the parent hears of the stop a moment before that."""
    before = switches(process)
    process.send_signal(signal.SIGSTOP)
    assert os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1])
    counts = [before]
    for _ in range(1000):
        counts.append(switches(process))
        if counts[-1] == counts[-2] > before:
            return
        time.sleep(0.005)
    raise AssertionError(f"it did not leave its processor: {counts[-3:]}")


def switches(process: subprocess.Popen[bytes]) -> int:
    """How often it gave its processor away by itself."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])


def test_stopped_and_continued(process: subprocess.Popen[bytes]) -> None:
    stillness = Stillness(process.pid)
    assert not any(lasts(stillness) for _ in range(20))
    for _ in range(2):
        stop(process)
        assert [lasts(stillness) for _ in range(4)] == [False, True, True, True]
        process.send_signal(signal.SIGCONT)
        os.waitpid(process.pid, os.WCONTINUED)
        assert not any(lasts(stillness) for _ in range(20))


def test_stopped_again_and_again_is_not_still(process: subprocess.Popen[bytes]) -> None:
    stillness = Stillness(process.pid)
    for _ in range(20):
        stop(process)
        assert not lasts(stillness)
        process.send_signal(signal.SIGCONT)
        os.waitpid(process.pid, os.WCONTINUED)


def test_who_is_gone_is_not_stopped(process: subprocess.Popen[bytes]) -> None:
    stillness = Stillness(process.pid)
    stop(process)
    assert not lasts(stillness)
    process.kill()
    process.wait()
    assert not any(lasts(stillness) for _ in range(3))


def test_without_proc_nobody_is() -> None:
    stillness = Stillness(2**30)
    assert not any(lasts(stillness) for _ in range(3))
