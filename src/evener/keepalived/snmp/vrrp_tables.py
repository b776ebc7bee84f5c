"""KEEPALIVED-MIB, the part about VRRP: sync groups, instances, addresses, and what they track."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from evener.keepalived.snmp.globals import KEEPALIVED
from evener.keepalived.snmp.mib import (
    Column,
    Row,
    Setting,
    Table,
    Value,
    address_type,
    nested,
    numbered,
    scope,
    truth,
)
from evener.keepalived.snmp.view import View, carrier
from evener.keepalived.vrrp.describe_tracked import quoted
from evener.keepalived.vrrp.plan import (
    Instance,
    Notifications,
    Program,
    State,
    Track,
    TrackKind,
    VirtualAddress,
)
from evener.keepalived.vrrp.router import Group, Member
from evener.wire.agentx import Error, Kind, Oid

VRRP: Final[Oid] = (*KEEPALIVED, 2)
INTEGER, GAUGE, OCTETS = Kind.INTEGER, Kind.GAUGE, Kind.OCTETS
SECOND: Final = 1_000_000


def column(number: int, kind: Kind, read: Callable[[Any], Value]) -> Column:
    """One that is read from the row's thing alone."""
    return Column(number, kind, lambda _, thing: read(thing))


def flag(number: int, read: Callable[[Any], object]) -> Column:
    return Column(number, INTEGER, lambda _, thing: truth(read(thing)))


def command(program: Program | None) -> str | None:
    return None if program is None else quoted(program)


def notifies(notify: Notifications) -> bool:
    """Whether any script hears of the state."""
    scripts = notify.master, notify.backup, notify.fault, notify.stop, notify.any
    return any(script is not None for script in (*scripts, notify.deleted, notify.master_rx_lower_pri))


def _groups(view: View) -> list[Group]:
    return view.router.groups


SYNC_GROUPS: Final = Table(
    (*VRRP, 1, 1),
    lambda view: numbered(_groups(view)),
    (
        column(2, OCTETS, lambda group: group.config.name),
        column(3, INTEGER, lambda group: int(group.state)),
        flag(4, lambda group: group.config.notify.mail),
        flag(5, lambda group: notifies(group.config.notify)),
        column(6, OCTETS, lambda group: command(group.config.notify.master)),
        column(7, OCTETS, lambda group: command(group.config.notify.backup)),
        column(8, OCTETS, lambda group: command(group.config.notify.fault)),
        column(9, OCTETS, lambda group: command(group.config.notify.any)),
        flag(10, lambda group: group.config.weighs),
        column(11, OCTETS, lambda group: command(group.config.notify.stop)),
    ),
)
GROUP_MEMBERS: Final = Table(
    (*VRRP, 2, 1),
    lambda view: nested(group.members for group in _groups(view)),
    (column(2, OCTETS, lambda member: member.name),),
)


# -- instances -----------------------------------------------------------------------------------------


def _of(number: int, kind: Kind, read: Callable[[Instance], Value]) -> Column:
    return Column(number, kind, lambda _, member: read(member.machine.config))


def _is(number: int, read: Callable[[Instance], object]) -> Column:
    return Column(number, INTEGER, lambda _, member: truth(read(member.machine.config)))


def _script(number: int, read: Callable[[Notifications], Program | None]) -> Column:
    return Column(number, OCTETS, lambda _, member: command(read(member.machine.config.notify)))


def _wanted(member: Member) -> int:
    return int(State.MASTER if member.machine.wants_master else member.machine.state)


def _interval(config: Instance) -> int:
    """Seconds, or centiseconds where the protocol has them."""
    return config.advert_cs // 100 if config.version == 2 else config.advert_cs


def _tracks_interface(view: View, member: Member) -> int:
    return truth(any(t.kind is TrackKind.INTERFACE for t in member.machine.config.tracks))


def _synchronises(view: View, member: Member) -> bool:
    sync = view.router.plan.lvs_sync
    return sync is not None and sync.instance == member.name


