"""One scenario, rehearsed by ``evener simulate`` and played by real processes: the same masters, in time."""

from __future__ import annotations

import json
import time
from itertools import pairwise
from pathlib import Path

import pytest
from lab import Frame, Lab, Link, ip

from evener.cli.evener import main

pytestmark = [pytest.mark.netns, pytest.mark.timeout(120)]

SCENARIO = """duration 36
3    start b
6.5  script a thing fail
11.5 script a thing ok
17   stop a
19   start a
23   cut a b
28   mend a b
32   crash a
"""
ONE_WAY = """duration 16
3    start b
6    mute a b
12   unmute a b
"""
SCENARIOS = {"mishaps": (SCENARIO, 0), "one-way": (ONE_WAY, 1)}
"""And the exit code of the rehearsal: who hears one way only makes two masters."""
CONFIGURATION = """
global_defs {{
 script_user root
}}
vrrp_script thing {{
 script "/usr/bin/test -e {home}/thing"
 interval 1
 weight -60
}}
vrrp_instance VI_1 {{
 interface eth0
 virtual_router_id 51
 version 3
 priority {priority}
 advert_int 0.5
 track_script {{
  thing
 }}
 virtual_ipaddress {{
  10.9.0.100/24
 }}
}}
"""
LINK = Link(advert_cs=50)
APART_S = 1.5
"""Adverts and scripts are not in step with the scenario, and the machine is busy."""
Masters = list[tuple[str, float]]


def rehearsed(
    name: str, files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Masters:
    scenario = tmp_path / "scenario"
    text, code = SCENARIOS[name]
    scenario.write_text(text, encoding="ascii")
    nodes = [f"{name}={path}" for name, path in files.items()]
    assert main(["simulate", *nodes, "--scenario", str(scenario), "--json"]) == code
    states = json.loads(capsys.readouterr().out)["states"]
    return sorted(
        [(s["node"], s["from"]) for s in states if s["state"] == "MASTER"], key=lambda master: master[1]
    )


class Watch:
    """The time of the scenario: that which a process takes to start is none."""

    def __init__(self) -> None:
        self._began, self._pauses = time.time(), list[tuple[float, float]]()

    def of(self, at: float) -> float:
        return at - self._began - sum(min(at, end) - start for start, end in self._pauses if start < at)

    def sleep_until(self, second: float) -> None:
        time.sleep(max(second - self.of(time.time()), 0))

    def start(self, lab: Lab, number: int) -> None:
        before, begun = time.time(), lab.log(number).count("Entering BACKUP STATE (init)")
        lab.start(number)
        lab.wait_for(lambda: lab.log(number).count("Entering BACKUP STATE (init)") > begun, "its beginning")
        self._pauses.append((before, time.time()))


def played(lab: Lab, scenario: str) -> Masters:
    watch = Watch()
    watch.start(lab, 0)
    for line in scenario.splitlines()[1:]:
        second, action, *words = line.split()
        watch.sleep_until(float(second))
        if action == "start":
            watch.start(lab, "ab".index(words[0]))
        else:
            carry_out(lab, action, words)
    watch.sleep_until(float(scenario.split()[1]))
    found: Masters = []
    for name, address in zip("ab", LINK.addresses, strict=True):
        found += [(name, watch.of(at)) for at in beginnings(lab.seen().adverts(address))]
    return sorted(found, key=lambda master: master[1])


def carry_out(lab: Lab, action: str, words: list[str]) -> None:
    thing = lab.home / "0" / "thing"
    match action, words:
        case "script", [_, _, "fail"]:
            thing.unlink()
        case "script", _:
            thing.touch()
        case "stop", _:
            lab.stop(0)
        case "crash", _:
            lab.kill(0)
        case "cut" | "mend", _:
            for port in ("p0", "p1"):
                isolated = "on" if action == "cut" else "off"
                words = ["link", "set", port, "type", "bridge_slave", "isolated", isolated]
                ip(*words, namespace=lab.switch)
        case "mute" | "unmute", _:
            flood = "off" if action == "mute" else "on"
            words = ["link", "set", "p1", "type", "bridge_slave", "mcast_flood", flood]
            ip(*words, namespace=lab.switch)
        case _:
            raise AssertionError(action)


def beginnings(adverts: list[Frame]) -> list[float]:
    """When somebody began to send: after two intervals of silence, or after a farewell."""
    heard = [advert for advert in adverts if advert.priority]
    return [heard[0].at] + [b.at for a, b in pairwise(heard) if b.at - a.at > 2 * LINK.advert_s]


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_rehearsal_tells_what_will_happen(
    name: str, lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {}
    for number, (node, priority) in enumerate({"a": 150, "b": 100}.items()):
        home = lab.home / str(number)
        lab.configure(number, CONFIGURATION.format(home=home, priority=priority))
        (home / "thing").touch()
        files[node] = home / "conf"
    expected, found = rehearsed(name, files, tmp_path, capsys), played(lab, SCENARIOS[name][0])
    shown = f"{found} instead of {expected}"
    assert [node for node, _ in found] == [node for node, _ in expected], shown
    assert all(abs(a - b) < APART_S for (_, a), (_, b) in zip(found, expected, strict=True)), shown
