"""Processes of the daemon die, are killed or stopped, alone and together: never two owners, nothing left.

Router 0 is master and loses processes; router 1 backs it up. What is asserted is the state: from a few
adverts after the kill on, at most one of them has the address at any time that is looked at, and in the end
one has. The guard of the addresses is what makes that true when nothing else is left (host/vrrp_guard).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from deaths import GUARD, kill, never_two_owners, processes
from lab import Lab, Link, Router, descendants, packed, why_not

pytestmark = [pytest.mark.netns, pytest.mark.timeout(60)]

LINK = Link(advert_cs=10)
STRONG, WEAK = Router(0, 150, "evener"), Router(1, 100, "evener")
GRACE_S = 10 * LINK.advert_s
"""Until a dead router must not have the address any more: a busy machine may take its time."""


@pytest.fixture
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    lab = Lab(getattr(request, "param", LINK), (STRONG, WEAK))
    try:
        lab.start(0)
        lab.start(1)
        lab.owned_by(0)
        lab.wait_for(lambda: "Entering BACKUP STATE" in lab.log(1), "router 1 in backup")
        yield lab
    finally:
        lab.close()


def kill_everything_called_keepalived(lab: Lab) -> None:
    kill(lab, *(name for name in processes(lab) if name.startswith("keepalived")))


def kill_every_descendant(lab: Lab) -> None:
    parent = lab.processes[0].pid
    for pid in (*descendants(parent), parent):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def kill_the_group(lab: Lab) -> None:
    os.killpg(lab.processes[0].pid, signal.SIGKILL)


def kill_with_a_helper_that_is_stopped(lab: Lab) -> None:
    kill(lab, "keepalived_scr", "keepalived", how=signal.SIGSTOP)
    kill(lab, "keepalived_vrrp", "keepalived", "keepalived_scr")


FATAL: dict[str, Callable[[Lab], None]] = {
    "vrrp-and-parent": lambda lab: kill(lab, "keepalived_vrrp", "keepalived"),
    "parent-and-vrrp": lambda lab: kill(lab, "keepalived", "keepalived_vrrp"),
    "everything-called-keepalived": kill_everything_called_keepalived,
    "every-descendant": kill_every_descendant,
    "process-group": kill_the_group,
    "with-a-stopped-helper": kill_with_a_helper_that_is_stopped,
}
SURVIVED: dict[str, Callable[[Lab], None]] = {
    "vrrp": lambda lab: kill(lab, "keepalived_vrrp"),
    "vrrp-crash": lambda lab: kill(lab, "keepalived_vrrp", how=signal.SIGSEGV),
    "vrrp-and-helper": lambda lab: kill(lab, "keepalived_vrrp", "keepalived_scr"),
    "vrrp-and-guard": lambda lab: kill(lab, "keepalived_vrrp", GUARD),
    "helper": lambda lab: kill(lab, "keepalived_scr"),
    "guard": lambda lab: kill(lab, GUARD),
    "helper-and-guard": lambda lab: kill(lab, "keepalived_scr", GUARD),
}


def stop_everything_called_keepalived(lab: Lab) -> None:
    kill(lab, *(name for name in processes(lab) if name.startswith("keepalived")), how=signal.SIGSTOP)


STOPPED: dict[str, Callable[[Lab], None]] = {
    "vrrp": lambda lab: kill(lab, "keepalived_vrrp", how=signal.SIGSTOP),
    "everything-called-keepalived": stop_everything_called_keepalived,
    "process-group": lambda lab: os.killpg(lab.processes[0].pid, signal.SIGSTOP),
}
PATIENT = Link(advert_cs=30)
"""The guard has two intervals to spare: time enough for it on a busy machine."""


@pytest.mark.parametrize("name", FATAL)
def test_what_ends_the_daemon_takes_its_address_away(lab: Lab, name: str) -> None:
    FATAL[name](lab)
    lab.processes.pop(0).wait(10)
    lab.wait_for(lambda: not lab.has_vip(0), "removal of the address", GRACE_S)
    lab.owned_by(1)
    assert set(processes(lab)) <= {"ip"}, "nothing is left"


@pytest.mark.parametrize("name", SURVIVED)
def test_what_is_left_of_it_puts_it_right(lab: Lab, name: str) -> None:
    before = processes(lab)
    SURVIVED[name](lab)
    never_two_owners(lab, GRACE_S)
    lab.owned_by(0)
    lab.wait_for(lambda: set(processes(lab)) == set(before), "all processes again")
    lab.wait_for(lambda: lab.owners() == [0], "it to stay so")


def test_a_killed_parent_is_followed_in_order(lab: Lab) -> None:
    kill(lab, "keepalived")
    lab.processes.pop(0).wait(10)
    lab.wait_for(lambda: not lab.has_vip(0), "removal of the address", GRACE_S)
    lab.owned_by(1)
    assert any(f.priority == 0 for f in lab.seen().adverts(LINK.addresses[0])), "it said so"
    lab.wait_for(lambda: not processes(lab), "everything to go")


def test_an_orderly_end_needs_no_guard(lab: Lab) -> None:
    lab.stop(0)
    lab.wait_for(lambda: not processes(lab), "everything to go")
    assert "the VRRP process is gone" not in lab.log(0)


def test_what_was_left_behind_is_taken_off_at_the_next_start(lab: Lab) -> None:
    """Whoever kills the guard too leaves the address there, until the daemon is started again."""
    kill(lab, GUARD, "keepalived", "keepalived_vrrp", "keepalived_scr")
    lab.processes.pop(0).wait(10)
    lab.wait_for(lambda: lab.has_vip(1), "the backup to take over")
    for path in (lab.home / "0").glob("*pid"):
        path.unlink()
    lab.start(0)
    lab.wait_for(lambda: not lab.has_vip(0), "removal of the address")
    lab.owned_by(0)


def test_after_a_reload_the_guard_knows_the_new_address(lab: Lab) -> None:
    text = (lab.home / "0" / "conf").read_text(encoding="ascii")
    lab.configure(0, text.replace(LINK.vip, f"{LINK.vip}\n10.9.0.101/24"))
    lab.signal(0, signal.SIGHUP)
    lab.wait_for(lambda: packed("10.9.0.101") in lab.addresses(0), "the new address")
    kill_everything_called_keepalived(lab)
    lab.processes.pop(0).wait(10)
    lab.wait_for(lambda: lab.addresses(0).count(packed("10.9.0.101")) == 0, "its removal", GRACE_S)
    assert not lab.has_vip(0)


@pytest.mark.parametrize("lab", [PATIENT], indirect=True, ids=[""])
@pytest.mark.parametrize("name", STOPPED)
def test_who_is_stopped_is_not_master_any_more(lab: Lab, name: str) -> None:
    STOPPED[name](lab)
    never_two_owners(lab, 5 * PATIENT.advert_s)
    lab.owned_by(1)
    lab.wait_for(lambda: "is stopped: its virtual addresses are taken off" in lab.log(0), "the notice")
    for pid in processes(lab).values():
        os.kill(pid, signal.SIGCONT)
    never_two_owners(lab, 2 * PATIENT.advert_s)  # before it takes over again
    lab.owned_by(0)
    assert lab.log(0).count("(VI_1) this process did not run, leaving MASTER state") == 1


HANG = signal.SIGRTMIN + 5
SPINS = f"""
import signal
def spin(number, frame):
    while True: pass
