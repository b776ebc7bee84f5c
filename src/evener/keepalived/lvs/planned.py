"""The destinations of a service whose servers are all as they were planned: nothing was heard of them so far.

Most services of a large configuration are like this most of the time, and there may be tens of thousands of
destinations. They are not kept, and an engine that can may load them without anybody making them: what there
is to know stands in the plan.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping, ValuesView

from evener.keepalived.lvs.ipvs import Destination, DestinationKey, Method, ServiceKey
from evener.keepalived.lvs.plan import RealServer, SorryServer, VirtualServer
from evener.keepalived.vrrp.plan import Family

MOST_WEIGHT = 65535


class Planned(Mapping[DestinationKey, Destination]):
    """Those of ``servers`` in the service ``key``. ``made`` is a dictionary of them, made anew each time."""

    __slots__ = ("key", "servers")

    def __init__(self, key: ServiceKey, servers: tuple[RealServer, ...]) -> None:
        self.key, self.servers = key, servers

    def made(self) -> dict[DestinationKey, Destination]:
        return dict(map(self._destination, self.servers))

    def _destination(self, server: RealServer) -> tuple[DestinationKey, Destination]:
        place = destination_key(self.key, server)
        return place, Destination(
            place, server.forwarding, min(MOST_WEIGHT, server.weight), server.upper, server.lower
        )

    def items(self) -> ItemsView[DestinationKey, Destination]:
        return self.made().items()

    def values(self) -> ValuesView[Destination]:
        return self.made().values()

    def __getitem__(self, place: DestinationKey) -> Destination:
        return self.made()[place]

    def __iter__(self) -> Iterator[DestinationKey]:
        return iter(self.made())

    def __len__(self) -> int:
        return len(self.servers)


def as_planned(virtual: VirtualServer) -> bool:
    """Whether its servers start as they are planned, each a destination of its own in every service."""
    if virtual.sorry is not None:
        return False
    ports = {key.port for key in virtual.members}
    for server in virtual.real_servers:
        if server.forwarding.method is not Method.NAT and ports != {server.port}:
            return False  # two may differ in their ports only, which are not those of the destinations
        if server.checks and any(check.timing.alpha for check in server.checks):
            return False
    return True


def plainly(destinations: Mapping[DestinationKey, Destination]) -> Mapping[DestinationKey, Destination]:
    """For somebody who looks at them more than once."""
    return destinations.made() if isinstance(destinations, Planned) else destinations


def destination_key(service: ServiceKey, server: RealServer | SorryServer) -> DestinationKey:
    """Only NAT can change the port: by any other method a destination has that of its service."""
    port = server.port if server.forwarding.method is Method.NAT else service.port
    return DestinationKey(Family.INET if len(server.address) == 4 else Family.INET6, server.address, port)