def _sync_interface(view: View, member: Member) -> str | None:
    sync = view.router.plan.lvs_sync
    return sync.interface if sync is not None and sync.instance == member.name else None


def _multicast(view: View, member: Member) -> bytes | None:
    config, options = member.machine.config, view.router.plan.options
    if config.unicast:
        return None
    return config.mcast_group or (options.mcast_group4 if config.family == 2 else options.mcast_group6)


def _multicast_type(view: View, member: Member) -> int | None:
    group = _multicast(view, member)
    return None if group is None else address_type(group)


def _accept(_: View, member: Member) -> int:
    """RFC 9568 only."""
    config = member.machine.config
    return truth(config.accept) if config.version == 3 else 0


def _polls(view: View, member: Member) -> int:
    return truth(member.machine.config.interface in dict(view.router.plan.linkbeat))


def _priority_fits(_member: Member, value: int) -> Error:
    return Error.NONE if 0 < value < 256 else Error.WRONG_VALUE


def _truth_fits(_member: Member, value: int) -> Error:
    return Error.NONE if value in (1, 2) else Error.WRONG_VALUE


def _no_access(_member: Member, _value: int) -> Error:
    return Error.NO_ACCESS


PRIORITY: Final = Setting(_priority_fits, lambda view, member, value: view.set_priority(member.name, value))
PREEMPT: Final = Setting(_truth_fits, lambda view, member, value: view.set_preempt(member.name, value == 1))
FIXED: Final = Setting(_no_access, lambda view, member, value: None)
"""Of a column that the MIB calls writable and keepalived does not let be written."""

