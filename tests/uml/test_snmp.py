"""SNMP of virtual servers in a kernel with IPVS, beside the real keepalived below the same master agent."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path
from typing import Any

import kernel
import pytest

HERE = Path(__file__).parent
REFERENCE = os.environ.get("EVENER_KEEPALIVED", "/usr/sbin/keepalived")
SYSTEM = "/usr/sbin:/usr/bin:/sbin:/bin"
SCHEDULERS = ("ip_vs_wrr", "ip_vs_sh", "ip_vs_mh", "ip_vs_lc")
VERSION = ".1.3.6.1.4.1.9586.100.5.1.1.0 "
COLUMN_DEPTH = 14


def unable() -> str:
    reason = kernel.missing()
    for program in (REFERENCE, "ipvsadm", "ip", "snmpd", "snmpwalk", "snmptrapd"):
        if not reason and shutil.which(program, path=SYSTEM) is None:
            reason = f"{program} is not installed"
    if not reason:
        said = subprocess.run([REFERENCE, "-v"], capture_output=True, text=True, check=False)
        if "SNMP_CHECKER" not in said.stdout + said.stderr:
            reason = "the keepalived that is here has no SNMP"
    return reason


pytestmark = [pytest.mark.skipif(bool(unable()), reason=unable()), pytest.mark.timeout(320)]


@pytest.fixture(scope="module")
def seen() -> Iterator[dict[str, Any]]:
    folder = Path(tempfile.mkdtemp(prefix="uml"))
    command = [sys.executable, str(HERE / "snmp_inside.py"), REFERENCE, f"{kernel.WINDOW}/seen.json"]
    try:
        status = kernel.run(command, folder, ("ip_vs", "dummy", *SCHEDULERS), seconds=300)
        said = (folder / "output").read_text(errors="replace") if (folder / "output").exists() else "nothing"
        assert status == 0, said[-3000:]
        yield json.loads((folder / "seen.json").read_text())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def column(line: str) -> str:
    return ".".join(line.split(" ")[0].split(".")[:COLUMN_DEPTH])


def test_the_same_walk(seen: dict[str, Any]) -> None:
    """Line by line, of the columns that the original's release has."""
    theirs = [line for line in seen["keepalived"]["walk"] if not line.startswith(VERSION)]
    has = {column(line) for line in theirs}
    ours = [line for line in seen["evener"]["walk"] if not line.startswith(VERSION) and column(line) in has]
    assert "\n".join(unified_diff(theirs, ours, n=0, lineterm="")) == "", seen["evener"]["log"]
    assert len(theirs) > 450


def test_the_same_traps(seen: dict[str, Any]) -> None:
    """A server that fails, quorums, and the end, which SNMP hears of with omega and without."""
    ours, theirs = (seen[who]["traps"] for who in ("evener", "keepalived"))
    difference = unified_diff(sorted(theirs), sorted(ours), n=0, lineterm="")
    assert "\n".join(difference) == "", seen["evener"]["log"] + seen["keepalived"]["log"]
    assert len(theirs) > 10


def test_a_weight_can_be_set(seen: dict[str, Any]) -> None:
    """And not that of a sorry server."""
    ours, theirs = seen["evener"], seen["keepalived"]
    assert ours["set"][0] == theirs["set"][0]
    assert "Error in packet" in ours["set"][1][0]
    assert (ours["seen"], ours["ipvs"]) == (theirs["seen"], theirs["ipvs"])
    assert any("-w 9" in line for line in ours["ipvs"])
