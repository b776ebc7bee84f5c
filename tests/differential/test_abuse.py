"""Hostile messages through a reference and through evener; ``abused.py`` plays as many as one likes."""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from abuse import Abuse, scenario
from abused import EVENER, FRONTS, Player, players
from pinned import EARLIER, LATER, PINNED

pytest.importorskip("evener.engine.core")

REFERENCE = os.environ.get("EVENER_DIFF_HAPROXY") or shutil.which("haproxy", path="/usr/sbin:/usr/bin")
NEW = "EVENER_DIFF_HAPROXY" in os.environ
CASES: dict[str, Abuse] = PINNED | (LATER if NEW else EARLIER)


@pytest.fixture(scope="module")
def both() -> Iterator[list[Player]]:
    if REFERENCE is None:
        pytest.skip("no haproxy installed")
    with players([[REFERENCE], EVENER]) as made:
        yield made


@pytest.fixture(scope="module")
def seen(both: list[Player]) -> list[dict[str, dict[str, list[str]]]]:
    """What is seen of each case: by name, of the reference and of evener."""
    places = {name: f"127.250.1.{index + 1}" for index, name in enumerate(CASES)}
    found = [player.run({places[name]: case for name, case in CASES.items()}, 8) for player in both]
    return [{name: each[place] for name, place in places.items()} for each in found]


@pytest.mark.peer
@pytest.mark.parametrize("name", CASES)
def test_pinned(seen: list[dict[str, dict[str, list[str]]]], name: str) -> None:
    expected, ours = (each[name] for each in seen)
    for each in (ours, expected):  # own pages are spelled as later releases do
        each["client"] = [
            re.sub(r"\n[A-Za-z-]+:", lambda found: found[0].lower(), text) for text in each["client"]
        ]
    assert ours == expected, str(CASES[name])


def test_the_same_number_is_the_same_scenario() -> None:
    fronts = list(FRONTS)
    assert all(scenario(number, fronts) == scenario(number, fronts) for number in range(50))
