"""All virtual servers of a daemon: events in, changes of the engine and commands out.

It keeps the table of what the engine has been told, and after every event compares it with what each pool
asks for now. A change that an engine could not make is taken out of the table again (``failed``), so that
the next event of that virtual server, or a reload, tries once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from evener.keepalived.lvs.check_plan import CheckId, CheckState, Report
from evener.keepalived.lvs.diff import Table, changes
from evener.keepalived.lvs.ipvs import (
    AddDestination,
    AddService,
    Change,
    DeleteDestination,
    Failure,
    ServiceKey,
    SetDestination,
)
from evener.keepalived.lvs.messages import Command, Log
from evener.keepalived.lvs.overrides import NONE, Override, Place
from evener.keepalived.lvs.plan import CheckerPlan, VirtualServer
from evener.keepalived.lvs.planned import destination_key, plainly
from evener.keepalived.lvs.pool import Real
from evener.keepalived.lvs.service import Manners, VirtualService
from evener.text.record import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """What follows from an event: first the engine, then the world."""

    changes: tuple[Change, ...] = ()
    commands: tuple[Command, ...] = ()


class Director:
    """The virtual servers, by name."""

    def __init__(self, plan: CheckerPlan) -> None:
        self.plan = plan
        self.services: dict[str, VirtualService] = {}
        self.table: Table = {}
        self._refused = False
        """Whether the engine could not make a change: then everything is compared at the next reload."""
        self.overrides: dict[Place, Override] = {}
        """Those of servers that are not configured any more are kept: they may come back."""

    def start(self) -> Step:
        commands: list[Command] = []
        manners = manners_of(self.plan)
        for virtual in self.plan.virtual_servers:
            service = self.services[virtual.name] = VirtualService(virtual, manners)
            commands += service.start()
        return self._step(commands, self.services.values())

    def report(self, name: CheckId, report: Report) -> Step:
        service = self.services.get(name.virtual_server)
        if service is None:
            return Step()
        pool = service.pool
        real = pool.reals.get((name.address, name.port))
        before = (real.alive, real.weight, pool.sorry_active) if real is not None else None
        commands = tuple(service.report(name, report))
        if not self._refused and real is not None:
            if before == (real.alive, real.weight, pool.sorry_active):
                return Step((), commands)
            if before is not None and before[2] == pool.sorry_active and pool.separate:
                return Step(tuple(self._one(service, real)), commands)
        return self._step(list(commands), [service])

    def _one(self, service: VirtualService, real: Real) -> Iterator[Change]:
        """A server among thousands has changed: the others are not looked at."""
        for key in service.plan.members:
            made, found = self.table[key]
            destinations = plainly(found)
            if not isinstance(destinations, dict):
                destinations = dict(destinations)
            wanted, place = service.pool.destination(key, real), destination_key(key, real.plan)
            known = destinations.pop(place, None)
            if wanted is not None:
                destinations[place] = wanted
            self.table[key] = made, destinations
            if wanted is None:
                if known is not None:
                    yield DeleteDestination(key, place)
            elif known is None:
                yield AddDestination(key, wanted)
            elif known != wanted:
                yield SetDestination(key, wanted)

    def override(self, place: Place, override: Override) -> Step:
        """What the operator wants of a real server from now on."""
        if override == NONE:
            self.overrides.pop(place, None)
        else:
            self.overrides[place] = override
        name, address, port = place
        service = self.services.get(name)
        if service is None:
            return Step()
        return self._step(list(service.override((address, port), override)), [service])

    def use(self, plan: CheckerPlan, states: Mapping[CheckId, CheckState] | None = None) -> Step:
        """The configuration was read again; ``states`` is what its checks count as (None: nobody knows)."""
        commands: list[Command] = []
        manners, old = manners_of(plan), self.services
        wanted = {virtual.name for virtual in plan.virtual_servers}
        touched, before = [], set[ServiceKey]()
        for name, service in old.items():
            if name not in wanted:
                before.update(service.plan.members)
                commands += _removed(service)
        self.plan, self.services = plan, {}
        for virtual in plan.virtual_servers:
            known = old.get(virtual.name)
            if known is not None and known.plan is virtual and known.manners == manners:
                # Untouched, and so are its checks: they have reported all that they know.
                self.services[virtual.name] = known
                continue
            before.update(known.plan.members if known is not None else ())
            commands += self._used(virtual, known, manners, states)
            touched.append(self.services[virtual.name])
        for (name, address, port), override in self.overrides.items():
            if name in self.services:
                commands += self.services[name].override((address, port), override)
        if self._refused or not self._apart():
            self._refused = False
            return self._step(commands, self.services.values(), whole=True)
        return self._step(commands, touched, gone=before)

    def _apart(self) -> bool:
        """Whether no two virtual servers have a service in common."""
        members = [key for service in self.services.values() for key in service.plan.members]
        return len(set(members)) == len(members)

    def _used(
        self,
        virtual: VirtualServer,
        known: VirtualService | None,
        manners: Manners,
        states: Mapping[CheckId, CheckState] | None,
    ) -> Iterator[Command]:
        if known is not None:
            self.services[virtual.name] = known
            yield from known.reconfigure(virtual, manners, states)
            return
        service = self.services[virtual.name] = VirtualService(virtual, manners)
        yield from service.start()

    def stop(self) -> Step:
        """The end. What was loaded stays loaded with --dont-release-ipvs, and nobody hears of it."""
        options, services = self.plan.options, tuple(self.services.values())
        self.services.clear()
        if not options.release:
            return Step()
        if options.flush_on_stop is None:
            commands = [command for service in services for command in service.stop()]
        else:
            commands = [command for service in services for command in service.stop_at_once()]
        return self._step(commands, (), whole=True)

    def failed(self, failures: Iterable[Failure]) -> None:
        """The engine could not do that."""
        for failure in failures:
            self._refused = True
            match failure.change:
                case AddService(service):
                    self.table.pop(service.key, None)
                case AddDestination(service=key, destination=destination):
                    if key in self.table:
                        service, destinations = self.table[key]
                        left = {place: made for place, made in destinations.items() if made != destination}
                        self.table[key] = service, left
                case _:
                    pass

    def _step(
        self,
        commands: list[Command],
        touched: Iterable[VirtualService],
        whole: bool = False,
        gone: Iterable[ServiceKey] = (),
    ) -> Step:
        """``touched`` are compared with the table, and so are the keys of what may be ``gone``."""
        new: Table = {}
        for service in touched:
            new.update(service.pool.desired())
        keys = self.table if whole else dict.fromkeys((*gone, *new))
        old = {key: self.table[key] for key in keys if key in self.table}
        found = tuple(changes(old, new))
        for key in old:
            if key not in new:
                del self.table[key]
        self.table.update(new)
        return Step(found, tuple(commands))


def _removed(service: VirtualService) -> Iterator[Command]:
    """A virtual server is no longer configured."""
    plan = service.plan
    yield Log(
        f"Removing Virtual Server Group [{plan.group}]"
        if plan.group
        else f"Removing Virtual Server {plan.shown}"
    )
    yield from service.stop(stopping=False)


def manners_of(plan: CheckerPlan) -> Manners:
    options = plan.options
    traps = options.snmp is not None and options.snmp.checker and options.snmp.facts.traps
    return Manners(options.init_notifies, options.checker_mails, traps)
