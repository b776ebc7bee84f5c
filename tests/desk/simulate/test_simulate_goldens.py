"""Golden replays: configurations, a scenario, and what came of it, in virtual time to the microsecond.

``fixtures/vrrp/<case>`` holds a ``.conf`` per node, the ``scenario`` and ``expected``. After a change that is
meant, EVENER_REPLAY=write writes the expectations anew; read the difference before it is kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from evener.desk.simulate.scenario import parse
from evener.desk.simulate.verdict import Referee, advice
from evener.desk.simulate.world import World
from evener.keepalived.bfd.plan import BfdPlan
from evener.keepalived.compile import compile_plan
from evener.keepalived.compile_bfd import bfd_plan
from evener.keepalived.reader import Options
from evener.keepalived.resolve import LoadOptions, load
from evener.keepalived.vrrp.plan import VrrpPlan
from evener.text.diagnostic import Diagnostics, Severity

HOME = Path(__file__).parents[3] / "fixtures" / "vrrp"
CASES = sorted(path.parent for path in HOME.glob("*/scenario"))


def plan_of(path: Path) -> tuple[VrrpPlan, BfdPlan]:
    found = Diagnostics()
    configuration = load(str(path), found, LoadOptions(Options(config_id=path.stem)))
    assert [d.message for d in found if d.severity >= Severity.WARNING] == []
    return compile_plan(configuration), bfd_plan(configuration)


def replay(case: Path) -> Iterator[str]:
    nodes = {path.stem: plan_of(path) for path in sorted(case.glob("*.conf"))}
    plans = [(name, plan) for name, (plan, _) in nodes.items()]
    scenario = parse((case / "scenario").read_text(encoding="ascii"), [name for name, _ in plans])
    world = World(plans, scenario, {name: bfd for name, (_, bfd) in nodes.items()})
    referee = Referee(world)
    timeline = world.run()
    for entry in timeline.log:
        yield f"{entry.at / 1e6:.6f} {entry.node} {entry.text}"
    for (node, instance), track in sorted(timeline.tracks.items()):
        for span in track.spans:
            name = "OFF" if span.what is None else span.what.name
            yield f"state {node} {instance} {span.start / 1e6:.6f} {span.end / 1e6:.6f} {name}"
    for address, held in sorted(timeline.owners.items()):
        for start, end, node in held:
            yield f"owner {address} {start / 1e6:.6f} {end / 1e6:.6f} {node}"
    for violation in referee.finish(timeline.duration):
        yield f"violated {violation.start / 1e6:.6f} {violation.end / 1e6:.6f} {violation.what}"
    for line in advice(plans):
        yield f"advice {line}"


def test_there_are_cases() -> None:
    assert len(CASES) >= 15


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_replay(case: Path) -> None:
    expected = case / "expected"
    got = "\n".join(replay(case)) + "\n"
    if os.environ.get("EVENER_REPLAY") == "write":
        expected.write_text(got, encoding="ascii")
    assert got.splitlines() == expected.read_text(encoding="ascii").splitlines()
