"""Runs in the test kernel: packets that IPVS sends to real servers, by the engine as the daemon uses it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "netns"))

from lab import inside
from lvs_lab import TCP, UDP, LvsLab, added, answers, destination, service, until

from evener.host.netlink.ipvs import Ipvs, open_ipvs
from evener.keepalived.lvs.ipvs import (
    AddService,
    DeleteDestination,
    Method,
    SetDestination,
)
from evener.keepalived.vrrp.plan import Family

V4 = Family.INET
FAMILIES = pytest.mark.parametrize("family", list(Family), ids=["v4", "v6"])
METHODS = pytest.mark.parametrize("method", [Method.NAT, Method.DR])


@pytest.fixture(scope="module")
def lab() -> Iterator[LvsLab]:
    made = LvsLab()
    yield made
    made.close()


@pytest.fixture
def engine(lab: LvsLab) -> Iterator[Ipvs]:
    made = inside(lab.director, open_ipvs)
    yield made
    made.flush()
    made.close()


@FAMILIES
@METHODS
@pytest.mark.parametrize("protocol", [TCP, UDP], ids=["tcp", "udp"])
def test_traffic_follows(lab: LvsLab, engine: Ipvs, family: Family, method: Method, protocol: int) -> None:
    what = service(family, method, protocol=protocol)
    servers = [destination(family, number, method) for number in range(3)]
    assert engine.apply(added(what, *servers)) == []
    assert answers([lab.ask(family, method, protocol) for _ in range(6)]) == {"s0": 2, "s1": 2, "s2": 2}
    assert engine.apply([DeleteDestination(what.key, servers[1].key)]) == []
    assert answers([lab.ask(family, method, protocol) for _ in range(6)]) == {"s0": 3, "s2": 3}
    # The kernel brings its counters up to date every two seconds.
    until(lambda: engine.traffic()[what.key, None].connections >= 12)
    assert engine.traffic()[what.key, servers[0].key].packets_in > 0


def test_weights_and_drain(lab: LvsLab, engine: Ipvs) -> None:
    what = service(V4, Method.NAT, "wrr")
    servers = [destination(V4, 0, weight=3), destination(V4, 1, weight=1)]
    engine.apply(added(what, *servers))
    assert answers([lab.ask(V4, Method.NAT) for _ in range(8)]) == {"s0": 6, "s1": 2}
    engine.apply([SetDestination(what.key, destination(V4, 0, weight=0))])
    assert answers([lab.ask(V4, Method.NAT) for _ in range(3)]) == {"s1": 3}


def test_persistent_clients_stay(lab: LvsLab, engine: Ipvs) -> None:
    what = service(V4, Method.NAT, timeout_s=60)
    engine.apply(added(what, *(destination(V4, number) for number in range(3))))
    for host in (10, 11, 12):
        assert len({lab.ask(V4, Method.NAT, host=host) for _ in range(4)}) == 1


def test_what_the_kernel_refuses_does_not_keep_the_rest_out(lab: LvsLab, engine: Ipvs) -> None:
    unknown = service(V4, Method.DR, "nobody")
    what = service(V4, Method.NAT)
    failures = engine.apply([AddService(unknown), *added(what, destination(V4, 0))])
    assert [failure.change for failure in failures] == [AddService(unknown)]
    assert "nobody" in failures[0].text
    assert lab.ask(V4, Method.NAT) == "s0"


def test_timeouts(lab: LvsLab, engine: Ipvs) -> None:
    before = engine.timeouts()
    assert engine.set_timeouts(100, 0, 30) == 0
    assert engine.timeouts() == (100, before[1], 30)
