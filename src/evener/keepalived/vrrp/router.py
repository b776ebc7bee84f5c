"""All instances, scripts and sync groups of one VRRP process, still without any I/O.

The router keeps what is known of the world (interfaces, script results), turns a change into events for
the machines it concerns, and keeps sync groups together. Every method takes the time and returns
``Step``s: which instance (or group) a command is for, and the command. ``host/vrrp_process`` carries them
out; a test or a simulation compares them with what it expects.

Sync groups, as in keepalived: all members are MASTER, or all BACKUP, or all FAULT. A member whose timer runs
out waits until all others want to be master too; one that has to leave MASTER takes the others along
(without priority 0: the peers' members follow the same rule); a fault of one is a fault of all.
"""

from __future__ import annotations

import heapq
import socket
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import replace
from itertools import count
from typing import NamedTuple

from evener.keepalived.vrrp.admission import Admission, Received, Stats
from evener.keepalived.vrrp.crowd import CROWD, set_apart
from evener.keepalived.vrrp.fsm import Machine
from evener.keepalived.vrrp.identity import the_same
from evener.keepalived.vrrp.messages import (
    AddAddresses,
    AddRoutes,
    AdvertReceived,
    Command,
    Demoted,
    Event,
    FaultCleared,
    FaultRaised,
    Log,
    Notify,
    PriorityChanged,
    Promoted,
    RemoveAddresses,
    RemoveRoutes,
    RivalSeen,
    Started,
    Stopped,
    TimerExpired,
    Told,
)
from evener.keepalived.vrrp.plan import STOP_PRIORITY, Instance, State, SyncGroup, Track, TrackKind, VrrpPlan
from evener.keepalived.vrrp.plan_tracks import with_group
from evener.keepalived.vrrp.tracking import ScriptRecord, Standing, Watched, standing

TOLD_STATE = {State.MASTER: Told.MASTER, State.BACKUP: Told.BACKUP, State.FAULT: Told.FAULT}


class Step(NamedTuple):
    """``name`` is an instance's, except in a ``Notify`` whose ``group`` is set."""

    name: str
    command: Command


Steps = list[Step]


class Member:
    """An instance in the router: its machine, its admission, and how its tracks stand."""

    __slots__ = (
        "admission", "armed", "group", "index", "machine", "sent_at", "since", "standing", "tracks",
    )  # fmt: skip

    def __init__(self, config: Instance, plan: VrrpPlan, tracks: tuple[Track, ...]) -> None:
        self.machine = Machine(config)
        self.admission = Admission(config, plan.options)
        self.tracks = tracks
        self.group: Group | None = None
        self.standing = Standing(False, False, config.priority)
        self.sent_at: int | None = None
        self.since = 0
        """When the state last changed, on the caller's clock."""
        self.index = 0
        self.armed: int | None = None
        """When the router's heap has this member next; never later than its machine wants."""

    @property
    def name(self) -> str:
        return self.machine.config.name


class Group:
    """A sync group: its members and the state they last agreed on."""

    __slots__ = ("config", "members", "state")

    def __init__(self, config: SyncGroup, members: list[Member]) -> None:
        self.config = config
        self.members = members
        self.state = State.INIT

    def ready_without(self, machine: Machine) -> bool:
        """Whether everybody else wants to be master (or the group already is)."""
        others = (m.machine for m in self.members if m.machine is not machine)
        return self.state is State.MASTER or all(o.wants_master or o.state is State.MASTER for o in others)

    @property
    def held(self) -> bool:
        """Whether some member is kept down by its own tracks."""
        return any(m.standing.pending or m.standing.faulty for m in self.members)


