"""Options of the keepalived command line, in the daemon that runs."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import Lab, Link, Router, descendants, packed, why_not

pytestmark = [pytest.mark.netns, pytest.mark.timeout(60)]

LINK = Link(advert_cs=10)


@pytest.fixture
def lab() -> Iterator[Lab]:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    lab = Lab(LINK, (Router(0, 150, "evener"), Router(1, 100, "evener")))
    try:
        yield lab
    finally:
        lab.close()


def begin(lab: Lab, *words: str) -> None:
    lab.more_words = list(words)
    lab.start(0)
    lab.wait_for(lambda: lab.has_vip(0), "mastership")


def names(lab: Lab) -> set[str]:
    return {Path(f"/proc/{pid}/comm").read_text("ascii").strip() for pid in descendants(lab.processes[0].pid)}


def test_addresses_stay_at_the_end(lab: Lab) -> None:
    begin(lab, "--dont-release-vrrp")
    since = lab.stop(0)
    assert lab.has_vip(0)
    assert not [f for f in lab.seen().adverts(LINK.addresses[0], since) if f.priority == 0]
    assert any("STOP" in note for note in lab.notes(0))
    lab.more_words = []
    lab.start(0)
    lab.wait_for(lambda: not lab.has_vip(0), "what was left to be taken off")


def test_addresses_are_reported(lab: Lab) -> None:
    begin(lab, "-a")
    lab.ip(0, "addr", "add", "10.9.0.55/24", "dev", "eth0")
    lab.wait_for(lambda: "reports IP 10.9.0.55 added to eth0" in lab.log(0), "the report")
    lab.ip(0, "addr", "del", "10.9.0.55/24", "dev", "eth0")
    lab.wait_for(lambda: "reports IP 10.9.0.55 removed from eth0" in lab.log(0), "the report")


def test_log_files(lab: Lab) -> None:
    begin(lab, "-gown.log", "--flush-log-file")
    home = lab.home / "0"
    assert "Starting Keepalived" in (home / "own.log").read_text("utf-8")
    assert "Entering MASTER STATE" in (home / "own_vrrp.log").read_text("utf-8")


def test_interrupts_are_not_heard(lab: Lab) -> None:
    begin(lab, "--ignore-sigint")
    for pid in (*descendants(lab.processes[0].pid), lab.processes[0].pid):
        subprocess.run(["kill", "-INT", str(pid)], check=True)
    time.sleep(0.3)
    assert lab.has_vip(0)
    lab.stop(0)
    assert not lab.has_vip(0)


def test_all_processes_run_without_anything_to_do(lab: Lab) -> None:
    lab.configure(0, "global_defs {\n router_id nobody\n}\n")
    lab.more_words = ["--all", f"-c{lab.home}/checkers.pid"]  # after -P, which it takes back
    lab.start(0)
    wanted = {"keepalived_vrrp", "keepalived_bfd", "keepalived_heal"}
    lab.wait_for(lambda: wanted <= names(lab), "all of them")
    time.sleep(0.3)
    assert "Respawning" not in lab.log(0)


def limit(pid: int) -> str:
    return next(
        line for line in Path(f"/proc/{pid}/limits").read_text("ascii").splitlines() if "core file" in line
    )


def test_core_files_are_the_daemons_and_not_the_scripts(lab: Lab) -> None:
    own = limit(os.getpid())
    begin(lab, "-m")
    child, helper = descendants(lab.processes[0].pid)[:2]
    assert limit(child).split()[4:6] == ["unlimited", "unlimited"]
    assert limit(helper) == own


def test_a_second_daemon_is_refused_and_a_dead_ones_file_is_not_minded(lab: Lab) -> None:
    begin(lab)
    pid_file = lab.home / "0" / "pid"
    first = lab.processes.pop(0)
    lab.start(0)
    assert lab.processes[0].wait(20) == 1
    assert "daemon is already running" in lab.log(0)
    lab.processes[0] = first
    lab.stop(0)
    sleeper = subprocess.Popen(["sleep", "30"])
    try:
        pid_file.write_text(f"{sleeper.pid}\n", encoding="ascii")
        lab.start(0)
        lab.wait_for(lambda: lab.has_vip(0), "mastership: the number is another program's now")
        assert packed(LINK.vip) in lab.addresses(0)
    finally:
        sleeper.send_signal(signal.SIGKILL)
        sleeper.wait(10)
