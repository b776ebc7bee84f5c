"""Two evener nodes, and what may befall them: rubbish on the wire, crashes, reloads, failing scripts.

The cases run one after the other in labs of their own, with adverts every 0.1 s so that each is short.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from lab import (
    Lab,
    Link,
    Router,
    configuration,
    descendants,
    inside,
    longest_gap,
    on_time,
    packed,
    why_not,
)
from stranger import GROUP, SOURCE, send, wrap

from evener.wire import vrrp

pytestmark = [pytest.mark.netns, pytest.mark.timeout(60)]

LINK = Link(advert_cs=10)
STRONG, WEAK = Router(0, 150, "evener"), Router(1, 100, "evener")
TAKEOVER_S = 3 * LINK.advert_s + LINK.skew_s(WEAK.priority)


@pytest.fixture
def lab() -> Iterator[Lab]:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    lab = Lab(LINK, (STRONG, WEAK))
    try:
        yield lab
    finally:
        lab.close()


def elect(lab: Lab) -> None:
    lab.start(0)
    lab.start(1)
    lab.wait_for(lambda: lab.has_vip(0), "mastership of 0")
    lab.wait_for(lambda: "Entering BACKUP STATE" in lab.log(1) and not lab.has_vip(1), "router 1 in backup")
    time.sleep(0.2)


def since_last_advert(lab: Lab, since: float) -> float:
    first = lab.wait_advert(1, since)
    before = [f.at for f in lab.seen().adverts(LINK.addresses[0]) if f.at < first.at]
    return first.at - before[-1]


def test_killed_parent_takes_its_child_down_gracefully(lab: Lab) -> None:
    elect(lab)
    since = time.time()
    os.kill(lab.processes[0].pid, signal.SIGKILL)
    lab.processes.pop(0).wait(10)
    first = lab.wait_advert(1, since)
    zero = [f for f in lab.seen().adverts(LINK.addresses[0], since) if f.priority == 0]
    assert len(zero) == 1
    assert on_time(first.at - zero[0].at, LINK.skew_s(WEAK.priority))
    lab.wait_for(lambda: not lab.has_vip(0), "removal of the address")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV], ids=lambda number: number.name)
def test_killed_child_is_respawned_and_preempts_back(lab: Lab, number: signal.Signals) -> None:
    elect(lab)
    since = time.time()
    lab.kill_child(0, number)
    assert on_time(since_last_advert(lab, since), TAKEOVER_S)
    lab.wait_for(lambda: lab.has_vip(0) and not lab.has_vip(1), "the return of router 0")
    assert "Respawning" in lab.log(0)


def test_killed_processes_leave_no_address_behind(lab: Lab) -> None:
    """Parent and VRRP process are killed at once; the helper is what is left."""
    elect(lab)
    parent = lab.processes.pop(0)
    parent.send_signal(signal.SIGSTOP)
    os.kill(descendants(parent.pid)[0], signal.SIGKILL)
    parent.kill()
    parent.wait(10)
    lab.wait_for(lambda: not lab.has_vip(0), "removal of the address")
    lab.wait_for(lambda: lab.has_vip(1), "router 1 to take over")


def test_a_killed_helper_is_replaced(lab: Lab) -> None:
    elect(lab)
    helper = descendants(lab.processes[0].pid)[1]
    os.kill(helper, signal.SIGKILL)
    lab.wait_for(lambda: "script helper process died" in lab.log(0), "the notice")
    lab.wait_for(lambda: len(descendants(lab.processes[0].pid)) == 2, "another helper")
    assert lab.has_vip(0) and not lab.has_vip(1)


def test_reload_keeps_mastership_and_changes_only_differences(lab: Lab) -> None:
    elect(lab)
    since = time.time()
    good = configuration(LINK, STRONG)
    lab.configure(0, good.replace(LINK.vip, f"{LINK.vip}\n10.9.0.101/24"))
    lab.signal(0, signal.SIGHUP)
    lab.wait_for(lambda: packed("10.9.0.101") in lab.addresses(0), "the new address")
    lab.configure(0, good)
    lab.signal(0, signal.SIGHUP)
    lab.wait_for(lambda: packed("10.9.0.101") not in lab.addresses(0), "its removal")
    lab.configure(0, good.replace(f"priority {STRONG.priority}", "priority"))
    lab.signal(0, signal.SIGHUP)
    lab.wait_for(lambda: "keeping the old one" in lab.log(0), "the refusal of a bad configuration")
    time.sleep(0.3)
    assert lab.has_vip(0)
    assert longest_gap(lab.seen().adverts(LINK.addresses[0], since)) < TAKEOVER_S
    assert not lab.seen().adverts(LINK.addresses[1], since)
    assert all(f.priority for f in lab.seen().adverts(LINK.addresses[0], since))


def test_suspended_backup_does_not_take_over_when_it_wakes(lab: Lab) -> None:
    elect(lab)
    since = time.time()
    child = descendants(lab.processes[1].pid)[0]
    os.kill(child, signal.SIGSTOP)
    time.sleep(1.0)
    os.kill(child, signal.SIGCONT)
    time.sleep(0.5)
    assert not lab.seen().adverts(LINK.addresses[1], since)


def rubbish() -> list[tuple[str, bytes]]:
    """(counter it must move, IPv4 packet) for a router with VRID 51, version 3."""
    source, group = SOURCE, GROUP
    good = vrrp.Advert(3, 51, 255, 10, (packed(LINK.vip),))
    pdu = vrrp.encode(good, source, group)
    second = vrrp.encode(replace(good, version=2, interval_cs=100), source, group)
    return [
        ("length", wrap(pdu[:5])),
        ("length", wrap(pdu + b"\0\0\0\0")),
        ("ttl", wrap(pdu, ttl=64)),
        ("checksum", wrap(pdu[:6] + b"\xde\xad" + pdu[8:])),
        ("version", wrap(second)),
        ("vrid", wrap(vrrp.encode(replace(good, vrid=52), source, group))),
        ("vrid", wrap(b"\x31")),
    ]


def test_malformed_and_foreign_packets_are_counted_and_dropped(lab: Lab) -> None:
    elect(lab)
    since = time.time()
    for counter, packet in rubbish():
        before = lab.dropped(0)[counter]
        send(lab, [packet], 1)
        time.sleep(0.05)
        assert lab.dropped(0)[counter] == before + 1, counter
    send(lab, [packet for _, packet in rubbish()], 5000)
    time.sleep(0.5)
    assert lab.has_vip(0) and not lab.has_vip(1)
    assert not lab.seen().adverts(LINK.addresses[1], since)
    assert longest_gap(lab.seen().adverts(LINK.addresses[0], since)) < TAKEOVER_S
    assert "looking at one in 128 of them" in lab.log(0), "the flood is left to the kernel"


def test_failing_script_hands_over_and_back(lab: Lab, tmp_path: Path) -> None:
    flag = tmp_path / "healthy"
    flag.touch()
    script = f"""