class Router:
    """See the module. ``members`` and ``scripts`` are by name."""

    def __init__(self, plan: VrrpPlan) -> None:
        self.plan = plan
        self.known: dict[Watched, int] = {}
        self.scripts: dict[str, ScriptRecord] = {}
        self.members: dict[str, Member] = {}
        self.groups: list[Group] = []
        self._heap: list[tuple[int, int, int, Member]] = []
        self._serial = count()
        self.wall_ns: Callable[[], int] = lambda: 0
        self.refused = 0
        """Packets that were dropped, of all instances together."""
        self._build(plan, {}, {})

    # -- what the machine room calls -----------------------------------------------------------

    def next_timer(self) -> int | None:
        """The heap may have a member too early (each advert moves a backup's timer): corrected here."""
        heap = self._heap
        while heap:
            due, _, _, member = heap[0]
            wanted = member.machine.next_timer()
            if due == member.armed == wanted:
                return due
            heapq.heappop(heap)
            if due == member.armed:
                member.armed = None
                self._arm(member)
        return None

    def _arm(self, member: Member) -> None:
        wanted = member.machine.next_timer()
        if wanted is not None and (member.armed is None or wanted < member.armed):
            member.armed = wanted
            # The serial number: a member may be there twice for one moment, and members have no order.
            heapq.heappush(self._heap, (wanted, member.index, next(self._serial), member))

    def start(self, now: int) -> Steps:
        """Begin; what is known of interfaces must have been told (``know``) before."""
        return self._start(now, self.members.values())

    def know(self, kind: TrackKind, name: str, up: int) -> None:
        """Note a state before ``start``, without consequences yet."""
        self.known[kind, name] = up

    def tick(self, now: int) -> Steps:
        """Run the timers that are due."""
        due: list[Member] = []
        while (timer := self.next_timer()) is not None and timer <= now:
            member = heapq.heappop(self._heap)[3]
            member.armed = None
            due.append(member)
        steps: Steps = []
        for member in due:
            # What a fellow of its sync group did may have moved its timer.
            wanted = member.machine.next_timer()
            if wanted is not None and wanted <= now:
                steps += self._tell(now, member, TimerExpired())
            else:
                self._arm(member)
        if len(due) > CROWD:
            for machine in set_apart(member.machine for member in due):
                self._arm(self.members[machine.config.name])
        return steps

    def receive(self, now: int, name: str, received: Received) -> Steps:
        """A packet with the VRID of instance ``name`` has arrived."""
        member = self.members[name]
        if member.machine.state in (State.FAULT, State.INIT):
            return []
        member.admission.wall_ns = self.wall_ns
        event = member.admission.admit(received)
        self.refused += event is None
        steps = _steps(name, member.admission.logs)
        member.admission.logs.clear()
        return steps + self._tell(now, member, event) if event is not None else steps

    def track(self, now: int, kind: TrackKind, name: str, up: int) -> Steps:
        """The state of a tracked thing (of a file: its number) became known or changed."""
        if self.known.get((kind, name)) == up:
            return []
        self.known[kind, name] = up
        touched = [
            member
            for member in self.members.values()
            if any(track.kind is kind and track.name == name for track in member.tracks)
        ]
        return [step for member in touched for step in self._judge(now, member)]

    def script_result(self, now: int, name: str, ok: bool, how: str) -> Steps:
        """A run of vrrp_script ``name`` ended; ``how`` says so in words for the log."""
        record = self.scripts.get(name)
        if record is None or not record.record(ok):
            return []
        steps = [Step("", Log(f"VRRP_Script({name}) {how}"))]
        return steps + self.track(now, TrackKind.SCRIPT, name, record.up is True)

    def set_priority(self, now: int, name: str, priority: int) -> Steps:
        """An operator's word, until the next reload."""
        member = self.members[name]
        member.machine.reconfigure(replace(member.machine.config, priority=priority))
        return self._judge(now, member)

    def stop(self, now: int) -> Steps:
        """The process ends: masters resign, addresses go."""
        steps = [step for member in self.members.values() for step in self._send(now, member, Stopped())]
        told = [Step(group.config.name, Notify(Told.STOP, 0, group=True)) for group in self.groups]
        return steps + told

    def reload(self, now: int, plan: VrrpPlan) -> tuple[Steps, Callable[[int], Steps]]:
        """Replace the plan. Same virtual routers keep their state and only differences are carried out.

        Returns the steps to take with the old sockets, and a function for those that need the new ones.
        """
        old = dict(self.members)
        configs = {name: member.machine.config for name, member in old.items()}
        kept = {new: old.pop(name) for new, name in the_same(configs, plan.instances).items()}
        before: Steps = []
        for member in old.values():
            before += self._send(now, member, Stopped(deleted=True))
        groups = {group.config.name: group.state for group in self.groups}
        self._build(plan, kept, groups)
        return before, lambda then: self._resume(then, kept.keys())

    def address_lost(self, now: int, name: str, packed: bytes) -> Steps:
        """Somebody else removed a virtual address of instance ``name``: it cannot go on as master."""
        text = socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)
        return self._depose(now, self.members[name], f"ip address {text} was removed")

    def route_lost(self, now: int, name: str, text: str) -> Steps:
        """A route or rule of instance ``name`` is not there any more."""
        return self._depose(now, self.members[name], f"{text} was removed")

    def depose(self, now: int, why: str) -> Steps:
        """No master may go on: another router may have become it meanwhile."""
        return [step for member in self.members.values() for step in self._depose(now, member, why)]

    def _depose(self, now: int, member: Member, why: str) -> Steps:
        if member.machine.state is not State.MASTER:
            return []
        log = Step(member.name, Log(f"({member.name}) {why}, leaving MASTER state"))
        return [log, *self._tell(now, member, Demoted())]

    def states(self) -> Iterator[tuple[str, Told, int, bool]]:
        """Name, state, priority of every instance and group (the last field) that has a state to tell."""
        for name, member in self.members.items():
            if member.machine.state in TOLD_STATE:
                yield name, TOLD_STATE[member.machine.state], member.machine.priority, False
        for group in self.groups:
            if group.state in TOLD_STATE:
                yield group.config.name, TOLD_STATE[group.state], 0, True

    def advert_sent(self, now: int, name: str, priority: int) -> None:
        """Count an advert that has left."""
        if name in self.members:
            self.members[name].sent_at = now
            stats = self.stats(name)
            stats.advert_sent += 1
            stats.pri_zero_sent += priority == STOP_PRIORITY

    def set_source(self, name: str, source: bytes) -> None:
        """Which address the adverts of ``name`` come from (it breaks ties)."""
        self.members[name].machine.source = source

    # -- building ------------------------------------------------------------------------------

    def _build(self, plan: VrrpPlan, kept: dict[str, Member], states: dict[str, State]) -> None:
        self.plan = plan
        self._build_scripts(plan)
        group_of = {name: group for group in plan.groups for name in group.members}
        self.members = {}
        for config in plan.instances:
            group = group_of.get(config.name)
            tracks = with_group(config, group)
            member = Member(config, plan, tracks)
            if config.name in kept:
                member = self._keep(kept[config.name], config, plan, tracks)
            member.index = len(self.members)
            self.members[config.name] = member
        self._heap = []
        for member in self.members.values():
            self._arm(member)
        self.groups = []
        for config_ in plan.groups:
            members = [self.members[name] for name in config_.members if name in self.members]
            group_ = Group(config_, members)
            group_.state = states.get(config_.name, State.INIT)
            for member in members:
                member.group = group_
                member.machine.may_become_master = _gate(group_, member.machine)
            self.groups.append(group_)

    def _build_scripts(self, plan: VrrpPlan) -> None:
        records = {script.name: ScriptRecord(script) for script in plan.scripts}
        for name, record in records.items():
            before = self.scripts.get(name)
            if before is not None and before.up is not None:
                record.up = before.up
                record.level = record.rise + record.fall - 1 if before.up else 0
            if record.up is not None:
                self.known[TrackKind.SCRIPT, name] = record.up
        self.scripts = records

    @staticmethod
    def _keep(old: Member, config: Instance, plan: VrrpPlan, tracks: tuple[Track, ...]) -> Member:
        member = Member(config, plan, tracks)
        member.machine = old.machine
        member.machine.config = replace(old.machine.config, name=config.name)
        member.standing = old.standing
        member.since, member.sent_at = old.since, old.sent_at
        member.machine.may_become_master = lambda: True
        member.admission = Admission(config, plan.options, old.admission.stats)
        member.admission.remember(old.admission)
        return member

    def _resume(self, now: int, kept: Set[str]) -> Steps:
        steps: Steps = []
        for name, member in self.members.items():
            if name not in kept:
                continue
            machine, config = member.machine, self._config(name)
            steps += _steps(name, address_changes(machine, config))
            machine.reconfigure(config)
            steps += self._judge(now, member)
        fresh = [member for name, member in self.members.items() if name not in kept]
        return steps + self._start(now, fresh)

    def _config(self, name: str) -> Instance:
        return next(config for config in self.plan.instances if config.name == name)

    def _start(self, now: int, members: Iterable[Member]) -> Steps:
        members = list(members)
        for member in members:
            machine = member.machine
            member.standing = self._standing(member)
            machine.priority = member.standing.priority
        steps: Steps = []
        for member in members:
            fellows = member.group.members if member.group else [member]
            faulty = any(fellow.standing.faulty for fellow in fellows)
            pending = any(fellow.standing.pending for fellow in fellows)
            steps += self._send(now, member, Started(faulty=faulty, pending=pending))
        return self._settle_groups() + steps

    def _settle_groups(self) -> Steps:
        """After a start: a group whose members agree is in that state, and says so."""
        steps: Steps = []
        for group in self.groups:
            states = {member.machine.state for member in group.members}
            if len(states) == 1 and group.state not in states and State.INIT not in states:
                group.state = states.pop()
                steps.append(_group_notice(group))
        return steps

    def _standing(self, member: Member) -> Standing:
        config = member.machine.config
        judged = standing(config.priority, member.tracks, self.known)
        return judged._replace(faulty=True) if config.mute else judged

    # -- events and groups ---------------------------------------------------------------------

    def _judge(self, now: int, member: Member) -> Steps:
        """Something a member tracks has changed: recompute how it stands, and tell it."""
        before = member.standing
        after = self._standing(member)
        if after.faulty and not before.faulty:
            # What is at fault does not count any more; but the priority stays what it was.
            after = after._replace(priority=member.machine.priority)
        member.standing = after
        steps: Steps = []
        if after.priority != member.machine.priority:
            steps += self._tell(now, member, PriorityChanged(after.priority))
        if after.faulty and not before.faulty:
            return steps + self._tell(now, member, FaultRaised())
        freed = (before.faulty or before.pending) and not (after.faulty or after.pending)
        if freed and not (member.group and member.group.held):
            steps += self._tell(now, member, FaultCleared())
        return steps

    def _tell(self, now: int, member: Member, event: Event) -> Steps:
        """Hand an event to a machine, and its consequences to its group."""
        machine, before = member.machine, member.machine.state
        steps = self._send(now, member, event)
        if member.group is not None:
            if machine.state is not before:
                steps += self._sync(now, member.group, machine.state)
            elif isinstance(event, AdvertReceived) and before is State.MASTER and _rival(steps):
                steps += self._spread(now, member.group, member, RivalSeen())
        return steps

    def _send(self, now: int, member: Member, event: Event) -> Steps:
        machine, before = member.machine, member.machine.state
        steps = _steps(member.name, machine.handle(now, event))
        self._arm(member)
        if machine.state is not before:
            member.since = now
            member.admission.forgive()
            member.admission.stats.become_master += machine.state is State.MASTER
            member.admission.stats.release_master += before is State.MASTER
        return steps

    def _sync(self, now: int, group: Group, state: State) -> Steps:
        """One member went to ``state``: take the others along."""
        if group.state is state or state is State.INIT:
            return []
        group.state = state
        event = {State.MASTER: Promoted(), State.BACKUP: Demoted(), State.FAULT: FaultRaised()}[state]
        steps = [Step("", Log(f"VRRP_Group({group.config.name}) Syncing instances to {state.name} state"))]
        for member in group.members:
            if member.machine.state is not state:
                steps += self._send(now, member, event)
        steps.append(_group_notice(group))
        return steps

    def _spread(self, now: int, group: Group, origin: Member, event: Event) -> Steps:
        return [
            step
            for member in group.members
            if member is not origin
            for step in self._send(now, member, event)
        ]

    def stats(self, name: str) -> Stats:
        return self.members[name].admission.stats


