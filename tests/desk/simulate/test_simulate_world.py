"""Whole elections in virtual time, to the microsecond, and the verdicts on them."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest

from evener.cli.evener import main
from evener.desk.simulate.scenario import parse
from evener.desk.simulate.svg import draw
from evener.desk.simulate.things import missing
from evener.desk.simulate.timeline import Timeline
from evener.desk.simulate.verdict import Referee, Violation, advice
from evener.desk.simulate.world import LATENCY_US, World
from evener.keepalived.vrrp.plan import (
    Instance,
    Peer,
    Program,
    Script,
    State,
    SyncGroup,
    Track,
    TrackKind,
    VirtualAddress,
    VrrpPlan,
)
from evener.keepalived.vrrp.plan_tracked import TrackedFile

VIP = VirtualAddress(bytes((10, 0, 0, 100)), 24, "eth0")
BASE = Instance("V", 51, "eth0", version=3, addresses=(VIP,))


def plan(priority: int, *, scripts: tuple[Script, ...] = (), **changes: object) -> VrrpPlan:
    return VrrpPlan(instances=(replace(BASE, priority=priority, **changes),), scripts=scripts)  # type: ignore[arg-type]


def run(nodes: dict[str, VrrpPlan], text: str) -> tuple[Timeline, list[Violation]]:
    world = World(list(nodes.items()), parse(text, list(nodes)))
    referee = Referee(world)
    timeline = world.run()
    return timeline, referee.finish(timeline.duration)


def down_us(priority: int, advert_us: int = 1_000_000) -> int:
    return 3 * advert_us + (256 - priority) * advert_us // 256


TWO = {"a": plan(150), "b": plan(100)}


def owners(timeline: Timeline) -> list[tuple[int, int, str]]:
    return timeline.owners["10.0.0.100/24"]


def test_takeover_takes_exactly_the_master_down_time() -> None:
    timeline, violations = run(TWO, "duration 20\n10 crash a\n")
    first, second = owners(timeline)
    assert first == (down_us(150), 10_000_000, "a")
    last_advert = down_us(150) + (10_000_000 - down_us(150)) // 1_000_000 * 1_000_000
    assert second == (last_advert + LATENCY_US + down_us(100), 20_000_000, "b")
    assert violations == []


def test_an_orderly_end_hands_over_within_the_skew() -> None:
    timeline, violations = run(TWO, "duration 20\n10 stop a\n")
    assert owners(timeline)[1] == (10_000_000 + LATENCY_US + 156 * 1_000_000 // 256, 20_000_000, "b")
    assert violations == []


def test_a_cut_link_makes_two_owners_and_mending_it_one() -> None:
    timeline, violations = run(TWO, "duration 30\n10 cut a b\n20 mend a b\n")
    masters = {track.node: track.at(15_000_000) for track in timeline.of("V")}
    assert masters == {"a": State.MASTER, "b": State.MASTER}
    assert timeline.tracks["b", "V"].at(25_000_000) is State.BACKUP
    assert violations == [], "they could not hear each other, and then settled at once"


def test_masters_that_do_not_understand_each_other_are_a_violation() -> None:
    nodes = {"a": plan(150), "b": plan(100, version=2)}
    _, (violation,) = run(nodes, "duration 20\n")
    assert violation.what == "VRID 51: a and b are master and hear each other"
    assert violation.end == 20_000_000


def test_nobody_although_somebody_could_is_a_violation() -> None:
    other = replace(BASE, name="W", vrid=52, interface="eth1", addresses=())
    group = SyncGroup("G", ("V", "W"), ())
    waiting = replace(BASE, preempt=False)
    never = VrrpPlan(instances=(waiting, other), groups=(group,))
    stuck = VrrpPlan(instances=(replace(other, priority=200),))
    _, violations = run({"a": never, "b": stuck}, "duration 40\n")
    assert any("VRID 51: nobody is master although a could be" in v.what for v in violations)


CHECK = Script("chk", Program(("/bin/true",)), fall=2)


def test_weights_that_cannot_flip_the_election_are_named() -> None:
    weak = plan(150, scripts=(CHECK,), tracks=(Track(TrackKind.SCRIPT, "chk", -20),))
    assert advice([("a", weak), ("b", plan(100))]) == [
        "a: when script chk fails, V goes from 150 to 130, which is still not below b (100):"
        " this weight cannot flip the election"
    ]
    enough = plan(150, scripts=(CHECK,), tracks=(Track(TrackKind.SCRIPT, "chk", -60),))
    assert advice([("a", enough), ("b", plan(100))]) == []
    assert advice([("a", plan(90)), ("b", plan(100))]) == []


def test_a_failing_script_hands_over_after_its_falls() -> None:
    strong = plan(150, scripts=(CHECK,), tracks=(Track(TrackKind.SCRIPT, "chk", -60),))
    timeline, violations = run({"a": strong, "b": plan(100)}, "duration 30\n10.5 script a chk fail\n")
    told = [entry for entry in timeline.log if "effective priority from 150 to 90" in entry.text]
    assert told[0].at == 12_000_000, "the runs at 11 and 12 fail"
    assert owners(timeline)[-1][2] == "b" and violations == []


def test_files_links_and_sessions_move_it_too() -> None:
    tracks = (Track(TrackKind.FILE, "f", 1), Track(TrackKind.BFD, "s"), Track(TrackKind.INTERFACE, "eth1"))
    strong = replace(plan(150, tracks=tracks), files=(TrackedFile("f", "/f"),))
    text = "duration 60\n10 file a f -60\n20 file a f 0\n30 bfd a s down\n40 bfd a s up\n50 down a eth1\n"
    timeline, violations = run({"a": strong, "b": plan(100)}, text)
    states = [timeline.tracks["a", "V"].at(second * 1_000_000) for second in (5, 19, 29, 35, 49, 55)]
    master, backup, fault = State.MASTER, State.BACKUP, State.FAULT
    assert states == [master, backup, master, fault, master, fault]
    assert violations == []


def test_a_fast_clock_takes_over_from_a_healthy_master() -> None:
    nodes = {"a": plan(150), "b": plan(100, down_timer_adverts=1)}
    timeline, _ = run(nodes, "duration 20\n6 clock b 2\n")
    assert any(node == "b" for _, _, node in owners(timeline))


def test_unicast_and_three_nodes() -> None:
    address = {name: bytes((10, 0, 0, number)) for number, name in enumerate("abc", 1)}

    def node(name: str, priority: int) -> VrrpPlan:
        peers = tuple(Peer(packed) for other, packed in address.items() if other != name)
        return plan(priority, unicast=True, peers=peers, source=address[name])

    nodes = {"a": node("a", 150), "b": node("b", 120), "c": node("c", 100)}
    timeline, violations = run(nodes, "duration 30\n10 crash a\n20 crash b\n")
    assert [node for _, _, node in owners(timeline)] == ["a", "b", "c"]
    assert violations == []


def test_a_node_may_come_later_and_restart() -> None:
    timeline, violations = run(TWO, "duration 30\n5 start a\n12 stop a\n15 start a\n")
    assert [node for _, _, node in owners(timeline)] == ["b", "a", "b", "a"]
    assert violations == []


def test_the_picture_is_well_formed() -> None:
    timeline, _ = run({"<a>&": plan(150), "b": plan(100)}, "duration 20\n10 crash b\n")
    text = draw(timeline, [Violation(1, 2_000_000, "a < b & c")], ["advice <x>"])
    root = ElementTree.fromstring(text)
    assert root.tag.endswith("svg")
    assert "10.0.0.100/24" in text and "a &lt; b &amp; c" in text


CONF = "vrrp_instance V {{\n interface eth0\n virtual_router_id 51\n priority {}\n version {}\n" \
       " virtual_ipaddress {{ 10.0.0.100/24 }}\n}}\n"  # fmt: skip


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str, str]:
    (tmp_path / "a.conf").write_text(CONF.format(150, 3))
    (tmp_path / "b.conf").write_text(CONF.format(100, 3))
    (tmp_path / "scenario").write_text("duration 20\n10 crash a\n")
    return str(tmp_path / "a.conf"), str(tmp_path / "b.conf"), str(tmp_path / "scenario")


def test_the_command(files: tuple[str, str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second, scenario = files
    picture = tmp_path / "out.svg"
    assert main(["simulate", first, second, "--scenario", scenario, "--svg", str(picture)]) == 0
    shown = capsys.readouterr().out
    assert "The invariants held." in shown and "nobody" in shown and "█" in shown
    assert picture.read_text().startswith("<svg")
    assert main(["simulate", first, second, "--scenario", scenario, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [held["node"] for held in data["owners"]["10.0.0.100/24"]] == ["a", "b"]


def test_its_exit_codes(
    files: tuple[str, str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, scenario = files
    Path(second).write_text(CONF.format(100, 2))
    assert main(["simulate", first, second]) == 1
    assert "violated" in capsys.readouterr().out
    Path(scenario).write_text("x crash a\n")
    assert main(["simulate", first, "--scenario", scenario]) == 2
    assert "line 1: 'x' is no time" in capsys.readouterr().err
    assert main(["simulate", str(tmp_path / "none.conf")]) == 1
    assert main(["simulate", first, "--scenario", str(tmp_path / "none")]) == 2


def test_masters_whom_only_a_third_hears_are_said_to_be_so() -> None:
    nodes = {**TWO, "c": plan(90)}
    _, (violation,) = run(nodes, "duration 30\n10 cut a b\n20 mend a b\n")
    assert violation.what == "VRID 51: a and b are master and are heard by c"


def test_what_nobody_has_cannot_happen() -> None:
    script = Script("chk", Program(("/c",)), 1_000_000)
    nodes = {"a": plan(150, scripts=(script,)), "b": plan(100)}
    text = "2 script b chk fail\n1 down a eth9\n3 script a chk fail\n4 bfd a x down\n5 down b eth0\n"
    assert missing(parse(text, list(nodes)), nodes.items(), {}) == [
        "line 1: node b has no vrrp_script 'chk' (it has none)",
        "line 2: node a has no interface 'eth9' (it has eth0)",
        "line 4: node a has no BFD session 'x' (it has none)",
    ]
