"""KEEPALIVED-MIB, the part about virtual servers: groups, virtual servers, sync daemon and timeouts."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, Final

from evener.keepalived.lvs.describe import groups
from evener.keepalived.lvs.ipvs import FULL_MASK, ServiceFlags, ServiceKey
from evener.keepalived.lvs.plan import VirtualServer
from evener.keepalived.lvs.service import VirtualService
from evener.keepalived.snmp.lvs_view import (
    CHECK,
    GAUGE,
    INTEGER,
    METHODS,
    OCTETS,
    LvsView,
    column,
    rates64,
    timing,
    traffic,
    traffic64,
    tunnel,
)
from evener.keepalived.snmp.mib import Column, Row, Table, Value, nested, numbered, scalars, truth
from evener.keepalived.vrrp.describe_tracked import quoted
from evener.keepalived.vrrp.plan import Family, Program

SCHEDULERS: Final = (
    "rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "twos",
)  # fmt: skip
OTHER_SCHEDULER: Final = 99
PROTOCOLS: Final = {socket.IPPROTO_TCP: 1, socket.IPPROTO_UDP: 2, socket.IPPROTO_SCTP: 3}
NO_PROTOCOL: Final = 4
OF_MARK, OF_ADDRESS, OF_GROUP = 1, 2, 3
ONE_ADDRESS, RANGE = 2, 3

# -- groups --------------------------------------------------------------------------------------------

Entry = list[ServiceKey]
"""A mark, an address, or the addresses of a range."""


def _groups(view: LvsView) -> dict[str, list[Entry]]:
    return groups(view.director)


def _member_rows(view: LvsView) -> list[Row]:
    """Marks come first."""
    return nested(sorted(entries, key=lambda e: not e[0].fwmark) for entries in _groups(view).values())


def _member_type(entry: Entry) -> int:
    return OF_MARK if entry[0].fwmark else ONE_ADDRESS if len(entry) == 1 else RANGE


def _member(number: int, read: Callable[[Entry], Value], *types: int) -> Column:
    kind = GAUGE if number in (3, 8) else INTEGER if number == 4 else OCTETS
    return column(number, kind, lambda entry: read(entry) if _member_type(entry) in types else None)


GROUPS: Final = Table(
    (*CHECK, 1, 1), lambda view: numbered(_groups(view)), (column(2, OCTETS, lambda name: name),)
)
GROUP_MEMBERS: Final = Table(
    (*CHECK, 2, 1),
    _member_rows,
    (
        column(2, INTEGER, _member_type),
        _member(3, lambda entry: entry[0].fwmark, OF_MARK),
        _member(4, lambda entry: inet(entry[0].family), ONE_ADDRESS, RANGE),
        _member(5, lambda entry: entry[0].address, ONE_ADDRESS),
        _member(6, lambda entry: entry[0].address, RANGE),
        _member(7, lambda entry: entry[-1].address, RANGE),
        _member(8, lambda entry: entry[0].port, ONE_ADDRESS, RANGE),
    ),
)


def inet(family: Family) -> int:
    """InetAddressType of RFC 4001."""
    return 1 if family is Family.INET else 2


# -- virtual servers -----------------------------------------------------------------------------------


def virtual_type(plan: VirtualServer) -> int:
    return OF_GROUP if plan.group else OF_MARK if plan.members[0].fwmark else OF_ADDRESS


def _of(number: int, kind: Any, read: Callable[[VirtualServer], Value]) -> Column:
    return Column(number, kind, lambda _, service: read(service.plan))


def _is(number: int, read: Callable[[VirtualServer], object]) -> Column:
    return Column(number, INTEGER, lambda _, service: truth(read(service.plan)))


def _flag(number: int, flag: ServiceFlags) -> Column:
    return _is(number, lambda plan: plan.service.flags & flag)


def _only(types: int, read: Callable[[VirtualServer], Value]) -> Callable[[VirtualServer], Value]:
    return lambda plan: read(plan) if virtual_type(plan) == types else None


def _protocol(plan: VirtualServer) -> int | None:
    if virtual_type(plan) == OF_MARK:
        return None
    number = next((key.protocol for key in plan.members if key.protocol), 0)
    return PROTOCOLS.get(number, NO_PROTOCOL)


def _scheduler(plan: VirtualServer) -> int:
    name = plan.service.scheduler
    return SCHEDULERS.index(name) + 1 if name in SCHEDULERS else OTHER_SCHEDULER


def _granularity(plan: VirtualServer) -> bytes:
    """A netmask; of IPv6 the length of a prefix, as the kernel takes it."""
    made = plan.service
    if made.key.family is not Family.INET:
        return made.prefix.to_bytes(4, "little")
    solid = 0xFFFFFFFF << (FULL_MASK[Family.INET] - made.prefix) & 0xFFFFFFFF
    return made.mask or solid.to_bytes(4, "big")


def _address_family(plan: VirtualServer) -> Family | None:
    """None where there is no address: then both columns about a granularity are shown."""
    return plan.members[0].family if virtual_type(plan) == OF_ADDRESS else None


def _granularity4(plan: VirtualServer) -> bytes | None:
    return None if _address_family(plan) is Family.INET6 else _granularity(plan)


def _granularity6(plan: VirtualServer) -> int | None:
    if _address_family(plan) is Family.INET:
        return None
    return int.from_bytes(_granularity(plan), "little")


def _alive(service: VirtualService) -> int:
    return sum(real.alive for real in service.pool.reals.values())


def command(program: Program | None) -> str | None:
    return None if program is None else quoted(program)


def path(program: Program | None) -> str | None:
    return None if program is None else program.argv[0]


def _measured(view: LvsView, service: VirtualService) -> Any:
    return view.measured(((key, None) for key in service.plan.members), real=False)


VIRTUAL_SERVERS: Final = Table(
    (*CHECK, 3, 1),
    lambda view: numbered(view.director.services.values()),
    (
        _of(2, INTEGER, virtual_type),
        _of(3, OCTETS, lambda plan: plan.group or None),
        _of(4, GAUGE, _only(OF_MARK, lambda plan: plan.members[0].fwmark)),
        _of(5, INTEGER, lambda plan: inet(plan.service.key.family)),
        _of(6, OCTETS, _only(OF_ADDRESS, lambda plan: plan.members[0].address)),
        _of(7, GAUGE, _only(OF_ADDRESS, lambda plan: plan.members[0].port)),
        _of(8, INTEGER, _protocol),
        _of(9, INTEGER, _scheduler),
        _of(10, INTEGER, lambda plan: METHODS[plan.settings.forwarding.method]),
        _of(11, INTEGER, lambda plan: 1),
        _of(12, OCTETS, lambda plan: plan.settings.virtualhost),
        _is(13, lambda plan: plan.service.timeout_s),
        _of(14, GAUGE, lambda plan: plan.service.timeout_s or None),
        _of(15, OCTETS, _granularity4),
        _is(17, lambda plan: plan.ha_suspend),
        _is(18, lambda plan: plan.alpha),
        _is(19, lambda plan: plan.omega),
        column(20, GAUGE, lambda service: len(service.pool.reals)),
        column(21, GAUGE, _alive),
        _of(22, GAUGE, lambda plan: plan.quorum),
        column(23, INTEGER, lambda service: truth(service.pool.quorum_up)),
        _of(24, OCTETS, lambda plan: command(plan.quorum_up)),
        _of(25, OCTETS, lambda plan: command(plan.quorum_down)),
        _of(26, GAUGE, lambda plan: plan.hysteresis),
        *traffic(_measured, 27, 32),
        _flag(37, ServiceFlags.ONE_PACKET),
        *traffic64(_measured, 38),
        _of(51, GAUGE, _granularity6),
        _flag(52, ServiceFlags.HASHED),
        _flag(53, ServiceFlags.SCHED1),
        _flag(54, ServiceFlags.SCHED2),
        _flag(55, ServiceFlags.SCHED3),
        _is(56, lambda plan: not plan.settings.inhibit),
        *timing(lambda service: service.plan.settings, (57, 58, 59, 16), (65, 66, 64, 67)),
        _of(60, INTEGER, lambda plan: plan.settings.weight),
        _is(61, lambda plan: plan.mail),
        _flag(62, ServiceFlags.SCHED1),
        _flag(63, ServiceFlags.SCHED2),
        *tunnel(lambda service: service.plan.settings.forwarding, 68),
        _of(71, OCTETS, lambda plan: plan.settings.snmp_name),
        _of(72, OCTETS, lambda plan: path(plan.quorum_up)),
        _of(73, OCTETS, lambda plan: path(plan.quorum_down)),
        *rates64(_measured, 74),
    ),
)


# -- of the kernel -------------------------------------------------------------------------------------


def _sync(number: int, kind: Any, read: Callable[[Any], Value]) -> Column:
    def value(view: LvsView, _: Any) -> Value:
        return None if view.plan.sync is None else read(view.plan.sync)

    return Column(number, kind, value)


def _timeout(number: int) -> Column:
    def value(view: LvsView, _: Any) -> Value:
        told = view.director.plan.options.timeouts_s
        return told[number - 1] or None if told else None

    return Column(number, INTEGER, value)


def _group_type(group: bytes) -> int | None:
    return (2 if len(group) == 16 else 1) if group else None


SYNC_DAEMON: Final = scalars(
    (*CHECK, 6),
    Column(1, INTEGER, lambda view, _: truth(view.plan.sync)),
    _sync(2, OCTETS, lambda sync: sync.interface),
    _sync(3, OCTETS, lambda sync: sync.instance or None),
    _sync(4, INTEGER, lambda sync: sync.sync_id),
    _sync(5, INTEGER, lambda sync: sync.maxlen),
    _sync(6, INTEGER, lambda sync: sync.port),
    _sync(7, INTEGER, lambda sync: sync.ttl),
    _sync(8, INTEGER, lambda sync: _group_type(sync.group)),
    _sync(9, OCTETS, lambda sync: sync.group or None),
)
TIMEOUTS: Final = scalars((*CHECK, 7), *(_timeout(number) for number in (1, 2, 3)))
