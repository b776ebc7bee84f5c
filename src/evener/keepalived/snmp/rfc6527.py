"""VRRPv3-MIB (RFC 6527), over IPv4 and IPv6, as far as there are virtual addresses.

As the original does, instances of version 2 are shown as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from evener.keepalived.snmp.agent import Tree
from evener.keepalived.snmp.mib import Column, Row, Table, scalars, truth
from evener.keepalived.snmp.rfc2787 import first_address, hardware, rfc_state, uptime
from evener.keepalived.snmp.view import MasterReason, ProtocolFault, View
from evener.keepalived.vrrp.admission import Stats
from evener.keepalived.vrrp.plan import Family, Instance, State
from evener.keepalived.vrrp.router import Member
from evener.wire.agentx import Kind, Oid

VRRPV3_MIB: Final[Oid] = (1, 3, 6, 1, 2, 1, 207)
OPERATIONS: Final[Oid] = (*VRRPV3_MIB, 1, 1, 1, 1)
STATISTICS: Final[Oid] = (*VRRPV3_MIB, 1, 2)
INTEGER, COUNTER64 = Kind.INTEGER, Kind.COUNTER64


def fits(config: Instance) -> bool:
    return bool(config.advertised)


def index(view: View, config: Instance) -> Oid:
    return view.base_index(config), config.vrid, 1 if config.family is Family.INET else 2


def _members(view: View) -> list[Member]:
    return [member for member in view.members if fits(member.machine.config)]


def _rows(view: View) -> list[Row]:
    rows = [Row(index(view, member.machine.config), member) for member in _members(view)]
    return sorted(rows, key=lambda row: row.index)


def _address_rows(view: View) -> list[Row]:
    rows = [
        Row((*row.index, *address.packed), address)
        for row in _rows(view)
        for address in row.thing.machine.config.advertised
        if address.family is row.thing.machine.config.family
    ]
    return sorted(rows, key=lambda row: row.index)


def _master(view: View, member: Member) -> bytes | None:
    machine = member.machine
    if machine.state is State.MASTER:
        return first_address(view, member)
    return machine.master_source or bytes(4 if machine.config.family is Family.INET else 16)


def _total(name: str) -> Callable[[Any, Any], int]:
    return lambda view, _: sum(getattr(member.admission.stats, name) for member in _members(view))


def _of(number: int, kind: Kind, read: Callable[[Instance], int]) -> Column:
    return Column(number, kind, lambda _, member: read(member.machine.config))


def _count(number: int, read: Callable[[Stats], int]) -> Column:
    return Column(number, COUNTER64, lambda _, member: read(member.admission.stats))


def reason(view: View, member: Member) -> int:
    return view.reasons.get(member.name, MasterReason.NOT_MASTER)


def fault(view: View, member: Member) -> int:
    return view.faults.get(member.name, ProtocolFault.NONE)


TABLES: Final = (
    Table(
        OPERATIONS,
        _rows,
        (
            Column(3, Kind.OCTETS, _master),
            Column(4, Kind.OCTETS, first_address),
            Column(5, Kind.OCTETS, hardware),
            Column(6, INTEGER, lambda _, member: rfc_state(member.machine.state)),
            _of(7, Kind.GAUGE, lambda config: config.priority),
            _of(8, INTEGER, lambda config: len(config.advertised)),
            _of(9, INTEGER, lambda config: config.advert_cs),
            _of(10, INTEGER, lambda config: truth(config.preempt)),
            _of(11, INTEGER, lambda config: truth(config.accept)),
            Column(12, Kind.TICKS, uptime),
            _of(13, INTEGER, lambda config: 1),
        ),
    ),
    Table((*VRRPV3_MIB, 1, 1, 2, 1), _address_rows, (Column(2, INTEGER, lambda _view, _: 1),)),
    scalars(
        STATISTICS,
        Column(1, COUNTER64, _total("checksum_err")),
        Column(2, COUNTER64, _total("version_err")),
        Column(3, COUNTER64, lambda _view, _: 0),  # a VRID that nobody has is nobody's packet
        Column(4, Kind.TICKS, lambda _view, _: 0),
    ),
    Table(
        (*STATISTICS, 5, 1),
        _rows,
        (
            Column(1, Kind.COUNTER, lambda _, member: member.admission.stats.become_master),
            Column(2, INTEGER, reason),
            _count(3, lambda stats: stats.advert_rcvd),
            _count(4, lambda stats: stats.advert_interval_err),
            _count(5, lambda stats: stats.ip_ttl_err),
            Column(6, INTEGER, fault),
            _count(7, lambda stats: stats.pri_zero_rcvd),
            _count(8, lambda stats: stats.pri_zero_sent),
            _count(9, lambda stats: stats.invalid_type_rcvd),
            _count(10, lambda stats: stats.addr_list_err),
            _count(11, lambda stats: stats.packet_len_err),
            _of(12, Kind.TICKS, lambda config: 0),
            _of(13, Kind.GAUGE, lambda config: config.advert_cs * 10),
        ),
    ),
)

TREE: Final = Tree(VRRPV3_MIB, "VRRPV3", TABLES)
