"""What a reload does to real servers whose checks go on: the checks say what they count as."""

from __future__ import annotations

import socket
from dataclasses import replace

from evener.keepalived.lvs.check_plan import Check, CheckId, CheckState, Report, Timing
from evener.keepalived.lvs.director import Director
from evener.keepalived.lvs.ipvs import AddDestination, DeleteDestination, Service, ServiceKey, SetDestination
from evener.keepalived.lvs.plan import CheckerPlan, RealServer, VirtualServer
from evener.keepalived.lvs.probes import Route, TcpProbe
from evener.keepalived.vrrp.plan import Family

RS = socket.inet_aton("10.0.0.7")
KEY = ServiceKey(Family.INET, socket.IPPROTO_TCP, socket.inet_aton("10.0.0.5"), 80)


def check(port: int, **timing: object) -> Check:
    return Check(TcpProbe("TCP_CHECK", Route(RS, port)), replace(Timing(), **timing))  # type: ignore[arg-type]


def plan_of(*checks: Check) -> CheckerPlan:
    real = RealServer(RS, 80, "[10.0.0.7]:tcp:80", weight=5, checks=checks)
    return CheckerPlan(virtual_servers=(VirtualServer("vs", "vs", (KEY,), Service(KEY), (real,)),))


def name(index: int) -> CheckId:
    return CheckId("vs", RS, 80, index)


def test_a_failed_check_stays_failed_at_another_place_and_with_another_timing() -> None:
    director = Director(plan_of(check(80)))
    director.start()
    (gone,) = director.report(name(0), Report(False, first=True)).changes
    assert isinstance(gone, DeleteDestination)
    states = {name(0): CheckState(True), name(1): CheckState(False, True)}
    assert director.use(plan_of(check(81), check(80, retry=9)), states).changes == ()
    (back,) = director.report(name(1), Report(True)).changes
    assert isinstance(back, AddDestination)


def test_a_new_alpha_check_of_a_server_that_is_up_does_not_take_it_down() -> None:
    director = Director(plan_of(check(80)))
    director.start()
    states = {name(0): CheckState(True, True), name(1): CheckState(True)}
    assert director.use(plan_of(check(80), check(81, alpha=True)), states).changes == ()


def test_a_weight_ends_with_what_asked_for_it() -> None:
    director = Director(plan_of(check(80)))
    director.start()
    for report, weight in ((Report(True, True, 9), 9), (Report(True, offset=2), 7), (Report(True), 5)):
        (change,) = director.report(name(0), report).changes
        assert isinstance(change, SetDestination) and change.destination.weight == weight