vrrp_script healthy {{
 script "/usr/bin/test -e {flag}"
 interval 0.1
 weight -60
 fall 2
 rise 2
}}
"""
    lab.configure(0, configuration(LINK, STRONG, more="track_script {\n healthy\n }", above=script))
    elect(lab)
    flag.unlink()
    lab.wait_for(lambda: lab.has_vip(1) and not lab.has_vip(0), "router 1 to take over")
    assert "VRRP_Script(healthy) failed (exited with status 1)" in lab.log(0)
    assert "Changing effective priority from 150 to 90" in lab.log(0)
    flag.touch()
    lab.wait_for(lambda: lab.has_vip(0) and not lab.has_vip(1), "router 0 to take over again")


def test_address_removed_by_hand_ends_mastership_for_a_while(lab: Lab) -> None:
    elect(lab)
    inside(lab.spaces[0], lambda: os.system("ip addr del 10.9.0.100/24 dev eth0"))
    lab.wait_for(lambda: "was removed, leaving MASTER state" in lab.log(0), "router 0 to notice")
    lab.wait_for(lambda: lab.has_vip(0), "router 0 to take over again")


def test_json_signal_writes_what_exporters_read(lab: Lab) -> None:
    elect(lab)
    lab.signal(0, 36)
    path = lab.home / "0" / "keepalived.json"
    lab.wait_for(path.exists, "the JSON file")
    entry = json.loads(path.read_text(encoding="utf-8"))[0]
    assert entry["data"]["iname"] == "VI_1"
    assert entry["data"]["state"] == 2
    assert entry["stats"]["become_master"] == 1
    assert entry["stats"]["advert_sent"] > 0
