"""``evener simulate``: read the nodes' configurations and a scenario, run them, and draw what happened.

Exit codes: 0 the invariants held, 1 one was violated (or a file holds errors), 2 the scenario makes no sense.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evener.keepalived.bfd.plan import BfdPlan
from evener.keepalived.vrrp.plan import VrrpPlan

EXIT_OK, EXIT_VIOLATED, EXIT_USAGE = 0, 1, 2


def add_arguments(commands: Any) -> None:
    """Declare the sub-command."""
    what = "run keepalived nodes in virtual time and show who owns each address when"
    command = commands.add_parser("simulate", help=what, description=what)
    command.add_argument("nodes", nargs="+", metavar="[NAME=]FILE", help="the keepalived.conf of a node")
    command.add_argument("--scenario", metavar="FILE", help="what happens (default: nothing, for 30 s)")
    command.add_argument("--svg", metavar="FILE", type=Path, help="draw the timeline into this file")
    command.add_argument("--json", action="store_true", help="for programs")
    command.set_defaults(parser=command)


def simulate(options: argparse.Namespace) -> int:
    from evener.desk.simulate.scenario import Scenario, ScenarioError, parse
    from evener.desk.simulate.things import missing
    from evener.desk.simulate.verdict import Referee, advice
    from evener.desk.simulate.world import World

    nodes = _plans(options.nodes)
    if nodes is None:
        return EXIT_VIOLATED
    plans, sessions = [(name, plan) for name, plan, _ in nodes], {name: bfd for name, _, bfd in nodes}
    names = [name for name, _ in plans]
    try:
        scenario = parse(_text(options.scenario), names) if options.scenario else Scenario()
        if problems := missing(scenario, plans, sessions):
            raise ScenarioError(problems)
    except ScenarioError as error:
        for problem in error.problems:
            print(f"evener: {options.scenario}: {problem}", file=sys.stderr)
        return EXIT_USAGE
    except OSError as error:
        print(f"evener: {options.scenario}: {error.strerror}", file=sys.stderr)
        return EXIT_USAGE
    world = World(plans, scenario, sessions)
    referee = Referee(world)
    timeline = world.run()
    violations = referee.finish(timeline.duration)
    hints = advice(plans)
    if options.svg is not None:
        from evener.desk.simulate.svg import draw

        options.svg.write_text(draw(timeline, violations, hints), encoding="utf-8")
    if options.json:
        print(_json(timeline, violations, hints))
    else:
        from evener.desk.simulate.terminal import show

        show(timeline, violations, hints)
    return EXIT_VIOLATED if violations or not world.finished else EXIT_OK


def _text(path: str) -> str:
    return Path(path).read_text(encoding="utf-8", errors="replace")


def _plans(words: Sequence[str]) -> list[tuple[str, VrrpPlan, BfdPlan]] | None:
    """The nodes by name; None when a file cannot be used (its errors have been shown)."""
    from evener.keepalived.compile import compile_plan
    from evener.keepalived.compile_bfd import bfd_plan
    from evener.keepalived.resolve import load
    from evener.text import render
    from evener.text.diagnostic import Diagnostics, FatalConfiguration

    made: dict[str, tuple[VrrpPlan, BfdPlan]] = {}
    for number, word in enumerate(words, 1):
        name, equals, path = word.partition("=")
        if not equals:
            name, path = Path(word).stem, word
        if name in made:
            name = f"{name}-{number}"
        found = Diagnostics()
        try:
            configuration = load(path, found, _options(name))
        except FatalConfiguration:
            configuration = None
        errors = Diagnostics()
        for diagnostic in found:
            if diagnostic.code != "planned-keyword":
                errors.add(diagnostic)
        render.rich(errors)
        if configuration is None or any(d.code == "config-file-missing" for d in found):
            return None
        made[name] = compile_plan(configuration), bfd_plan(configuration)
    return [(name, *plans) for name, plans in made.items()]


def _options(node: str) -> Any:
    """``@id`` lines of a shared file are chosen by the node's name."""
    from evener.keepalived import reader
    from evener.keepalived.resolve import LoadOptions

    return LoadOptions(reader.Options(config_id=node))


def _json(timeline: Any, violations: Any, hints: Sequence[str]) -> str:
    return json.dumps(
        {
            "duration": timeline.duration / 1e6,
            "states": [
                {
                    "node": track.node, "instance": track.instance, "from": span.start / 1e6,
                    "until": span.end / 1e6, "state": span.what.name if span.what is not None else "OFF",
                }
                for track in timeline.tracks.values() for span in track.spans
            ],
            "owners": {
                address: [{"from": a / 1e6, "until": b / 1e6, "node": node} for a, b, node in held]
                for address, held in timeline.owners.items()
            },
            "events": [{"at": e.at / 1e6, "node": e.node, "text": e.text} for e in timeline.log],
            "violations": [{"from": v.start / 1e6, "until": v.end / 1e6, "what": v.what} for v in violations],
            "advice": list(hints),
        },
        indent=2,
    )  # fmt: skip
