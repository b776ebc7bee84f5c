"""Servers that cannot be reached: who is tried instead, how often, what the client and the log are told."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from pair import Scenario, Stand, both
from words import req

pytest.importorskip("evener.engine.core")

REFERENCE = shutil.which("haproxy", path="/usr/sbin:/usr/bin")
OPTIONS: Final = (
    "",
    "option redispatch",
    "option redispatch 2",
    "option redispatch -2",
    "no option redispatch",
)
WAYS: Final = ("balance roundrobin", "balance static-rr", "cookie C insert indirect")
FRONTS: Final = {f"f{number}": (way, option) for number, (way, option) in enumerate(
    (way, option) for way in WAYS for option in OPTIONS
)}  # fmt: skip

TEMPLATE: Final = """
global
    log @LOG@ local0
    nbthread 1
defaults
    log global
    mode http
    timeout connect 60ms
    timeout client 5s
    timeout server 5s
    retries 3
    log-format "%r %b/%s %ST %rc %tsc"
frontend main
    bind @MAIN_FD@
    http-request return status 299
""" + "".join(
    f"frontend {name}\n    bind @{name.upper()}_FD@\n    default_backend b_{name}\n"
    f"backend b_{name}\n    {way}\n    {option}\n"
    "    server d @DEAD@ cookie d\n    server s @ORIGIN@ cookie s\n"
    for name, (way, option) in FRONTS.items()
)


@pytest.fixture(scope="module")
def stands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stand, Stand]]:
    yield from both(REFERENCE, TEMPLATE, ("main", *FRONTS), tmp_path_factory)


@pytest.mark.peer
@pytest.mark.parametrize("front", FRONTS)
def test_the_same_server(stands: tuple[Stand, Stand], front: str) -> None:
    for path in ("/a", "/b"):
        scenario = Scenario(path, req(path, "cookie: C=d", "connection: close"), front=front)
        expected, seen = (stand.play(scenario) for stand in stands)
        assert (seen.client, seen.log) == (expected.client, expected.log), FRONTS[front]
