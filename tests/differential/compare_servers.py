"""Plays random cases of servers and connections to several programs and shows where evener is alone.

python tests/differential/compare_servers.py --seed 1 --number 100 --reference /usr/sbin/haproxy
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import checked
import commanded
import keeping
import lining
import relaying
import servers
import tabled
from fleet import Case, Fleet

OURS = [sys.executable, "-m", "evener.cli.haproxy"]
Found = dict[str, dict[str, list[str]]]
assert checked and commanded and keeping and lining and relaying and tabled  # they add their families


def play(
    commands: Sequence[Sequence[str]], cases: Sequence[Case], at_once: int, threads: int = 1
) -> list[Found]:
    """What each program shows of the cases."""
    fleets = [Fleet(command, cases, threads) for command in commands]
    try:
        for fleet in fleets:
            fleet.ready()
        with ThreadPoolExecutor(len(fleets)) as pool:
            return list(pool.map(lambda fleet: fleet.run(cases, at_once), fleets))
    finally:
        for fleet in fleets:
            fleet.stop()


def alone(found: Sequence[Found], name: str) -> bool:
    """Whether the last program differs from all others."""
    *others, ours = found
    return any(odd(others, ours, name, key) is not None for key in ours[name])


def odd(others: Sequence[Found], ours: Found, name: str, key: str) -> int | None:
    """The first place where evener has what nobody else has."""
    for place in range(max(len(one[name][key]) for one in (*others, ours))):
        row = [one[name][key][place : place + 1] for one in (*others, ours)]
        if row[-1] not in row[:-1]:
            return place
    return None


def shown(found: Sequence[Found], name: str, text: str) -> str:
    *others, ours = found
    lines = [f"=== {name}", *(f"    | {line}" for line in text.splitlines())]
    for key in ours[name]:
        place = odd(others, ours, name, key)
        if place is None:
            continue
        row = ["".join(one[name][key][place : place + 1]) for one in found]
        same = min(common(row[-1], one) for one in row[:-1])
        start = max(0, same - 150) if same > 200 else 0
        for number, value in enumerate(row):
            who = "ours" if number == len(row) - 1 else number
            lines.append(f"  {key}[{place}] {who}: {value[start:][:500]!r}")
    return "\n".join(lines)


def common(one: str, other: str) -> int:
    return next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def compare(
    commands: Sequence[Sequence[str]], cases: Sequence[Case], at_once: int, tries: int, threads: int = 1
) -> tuple[int, list[str]]:
    """How many differ at first sight, and those that still do when they are played again."""
    first, left, last = -1, list(cases), []
    for _ in range(tries):
        last = play(commands, left, at_once, threads)
        left = [case for case in left if alone(last, case.name)]
        first = len(left) if first < 0 else first
        if not left:
            break
    return first, [shown(last, case.name, case.text) for case in left]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--number", type=int, default=60)
    parser.add_argument("--family", action="append", default=[])
    parser.add_argument("--reference", action="append", default=[])
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    cases = servers.cases(asked.seed, asked.number, asked.family)
    commands = [[path] for path in asked.reference or ["/usr/sbin/haproxy"]]
    first, left = compare([*commands, OURS], cases, asked.at_once, 3, asked.threads)
    print("\n".join(left))
    print(f"seed {asked.seed}: {len(cases)} cases, {first} differed at first sight, {len(left)} differ")
    return bool(left)


if __name__ == "__main__":
    raise SystemExit(main())
