"""The weight of a pool is added up once, and follows what happens to its servers."""

from __future__ import annotations

import random
import socket
from dataclasses import replace

import pytest

from evener.keepalived.lvs.check_plan import Check, CheckId, Report, Timing
from evener.keepalived.lvs.director import Director
from evener.keepalived.lvs.ipvs import Service, ServiceKey
from evener.keepalived.lvs.overrides import Override, Wish
from evener.keepalived.lvs.plan import CheckerPlan, RealServer, VirtualServer
from evener.keepalived.lvs.probes import Route, TcpProbe
from evener.keepalived.vrrp.plan import Family

KEY = ServiceKey(Family.INET, socket.IPPROTO_TCP, socket.inet_aton("10.0.0.5"), 80)
COUNT = 8


def plan(alpha: bool, weights: list[int]) -> CheckerPlan:
    servers = []
    for number, weight in enumerate(weights):
        address = socket.inet_aton(f"10.0.1.{number}")
        checks = tuple(
            Check(TcpProbe("TCP_CHECK", Route(address, port)), replace(Timing(), alpha=alpha))
            for port in (80, 81)
        )
        servers.append(RealServer(address, 80, f"[10.0.1.{number}]:tcp:80", weight=weight, checks=checks))
    return CheckerPlan(virtual_servers=(VirtualServer("vs", "vs", (KEY,), Service(KEY), tuple(servers)),))


@pytest.mark.parametrize("seed", range(4))
def test_the_sum_is_that_of_the_living(seed: int) -> None:
    dice = random.Random(seed)
    director = Director(plan(bool(seed % 2), [dice.randrange(9) for _ in range(COUNT)]))
    director.start()
    for _ in range(300):
        address = socket.inet_aton(f"10.0.1.{dice.randrange(COUNT)}")
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
