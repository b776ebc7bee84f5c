"""Runs in the test kernel: every scenario with both daemons, and what IPVS held after each step.

    inside.py REFERENCE OUTPUT.json [--corpus FOLDER] [NAME ...]

IPVS is a matter of the network namespace, so that each daemon of each scenario has one of its own, and many
run at a time. After each step both get a while to do the same, and then ``ipvsadm -Sn`` is the judge.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from pathlib import Path
from typing import Any

from ipvs_scenarios import SCENARIOS, Scenario
from listening import Ear
from rig import HOME, Ports, Run, say, shown

from evener.cli import keepalived as command
from evener.cli import keepalived_args
from evener.host import checker_process, vrrp_process

AT_ONCE = 28
SETTLED_S, PATIENCE_S = 2.3, 60.0
LESS_PATIENCE_S = 15.0


class Pair:
    """A scenario with both daemons."""

    def __init__(self, scenario: Scenario, number: int, reference: str) -> None:
        self.scenario = scenario
        text, words = scenario.configuration(), scenario.words
        self.runs = [Run(text, f"{who}{number}", reference if who == "r" else "", words) for who in "re"]
        self.ears = [Ear(run) for run in self.runs] if scenario.watched else []
        self.steps: list[tuple[str, list[Any], list[Any]]] = []

    def same(self) -> bool:
        first, second = (run.held() for run in self.runs)
        if first != second:
            return False
        if self.scenario.sync and len({str(shown(run, "-Ln", "--daemon")) for run in self.runs}) > 1:
            return False  # one of them is not master yet
        heard = [ear.heard() for ear in self.ears]
        return not heard or heard[0] == heard[1]

    def note(self, step: str) -> None:
        reference, ours = (run.held() for run in self.runs)
        self.steps.append((step, reference, ours))
        if self.ears:
            reference, ours = (ear.heard() for ear in self.ears)
            self.steps.append((f"{step}: told", reference, ours))
            for ear in self.ears:
                ear.forget()
        if self.scenario.sync:
            reference, ours = map(synchronised, self.runs)
            self.steps.append((f"{step}: synchronised", reference, ours))

    def do(self, step: str, ports: Ports) -> None:
        word, *rest = step.split()
        for run in self.runs:
            if word == "reload":
                run.write(self.scenario.configuration(again=True))
                run.reload()
            elif word == "ip":
                run.ip(" ".join(rest))
            for target in rest if word in ("down", "up") else ():
                address, port = place(target)
                (ports.close if word == "down" else ports.open)(run.namespace, port, address)


def synchronised(run: Run) -> list[str]:
    """Every start of a program costs a lot here: timeouts do not change while one waits for the daemons."""
    return shown(run, "-Ln", "--daemon") + shown(run, "-Ln", "--timeout")


def place(target: int | str) -> tuple[str, int]:
    """Of "8081", on loopback, or of "10.0.0.1@80"."""
    address, _, port = str(target).rpartition("@")
    return address or "127.0.0.1", int(port)


def judge(pairs: list[Pair]) -> None:
    """``ipvsadm -Sn`` of all, at the end only: every start of a program costs a lot here."""
    for pair in pairs:
        reference, ours = (shown(run) for run in pair.runs)
        pair.steps.append(("ipvsadm", reference, ours))


def settle(pairs: list[Pair]) -> None:
    """Wait until both daemons of every pair hold the same, but not for ever."""
    time.sleep(SETTLED_S)
    patience = LESS_PATIENCE_S if PUBLIC else PATIENCE_S
    limit = time.monotonic() + patience - SETTLED_S
    while time.monotonic() < limit and not all(pair.same() for pair in pairs):
        time.sleep(0.2)


def batch(scenarios: list[Scenario], first: int, reference: str, ports: Ports) -> list[Pair]:
    pairs = [Pair(scenario, first + index, reference) for index, scenario in enumerate(scenarios)]
    for pair in pairs:
        for run in pair.runs:
            if pair.scenario.prepare:
                run.ip(pair.scenario.prepare)
            for target in pair.scenario.ports:
                address, port = place(target)
                ports.open(run.namespace, port, address)
            run.start()
    say(f"{len(pairs)} scenarios run")
    settle(pairs)
    say("settled")
    for pair in pairs:
        pair.note("start")
    say("noted")
    for turn in range(max(len(pair.scenario.steps) for pair in pairs)):
        moved = [pair for pair in pairs if turn < len(pair.scenario.steps)]
        for pair in moved:
            pair.do(pair.scenario.steps[turn], ports)
        settle(moved)
        say(f"turn {turn} settled")
        for pair in moved:
            pair.note(pair.scenario.steps[turn])
        say("noted")
    if not PUBLIC:
        judge(pairs)
        say("judged")
    for run in (run for pair in pairs for run in pair.runs):
        run.stop()
    for run in (run for pair in pairs for run in pair.runs):
        run.wait()
    for pair in pairs:
        pair.note("stop")
        for run in pair.runs:
            ports.forget(run.namespace)
            run.close()
    say("stopped")
    return pairs


def warm_up() -> None:
    """What every copy of this process would do first, done once."""
    file = HOME / "warm-up.conf"
    HOME.mkdir(parents=True, exist_ok=True)
    file.write_text(SCENARIOS[-1].configuration())
    plan, _ = command.runnable(keepalived_args.parse(["-f", str(file)]), lambda line: None)
    assert plan is not None and plan.checker.virtual_servers
    checker_process.preload()
    vrrp_process.preload()
    gc.collect()
    gc.freeze()


def main() -> None:
    say("imported")
    reference, output, *names = sys.argv[1:]
    warm_up()
    scenarios = SCENARIOS
    if PUBLIC:
        from public_scenarios import public

        scenarios, names = public(Path(names[1])), names[2:]
    chosen = [each for each in scenarios if not names or each.name in names]
    ports = Ports()
    results = {}
    for start in range(0, len(chosen), AT_ONCE):
        for pair in batch(chosen[start : start + AT_ONCE], start, reference, ports):
            logs = [run.log for run in pair.runs]
            results[pair.scenario.name] = {"steps": pair.steps, "logs": logs}
        Path(output).write_text(json.dumps(results))


PUBLIC = "--corpus" in sys.argv
main()