def address_changes(machine: Machine, config: Instance) -> list[Command]:
    """What a reload does to the addresses, routes and rules of a master."""
    if machine.state is not State.MASTER:
        return []
    old, new = machine.config.addresses, config.addresses
    gone = tuple(a for a in old if a not in new)
    added = tuple(a for a in new if a not in old)
    before, after = machine.config, config
    commands: list[Command] = []
    old_routes = tuple(r for r in before.routes if r not in after.routes)
    old_rules = tuple(r for r in before.rules if r not in after.rules)
    if old_routes or old_rules:
        commands.append(RemoveRoutes(old_routes, old_rules))
    if gone:
        commands.append(RemoveAddresses(gone))
    if added:
        commands.append(AddAddresses(added))
    routes = tuple(r for r in after.routes if r not in before.routes)
    rules = tuple(r for r in after.rules if r not in before.rules)
    if routes or rules:
        commands.append(AddRoutes(routes, rules))
    return commands


def _gate(group: Group, machine: Machine) -> Callable[[], bool]:
    return lambda: group.ready_without(machine)


def _group_notice(group: Group) -> Step:
    return Step(group.config.name, Notify(TOLD_STATE[group.state], 0, group=True))


def _rival(steps: Steps) -> bool:
    return any(isinstance(s.command, Notify) and s.command.told is Told.MASTER_RX_LOWER_PRI for s in steps)


def _steps(name: str, commands: Iterable[Command]) -> Steps:
    return [Step(name, command) for command in commands]
