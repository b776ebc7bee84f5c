"""Lookups in a map of 100,000 entries, by every matching method that searches it natively.

    .venv/bin/python tests/bench/maps.py [--entries N]

Prints microseconds for one lookup (the best of five passes over 4,000 values, half of which are found) and
for one that finds nothing, and what the map takes to load and to lay out, in seconds.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from evener.haproxy.cast import to_bytes
from evener.haproxy.pattern import Method
from evener.haproxy.pattern_index import index, lively
from evener.haproxy.pattern_list import PatternList
from evener.haproxy.patterns_file import load, name_file

TEXTS = (Method.STR, Method.BEG, Method.END, Method.SUB, Method.DIR, Method.DOM)


def hosts(draw: random.Random, count: int) -> list[str]:
    return [
        f"{draw.choice(['www', 'api', 'cdn'])}{n}.example{draw.randrange(5000)}.{draw.choice(['com', 'org'])}"
        for n in range(count)
    ]


def networks(draw: random.Random, count: int) -> list[str]:
    def byte() -> int:
        return draw.randrange(256)

    return [f"{byte()}.{byte()}.{byte()}.{byte()}/{draw.randrange(10, 33)}" for _ in range(count)]


def each(run: Callable[[Any], Any], values: Sequence[Any]) -> float:
    """Microseconds."""
    best = 1e9
    for _ in range(5):
        before = time.perf_counter()
        for value in values:
            run(value)
        best = min(best, time.perf_counter() - before)
    return best / len(values) * 1e6


def measure(path: Path, method: Method, values: Sequence[Any], missing: Sequence[Any]) -> None:
    before = time.perf_counter()
    made = PatternList(str(path), map=True)
    made.fill(load(name_file(str(path)), with_values=True))
    loaded = time.perf_counter()
    laid = index(made, method, output=lambda element: to_bytes(element.value or ""))
    laid.ready()
    took = time.perf_counter() - loaded
    run = lively(laid)
    print(
        f"{method.value:4} lookup {each(run, values):5.2f} us, nothing found {each(run, missing):5.2f} us; "
        f"load {loaded - before:.3f} s, lay out {took:.3f} s"
    )


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--entries", type=int, default=100_000)
    count = options.parse_args().entries
    draw = random.Random(1)
    names = hosts(draw, count)
    asked = [to_bytes(name) for name in draw.sample(names, min(2000, count))]
    missing = [b"nowhere%d.example.net:8080" % n for n in range(2000)]
    with tempfile.TemporaryDirectory() as directory:

        def written(name: str, keys: Sequence[str]) -> Path:
            path = Path(directory, name)
            path.write_text("".join(f"{key} be{n % 50}\n" for n, key in enumerate(keys)))
            return path

        path = written("hosts", names)
        for method in TEXTS:
            measure(path, method, asked + missing, missing)
        addresses = [draw.randbytes(4) for _ in range(4000)]
        measure(written("networks", networks(draw, count)), Method.IP, addresses, [bytes([0, 0, 0, 1])])
        ranges = [f"{n * 10}:{n * 10 + draw.randrange(20)}" for n in range(count)]
        numbers = [draw.randrange(count * 20) for _ in range(4000)]
        measure(written("ranges", ranges), Method.INT, numbers, [-1])


if __name__ == "__main__":
    main()
