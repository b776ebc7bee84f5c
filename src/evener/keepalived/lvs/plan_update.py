"""What a reload has changed: as much of a plan as its process does not have yet.

The parent and the process have the same plan (the one that was forked with, or the last that was sent). A
virtual server that is the same in the next one is not sent again: only its place in the old plan is, and both
sides go on with the object they have, so that what it is made into needs no look at all.
"""

from __future__ import annotations

from typing import NamedTuple

from evener.keepalived.lvs.plan import CheckerOptions, CheckerPlan, VirtualServer


class Kept(NamedTuple):
    """Virtual servers of the old plan, from one place to before another."""

    first: int
    end: int


class PlanUpdate(NamedTuple):
    options: CheckerOptions
    servers: tuple[VirtualServer | Kept, ...]


def difference(old: CheckerPlan, new: CheckerPlan) -> PlanUpdate:
    same = _same(old.virtual_servers, new.virtual_servers)
    places = {server.name: same + place for place, server in enumerate(old.virtual_servers[same:])}
    servers: list[VirtualServer | Kept] = [Kept(0, same)] if same else []
    for server in new.virtual_servers[same:]:
        place = places.get(server.name)
        before = None if place is None else old.virtual_servers[place]
        if place is None or (before is not server and before != server):
            servers.append(server)
        elif servers and isinstance(last := servers[-1], Kept) and last.end == place:
            servers[-1] = Kept(last.first, place + 1)
        else:
            servers.append(Kept(place, place + 1))
    return PlanUpdate(new.options, tuple(servers))


def _same(old: tuple[VirtualServer, ...], new: tuple[VirtualServer, ...]) -> int:
    """How many are the same at the beginning. They need not be looked at: that would cost the memory that a
    process shares with the one it was forked from."""
    count = 0
    for before, server in zip(old, new, strict=False):
        if before is not server and before != server:
            break
        count += 1
    return count


def updated(old: CheckerPlan, update: PlanUpdate) -> CheckerPlan:
    """The new plan, made of the objects of the old one as far as possible."""
    servers: list[VirtualServer] = []
    for each in update.servers:
        if isinstance(each, Kept):
            servers += old.virtual_servers[each.first : each.end]
        else:
            servers.append(each)
    return CheckerPlan(update.options, tuple(servers))
