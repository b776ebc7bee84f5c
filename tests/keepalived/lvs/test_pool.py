"""The weight of a pool is added up once, and follows what happens to its servers."""

from __future__ import annotations

import random
import socket
from dataclasses import replace

import pytest

from evener.keepalived.lvs.check_plan import Check, CheckId, Report, Timing
from evener.keepalived.lvs.director import Director
from evener.keepalived.lvs.ipvs import Forwarding, Method, Service, ServiceKey
from evener.keepalived.lvs.overrides import Override, Wish
from evener.keepalived.lvs.plan import CheckerPlan, RealServer, SorryServer, VirtualServer
from evener.keepalived.lvs.probes import Route, TcpProbe
from evener.keepalived.vrrp.plan import Family

KEY = ServiceKey(Family.INET, socket.IPPROTO_TCP, socket.inet_aton("10.0.0.5"), 80)
COUNT = 8


SORRY = SorryServer(socket.inet_aton("10.0.2.1"), 80, "[10.0.2.1]:tcp:80")


def plan(alpha: bool, weights: list[int], **more: object) -> CheckerPlan:
    servers = []
    for number, weight in enumerate(weights):
        address = place(number)
        checks = tuple(
            Check(TcpProbe("TCP_CHECK", Route(address, port)), replace(Timing(), alpha=alpha))
            for port in (80, 81)
        )
        server = RealServer(address, 80, f"[10.0.1.{number}]:tcp:80", weight=weight, checks=checks)
        servers.append(replace(server, **more))  # type: ignore[arg-type]
    return CheckerPlan(virtual_servers=(VirtualServer("vs", "vs", (KEY,), Service(KEY), tuple(servers)),))


def place(number: int) -> bytes:
    return socket.inet_aton(f"10.0.1.{number}")


SORRIES = (None, SORRY, replace(SORRY, inhibit=True), replace(SORRY, address=place(3)))


@pytest.mark.parametrize("seed", range(4))
def test_the_sum_is_that_of_the_living(seed: int) -> None:
    dice = random.Random(seed)
    director = Director(plan(bool(seed % 2), [dice.randrange(9) for _ in range(COUNT)]))
    director.start()
    for _ in range(300):
        address = place(dice.randrange(COUNT))
        match dice.randrange(8):
            case 0:
                wish = dice.choice(list(Wish))
                director.override(("vs", address, 80), Override(wish, dice.choice([None, 0, 5])))
            case 1:
                director.use(plan(bool(seed % 2), [dice.randrange(9) for _ in range(dice.randint(1, COUNT))]))
            case _:
                weight, offset = dice.choice([None, 0, 7]), dice.choice([0, -3, 4])
                report = Report(dice.random() < 0.5, weight=weight, offset=offset)
                director.report(CheckId("vs", address, 80, dice.randrange(2)), report)
        pool = director.services["vs"].pool
        assert pool.weight == sum(real.weight for real in pool.reals.values() if real.alive)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "sorry", [None, SORRY, replace(SORRY, inhibit=True), replace(SORRY, address=place(3))]
)
@pytest.mark.parametrize("method", [Method.NAT, Method.DR])
@pytest.mark.parametrize("inhibit", [False, True])
def test_the_engine_has_what_is_wanted(
    seed: int, sorry: SorryServer | None, method: Method, inhibit: bool
) -> None:
    """However few servers are looked at when one changes."""
    dice = random.Random(seed)
    made = plan(False, [1] * COUNT, forwarding=Forwarding(method), inhibit=inhibit)
    (virtual,) = made.virtual_servers
    servers = virtual.real_servers
    if seed == 3:  # by direct routing these are one
        servers = (*servers[:-1], replace(servers[0], port=81))
    director = Director(
        replace(made, virtual_servers=(replace(virtual, real_servers=servers, quorum=3, sorry=sorry),))
    )
    director.start()
    for _ in range(200):
        real = dice.choice(servers)
        report = Report(dice.random() < 0.5, weight=dice.choice([None, 0, 7]))
        director.report(CheckId("vs", real.address, real.port, dice.randrange(2)), report)
        ((service, wanted),) = director.services["vs"].pool.desired().values()
        found = director.table[KEY]
        assert found[0] == service and dict(found[1]) == dict(wanted)
