"""KEEPALIVED-MIB, the part about the whole daemon. Its state has ``facts``, a ``GlobalFacts``."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, Final

from evener.keepalived.snmp.agent import Tree
from evener.keepalived.snmp.mib import Column, Table, address_type, numbered, scalars, truth
from evener.keepalived.snmp.plan import GlobalFacts
from evener.wire.agentx import Kind, Oid

KEEPALIVED: Final[Oid] = (1, 3, 6, 1, 4, 1, 9586, 100, 5)
GLOBAL: Final[Oid] = (*KEEPALIVED, 1)
MAIL: Final[Oid] = (*GLOBAL, 3)
ROUTER_ID: Final[Oid] = (*GLOBAL, 2, 0)
ON_STOP: Final = {None: 2, "VS": 3}
"""lvsFlushOnStop; anything else is 1."""


def _fact(number: int, kind: Kind, read: Callable[[GlobalFacts], Any]) -> Column:
    return Column(number, kind, lambda state, _: read(state.facts))


def router_id(facts: GlobalFacts) -> str:
    return facts.router_id or socket.gethostname()


def _default(value: bool | None) -> int:
    return 3 if value is None else truth(value)


TABLES: Final[tuple[Table, ...]] = (
    scalars(
        GLOBAL,
        _fact(1, Kind.OCTETS, lambda f: f.version),
        _fact(2, Kind.OCTETS, router_id),
        _fact(4, Kind.INTEGER, lambda f: truth(f.traps)),
        _fact(5, Kind.INTEGER, lambda f: 2 if f.linkbeat_polls else 1),
        _fact(6, Kind.INTEGER, lambda f: truth(f.lvs_flush)),
        _fact(7, Kind.INTEGER, lambda f: 1),
        _fact(8, Kind.OCTETS, lambda f: f.namespace),
        _fact(9, Kind.INTEGER, lambda f: truth(f.dbus)),
        _fact(10, Kind.INTEGER, lambda f: truth(f.dynamic_interfaces)),
        _fact(11, Kind.INTEGER, lambda f: ON_STOP.get(f.lvs_flush_on_stop, 1)),
        _fact(12, Kind.INTEGER, lambda f: truth(f.v3_checksum_as_v2)),
    ),
    scalars(
        MAIL,
        _fact(1, Kind.INTEGER, lambda f: address_type(f.smtp_server) if f.smtp_server else 2),
        _fact(2, Kind.OCTETS, lambda f: f.smtp_server or bytes(4)),
        _fact(3, Kind.GAUGE, lambda f: f.smtp_timeout_s),
        _fact(4, Kind.OCTETS, lambda f: f.mail_from),
        _fact(6, Kind.GAUGE, lambda f: f.smtp_port),
        _fact(7, Kind.INTEGER, lambda f: truth(f.mail_faults)),
        _fact(8, Kind.INTEGER, lambda f: _default(f.alert)),
        _fact(9, Kind.INTEGER, lambda f: _default(f.alert_vrrp)),
        _fact(10, Kind.INTEGER, lambda f: _default(f.alert_checker)),
    ),
    Table(
        (*MAIL, 5, 1),
        lambda state: numbered(state.facts.mail_to),
        (Column(2, Kind.OCTETS, lambda _, address: address),),
    ),
)

TREE: Final = Tree(GLOBAL, "Keepalived", TABLES)
