"""Forty random scenarios through a reference and through evener; ``rolled.py`` plays as many as one likes."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from dice import Case
from pair import Stand
from rolled import EVENER, play, stands

pytest.importorskip("evener.engine.core")

REFERENCE = os.environ.get("EVENER_DIFF_HAPROXY") or shutil.which("haproxy", path="/usr/sbin:/usr/bin")
NEW = "EVENER_DIFF_HAPROXY" in os.environ
NUMBERS = range(42)
LEFT = {
    6: "src was of a type of its own before 2.7, and matched as a bool",
    11: "a redirected body is drained since 2.8",
}
"""Where the release that is followed differs from Debian's."""


@pytest.fixture(scope="module")
def both(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[dict[str, Stand], dict[str, Case]]]:
    if REFERENCE is None:
        pytest.skip("no haproxy installed")
    programs = {"reference": [REFERENCE], "evener": EVENER}
    with stands(programs, NUMBERS, tmp_path_factory.mktemp("rolled")) as made:
        yield made


@pytest.mark.peer
@pytest.mark.parametrize("number", [number for number in NUMBERS if NEW or number not in LEFT])
def test_rolled(both: tuple[dict[str, Stand], dict[str, Case]], number: int) -> None:
    programs, cases = both
    front = f"r{number}"
    expected, seen = (play(programs[name], front, cases[front]) for name in ("reference", "evener"))
    assert seen == expected, "\n".join([*cases[front].front, *cases[front].back])
