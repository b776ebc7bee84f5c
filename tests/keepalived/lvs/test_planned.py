"""Services that are loaded as they were planned: the same as destination by destination."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from evener.host.netlink.ipvs import requests
from evener.keepalived.lvs.check_plan import Check, CheckId, Report, Timing
from evener.keepalived.lvs.director import Director
from evener.keepalived.lvs.ipvs import (
    AddDestination,
    DeleteDestination,
    Failure,
    Forwarding,
    Load,
    Method,
    Service,
    ServiceKey,
    TunnelType,
    singly,
)
from evener.keepalived.lvs.plan import CheckerPlan, RealServer, SorryServer, VirtualServer
from evener.keepalived.lvs.planned import MOST_WEIGHT, Planned, as_planned
from evener.keepalived.lvs.probes import Route, TcpProbe
from evener.keepalived.vrrp.plan import Family

KEY = ServiceKey(Family.INET, socket.IPPROTO_TCP, bytes((10, 0, 0, 1)), 80)
KEY6 = ServiceKey(Family.INET6, socket.IPPROTO_UDP, bytes(15) + b"\1", 53)
MARK = ServiceKey(Family.INET, 0, b"", 0, 7)


def check(alpha: bool = False) -> Check:
    return Check(TcpProbe("TCP_CHECK", Route(bytes(4), 80)), Timing(alpha=alpha))


def real(
    number: int, way: Forwarding, weight: int = 1, size: int = 4, checks: tuple[Check, ...] = ()
) -> RealServer:
    address = bytes(size - 1) + bytes((number,))
    return RealServer(address, 8080 + number, "", way, weight, number, 2 * number, checks=checks)


def virtual(*reals: RealServer, key: ServiceKey = KEY, sorry: SorryServer | None = None) -> VirtualServer:
    return VirtualServer("v", "[v]", (key,), Service(key), reals, sorry)


@pytest.mark.parametrize("key", [KEY, KEY6, MARK])
@pytest.mark.parametrize("size", [4, 16])
@pytest.mark.parametrize(
    "way",
    [
        Forwarding(Method.NAT),
        Forwarding(Method.DR),
        Forwarding(Method.TUN),
        Forwarding(Method.TUN, TunnelType.GUE, 6080),
    ],
)
def test_the_same_bytes(key: ServiceKey, way: Forwarding, size: int) -> None:
    servers = (real(1, way, 3, size), real(2, Forwarding(Method.NAT), 99_999, size))
    load = Load(Service(key), Planned(key, servers))
    assert list(requests([load])) == list(requests(singly([load])))
    weights = [change.destination.weight for change in singly([load]) if isinstance(change, AddDestination)]
    assert weights == [3, MOST_WEIGHT]


def test_who_starts_as_planned() -> None:
    nat, direct = Forwarding(Method.NAT), Forwarding(Method.DR)
    assert as_planned(virtual(real(1, nat), real(2, nat, checks=(check(),))))
    assert not as_planned(virtual(real(1, nat), real(2, nat, checks=(check(alpha=True),))))
    assert not as_planned(virtual(real(1, nat), sorry=SorryServer(bytes(4), 80, "")))
    # Destinations by direct routing have the port of the service: two servers may be one.
    assert not as_planned(virtual(real(1, direct), real(2, direct)))
    assert as_planned(virtual(replace(real(1, direct), port=80), replace(real(2, direct), port=80)))


def test_what_is_heard_later_counts() -> None:
    nat = Forwarding(Method.NAT)
    one, two = real(1, nat, checks=(check(),)), real(2, nat)
    director = Director(CheckerPlan(virtual_servers=(virtual(one, two),)))
    (load,) = director.start().changes
    assert isinstance(load, Load)
    assert isinstance(director.table[KEY][1], Planned)
    (gone,) = director.report(CheckId("v", one.address, one.port, 0), Report(False)).changes
    assert isinstance(gone, DeleteDestination)
    assert gone.destination.address == one.address
    assert [place.address for place in director.table[KEY][1]] == [two.address]


def test_one_that_the_engine_refused_is_not_in_the_table() -> None:
    nat = Forwarding(Method.NAT)
    plan = CheckerPlan(virtual_servers=(virtual(real(1, nat), real(2, nat)),))
    director = Director(plan)
    changes = list(singly(director.start().changes))
    director.failed([Failure(changes[2], 12, "no")])
    assert [place.port for place in director.table[KEY][1]] == [8081]
    assert director.use(plan).changes == (changes[2],)