signal.signal({int(HANG)}, spin)
"""
"""A module that Python loads at the start, and that lets a process hang when it is told to."""


@pytest.fixture
def spinning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(SPINS, encoding="ascii")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


@pytest.mark.usefixtures("spinning")
@pytest.mark.parametrize("lab", [PATIENT], indirect=True, ids=[""])
def test_who_hangs_is_not_master_any_more(lab: Lab) -> None:
    """And is killed in the end, so that another one is master again."""
    before = processes(lab)["keepalived_vrrp"]
    os.sched_setscheduler(before, os.SCHED_OTHER, os.sched_param(0))  # or the kernel ends who does not pause
    os.kill(before, HANG)
    never_two_owners(lab, 5 * PATIENT.advert_s)
    lab.owned_by(1)
    lab.wait_for(lambda: "hangs: its virtual addresses are taken off" in lab.log(0), "the notice")
    lab.owned_by(0)
    assert "goes on hanging: it is killed" in lab.log(0)
    assert processes(lab)["keepalived_vrrp"] != before


def test_who_is_stopped_may_be_killed(lab: Lab) -> None:
    kill(lab, "keepalived_vrrp", how=signal.SIGSTOP)
    lab.owned_by(1)
    kill(lab, "keepalived_vrrp")
    lab.owned_by(0)
