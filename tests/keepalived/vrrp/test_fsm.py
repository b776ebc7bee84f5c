"""The table: complete, enforced, and every row doing what its name says."""

import socket
from dataclasses import replace

import pytest
from clock import Clock

from evener.keepalived.vrrp.fsm import TABLE, Input, Machine
from evener.keepalived.vrrp.messages import (
    AddAddresses,
    AdvertReceived,
    Command,
    Demoted,
    Event,
    FaultCleared,
    FaultRaised,
    Notify,
    PriorityChanged,
    Promoted,
    RemoveAddresses,
    RivalSeen,
    SendAdvert,
    SendGarp,
    Started,
    Stopped,
    TimerExpired,
    Told,
)
from evener.keepalived.vrrp.plan import GarpOptions, Instance, State, VirtualAddress

OURS, HIGHER, LOWER = (socket.inet_aton(f"10.0.0.{n}") for n in (5, 9, 1))
VIP = VirtualAddress(socket.inet_aton("10.0.0.100"), 24, "eth0")
CONFIG = Instance("VI", 51, "eth0", addresses=(VIP,), garp=GarpOptions(refresh_us=60_000_000))

PAIRS = [(state, given) for state in State for given in Input]


def prepared(state: State, given: Input, clock: Clock) -> tuple[Machine, Event]:
    """A machine in ``state``, and an event that amounts to ``given`` there."""
    machine = Machine(CONFIG, OURS)
    if state is State.FAULT:
        machine.handle(clock.now, Started(faulty=True))
    elif state is not State.INIT:
        machine.handle(clock.now, Started())
    if state is State.MASTER:
        clock.now = machine.next_timer() or 0
        machine.handle(clock.now, TimerExpired())
    assert machine.state is state
    return machine, EVENTS[given](machine, clock)


def timeout(machine: Machine, clock: Clock) -> Event:
    machine.deadline = clock.now
    return TimerExpired()


def held(machine: Machine, clock: Clock) -> Event:
    machine.may_become_master = lambda: False
    return timeout(machine, clock)


def garp_due(machine: Machine, clock: Clock) -> Event:
    machine.deadline = None
    machine.garp.delayed_us = clock.now
    return TimerExpired()


def tolerated(machine: Machine, clock: Clock) -> Event:
    machine.config = replace(machine.config, preempt=False)
    return AdvertReceived(50, 1_000_000, LOWER)


def as_owner(machine: Machine, clock: Clock) -> Event:
    machine.config = replace(machine.config, priority=255, state=State.MASTER)
    machine.priority = 255
    return Started()


EVENTS = {
    Input.START: lambda m, c: Started(),
    Input.START_AS_OWNER: as_owner,
    Input.START_FAULTY: lambda m, c: Started(faulty=True),
    Input.START_PENDING: lambda m, c: Started(pending=True),
    Input.FAULT: lambda m, c: FaultRaised(),
    Input.RECOVER: lambda m, c: FaultCleared(),
    Input.TIMEOUT: timeout,
    Input.HELD: held,
    Input.GARP_DUE: garp_due,
    Input.ZERO: lambda m, c: AdvertReceived(0, 1_000_000, LOWER),
    Input.STRONGER: lambda m, c: AdvertReceived(200, 1_000_000, LOWER),
    Input.TOLERATED: tolerated,
    Input.WEAKER: lambda m, c: AdvertReceived(50, 1_000_000, HIGHER),
    Input.MIRROR: lambda m, c: AdvertReceived(100, 1_000_000, OURS),
    Input.RIVAL: lambda m, c: RivalSeen(),
    Input.PROMOTE: lambda m, c: Promoted(),
    Input.DEMOTE: lambda m, c: Demoted(),
    Input.PRIORITY: lambda m, c: PriorityChanged(120),
    Input.STOP: lambda m, c: Stopped(),
    Input.NOTHING: lambda m, c: TimerExpired(),
}

# Pairs that cannot arise from an event, because classification depends on the state: in MASTER nobody is
# tolerated, elsewhere an equal priority is as good as a higher one, and only a backup is held.
UNREACHABLE = {
    (State.MASTER, Input.TOLERATED): Input.WEAKER,
    (State.MASTER, Input.HELD): Input.TIMEOUT,
    (State.FAULT, Input.HELD): Input.TIMEOUT,
    (State.INIT, Input.HELD): Input.TIMEOUT,
    (State.INIT, Input.MIRROR): Input.STRONGER,
    (State.BACKUP, Input.MIRROR): Input.STRONGER,
    (State.FAULT, Input.MIRROR): Input.STRONGER,
}


def test_every_pair_is_defined() -> None:
    assert set(TABLE) == set(PAIRS)
    assert set(EVENTS) == set(Input)


@pytest.mark.parametrize(("state", "given"), PAIRS)
def test_every_row(state: State, given: Input) -> None:
    clock = Clock()
    machine, event = prepared(state, given, clock)
    amounts_to = machine.classify(clock.now, event)
    assert amounts_to is UNREACHABLE.get((state, given), given)
    commands = machine.handle(clock.now, event)
    assert machine.state is TABLE[state, amounts_to][1]
    check_transition(state, machine, commands, clock)


def check_transition(before: State, machine: Machine, commands: list[Command], clock: Clock) -> None:
    kinds = [type(command) for command in commands]
    told = [command.told for command in commands if isinstance(command, Notify)]
    after = machine.state
    if after is State.MASTER and before is not State.MASTER:
        # RFC 9568 6.4.2: the advert first, then the addresses, then the announcements.
        assert kinds.index(SendAdvert) < kinds.index(AddAddresses) < kinds.index(SendGarp)
        assert Told.MASTER in told
    if before is State.MASTER and after is not State.MASTER:
        assert RemoveAddresses in kinds
        assert machine.garp.next_timer() is None
        assert AddAddresses not in kinds
    if before in (State.BACKUP, State.MASTER) and after in (State.FAULT, State.INIT):
        assert machine.next_timer() is None
    if after in (State.BACKUP, State.MASTER) and before is not after:
        assert machine.deadline is not None
    if after is State.BACKUP:
        assert SendGarp not in kinds
    if before is not State.MASTER and after is not State.MASTER:
        assert SendAdvert not in kinds
    if after is State.FAULT and before is not State.FAULT:
        assert told == [Told.FAULT]


def test_a_handler_cannot_choose_the_state() -> None:
    clock = Clock()
    machine = Machine(CONFIG, OURS)
    machine.handle(clock.now, Started())
    machine.handle(clock.now, FaultRaised())
    assert machine.state is State.FAULT
    machine.handle(clock.now, TimerExpired())
    machine.handle(clock.now, AdvertReceived(0, 1_000_000, LOWER))
    assert machine.state is State.FAULT
