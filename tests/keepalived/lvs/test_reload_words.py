"""What a reload says of servers that go, and of those that come back because nobody asks them any more."""

from __future__ import annotations

import socket
from dataclasses import replace

from evener.keepalived.lvs.check_plan import Check, CheckId, Report, Timing
from evener.keepalived.lvs.director import Director
from evener.keepalived.lvs.ipvs import Service, ServiceKey
from evener.keepalived.lvs.messages import Command, Log, Run
from evener.keepalived.lvs.plan import CheckerPlan, RealServer, SorryServer, VirtualServer
from evener.keepalived.lvs.probes import Route, TcpProbe
from evener.keepalived.vrrp.plan import Family, Program

ONE, TWO = socket.inet_aton("10.0.0.7"), socket.inet_aton("10.0.0.8")
KEY = ServiceKey(Family.INET, socket.IPPROTO_TCP, socket.inet_aton("10.0.0.5"), 80)
UP = Program(("/bin/up",))


def server(address: bytes, port: int, **more: object) -> RealServer:
    checks = (Check(TcpProbe("TCP_CHECK", Route(address, port)), Timing()),)
    usual = RealServer(address, 80, f"[{socket.inet_ntoa(address)}]:tcp:80", checks=checks, notify_up=UP)
    return replace(usual, **more)  # type: ignore[arg-type]


def plan(*servers: RealServer, sorry: bool = False) -> CheckerPlan:
    there = SorryServer(socket.inet_aton("10.0.0.9"), 80, "[10.0.0.9]:tcp:80") if sorry else None
    return CheckerPlan(
        virtual_servers=(VirtualServer("vs", "[10.0.0.5]:tcp:80", (KEY,), Service(KEY), servers, there),)
    )


def down(director: Director, *addresses: bytes) -> None:
    for address in addresses:
        director.report(CheckId("vs", address, 80, 0), Report(False, first=True))


def said(commands: tuple[Command, ...]) -> list[str]:
    return [command.message for command in commands if isinstance(command, Log)]


def test_a_server_that_nobody_asks_any_more_comes_back() -> None:
    director = Director(plan(server(ONE, 80), server(TWO, 80)))
    director.start()
    down(director, ONE)
    commands = director.use(plan(server(ONE, 80, checks=()), server(TWO, 80))).commands
    assert said(commands) == ["Adding service [10.0.0.7]:tcp:80 to VS [10.0.0.5]:tcp:80"]
    assert [command.program for command in commands if isinstance(command, Run)] == [UP]


def test_what_is_not_in_the_pool_is_not_removed_from_it() -> None:
    director = Director(plan(server(ONE, 80), server(TWO, 80)))
    director.start()
    down(director, ONE)
    assert said(director.use(plan(server(TWO, 80))).commands) == ["service [10.0.0.7]:tcp:80 no longer exist"]


def test_an_inhibited_one_is() -> None:
    director = Director(plan(server(ONE, 80, inhibit=True), server(TWO, 80)))
    director.start()
    down(director, ONE)
    assert said(director.use(plan(server(TWO, 80))).commands) == [
        "service [10.0.0.7]:tcp:80 no longer exist",
        "Removing (inhibited) service [10.0.0.7]:tcp:80 from VS [10.0.0.5]:tcp:80",
    ]


def test_behind_a_sorry_server() -> None:
    first = plan(server(ONE, 80, weight=1), server(TWO, 80, weight=5), sorry=True)
    (virtual,) = first.virtual_servers
    director = Director(replace(first, virtual_servers=(replace(virtual, quorum=3),)))
    director.start()
    down(director, TWO)
    (virtual,) = plan(server(TWO, 80, weight=5), sorry=True).virtual_servers
    step = director.use(CheckerPlan(virtual_servers=(replace(virtual, quorum=3),)))
    assert said(step.commands)[:1] == ["service [10.0.0.7]:tcp:80 no longer exist"]
    assert not any("Removing service" in line for line in said(step.commands))


def test_another_sorry_server() -> None:
    director = Director(plan(server(ONE, 80), sorry=True))
    director.start()
    down(director, ONE)
    (virtual,) = plan(server(ONE, 80), sorry=True).virtual_servers
    other = SorryServer(socket.inet_aton("10.0.0.10"), 80, "[10.0.0.10]:tcp:80")
    step = director.use(CheckerPlan(virtual_servers=(replace(virtual, sorry=other),)))
    assert said(step.commands) == [
        "Removing sorry server [10.0.0.9]:tcp:80 from VS [10.0.0.5]:tcp:80",
        "Starting with quorum down 1-0=1 > 0 for VS [10.0.0.5]:tcp:80",
        "Adding sorry server [10.0.0.10]:tcp:80 to VS [10.0.0.5]:tcp:80",
        "Removing alive servers from the pool for VS [10.0.0.5]:tcp:80",
    ]
    assert [type(change).__name__ for change in step.changes] == ["AddDestination", "DeleteDestination"]
    step = director.use(plan(server(ONE, 80)))
    assert said(step.commands) == [
        "Removing sorry server [10.0.0.10]:tcp:80 from VS [10.0.0.5]:tcp:80",
        "Adding alive servers to the pool for VS [10.0.0.5]:tcp:80",
    ]
