"""What nftables has been told, and the messages that carry a batch of changes out.

A service that cannot be honoured stays in the state without being loaded, so that later changes of it
are neither errors nor noise; likewise a destination. Each message has an owner, the service it serves: when
the kernel refuses a message the engine takes its owner's changes back and sends the rest again.
"""

from __future__ import annotations

import errno
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import field, replace
from itertools import count

from evener.keepalived.lvs import nft_direct, nft_table
from evener.keepalived.lvs.ipvs import (
    AddDestination,
    AddService,
    Change,
    DeleteDestination,
    DeleteService,
    Destination,
    DestinationKey,
    Failure,
    Method,
    Service,
    ServiceKey,
    SetDestination,
    SetService,
)
from evener.keepalived.lvs.nft_difference import difference
from evener.keepalived.lvs.nft_direct import IPVS_TIMEOUTS, Timeouts
from evener.keepalived.lvs.nft_rules import Numbered, Rendered, render
from evener.keepalived.lvs.nft_support import destination_refused, scheduler, service_refused
from evener.keepalived.vrrp.plan import Family
from evener.text.record import dataclass
from evener.wire import nftables as nft
from evener.wire.nftables import Message

SHARED = ("sent", "returned")
Counted = tuple[Family, bytes]
"""An element of both."""


@dataclass(slots=True)
class Told:
    """A service as the engine was told about it."""

    number: int
    service: Service
    members: dict[DestinationKey, Numbered] = field(default_factory=dict)
    refused: str | None = None
    rendered: Rendered | None = None
    """What is loaded."""

    def copy(self) -> Told:
        return replace(self, members=dict(self.members))


@dataclass(frozen=True, slots=True)
class Owned:
    """A message and the service that it serves; None: the table itself."""

    message: Message
    owner: ServiceKey | None


Touched = dict[ServiceKey, tuple[Told | None, Told | None]]
"""Services of a batch before and after it."""


