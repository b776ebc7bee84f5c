"""From what the engine has to what it should have, with the fewest changes.

What stays is not touched, so that no connection of it is disturbed. Within a service, servers come before
others go: there is always somewhere to send a connection to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from evener.keepalived.lvs.ipvs import (
    AddDestination,
    AddService,
    Change,
    DeleteDestination,
    DeleteService,
    Destination,
    DestinationKey,
    Service,
    ServiceKey,
    SetDestination,
    SetService,
)

Table = dict[ServiceKey, tuple[Service, dict[DestinationKey, Destination]]]
"""What an engine holds."""


def changes(old: Table, new: Table) -> Iterator[Change]:
    """What makes ``old`` into ``new``."""
    for key in old:
        if key not in new:
            yield DeleteService(key)
    for key, (service, destinations) in new.items():
        before = old.get(key)
        if before is None:
            yield AddService(service)
            for destination in destinations.values():
                yield AddDestination(key, destination)
            continue
        if before[0] != service:
            yield SetService(service)
        yield from _destinations(key, before[1], destinations)


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


def made(table: Table, change: Change) -> None:
    """The engine has made the change: so has ``table``."""
    match change:
        case AddService(service) | SetService(service):
            table[service.key] = service, table.get(service.key, (service, {}))[1]
        case DeleteService(key):
            table.pop(key, None)
        case AddDestination(key, destination) | SetDestination(key, destination):
            if key in table:
                table[key][1][destination.key] = destination
        case DeleteDestination(key, place):
            if key in table:
                table[key][1].pop(place, None)
