"""The soak in ten seconds: servers are killed and started again under load, and nothing else goes wrong."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import soak

pytest.importorskip("evener.engine.core")


@pytest.mark.timeout(90)
def test_no_request_is_lost_that_need_not_be() -> None:
    seen, kills, held = soak.soak(str(soak.EVENER), 8)
    assert kills >= 2
    assert soak.verdict(seen, kills, held) == [], seen
