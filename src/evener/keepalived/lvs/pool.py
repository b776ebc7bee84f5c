"""The servers of one virtual server as they are now: who is alive, and what the engine should have.

Pure state: it says what holds, ``service`` says what follows when it changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from evener.keepalived.lvs.check_plan import CheckState, Report
from evener.keepalived.lvs.ipvs import (
    FULL_MASK,
    Destination,
    DestinationKey,
    Method,
    Service,
    ServiceKey,
)
from evener.keepalived.lvs.overrides import NONE, Wish
from evener.keepalived.lvs.plan import RealServer, SorryServer, VirtualServer
from evener.keepalived.lvs.planned import MOST_WEIGHT, Planned, as_planned, destination_key

SORRY_WEIGHT = 1
_NONE: set[int] = set()
_NOTHING: dict[int, int] = {}
"""Of all servers without checks together: nobody reports anything of them."""


class Real:
    """A real server. It is alive while none of its checks counts as failed, unless it is disabled."""

    __slots__ = ("failed", "fixed", "offsets", "override", "plan", "turned")

    def __init__(self, plan: RealServer) -> None:
        self.plan = plan
        checked = bool(plan.checks)  # without checks these stay empty, and there may be very many
        self.failed = (
            {index for index, check in enumerate(plan.checks) if check.timing.alpha} if checked else _NONE
        )
        self.fixed: dict[int, int] = {} if checked else _NOTHING
        """Weights that checks ask for, by the check's place."""
        self.offsets: dict[int, int] = {} if checked else _NOTHING
        self.override = NONE
        self.turned = 0
        """How often it went up or down."""

    @property
    def share(self) -> int:
        """What it adds to the weight of its pool."""
        return self.weight if self.alive else 0

    @property
    def alive(self) -> bool:
        return not self.failed and self.override.wish is not Wish.DISABLED

    @property
    def weight(self) -> int:
        if self.override is NONE and not self.fixed and not self.offsets:
            return min(MOST_WEIGHT, self.plan.weight)
        if self.override.wish is Wish.DRAIN:
            return 0
        if self.override.weight is not None:
            return self.override.weight
        base = next(reversed(self.fixed.values())) if self.fixed else self.plan.weight
        return min(MOST_WEIGHT, max(0, base + sum(self.offsets.values())))

    def hear(self, index: int, report: Report) -> None:
        """What a check has found out."""
        if index < len(self.plan.checks):
            self.counts_as(index, report)

    def counts_as(self, index: int, report: Report | CheckState) -> None:
        (self.failed.discard if report.up else self.failed.add)(index)
        self.fixed.pop(index, None)
        if report.weight is not None:
            self.fixed[index] = report.weight
        self.offsets[index] = report.offset


class Pool:
    """The real servers and the sorry server of a virtual server."""

    __slots__ = ("_reals", "_separate", "_weight", "plan", "quorum_up", "sorry_active")

    def __init__(self, plan: VirtualServer) -> None:
        self.plan = plan
        self.quorum_up = False
        self.sorry_active = False
        self._reals: dict[tuple[bytes, int], Real] | None = None
        self._weight: int | None = None
        self._separate: bool | None = None
        if not as_planned(plan):
            self._reals = _reals(plan)

    @property
    def reals(self) -> dict[tuple[bytes, int], Real]:
        """By address and port. As long as nobody wants to see them all are as planned, and are not made."""
        if self._reals is None:
            self._reals, self._weight = _reals(self.plan), None
        return self._reals

    @reals.setter
    def reals(self, reals: dict[tuple[bytes, int], Real]) -> None:
        self._reals, self._weight = reals, None

    @property
    def weight(self) -> int:
        """Of all servers that are alive. It is added up once: thousands of them may change one by one."""
        if self._weight is None:
            if self._reals is None:
                self._weight = sum([min(MOST_WEIGHT, real.weight) for real in self.plan.real_servers])
            else:
                self._weight = sum(real.share for real in self._reals.values())
        return self._weight

    def changed(self, before: int, real: Real) -> None:
        """A server adds something else to the weight than ``before``."""
        if self._weight is not None:
            self._weight += real.share - before

    def desired(self) -> dict[ServiceKey, tuple[Service, Mapping[DestinationKey, Destination]]]:
        """What the engine should have for this virtual server: each service, and its destinations."""
        made: dict[ServiceKey, tuple[Service, Mapping[DestinationKey, Destination]]] = {}
        plan = self.plan
        for key in plan.members:
            if self._reals is None:
                made[key] = _service(plan.service, key), Planned(key, plan.real_servers)
                continue
            destinations: dict[DestinationKey, Destination] = {}
            for place, destination in self._destinations(key):
                destinations.setdefault(place, destination)
            made[key] = _service(plan.service, key), destinations
        return made

    def destination(self, key: ServiceKey, real: Real) -> Destination | None:
        """What the engine should have for one real server in a service; None: nothing."""
        in_pool = real.alive and not self.sorry_active
        if not in_pool and not real.plan.inhibit:
            return None
        plan = real.plan
        weight = real.weight if in_pool else 0
        return Destination(destination_key(key, plan), plan.forwarding, weight, plan.upper, plan.lower)

    @property
    def separate(self) -> bool:
        """Whether every real server has a destination that no other server, nor the sorry server, can be."""
        if self._separate is None:
            self._separate = _apart(self.plan)
        return self._separate

    def _destinations(self, key: ServiceKey) -> Iterator[tuple[DestinationKey, Destination]]:
        for real in self.reals.values():
            destination = self.destination(key, real)
            if destination is not None:
                yield destination.key, destination
        sorry = self.plan.sorry
        if sorry is not None and (self.sorry_active or sorry.inhibit):
            place = destination_key(key, sorry)
            yield place, Destination(place, sorry.forwarding, SORRY_WEIGHT if self.sorry_active else 0)


def _service(common: Service, key: ServiceKey) -> Service:
    """A granularity is of one family; a group whose servers are all behind tunnels may have both."""
    if common.key is key:
        return common
    if key.family is common.key.family:
        return replace(common, key=key)
    return replace(common, key=key, prefix=FULL_MASK[key.family], mask=b"")


def _apart(plan: VirtualServer) -> bool:
    servers: list[RealServer | SorryServer] = [*plan.real_servers]
    if plan.sorry is not None:
        servers.append(plan.sorry)
    if all(server.forwarding.method is Method.NAT for server in servers):
        return len({(server.address, server.port) for server in servers}) == len(servers)
    # Without NAT the port of a server is that of the service.
    return len({server.address for server in servers}) == len(servers)


def _reals(plan: VirtualServer) -> dict[tuple[bytes, int], Real]:
    return {(real.address, real.port): Real(real) for real in plan.real_servers}
