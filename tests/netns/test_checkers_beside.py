"""Checks beside keepalived's: the same targets, good and bad, and the same words about each server.

``fixtures/checkers/said.json`` is what keepalived 2.4.3 said (``checker_run`` wrote it): for each server all
texts, and how many of them it had said by the end of each phase.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from checker_run import PHASES, SAID, Play
from lab import ip, why_not

pytestmark = [pytest.mark.netns, pytest.mark.timeout(120)]

PATIENCE_S = 25.0
RECORD = json.loads((Path(__file__).parents[2] / "fixtures" / "checkers" / "said.json").read_text())


def said_by(phase: int) -> dict[str, set[str]]:
    return {name: set(lines[: counts[phase]]) for name, (lines, counts) in RECORD.items()}


@pytest.fixture(scope="module")
def found() -> Iterator[dict[str, list[str]]]:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    namespace = f"evc{os.getpid()}"
    ip("netns", "add", namespace)
    with tempfile.TemporaryDirectory(prefix="evc") as home:
        command = [sys.executable, "-m", "evener.cli.keepalived", "--lvs-engine=nft"]
        play = Play(namespace, command, Path(home))
        try:
            for phase in range(PHASES):
                play.phase(phase)
                if not phase:
                    play.start()
                wanted = said_by(phase)
                play.until(
                    lambda said, wanted=wanted: all(wanted[n] <= set(said[n]) for n in SAID), PATIENCE_S
                )
            yield play.said
        finally:
            play.close()
            ip("netns", "del", namespace)


@pytest.mark.parametrize("name", SAID)
def test_the_same_is_said(found: dict[str, list[str]], name: str) -> None:
    assert set(found[name]) == set(RECORD[name][0])
