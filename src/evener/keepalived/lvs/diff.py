"""From what the engine has to what it should have, with the fewest changes.

What stays is not touched, so that no connection of it is disturbed. Within a service, servers come before
others go: there is always somewhere to send a connection to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from evener.keepalived.lvs.ipvs import (
    AddDestination,
    Change,
    DeleteDestination,
    DeleteService,
    Destination,
    DestinationKey,
    Load,
    Service,
    ServiceKey,
    SetDestination,
    SetService,
)
from evener.keepalived.lvs.planned import plainly

Table = dict[ServiceKey, tuple[Service, Mapping[DestinationKey, Destination]]]
"""What an engine holds."""


def changes(old: Table, new: Table) -> Iterator[Change]:
    """What makes ``old`` into ``new``."""
    for key in old:
        if key not in new:
            yield DeleteService(key)
    for key, (service, destinations) in new.items():
        before = old.get(key)
        if before is None:
            yield Load(service, destinations)
            continue
        if before[0] != service:
            yield SetService(service)
        yield from _destinations(key, plainly(before[1]), plainly(destinations))


def _destinations(
    key: ServiceKey, old: Mapping[DestinationKey, Destination], new: Mapping[DestinationKey, Destination]
) -> Iterator[Change]:
    for place, destination in new.items():
        before = old.get(place)
        if before is None:
            yield AddDestination(key, destination)
        elif before != destination:
            yield SetDestination(key, destination)
    for place in old:
        if place not in new:
            yield DeleteDestination(key, place)
