"""virtual_server in a kernel with IPVS, beside the real keepalived: after every step the same table."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kernel
import pytest
from ipvs_scenarios import SCENARIOS

TAKEOVER_S = 0.72
"""Three adverts and the skew of the second director."""
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
    """All scenarios, and the traffic, in one boot."""
    folder = Path(tempfile.mkdtemp(prefix="uml"))
    by_engine = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        str(HERE / "real_traffic.py"),
    ]
    programs = (
        [sys.executable, str(HERE / "traffic.py"), f"{kernel.WINDOW}/traffic.json"],
        [sys.executable, str(HERE / "inside.py"), REFERENCE, f"{kernel.WINDOW}/results.json"],
    )
    try:
        lines = [
            f"window={kernel.WINDOW}",
            f"{shlex.join(by_engine)} >$window/by_engine 2>&1 && echo good >$window/good || :",
            *map(shlex.join, programs),
        ]
        status = kernel.run(["sh", "-ec", "\n".join(lines)], folder, seconds=900, memory="1300M")
        said = (folder / "output").read_text(errors="replace") if (folder / "output").exists() else "nothing"
        assert status == 0, said[-3000:]
        found = {name: json.loads((folder / f"{name}.json").read_text()) for name in ("results", "traffic")}
        yield {
            **found,
            "by_engine": (folder / "by_engine").read_text(errors="replace"),
            "good": (folder / "good").exists(),
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.timeout(920)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_ipvs_holds_what_keepalived_would_have(results: dict[str, Any], scenario: Any) -> None:
    found = results["results"][scenario.name]
    for step, reference, ours in found["steps"]:
        if step == "stop":  # the original leaves what a reload has added to a group
            assert ours == [], "nothing is left behind"
        elif step == "stop: told":  # whether last scripts are run and last mails are sent is a matter of luck
            assert [set(lines) for lines in ours[:2]] == [set(lines) for lines in reference[:2]]
        else:
            assert ours == reference, f"after {step!r}: {found['logs'][1][-2000:]}"
    assert found["steps"][0][1], "the reference has loaded something"


@pytest.mark.timeout(920)
def test_the_engine_by_itself(results: dict[str, Any]) -> None:
    """What ``real_traffic`` saw in the test kernel."""
    assert results["good"], results["by_engine"][-3000:]


@pytest.mark.timeout(920)
@pytest.mark.parametrize(
    ("when", "who"),
    [
        ("start", ["s1", "s1", "s2", "s2"]),
        ("s1 failed", ["s2"] * 4),
        ("s1 recovered", ["s1", "s1", "s2", "s2"]),
        ("second director", ["s1", "s1", "s2", "s2"]),
    ],
)
def test_traffic_follows(results: dict[str, Any], when: str, who: list[str]) -> None:
    """NAT and DR, IPv4 and IPv6, TCP and UDP: round robin over the servers that are alive."""
    found = results["traffic"][when]
    assert len(found) == 8
    for service, answered in found.items():
        assert answered == who, f"{service}: {results['traffic']['logs'][0][-2000:]}"


@pytest.mark.timeout(920)
def test_the_second_director_takes_connections_over(results: dict[str, Any]) -> None:
    """Under load: within the takeover time of the instance (0.72 s), a connection that was lost then, and
    some patience with a machine that does other things, about as many connections a second are served."""
    found = results["traffic"]["failover"]
    assert found["before"] > 0 and found["after"] > found["before"] / 4, found
    assert found["gap_s"] < 6, found
    # Those who come when the second director has taken over are served; those who were there wait first.
    # (One that was not heard for a while, on a busy machine, has been taken over from before.)
    assert found["newcomers_s"] < max(found["takeover_s"], TAKEOVER_S) + 0.5, found


@pytest.mark.timeout(920)
def test_the_control_socket_changes_ipvs(results: dict[str, Any]) -> None:
    found = results["traffic"]["controlled"]
    both, one = ["s1", "s1", "s2", "s2"], ["s2"] * 4
    answered = [found[step][1] for step in ("0 drain", "1 enable", "2 disable", "3 enable")]
    assert answered == [one, both, one, both], found
    assert "error" not in found["weight"]
    (shown,) = found["shown"]
    assert shown["engine"] == "ipvs"
    assert [real["weight"] for real in shown["real_servers"]] == [7, 1]
    assert shown["real_servers"][1]["inactive"] > 0
    assert "error" in found["flush"], "IPVS cannot end connections, which is said"
    assert "ipvs" in found["metrics"]
