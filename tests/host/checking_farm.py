"""A house of checks in a test: a plan of one virtual server, what was reported and logged, real sockets."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from evener.host.checks.house import CheckHouse
from evener.host.reactor import READABLE, Reactor
from evener.host.scripts import Ended, ScriptClient, Seen
from evener.keepalived.arguments import SECOND
from evener.keepalived.lvs.check_plan import Check, CheckId, Probe, Report, Timing
from evener.keepalived.lvs.ipvs import Service, ServiceKey
from evener.keepalived.lvs.plan import CheckerPlan, RealServer, VirtualServer
from evener.keepalived.lvs.probes import Route
from evener.keepalived.vrrp.plan import Family, GlobalOptions

LOOPBACK = socket.inet_aton("127.0.0.1")
KEY = ServiceKey(Family.INET, socket.IPPROTO_TCP, socket.inet_aton("10.0.0.5"), 80)
PROMPT = Timing(delay_loop_us=SECOND // 100, retry=0, delay_before_retry_us=SECOND // 100, warmup_us=0)
PATIENCE_S = 30


def loopback(port: int, **more: object) -> Route:
    return replace(Route(LOOPBACK, port, timeout_us=SECOND // 2), **more)  # type: ignore[arg-type]


def plan_of(*probes: Probe, timing: Timing = PROMPT, port: int = 80) -> CheckerPlan:
    checks = tuple(Check(probe, timing) for probe in probes)
    real = RealServer(LOOPBACK, port, f"[127.0.0.1]:tcp:{port}", checks=checks)
    return CheckerPlan(
        virtual_servers=(VirtualServer("vs", "[10.0.0.5]:tcp:80", (KEY,), Service(KEY), (real,)),)
    )


class Farm:
    """``reports`` and ``lines`` are what came so far."""

    def __init__(self, chance: float = 0.0) -> None:
        self.reactor = Reactor()
        self.reports: list[tuple[CheckId, Report]] = []
        self.lines: list[str] = []
        self.house = CheckHouse(
            self.reactor, self._reported, self.lines.append, self.lines.append, lambda: chance
        )

    def _reported(self, name: CheckId, report: Report) -> None:
        self.reports.append((name, report))

    def until(self, count: int) -> list[tuple[CheckId, Report]]:
        """Turn until there are ``count`` reports."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if len(self.reports) >= count:
                return self.reports
            self.reactor.turn(0.05)
        raise AssertionError(f"only {self.reports} and {self.lines}")

    def settle(self) -> None:
        """Let others see the ends of their connections."""
        for _ in range(5):
            self.reactor.turn(0.01)

    def until_said(self, words: str) -> str:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            found = [line for line in self.lines if words in line]
            if found:
                return found[0]
            self.reactor.turn(0.05)
        raise AssertionError(f"only {self.lines}")


@contextmanager
def farm(chance: float = 0.0) -> Iterator[Farm]:
    made = Farm(chance)
    try:
        yield made
    finally:
        made.house.close()
        made.reactor.close()


@contextmanager
def listener(backlog: int = 16) -> Iterator[tuple[socket.socket, int]]:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        made.listen(backlog)
        yield made, made.getsockname()[1]


@contextmanager
def helped(made: Farm) -> Iterator[ScriptClient]:
    client = ScriptClient(GlobalOptions())

    def read(_events: int) -> None:
        for told in client.reports() or ():
            if isinstance(told, Seen | Ended):
                made.house.hear(told)

    made.reactor.watch(client.fileno(), READABLE, read)
    made.house.helped_by(client)
    try:
        yield client
    finally:
        made.reactor.unwatch(client.fileno())
        client.close()
