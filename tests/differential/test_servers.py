"""Random cases of servers and connections: Debian's haproxy and evener must show the same of each.

A few of every family from one seed; ``compare_servers.py`` is the long run. Where the release that is
followed has changed, that binary is asked as well (EVENER_DIFF_HAPROXY).
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Final

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from compare_servers import OURS, compare
from servers import FAMILIES, cases

pytest.importorskip("evener.engine.core")

REFERENCE: Final = shutil.which("haproxy", path="/usr/sbin:/usr/bin")
SEED: Final = 20
NUMBER: Final = 4
NEWER: Final = os.environ.get("EVENER_DIFF_HAPROXY")
#: Without the newer release those families in which nothing has changed since Debian's.
SAME: Final = ("placement", "weighed", "cookies", "stuck", "lined_up")


@pytest.mark.peer
@pytest.mark.parametrize("family", FAMILIES if NEWER else SAME)
def test_the_same_is_seen(family: str) -> None:
    if REFERENCE is None:
        pytest.skip("no haproxy installed")
    others = [[path] for path in (REFERENCE, NEWER) if path]
    _, left = compare([*others, OURS], cases(SEED, NUMBER, [family]), at_once=2, tries=3)
    assert not left, "\n".join(left)
