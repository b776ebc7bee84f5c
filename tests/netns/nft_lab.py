"""An nftables engine on the director of the LVS lab, and what the tests of it have in common."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import pytest
from lab import inside
from lvs_lab import TCP, UDP, LvsLab, destination

from evener.host.nft.engine import NftEngine
from evener.keepalived.lvs.ipvs import Destination, Method
from evener.keepalived.vrrp.plan import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=["v4", "v6"])
METHODS = pytest.mark.parametrize("method", [Method.NAT, Method.DR])
PROTOCOLS = pytest.mark.parametrize("protocol", [TCP, UDP], ids=["tcp", "udp"])
V4 = Family.INET


def running(lab: LvsLab, make: Callable[[], NftEngine]) -> Iterator[NftEngine]:
    engine = inside(lab.director, make)
    try:
        yield engine
    finally:
        engine.flush()
        engine.close()


def nft(lab: LvsLab, *words: str) -> str:
    command = ["ip", "netns", "exec", lab.director, "nft", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def three(family: Family, method: Method, weights: tuple[int, int, int] = (1, 1, 1)) -> list[Destination]:
    return [destination(family, number, method, weight) for number, weight in enumerate(weights)]
