"""Configurations without end: run for a time or a number of inputs, and keep what breaks the reader.

    .venv/bin/python tests/fuzz/endless.py [--seconds N] [--inputs N] [--seed N]

Each input is one of the test's damaged configurations (``test_config_fuzz``), made from a seed that is
printed with a failure. An input that raises anything but a diagnostic, or takes longer than PATIENCE, is
written to fixtures/fuzz/ (``test_config_fuzz`` reads those again ever after), and the exit code is 1.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from types import FrameType

from test_config_fuzz import CASES, LINES, damaged, survive

PATIENCE = 10  # seconds for one input
HEADS = (
    [b"defaults", b" mode http", b"frontend f0", b" bind :80"],
    [b"global"],
    [b"listen l", b" mode tcp"],
    [b"backend b", b" server s 127.0.0.1:80"],
    [],
)


class Hang(Exception):
    """One input took too long."""


def hang(_number: int, _frame: FrameType | None) -> None:
    raise Hang


def content(seed: int) -> bytes:
    """The input of that number."""
    chance = random.Random(seed)
    lines = [damaged(line, chance) for line in chance.choices(LINES, k=chance.randint(1, 12))]
    data = b"\n".join([*chance.choice(HEADS), *lines])
    return data if chance.random() < 0.1 else data + b"\n"


def keep(data: bytes, seed: int) -> None:
    CASES.mkdir(parents=True, exist_ok=True)
    path = CASES / f"{hashlib.sha256(data).hexdigest()[:12]}.cfg"
    path.write_bytes(data)
    print(f"input {seed} kept as {path.name}", flush=True)
    traceback.print_exc()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--inputs", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    signal.signal(signal.SIGALRM, hang)
    began, failed, seed = time.monotonic(), 0, options.seed
    with tempfile.TemporaryDirectory() as folder:
        while seed - options.seed < options.inputs and time.monotonic() - began < options.seconds:
            data = content(seed)
            signal.alarm(PATIENCE)
            try:
                survive(data, Path(folder))
            except Exception:
                keep(data, seed)
                failed += 1
            signal.alarm(0)
            seed += 1
    took = time.monotonic() - began
    print(f"{seed - options.seed} inputs in {took:.0f} s, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
