"""virtual_server in a kernel with IPVS, beside the real keepalived: after every step IPVS holds the same."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kernel
import pytest
from scenarios import SCENARIOS

HERE = Path(__file__).parent
REFERENCE = os.environ.get("EVENER_KEEPALIVED", "/usr/sbin/keepalived")


def unable() -> str:
    reason = kernel.missing()
    for program in (REFERENCE, "ipvsadm", "ip"):
        if not reason and shutil.which(program) is None:
            reason = f"{program} is not installed"
    return reason


pytestmark = [pytest.mark.skipif(bool(unable()), reason=unable()), pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def results() -> Iterator[dict[str, Any]]:
    """All scenarios, in one boot."""
    folder = Path(tempfile.mkdtemp(prefix="uml"))
    try:
        output = f"{kernel.WINDOW}/results.json"
        status = kernel.run(["sh", str(HERE / "all"), sys.executable, REFERENCE, output], folder)
        said = (folder / "output").read_text(errors="replace") if (folder / "output").exists() else "nothing"
        assert status == 0, said[-3000:]
        found = json.loads((folder / "results.json").read_text())
        found["traffic"] = (folder / "traffic").read_text(errors="replace")
        yield found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_traffic_follows(results: dict[str, Any]) -> None:
    """What ``real_traffic`` saw in the test kernel."""
    said = results["traffic"]
    assert "passed" in said and "failed" not in said and "error" not in said, said[-3000:]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_ipvs_holds_what_keepalived_would_have(results: dict[str, Any], scenario: Any) -> None:
    found = results[scenario.name]
    for step, reference, ours in found["steps"]:
        assert ours == reference, f"after {step!r}: {found['logs'][1][-2000:]}"
    assert found["steps"][0][1], "the reference has loaded something"
