"""``term_events`` in streams of all termination states: what HAProxy 3.5 was seen to log of each.

The reference of Debian does not know the word; another one (EVENER_DIFF_HAPROXY) is asked the same.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from states import ROWS, Stage, await_service

pytest.importorskip("evener.engine.core")

EVENER = [sys.executable, "-m", "evener.cli.haproxy"]
REFERENCE = os.environ.get("EVENER_DIFF_HAPROXY")
#: By row of the manual's table. CT and SH are not here: what is noticed first is chance.
EVENTS = {
    "--": "{f1,m1,e1,s1S1,E1,,}",
    "CC": "{f3,m1,e1,s3s1S1,E1,M1,F1}",
    "CD": "{fAf3,m4m1,e1,s3s1S1,E1,M1,F1}",
    "cD": "{,m1,e1,s7s1S1,E1,M1,F1}",
    "CH": "{f2f1,m2m1,e2e1,s2S1s1,E1,M1,F1}",
    "cH": "{,,e1,s7S1s1,E1,M1,F1}",
    "CQ": "{f3,m1,e1,s3s1S1,,-,-}",
    "CR": "{f2,m5,-,-,-,-,-}",
    "cR": "{,,-,-,-,-,-}",
    "LC": "{f1,m1,e1,S1s1,,-,-}",
    "LR": "{f1,m1,e1,s8S1s1,,-,-}",
    "SC": "{f1,m1,e1,S1s1,,,F7}",
    "sC": "{f1,m1,e1,S1s1,,,}",
    "sD": "{f1,m1,e1,S7S1s1,E1,M1,F1}",
    "sH": "{f1,m1,e1,S7S1s1,E1,M1,F1}",
    "sQ": "{f1,m1,e1,S1s1,,-,-}",
    "PD": "{f1,m1,e1,S6S1S9s1,E9E1,M1,F1}",
    "PH": "{f1,m1,e1,S6S1S9s1,E9E1,M1,F1}",
    "PR": "{f1,m1,e1,s8S1s1,,-,-}",
    "PT": "{f1,m1,e1,s8S1s1,,-,-}",
    "RC": "{f1,m1,e1,S1s1,,-,}",
}


@pytest.fixture(scope="module", params=["evener", "reference"])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    command = EVENER if request.param == "evener" else [REFERENCE or ""]
    if not command[0]:
        pytest.skip("EVENER_DIFF_HAPROXY is not set")
    made = Stage(command, tmp_path_factory.mktemp(request.param), " %[term_events]")
    try:
        await_service(made)
        yield made
    finally:
        made.stop()


@pytest.mark.peer
@pytest.mark.parametrize("row", EVENTS)
def test_events(stage: Stage, row: str) -> None:
    ROWS[row](stage)
    assert stage.last == EVENTS[row]
