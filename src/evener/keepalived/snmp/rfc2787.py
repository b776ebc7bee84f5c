"""VRRP-MIB (RFC 2787): version 2 of the protocol, over IPv4, as far as there are virtual addresses.

Not readable: the key of an authentication (RFC 2787 says so, too).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from evener.keepalived.snmp.agent import Tree
from evener.keepalived.snmp.mib import Column, Row, Table, scalars, truth
from evener.keepalived.snmp.view import View, carrier
from evener.keepalived.vrrp.admission import Stats
from evener.keepalived.vrrp.plan import Family, Instance, State
from evener.keepalived.vrrp.router import Member
from evener.wire.agentx import Kind, Oid

VRRP_MIB: Final[Oid] = (1, 3, 6, 1, 2, 1, 68)
OPERATIONS: Final[Oid] = (*VRRP_MIB, 1, 3, 1)
INTEGER, COUNTER = Kind.INTEGER, Kind.COUNTER


def fits(config: Instance) -> bool:
    return config.version == 2 and config.family is Family.INET and bool(config.advertised)


def rfc_state(state: State) -> int:
    """1 initialize, 2 backup, 3 master; keepalived's fault is the first."""
    return int(state) + 1 if state in (State.BACKUP, State.MASTER) else 1


def _members(view: View) -> list[Member]:
    return [member for member in view.members if fits(member.machine.config)]


def index(view: View, config: Instance) -> Oid:
    return view.base_index(config), config.vrid


def _rows(view: View) -> list[Row]:
    rows = [Row(index(view, member.machine.config), member) for member in _members(view)]
    return sorted(rows, key=lambda row: row.index)


def _address_rows(view: View) -> list[Row]:
    rows = [
        Row((*row.index, *address.packed), address)
        for row in _rows(view)
        for address in row.thing.machine.config.advertised
    ]
    return sorted(rows, key=lambda row: row.index)


def _total(name: str) -> Callable[[Any, Any], int]:
    return lambda view, _: sum(getattr(member.admission.stats, name) for member in _members(view))


def hardware(view: View, member: Member) -> bytes | None:
    name = carrier(member.machine.config)
    return None if name is None else view.hardware(name)


def first_address(view: View, member: Member) -> bytes | None:
    """Of the interface that adverts come from, below a macvlan."""
    config = member.machine.config
    if config.interface is None:
        return None
    return view.first_address(config.interface, config.family)


def uptime(view: View, member: Member) -> int:
    """Hundredths of a second."""
    if member.machine.state not in (State.BACKUP, State.MASTER):
        return 0
    return (view.now() - view.started) // 10_000


def _of(number: int, kind: Kind, read: Callable[[Instance], int | bytes]) -> Column:
    return Column(number, kind, lambda _, member: read(member.machine.config))


def _count(number: int, read: Callable[[Stats], int]) -> Column:
    return Column(number, COUNTER, lambda _, member: read(member.admission.stats))


TABLES: Final = (
    scalars(
        (*VRRP_MIB, 1),
        Column(1, INTEGER, lambda _view, _: 2),
        Column(2, INTEGER, lambda view, _: truth(view.facts.traps)),
    ),
    Table(
        OPERATIONS,
        _rows,
        (
            Column(2, Kind.OCTETS, hardware),
            Column(3, INTEGER, lambda _, member: rfc_state(member.machine.state)),
            _of(4, INTEGER, lambda config: 1),
            _of(5, INTEGER, lambda config: config.priority),
            _of(6, INTEGER, lambda config: len(config.advertised)),
            Column(7, Kind.ADDRESS, lambda _, member: member.machine.master_source or bytes(4)),
            Column(8, Kind.ADDRESS, first_address),
            _of(9, INTEGER, lambda config: config.auth + 1),
            _of(11, INTEGER, lambda config: config.advert_cs // 100),
            _of(12, INTEGER, lambda config: truth(config.preempt)),
            Column(13, Kind.TICKS, uptime),
            _of(14, INTEGER, lambda config: 1),
            _of(15, INTEGER, lambda config: 1),
        ),
    ),
    Table((*VRRP_MIB, 1, 4, 1), _address_rows, (Column(2, INTEGER, lambda _view, _: 1),)),
    scalars(
        (*VRRP_MIB, 2),
        Column(1, COUNTER, _total("checksum_err")),
        Column(2, COUNTER, _total("version_err")),
        Column(3, COUNTER, lambda _view, _: 0),  # a VRID that nobody has is nobody's packet
    ),
    Table(
        (*VRRP_MIB, 2, 4, 1),
        _rows,
        (
            _count(1, lambda stats: stats.become_master),
            _count(2, lambda stats: stats.advert_rcvd),
            _count(3, lambda stats: stats.advert_interval_err),
            _count(4, lambda stats: stats.auth_failure),
            _count(5, lambda stats: stats.ip_ttl_err),
            _count(6, lambda stats: stats.pri_zero_rcvd),
            _count(7, lambda stats: stats.pri_zero_sent),
            _count(8, lambda stats: stats.invalid_type_rcvd),
            _count(9, lambda stats: stats.addr_list_err),
            _count(10, lambda stats: stats.invalid_authtype),
            _count(11, lambda stats: stats.authtype_mismatch),
            _count(12, lambda stats: stats.packet_len_err),
        ),
    ),
)

TREE: Final = Tree(VRRP_MIB, "VRRP", TABLES)
