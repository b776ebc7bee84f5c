"""What leads to which trap: packets that are refused, and why somebody becomes master; what SET does."""

from __future__ import annotations

from dataclasses import replace
from socket import inet_aton

import pytest

from evener.keepalived.snmp import complaints
from evener.keepalived.snmp.mib import Mib
from evener.keepalived.snmp.plan import GlobalFacts, SnmpPlan
from evener.keepalived.snmp.rfc2787 import VRRP_MIB
from evener.keepalived.snmp.rfc6527 import VRRPV3_MIB
from evener.keepalived.snmp.view import MasterReason, ProtocolFault, View
from evener.keepalived.snmp.vrrp_tables import VRRP
from evener.keepalived.snmp.vrrp_traps import AuthFault, why_master
from evener.keepalived.snmp.vrrp_tree import TREE
from evener.keepalived.vrrp.admission import Received
from evener.keepalived.vrrp.plan import Auth, Instance, VirtualAddress, VrrpPlan
from evener.keepalived.vrrp.router import Router
from evener.wire.agentx import Error, Kind, Variable
from evener.wire.vrrp import Advert, encode

SOURCE, OWN, VIP, GROUP = (inet_aton(a) for a in ("10.0.0.2", "10.0.0.1", "10.0.0.9", "224.0.0.18"))
V2 = Instance(
    "two", 51, "eth0", addresses=(VirtualAddress(VIP, 24, "eth0"),), auth=Auth.PASS, password=b"secret\0\0"
)
V3 = replace(V2, name="three", version=3, vrid=52, auth=Auth.NONE, password=b"")
EVERYTHING = SnmpPlan(GlobalFacts(), vrrp=True, rfcv2=True, rfcv3=True)


def view_of(*instances: Instance) -> View:
    router = Router(VrrpPlan(instances=instances))
    for instance in instances:
        router.set_source(instance.name, OWN)
    router.start(0)

    def set_priority(name: str, priority: int) -> None:
        router.set_priority(1, name, priority)

    return View(
        GlobalFacts(),
        router,
        lambda name: 7,
        lambda name: bytes(6),
        lambda name, family: OWN,
        lambda process: 0,
        lambda: 0,
        set_priority,
        lambda name, preempt: None,
    )


def packet(config: Instance, priority: int = 120, ttl: int = 255, **changes: object) -> Received:
    addresses = tuple(address.packed for address in config.advertised)
    advert = Advert(
        config.version, config.vrid, priority, config.advert_cs, addresses, int(config.auth), config.password
    )
    pdu = encode(replace(advert, **changes), SOURCE, GROUP)
    return Received(SOURCE, GROUP, ttl, pdu, len(pdu))


def told(view: View, name: str, received: Received) -> list[tuple[tuple[int, ...], list[object]]]:
    member = view.router.members[name]
    before = complaints.counted(member)
    view.router.receive(1, name, received)
    raised = complaints.raised(before, complaints.counted(member))
    found = complaints.traps(EVERYTHING, view, member, SOURCE, raised)
    return [(trap.oid, [variable.value for variable in trap.variables]) for trap in found]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"auth_type": 7}, AuthFault.INVALID_TYPE),
        ({"auth_type": 0}, AuthFault.TYPE_MISMATCH),
        ({"auth_data": b"another\0"}, AuthFault.FAILURE),
    ],
)
def test_authentication_that_fails(changes: dict[str, object], fault: AuthFault) -> None:
    """vrrpTrapAuthFailure: who sent it, and what was wrong."""
    found = told(view_of(V2), "two", packet(V2, **changes))
    assert found == [((*VRRP_MIB, 0, 2), [SOURCE, fault])]


def test_a_packet_that_came_over_a_router() -> None:
    """vrrpv3ProtoError, of both versions, and the table remembers it."""
    view = view_of(V2, V3)
    expected = [((*VRRPV3_MIB, 0, 2), [ProtocolFault.TTL])]
    assert told(view, "three", packet(V3, ttl=64)) == expected
    assert told(view, "two", packet(V2, ttl=64)) == expected
    assert view.faults == {"two": ProtocolFault.TTL, "three": ProtocolFault.TTL}


def test_a_damaged_packet() -> None:
    received = packet(V3)
    broken = received._replace(pdu=received.pdu[:6] + b"\x12\x34" + received.pdu[8:])
    assert told(view_of(V3), "three", broken) == [((*VRRPV3_MIB, 0, 2), [ProtocolFault.CHECKSUM])]


def test_good_packets_lead_to_nothing() -> None:
    assert told(view_of(V3), "three", packet(V3)) == []


@pytest.mark.parametrize(
    ("priority", "reason"),
    [
        (None, MasterReason.NO_RESPONSE),
        (200, MasterReason.NO_RESPONSE),
        (0, MasterReason.PRIORITY),
        (50, MasterReason.PREEMPTED),
    ],
)
def test_why_somebody_becomes_master(priority: int | None, reason: MasterReason) -> None:
    view = view_of(V3)
    if priority is not None:
        view.router.receive(1, "three", packet(V3, priority))
    assert why_master(view.router.members["three"]) is reason


def test_a_priority_that_is_set_counts() -> None:
    view, name = view_of(V2, V3), (*VRRP, 3, 1, 7, 2)
    look = Mib[View](TREE.tables).look(view)
    for value, error in ((0, Error.WRONG_VALUE), (256, Error.WRONG_VALUE), (7, Error.NONE)):
        assert look.test(Variable(name, Kind.INTEGER, value)) is error
    look.write(Variable(name, Kind.INTEGER, 7))
    assert [look.get((*VRRP, 3, 1, number, 2)).value for number in (7, 8)] == [7, 7]
    assert view.router.members["three"].machine.priority == 7
    assert view.router.members["two"].machine.priority == 100
