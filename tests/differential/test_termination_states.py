"""Every row of the manual's table of termination states is seen, here and in the reference."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from states import IN_FACT, ROWS, UNREACHABLE, Stage, await_service

pytest.importorskip("evener.engine.core")

EVENER = [sys.executable, "-m", "evener.cli.haproxy"]
REFERENCE = os.environ.get("EVENER_DIFF_HAPROXY") or shutil.which("haproxy", path="/usr/sbin:/usr/bin")
#: Of the manual, section 8.5.
MANUAL = (
    "-- CC CD cD CH cH CQ CR cR CT LC LR LH SC sC SD sD SH sH sQ "  # who ended it, and when
    "PC PD PH PR PT RC"
)
#: What releases before the one that is followed (3.5) call otherwise.
NEWER = ("cH", "PD") if "EVENER_DIFF_HAPROXY" not in os.environ else ()


@pytest.fixture(scope="module", params=["evener", "reference"])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    command = EVENER if request.param == "evener" else [REFERENCE or ""]
    if not command[0]:
        pytest.skip("no haproxy installed")
    made = Stage(command, tmp_path_factory.mktemp(request.param))
    try:
        await_service(made)
        yield made
    finally:
        made.stop()


def test_no_row_is_left_out() -> None:
    assert {*ROWS, *UNREACHABLE} == set(MANUAL.split())


@pytest.mark.peer
@pytest.mark.parametrize("row", ROWS)
def test_row(stage: Stage, row: str, request: pytest.FixtureRequest) -> None:
    if row in NEWER and request.node.callspec.params["stage"] == "reference":
        pytest.skip("since a later release")
    assert ROWS[row](stage) == IN_FACT.get(row, row)
