"""KEEPALIVED-MIB: the real servers of virtual servers, a sorry server first; and the tree of all of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from evener.keepalived.lvs.check_plan import CheckId
from evener.keepalived.lvs.ipvs import Measured
from evener.keepalived.lvs.plan import RealServer, SorryServer
from evener.keepalived.lvs.planned import MOST_WEIGHT, destination_key
from evener.keepalived.lvs.pool import Real
from evener.keepalived.lvs.service import VirtualService
from evener.keepalived.snmp import lvs_tables
from evener.keepalived.snmp.agent import Tree
from evener.keepalived.snmp.lvs_tables import command, path
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
from evener.keepalived.snmp.mib import Column, Row, Setting, Table, Value, address_type, nested, truth
from evener.wire.agentx import Error, Kind

REGULAR, SORRY = 1, 2


class Server(NamedTuple):
    """``real`` None: the sorry server."""

    service: VirtualService
    plan: RealServer | SorryServer
    real: Real | None


def _servers(service: VirtualService) -> list[Server]:
    sorry = [] if service.plan.sorry is None else [Server(service, service.plan.sorry, None)]
    return [*sorry, *(Server(service, real.plan, real) for real in service.pool.reals.values())]


def _rows(view: LvsView) -> list[Row]:
    return nested(_servers(service) for service in view.director.services.values())


def _real(number: int, kind: Kind, read: Callable[[Real], Value]) -> Column:
    """Not of a sorry server."""
    return column(number, kind, lambda server: None if server.real is None else read(server.real))


def _measured(view: LvsView, server: Server) -> Measured:
    members = server.service.plan.members
    return view.measured(((key, destination_key(key, server.plan)) for key in members), real=True)


def _open(number: int, read: Callable[[Measured], int]) -> Column:
    return Column(number, GAUGE, lambda view, server: read(_measured(view, server)))


def _weight_fits(server: Any, value: int) -> Error:
    if server.real is None:
        return Error.NOT_WRITABLE
    return Error.NONE if 0 <= value <= MOST_WEIGHT else Error.WRONG_VALUE


def _set_weight(view: LvsView, server: Server, value: int) -> None:
    view.set_weight(server.service.plan.name, server.plan.address, server.plan.port, value)


def _weight(_: LvsView, server: Server) -> int | None:
    return None if server.real is None else server.real.weight


def _unasked(view: LvsView, server: Server) -> int:
    """How many of its checks have not been made yet."""
    if server.real is None:
        return 0
    place = server.service.plan.name, server.plan.address, server.plan.port
    return sum(not view.ran(CheckId(*place, index)) for index in range(len(server.real.plan.checks)))


def _settings(server: Server) -> Any:
    return None if server.real is None else server.real.plan.settings


REAL_SERVERS: Final = Table(
    (*CHECK, 4, 1),
    _rows,
    (
        column(2, INTEGER, lambda server: SORRY if server.real is None else REGULAR),
        column(3, INTEGER, lambda server: address_type(server.plan.address)),
        column(4, OCTETS, lambda server: server.plan.address),
        column(5, GAUGE, lambda server: server.plan.port),
        _real(6, INTEGER, lambda real: truth(real.alive)),
        Column(7, INTEGER, _weight, Setting(_weight_fits, _set_weight)),
        _real(8, GAUGE, lambda real: real.plan.upper or None),
        _real(9, GAUGE, lambda real: real.plan.lower or None),
        _real(10, INTEGER, lambda real: truth(not real.plan.inhibit)),
        _real(11, OCTETS, lambda real: command(real.plan.notify_up)),
        _real(12, OCTETS, lambda real: command(real.plan.notify_down)),
        _real(13, GAUGE, lambda real: len(real.failed)),
        *traffic(_measured, 17, 22)[1:],
        _open(14, lambda m: m.traffic.connections),
        _open(15, lambda m: m.traffic.active),
        _open(16, lambda m: m.traffic.inactive),
        _open(17, lambda m: m.persistent),
        *traffic64(_measured, 27),
        column(40, INTEGER, lambda server: METHODS[server.plan.forwarding.method]),
        _real(41, OCTETS, lambda real: real.plan.settings.virtualhost),
        column(42, INTEGER, lambda server: truth(server.real is not None and server.real.plan.alpha)),
        *timing(_settings, (43, 44, 45, 46), (48, 49, 50, 51)),
        column(47, INTEGER, lambda server: truth(server.real is not None and server.real.plan.mail)),
        *tunnel(lambda server: server.plan.forwarding, 52),
        _real(55, OCTETS, lambda real: real.plan.settings.snmp_name),
        _real(56, OCTETS, lambda real: path(real.plan.notify_up)),
        _real(57, OCTETS, lambda real: path(real.plan.notify_down)),
        *rates64(_measured, 58),
        Column(63, GAUGE, _unasked),
    ),
)

TREE: Final = Tree(
    CHECK,
    "Healthchecker",
    (
        lvs_tables.GROUPS,
        lvs_tables.GROUP_MEMBERS,
        lvs_tables.VIRTUAL_SERVERS,
        REAL_SERVERS,
        lvs_tables.SYNC_DAEMON,
        lvs_tables.TIMEOUTS,
    ),
)
