"""Public configurations (EVENER_CORPUS) in a kernel with IPVS, beside keepalived."""

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
from public_scenarios import files
from test_lvs import HERE, REFERENCE, unable

CORPUS = os.environ.get("EVENER_CORPUS", "")
FILES = files(Path(CORPUS)) if CORPUS else []
SECONDS = 900

pytestmark = [
    pytest.mark.skipif(bool(unable()), reason=unable()),
    pytest.mark.skipif(not FILES, reason="EVENER_CORPUS names no directory with keepalived/*.conf"),
    pytest.mark.timeout(SECONDS + 20),
]


@pytest.fixture(scope="module")
def results() -> Iterator[dict[str, Any]]:
    """All of them in one boot."""
    folder = Path(tempfile.mkdtemp(prefix="uml"))
    command = [sys.executable, str(HERE / "inside.py"), REFERENCE, f"{kernel.WINDOW}/results.json"]
    try:
        command += ["--corpus", CORPUS]
        status = kernel.run(command, folder, seconds=SECONDS, memory="1500M")
        said = (folder / "output").read_text(errors="replace") if (folder / "output").exists() else "nothing"
        assert status == 0, said[-3000:]
        yield json.loads((folder / "results.json").read_text())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("path", FILES or [None], ids=lambda path: path.name if path else "none")
def test_ipvs_holds_what_keepalived_would_have(results: dict[str, Any], path: Path) -> None:
    found = results[path.name]
    for step, reference, ours in found["steps"][:-1]:
        logs = "\n---\n".join(log[-1500:] for log in found["logs"])
        assert ours == reference, f"after {step!r}: {logs}"
