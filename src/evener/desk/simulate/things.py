"""Whether what a scenario speaks of is there: a script that nobody runs cannot fail.

A slip of the pen in a scenario would otherwise be a simulation in which nothing happens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from evener.desk.simulate.scenario import Scenario
from evener.keepalived.bfd.plan import BfdPlan
from evener.keepalived.vrrp.plan import TrackKind, VrrpPlan
from evener.keepalived.vrrp.plan_tracks import all_tracks

WHAT = {
    "script": "vrrp_script",
    "file": "track_file",
    "process": "vrrp_track_process",
    "bfd": "BFD session",
    "down": "interface",
    "up": "interface",
}


def missing(
    scenario: Scenario, plans: Iterable[tuple[str, VrrpPlan]], sessions: Mapping[str, BfdPlan]
) -> list[str]:
    """What is wrong, with its line."""
    known = {name: _things(plan, sessions.get(name)) for name, plan in plans}
    problems: list[tuple[int, str]] = []
    for action in scenario.actions:
        what = WHAT.get(action.kind)
        if what is None or action.words[0] in (there := known[action.node][what]):
            continue
        has = ", ".join(sorted(there)) or "none"
        text = f"node {action.node} has no {what} '{action.words[0]}' (it has {has})"
        problems.append((action.line, f"line {action.line}: {text}"))
    return [problem for _, problem in sorted(problems)]


def _things(plan: VrrpPlan, sessions: BfdPlan | None) -> dict[str, set[str]]:
    tracks = [track for config in plan.instances for track in all_tracks(config)]
    tracks += [track for group in plan.groups for track in group.tracks]
    tracked = {kind: {track.name for track in tracks if track.kind is kind} for kind in TrackKind}
    wires = {name for config in plan.instances for name in (config.interface, config.wire) if name}
    own = {session.name for session in sessions.sessions} if sessions else set()
    return {
        "vrrp_script": {script.name for script in plan.scripts},
        "track_file": {file.name for file in plan.files},
        "vrrp_track_process": {process.name for process in plan.processes},
        "BFD session": tracked[TrackKind.BFD] | own,
        "interface": tracked[TrackKind.INTERFACE] | wires,
    }
