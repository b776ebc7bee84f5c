"""What nftables is told, message by message; the kernel's part is in tests/netns/test_nft.py."""

from __future__ import annotations

import socket
from dataclasses import replace

from evener.keepalived.lvs.ipvs import (
    AddDestination,
    AddService,
    Change,
    DeleteDestination,
    DeleteService,
    Destination,
    DestinationKey,
    Forwarding,
    Method,
    Service,
    ServiceFlags,
    ServiceKey,
    SetDestination,
    SetService,
)
from evener.keepalived.lvs.nft_state import State
from evener.keepalived.vrrp.plan import Family
from evener.wire.nftables import Kind

KEY = ServiceKey(Family.INET, socket.IPPROTO_TCP, bytes((10, 0, 0, 5)), 80)
OTHER = replace(KEY, port=81)


def destination(number: int, weight: int = 1, method: Method = Method.NAT) -> Destination:
    where = DestinationKey(Family.INET, bytes((10, 1, 0, number)), 80)
    return Destination(where, Forwarding(method), weight)


def loaded(*keys: ServiceKey, scheduler: str = "wrr") -> list[Change]:
    made: list[Change] = []
    for key in keys:
        made.append(AddService(Service(key, scheduler)))
        made += [AddDestination(key, destination(number)) for number in (1, 2)]
    return made


def told(state: State, *changes: Change, settle: bool = True) -> list[Kind]:
    """The kinds of messages that the changes need; all of them must be good ones."""
    assert [failure for failure in map(state.apply, changes) if failure] == []
    kinds = [owned.message.kind for owned in state.messages()]
    if settle:
        state.settle()
    return kinds


def refusals(state: State, *changes: Change) -> list[str]:
    return [failure.text for change in changes if (failure := state.apply(change))]


def test_nothing_is_sent_for_nothing() -> None:
    state = State()
    assert told(state) == []
    told(state, *loaded(KEY))
    assert told(state, SetService(Service(KEY, "wrr"))) == []
    assert told(state, SetDestination(KEY, destination(1))) == []
    # The weights in their smallest terms are still the same.
    assert told(state, *(SetDestination(KEY, destination(number, 5)) for number in (1, 2))) == []


def test_a_change_touches_its_own_service_only() -> None:
    state = State()
    first = told(state, *loaded(KEY, OTHER))
    assert first[:3] == [Kind.NEWTABLE, Kind.DELTABLE, Kind.NEWTABLE]
    kinds = told(state, SetDestination(KEY, destination(2, 3)))
    assert kinds == [Kind.DELSETELEM, Kind.DELRULE, Kind.NEWRULE, Kind.NEWSETELEM]
    owners = set()
    state.apply(SetDestination(KEY, destination(2, 1)))
    for owned in state.messages():
        owners.add(owned.owner)
    assert owners == {KEY}


def test_chains_go_after_what_leads_to_them_and_come_before() -> None:
    state = State()
    told(state, *loaded(KEY, OTHER))
    kinds = told(state, DeleteService(KEY))
    assert kinds.index(Kind.DELSETELEM) < kinds.index(Kind.DELCHAIN)
    kinds = told(state, *loaded(KEY))
    assert kinds.index(Kind.NEWCHAIN) < kinds.index(Kind.NEWRULE) < kinds.index(Kind.NEWSETELEM)


def test_the_table_goes_with_the_last_service_and_comes_again() -> None:
    state = State()
    told(state, *loaded(KEY))
    assert told(state, DeleteService(KEY))[-1] is Kind.DELTABLE
    assert Kind.NEWTABLE in told(state, *loaded(KEY))


def test_a_service_that_comes_again_in_the_same_batch() -> None:
    state = State()
    told(state, *loaded(KEY))
    kinds = told(state, DeleteService(KEY), *loaded(KEY))
    assert Kind.DELCHAIN in kinds and Kind.NEWCHAIN in kinds and Kind.DELTABLE not in kinds


def test_what_services_count_together_is_added_once_and_removed_last() -> None:
    state = State()
    told(state, *loaded(KEY))
    counting = sum(owned.owner is None for owned in messages(state, *loaded(OTHER)))
    assert counting == 0  # same virtual address, same servers
    assert sum(owned.owner is None for owned in messages(state, DeleteService(KEY))) == 0
    assert [owned.message.kind for owned in messages(state, DeleteService(OTHER))][-1] is Kind.DELTABLE


