"""virtual_server in a kernel with IPVS, beside the real keepalived: after every step the same ``ipvsadm -Sn``."""

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


pytestmark = pytest.mark.skipif(bool(unable()), reason=unable())


@pytest.fixture(scope="module")
def results() -> Iterator[dict[str, Any]]:
    """All scenarios, in one boot."""
    folder = Path(tempfile.mkdtemp(prefix="uml"))
    try:
        output = f"{kernel.WINDOW}/results.json"
        status = kernel.run([sys.executable, str(HERE / "inside.py"), REFERENCE, output], folder)
        said = (folder / "output").read_text(errors="replace") if (folder / "output").exists() else "nothing"
        assert status == 0, said[-3000:]
        yield json.loads((folder / "results.json").read_text())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.timeout(200)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_ipvs_holds_what_keepalived_would_have(results: dict[str, Any], scenario: Any) -> None:
    found = results[scenario.name]
    for step, reference, ours in found["steps"]:
        assert ours == reference, f"after {step!r}: {found['logs'][1][-2000:]}"
    assert found["steps"][0][1], "the reference has loaded something"