class State:
    """All services of the engine. ``apply`` notes changes, ``messages`` says what carries them out,
    ``settle`` or ``take_back`` ends the batch."""

    def __init__(
        self, *, approximate: bool = False, timeouts: Timeouts = IPVS_TIMEOUTS, name: str = nft_table.NAME
    ) -> None:
        """``name``: that of our tables."""
        self.services: dict[ServiceKey, Told] = {}
        self._name = name
        self._approximate = approximate
        self._timeouts, self._loaded_timeouts = timeouts, timeouts
        self._numbers = count(1)
        self._free: deque[int] = deque()
        """Numbers of services that are gone; the oldest is used first, so that what packets have left behind
        expires meanwhile."""
        self._members = count(1)
        self._before: dict[ServiceKey, Told | None] = {}
        self._parts: set[tuple[Family, str]] = set()
        """What of ``nft_table`` is loaded: table, direct."""
        self._new_parts: set[tuple[Family, str]] = set()
        self._users: Counter[Counted] = Counter()
        """How many loaded services have an element of SHARED."""
        self._new_users: Counter[Counted] = Counter()

    def table(self, family: Family) -> nft.Table:
        return nft_table.table(family, self._name)

    # -- changes

    def apply(self, change: Change) -> Failure | None:
        match change:
            case AddService(service) | SetService(service):
                return self._put_service(change, service)
            case DeleteService(key):
                return self._drop_service(change, key)
            case AddDestination(key, destination) | SetDestination(key, destination):
                return self._put_destination(change, key, destination)
            case DeleteDestination(key, where):
                return self._drop_destination(change, key, where)
        raise TypeError(change)

    def _number(self) -> int:
        return self._free.popleft() if self._free else next(self._numbers)

    def _touch(self, key: ServiceKey) -> Told | None:
        told = self.services.get(key)
        if key not in self._before:
            self._before[key] = told
            if told is not None:
                told = self.services[key] = told.copy()
        return told

    def _put_service(self, change: Change, service: Service) -> Failure | None:
        told = self._touch(service.key)
        if isinstance(change, AddService) and told is not None and told.refused is None:
            return _failure(change, errno.EEXIST, "Service already exists", service.key)
        if told is None:
            if isinstance(change, SetService):
                return _failure(change, errno.ESRCH, "No such service", service.key)
            told = self.services[service.key] = Told(self._number(), service)
        before, told.service = told.refused, service
        told.refused = service_refused(service, self._approximate)
        if told.refused is None or told.refused == before:
            return None  # what was refused is tried again and again, and said once
        return _failure(change, errno.EOPNOTSUPP, told.refused, service.key)

    def _drop_service(self, change: Change, key: ServiceKey) -> Failure | None:
        if self._touch(key) is None:
            return _failure(change, errno.ESRCH, "No such service", key)
        del self.services[key]
        return None

    def _put_destination(self, change: Change, key: ServiceKey, destination: Destination) -> Failure | None:
        told = self._touch(key)
        if told is None:
            return _failure(change, errno.ESRCH, "Service not defined", key, destination.key)
        present = told.members.get(destination.key)
        before = self._refused(told, present[1]) if present else None
        if isinstance(change, AddDestination) and present is not None and before is None:
            return _failure(change, errno.EEXIST, "Destination already exists", key, destination.key)
        if isinstance(change, SetDestination) and present is None:
            return _failure(change, errno.ENOENT, "No such destination", key, destination.key)
        number = next(self._members) if present is None else present[0]
        told.members[destination.key] = number, destination
        problem = self._refused(told, destination)
        if problem is None or problem == before:
            return None
        return _failure(change, errno.EOPNOTSUPP, problem, key, destination.key)

    def _drop_destination(self, change: Change, key: ServiceKey, where: DestinationKey) -> Failure | None:
        told = self._touch(key)
        if told is None:
            return _failure(change, errno.ESRCH, "Service not defined", key, where)
        if told.members.pop(where, None) is None:
            return _failure(change, errno.ENOENT, "No such destination", key, where)
        return None

    def lost(self, family: Family) -> None:
        """The table of a family is gone: all of it is to be loaded again."""
        for key, told in self.services.items():
            if key.family == family:
                told.rendered = None
        for key in [key for key in self.services if key.family == family]:
            self._touch(key)
        self._parts = {part for part in self._parts if part[0] != family}
        self._users = Counter({one: users for one, users in self._users.items() if one[0] != family})

    def set_timeouts(self, timeouts: Timeouts) -> None:
        """With the next batch, which may be empty."""
        self._timeouts = timeouts

    def families(self) -> set[Family]:
        """Those whose table should be there."""
        return {key.family for key, told in self.services.items() if not told.refused}

    def complete(self) -> bool:
        """Whether all that can be loaded is."""
        return all(told.rendered or told.refused for told in self.services.values())

    # -- what is loaded

    def _refused(self, told: Told, destination: Destination) -> str | None:
        limited = bool(destination.upper or destination.lower)
        problem = destination_refused(destination.forwarding, limited, self._approximate)
        if problem is None and destination.key.family != told.service.key.family:
            return "no way between IPv4 and IPv6"
        if problem is None and destination.forwarding.method is not _method(told, self._approximate):
            return "all real servers of a virtual server must have the same lvs_method"
        return problem

    def _able(self, told: Told) -> list[Numbered]:
        return [member for member in told.members.values() if self._refused(told, member[1]) is None]

    def _render(self, told: Told) -> Rendered | None:
        executed = scheduler(told.service.scheduler)
        if told.refused or executed is None:
            return None
        return render(told.number, replace(told.service, scheduler=executed), self._able(told))

    def messages(self) -> Iterator[Owned]:
        """Of the batch so far; the state then knows what would be loaded."""
        self._new_parts = set(self._parts)
        for key in self._before:
            told = self.services.get(key)
            if told is not None:
                told.rendered = self._render(told)
        touched = sorted({key.family for key in self._before})
        for family in touched:
            yield from self._frame(family)
        for key, before in self._before.items():
            told = self.services.get(key)
            old = before.rendered if before else None
            new = told.rendered if told else None
            for message in difference(self.table(key.family), old, new):
                yield Owned(message, key)
        yield from self._counting()
        for family in touched:
            yield from self._unframed(family)
        if self._timeouts != self._loaded_timeouts:
            yield from self._renewed()

    def _renewed(self) -> Iterator[Owned]:
        for family, part in self._parts & self._new_parts:
            if part == "direct":
                yield from (
                    Owned(one, None) for one in nft_direct.renewed(self.table(family), family, self._timeouts)
                )

    def _counting(self) -> Iterator[Owned]:
        """Elements that several services may share come with the first and go with the last of them."""
        self._new_users = users = self._users.copy()
        changed: set[Counted] = set()
        for key, before in self._before.items():
            told = self.services.get(key)
            old = before.rendered.counted if before and before.rendered else frozenset()
            new = told.rendered.counted if told and told.rendered else frozenset()
            for step, entries in ((1, new - old), (-1, old - new)):
                for entry in entries:
                    users[key.family, entry] += step
                    changed.add((key.family, entry))
        for family in Family:
            table = self.table(family)
            ours = [one for one in changed if one[0] == family]
            fresh = [nft.element(one[1]) for one in ours if users[one] and not self._users[one]]
            gone = [nft.element(one[1]) for one in ours if self._users[one] and not users[one]]
            for name in SHARED:
                for message in (*table.delete_elements(name, gone), *table.add_elements(name, fresh)):
                    yield Owned(message, None)
        for one in changed:
            if not users[one]:
                del users[one]

    def _loaded(self, family: Family) -> list[Rendered]:
        return [
            told.rendered
            for key, told in self.services.items()
            if key.family == family and told.rendered is not None
        ]

    def _frame(self, family: Family) -> Iterator[Owned]:
        """The table and its entrances, as far as they are needed and not there."""
        changed = [
            told.rendered
            for key in self._before
            if key.family == family and (told := self.services.get(key)) and told.rendered
        ]
        direct = any(_is_direct(rendered) for rendered in changed)
        if changed and (family, "table") not in self._new_parts:
            self._new_parts.add((family, "table"))
            yield from (Owned(message, None) for message in nft_table.replaced(family, self._name))
        if direct and (family, "direct") not in self._new_parts:
            self._new_parts.add((family, "direct"))
            made = nft_direct.direct_routing(self.table(family), family, self._timeouts)
            yield from (Owned(message, None) for message in made)

    def _unframed(self, family: Family) -> Iterator[Owned]:
        """Nothing stays behind when the last service is gone."""
        if (family, "table") in self._new_parts and not self._loaded(family):
            self._new_parts = {part for part in self._new_parts if part[0] != family}
            yield Owned(self.table(family).delete(), None)

    # -- the end of a batch

    def settle(self) -> Touched:
        """All messages have been carried out. The services that were touched, before and after."""
        self._parts, self._users = self._new_parts, self._new_users
        self._loaded_timeouts = self._timeouts
        touched = {key: (before, self.services.get(key)) for key, before in self._before.items()}
        self._before = {}
        self._free += [
            before.number
            for before, after in touched.values()
            if before and (after is None or after.number != before.number)
        ]
        return touched

    def take_back(self, keys: Iterable[ServiceKey] | None = None) -> None:
        """Forget the changes of these services, or all of the batch."""
        if keys is None:
            self._new_parts, self._new_users = self._parts, self._users
        for key in list(self._before) if keys is None else keys:
            before, tried = self._before.pop(key, None), self.services.get(key)
            if tried and (before is None or tried.number != before.number):
                self._free.append(tried.number)
            if before is None:
                self.services.pop(key, None)
            else:
                self.services[key] = before


def _failure(
    change: Change, code: int, words: str, key: ServiceKey, where: DestinationKey | None = None
) -> Failure:
    whom = f"{key}" if where is None else f"{key} -> {where}"
    return Failure(change, code, f"nftables: {words} ({whom})")


def _method(told: Told, approximate: bool) -> Method:
    """That of the first destination which could be executed."""
    for _, destination in told.members.values():
        limited = bool(destination.upper or destination.lower)
        if destination_refused(destination.forwarding, limited, approximate) is None:
            return destination.forwarding.method
    return Method.NAT


def _is_direct(rendered: Rendered) -> bool:
    return any(name.startswith("dr_") for name in rendered.elements)


def service_of(change: Change) -> ServiceKey:
    match change:
        case AddService(service) | SetService(service):
            return service.key
        case DeleteService(key) | AddDestination(key, _) | SetDestination(key, _) | DeleteDestination(key, _):
            return key
    raise TypeError(change)