def messages(state: State, *changes: Change) -> list:
    for change in changes:
        assert state.apply(change) is None
    made = list(state.messages())
    state.settle()
    return made


def test_taking_back() -> None:
    state = State()
    told(state, *loaded(KEY))
    told(state, DeleteService(KEY), *loaded(OTHER), settle=False)
    state.take_back([KEY])
    assert set(state.services) == {KEY, OTHER}
    list(state.messages())
    state.settle()
    assert told(state, SetDestination(KEY, destination(1))) == []
    told(state, DeleteService(KEY), settle=False)
    state.take_back()
    state.settle()
    assert set(state.services) == {KEY, OTHER}


def test_changes_that_make_no_sense() -> None:
    state, whom = State(), "[10.0.0.5]:tcp:80"
    assert (
        refusals(state, SetService(Service(KEY)), DeleteService(KEY))
        == [f"nftables: No such service ({whom})"] * 2
    )
    one, nine = destination(1), destination(9)
    assert refusals(state, AddDestination(KEY, one)) == [
        f"nftables: Service not defined ({whom} -> [10.1.0.1]:80)"
    ]
    told(state, *loaded(KEY))
    assert [text.split(" (")[0] for text in refusals(state, *loaded(KEY))] == [
        "nftables: Service already exists",
        *["nftables: Destination already exists"] * 2,
    ]
    assert (
        refusals(state, SetDestination(KEY, nine), DeleteDestination(KEY, nine.key))
        == [f"nftables: No such destination ({whom} -> [10.1.0.9]:80)"] * 2
    )
    assert told(state) == []


def test_what_cannot_be_honoured_is_said_once_and_kept_out() -> None:
    state = State()
    service = Service(KEY, "wlc")
    said = "nftables: no scheduler wlc (nearest: wrr) ([10.0.0.5]:tcp:80)"
    assert refusals(state, AddService(service), AddDestination(KEY, destination(1))) == [said]
    assert list(state.messages()) == []
    state.settle()
    # Whoever tries again, as the director does after each check, hears nothing new.
    assert refusals(state, AddService(service), AddDestination(KEY, destination(2))) == []
    state.settle()
    assert Kind.NEWCHAIN in told(state, SetService(replace(service, scheduler="rr")))
    tunnel = destination(3, method=Method.TUN)
    assert "no forwarding by TUN" in refusals(state, AddDestination(KEY, tunnel))[0]
    assert refusals(state, AddDestination(KEY, tunnel)) == []
    assert "same lvs_method" in refusals(state, AddDestination(KEY, destination(4, method=Method.DR)))[0]
    limited = replace(destination(5), upper=10)
    assert "thresholds" in refusals(state, AddDestination(KEY, limited))[0]
    assert refusals(state, SetDestination(KEY, replace(limited, upper=0))) == []


def test_approximations_when_they_are_welcome() -> None:
    state = State(approximate=True)
    flags = ServiceFlags.ONE_PACKET
    assert refusals(state, AddService(Service(KEY, "wlc", flags)), AddDestination(KEY, destination(1))) == []
    assert refusals(state, AddDestination(KEY, destination(2, method=Method.TUN))) != []
    assert "no scheduler nonsense" in refusals(state, SetService(Service(KEY, "nonsense")))[0]


def test_numbers_are_used_again() -> None:
    state = State()
    for _ in range(5):
        told(state, *loaded(KEY))
        told(state, DeleteService(KEY))
    told(state, *loaded(KEY))
    assert state.services[KEY].number == 1


def test_an_enormous_batch_keeps_its_attributes_short() -> None:
    state = State()
    changes: list[Change] = [AddService(Service(KEY, "rr"))]
    for number in range(9000):
        where = DestinationKey(Family.INET, (0x0A000000 + number).to_bytes(4, "big"), 80)
        changes.append(AddDestination(KEY, Destination(where)))
    assert refusals(state, *changes) == []
    for owned in state.messages():
        assert len(owned.message.body) < 1 << 17
