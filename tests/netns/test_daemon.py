"""What the processes do around elections: scripts, buffers, marks, reloads that fail, the status socket."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator

import pytest
from lab import Lab, Link, Router, configuration, descendants, realtime, why_not

pytestmark = [pytest.mark.netns, pytest.mark.timeout(60)]

LINK = Link(advert_cs=10)
OWN, OTHER = Router(0, 150, "evener"), Router(1, 100, "evener")


@pytest.fixture
def lab() -> Iterator[Lab]:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    lab = Lab(LINK, (OWN, OTHER))
    try:
        yield lab
    finally:
        lab.close()


def begin(lab: Lab, settings: str, more: str = "", roots: str = "") -> None:
    above = f"{roots}\nglobal_defs {{\n{settings}\n}}\n"
    lab.configure(0, above + configuration(LINK, OWN, more=more))
    lab.start(0)
    lab.wait_for(lambda: lab.has_vip(0), "mastership")


def test_scripts_before_and_after(lab: Lab) -> None:
    script = lab.note_script(0)
    begin(lab, f' startup_script "{script} up"\n shutdown_script "{script} down"')
    assert lab.notes(0) == ["up"]
    lab.stop(0)
    assert lab.notes(0) == ["up", "down"]


def test_a_startup_script_that_hangs_is_killed(lab: Lab) -> None:
    begin(lab, ' startup_script "/bin/sleep 50"\n startup_script_timeout 1')
    assert "took longer than 1 s: killing it" in lab.log(0)


def test_igmp_is_quiet_while_we_run(lab: Lab) -> None:
    read = ["ip", "netns", "exec", lab.spaces[0], "cat", "/proc/sys/net/ipv4/igmp_link_local_mcast_reports"]

    def setting() -> str:
        return subprocess.run(read, check=True, capture_output=True, text=True).stdout.strip()

    begin(lab, "disable_local_igmp")
    assert setting() == "0"
    lab.stop(0)
    assert setting() == "1"


def test_a_reload_that_fails_changes_nothing_and_says_why(lab: Lab) -> None:
    log, mark, fifo = lab.home / "why", lab.home / "mark", lab.home / "fifo"
    settings = (
        f"reload_check_config {log}\nreload_file {mark}\nnotify_fifo {fifo}\nfifo_write_vrrp_states_on_reload"
    )
    begin(lab, settings)
    good = (lab.home / "0" / "conf").read_text(encoding="ascii")
    mark.write_text("there", encoding="ascii")
    lab.configure(0, good.replace("priority 150", "priority"))
    lab.signal(0, signal.SIGHUP)
    lab.wait_for(lambda: "New config failed validation, see" in lab.log(0), "the refusal")
    assert "is missing a parameter" in log.read_text(encoding="utf-8")
    assert lab.has_vip(0) and not mark.exists()
    with fifo.open("rb") as reader:
        lab.configure(0, good)
        lab.signal(0, signal.SIGHUP)
        lines = [reader.readline() for _ in range(3)]
    assert lines.count(b'INSTANCE "VI_1" MASTER 150\n') == 2, "once as it became master, once for the reload"
    assert lab.log(0).count("Entering MASTER STATE") == 1


def test_status_over_http(lab: Lab) -> None:
    path = lab.status_path(0)
    lab.configure(0, configuration(LINK, OWN))
    lab.start(0)
    lab.wait_for(lambda: lab.has_vip(0), "mastership")
    assert 'keepalived_vrrp_state{iname="VI_1",intf="eth0",vrid="51"} 2' in lab.ask_status(0, "/metrics")
    assert json.loads(lab.ask_status(0, "/status"))[0]["data"]["state"] == 2
    lab.kill_child(0)
    lab.wait_for(lambda: "Respawning" in lab.log(0) and path.exists(), "another process")
    lab.wait_for(lambda: lab.has_vip(0), "mastership again")
    assert "keepalived_up 1" in lab.ask_status(0, "/metrics")


def test_the_data_dump_is_written(lab: Lab) -> None:
    begin(lab, f"state_dump_file {lab.home}/state.data")
    lab.signal(0, signal.SIGUSR1)
    path, parent = lab.home / "state.data", lab.home / "state_parent.data"
    lab.wait_for(lambda: path.exists() and parent.exists(), "the files")
    text = path.read_text(encoding="ascii")
    assert "   State = MASTER" in text and " Name = eth0" in text
    assert "------< Global definitions >------" in parent.read_text(encoding="ascii")


def test_a_late_process_asks_for_realtime(lab: Lab) -> None:
    above = "global_defs {\nmax_auto_priority 3\nmin_auto_priority_delay 100000\n}\n"
    ordinary = configuration(LINK, OWN).replace(realtime("vrrp"), "")
    lab.configure(0, above + ordinary)
    lab.start(0)
    lab.wait_for(lambda: lab.has_vip(0), "mastership")
    child = next(iter(descendants(lab.processes[0].pid)))
    for _ in range(2):
        subprocess.run(["kill", "-STOP", str(child)], check=True)
        subprocess.run(["sleep", "0.4"], check=True)
        subprocess.run(["kill", "-CONT", str(child)], check=True)
        subprocess.run(["sleep", "0.2"], check=True)
    assert re.search(r"usecs late: realtime priority is now 2|Unable to raise", lab.log(0))
