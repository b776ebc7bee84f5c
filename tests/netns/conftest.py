"""Makes lab.py importable from the tests beside it, and has the laboratory of a mixed pair."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from lab import PROGRAMS, Lab, Link, Router, why_not


@pytest.fixture(name="lab")
def mixed_pair() -> Iterator[Lab]:
    """Ten adverts a second; evener is router 0 and keepalived router 1, neither is started."""
    reason = why_not()
    if reason or shutil.which(PROGRAMS["keepalived"][0]) is None:
        pytest.skip(reason or "keepalived is not installed")
    lab = Lab(Link(advert_cs=10), (Router(0, 150, "evener"), Router(1, 150, "keepalived")))
    try:
        yield lab
    finally:
        lab.close()