INSTANCES: Final = Table(
    (*VRRP, 3, 1),
    lambda view: numbered(view.members),
    (
        _of(2, OCTETS, lambda config: config.name),
        _of(3, GAUGE, lambda config: config.vrid),
        column(4, INTEGER, lambda member: int(member.machine.state)),
        _of(5, INTEGER, lambda config: int(config.state)),
        column(6, INTEGER, _wanted),
        Column(7, INTEGER, lambda _, member: member.machine.config.priority, PRIORITY),
        column(8, INTEGER, lambda member: member.machine.priority),
        flag(9, lambda member: member.machine.state is State.MASTER),
        _of(10, OCTETS, carrier),
        Column(11, INTEGER, _tracks_interface),
        _of(12, GAUGE, _interval),
        Column(13, INTEGER, lambda _, member: truth(member.machine.config.preempt), PREEMPT),
        _of(14, GAUGE, lambda config: config.preempt_delay_us // SECOND),
        _of(15, INTEGER, lambda config: int(config.auth) if config.version == 2 else 0),
        Column(16, INTEGER, lambda view, member: truth(_synchronises(view, member))),
        Column(17, OCTETS, _sync_interface),
        column(18, OCTETS, lambda member: member.group and member.group.config.name),
        _of(19, GAUGE, lambda config: config.garp.master_delay_us // SECOND),
        _is(20, lambda config: config.notify.mail),
        _is(21, lambda config: notifies(config.notify)),
        _script(22, lambda notify: notify.master),
        _script(23, lambda notify: notify.backup),
        _script(24, lambda notify: notify.fault),
        _script(25, lambda notify: notify.stop),
        _script(26, lambda notify: notify.any),
        Column(27, INTEGER, _accept, FIXED),
        _is(28, lambda config: config.promote_secondaries),
        Column(29, INTEGER, _polls),
        _of(30, INTEGER, lambda config: config.version),
        _script(31, lambda notify: notify.master_rx_lower_pri),
        _script(32, lambda notify: notify.deleted),
        _is(33, lambda config: config.notify.send_deleted),
        Column(34, INTEGER, _multicast_type),
        Column(35, OCTETS, _multicast),
        _is(36, lambda config: config.v3_checksum_as_v2),
    ),
)


# -- what is tracked -----------------------------------------------------------------------------------

Weight = tuple[int, bool]


def _own(view: View, track: Track) -> Weight:
    return track.weight, track.reverse


def _of_thing(view: View, track: Track) -> Weight:
    """The MIB shows the weight that the thing itself has, of files, processes and BFD sessions."""
    plan = view.router.plan
    things: dict[TrackKind, Iterable[Any]] = {
        TrackKind.FILE: plan.files,
        TrackKind.PROCESS: plan.processes,
        TrackKind.BFD: plan.sessions,
    }
    thing = next((t for t in things[track.kind] if t.name == track.name), track)
    return thing.weight, thing.reverse


def _kind(tracks: Iterable[Track], kind: TrackKind) -> list[Track]:
    return [track for track in tracks if track.kind is kind]


def _tracked(number: int, kind: TrackKind, *, of_group: bool) -> Table:
    weight = _own if kind in (TrackKind.INTERFACE, TrackKind.SCRIPT) else _of_thing
    first = 1 if kind is TrackKind.INTERFACE else 2

    def rows(view: View) -> list[Row]:
        if of_group:
            return nested(_kind(group.config.tracks, kind) for group in _groups(view))
        return nested(_kind(member.machine.config.tracks, kind) for member in view.members)

    return Table(
        (*VRRP, number, 1),
        rows,
        (
            column(first, OCTETS, lambda track: track.name),
            Column(first + 1, INTEGER, lambda view, track: weight(view, track)[0]),
            Column(first + 2, INTEGER, lambda view, track: truth(weight(view, track)[1])),
        ),
    )


TRACKS: Final = tuple(
    _tracked(number, kind, of_group=of_group)
    for number, kind, of_group in (
        (4, TrackKind.INTERFACE, False),
        (5, TrackKind.SCRIPT, False),
        (12, TrackKind.FILE, False),
        (14, TrackKind.INTERFACE, True),
        (15, TrackKind.SCRIPT, True),
        (16, TrackKind.FILE, True),
        (17, TrackKind.BFD, False),
        (19, TrackKind.BFD, True),
        (20, TrackKind.PROCESS, False),
        (22, TrackKind.PROCESS, True),
    )
)


# -- addresses -----------------------------------------------------------------------------------------


def owners(view: View, of_static: Iterable[Any], of_member: Callable[[Instance], Iterable[Any]]) -> list[Row]:
    """What is static (index 0), then that of each instance; the thing is (what, whether it is set)."""
    lists = [[(thing, True) for thing in of_static]]
    for member in view.members:
        master = member.machine.state is State.MASTER
        lists.append([(thing, master) for thing in of_member(member.machine.config)])
    return nested(lists, 0)


def _address_rows(view: View) -> list[Row]:
    static = [(address, False) for address in view.router.plan.static.addresses]
    return owners(view, static, lambda config: [(a, a.advertised) for a in config.addresses])


def _address(number: int, kind: Kind, read: Callable[[VirtualAddress], Value]) -> Column:
    return Column(number, kind, lambda _, thing: read(thing[0][0]))


def _broadcast(address: VirtualAddress) -> bytes | None:
    return (address.broadcast or bytes(4)) if len(address.packed) == 4 else None


ADDRESSES: Final = Table(
    (*VRRP, 6, 1),
    _address_rows,
    (
        _address(2, INTEGER, lambda address: address_type(address.packed)),
        _address(3, OCTETS, lambda address: address.packed),
        _address(4, OCTETS, _broadcast),
        _address(5, GAUGE, lambda address: address.prefix),
        _address(6, INTEGER, lambda address: scope(address.scope)),
        Column(7, INTEGER, lambda view, thing: view.index_of(thing[0][0].device)),
        _address(8, OCTETS, lambda address: address.device),
        _address(9, OCTETS, lambda address: address.label),
        flag(10, lambda thing: thing[1]),
        flag(11, lambda thing: thing[0][1]),
        _address(12, OCTETS, lambda address: address.peer),
    ),
)
