"""Each scenario through Debian's haproxy and through evener: the same bytes out, the same log lines.

EVENER_DIFF_HAPROXY names another reference binary, of the release that is followed; then ``newer`` is not
needed.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import scenarios
from config import FRONTS, TEMPLATE
from cuts import CUTS, CUTS_FRONTS
from found import FOUND, FOUND_FRONTS
from later import LATER, LATER_FRONTS
from more import MORE, MORE_FRONTS
from newer import NEWER, OURS
from pair import Scenario, Seen, Stand, both
from told import TOLD, TOLD_FRONTS

pytest.importorskip("evener.engine.core")

REFERENCE = os.environ.get("EVENER_DIFF_HAPROXY") or shutil.which("haproxy", path="/usr/sbin:/usr/bin")
OLD = "EVENER_DIFF_HAPROXY" not in os.environ


@pytest.fixture(scope="module")
def stands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stand, Stand]]:
    yield from both(
        REFERENCE,
        TEMPLATE + MORE + LATER + CUTS + FOUND + TOLD,
        (*FRONTS, *MORE_FRONTS, *LATER_FRONTS, *CUTS_FRONTS, *FOUND_FRONTS, *TOLD_FRONTS),
        tmp_path_factory,
    )


@pytest.mark.peer
@pytest.mark.parametrize("scenario", scenarios.ALL, ids=lambda scenario: scenario.name)
def test_the_same(stands: tuple[Stand, Stand], scenario: Scenario) -> None:
    reference, ours = stands
    seen = ours.play(scenario)
    _, *wanted = NEWER.get(scenario.name, ("",))
    if wanted and (scenario.name in OURS or OLD):
        text = b"".join([*seen.client, *seen.origin]) + "\n".join(seen.log).encode()
        for part in wanted:
            assert isinstance(part, bytes)
            assert part in text, text
        return
    expected = reference.play(scenario)
    for what in ("client", "stays", "origin", "log"):
        if what not in scenario.skip:
            assert getattr(seen, what) == getattr(expected, what), shown(seen, expected)


def shown(seen: Seen, expected: Seen) -> str:
    return f"\nevener:    {seen}\nreference: {expected}"
