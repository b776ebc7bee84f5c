"""KEEPALIVED-MIB, the part about VRRP: static and virtual routes, their next hops, and rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from evener.keepalived.snmp.mib import Column, Row, Table, Value, address_type, scope, truth
from evener.keepalived.snmp.view import View
from evener.keepalived.snmp.vrrp_tables import GAUGE, INTEGER, OCTETS, VRRP, column, flag, owners
from evener.keepalived.vrrp.plan_routes import (
    FR_ACT_GOTO,
    FR_ACT_TO_TBL,
    Encapsulation,
    NextHop,
    Prefix,
    Route,
    Rule,
)
from evener.wire.agentx import Kind

MPLS, IP, ILA, IP6 = 1, 2, 3, 4
"""enum lwtunnel_encap_types."""
TUNNEL_ID, DESTINATION, SOURCE, HOPS, TRAFFIC_CLASS, FLAGS = 1, 2, 3, 4, 5, 6
LABEL_SHIFT: Final = 12
ECMP: Final = 2
KINDS: Final = {6: 3, 4: 4, 5: 5, 3: 6, 7: 7, 8: 8, 9: 9, 10: 10, 11: 11}
"""From RTN_ numbers to RouteType; anything else is 1, unicast."""
PREFERENCES: Final = {3: 1, 0: 2, 1: 3}
"""RFC 4191: low, medium, high."""
LOWER_16, LOWER_32 = 0xFFFF, 0xFFFFFFFF

Thing = tuple[Any, bool]


def _route(number: int, kind: Kind, read: Callable[[Route], Value]) -> Column:
    return Column(number, kind, lambda _, thing: read(thing[0]))


def _metric(number: int, name: str, unit: int = 1) -> Column:
    def read(route: Route) -> int | None:
        value = dict(route.metrics).get(name)
        return None if value is None else value // unit

    return _route(number, GAUGE, read)


def _lock(number: int, name: str) -> Column:
    def read(route: Route) -> int | None:
        return truth(name in route.locked) if name in dict(route.metrics) else None

    return _route(number, INTEGER, read)


def _network(prefix: Prefix | None, family: int) -> bytes | None:
    return None if prefix is None else prefix.packed or bytes(4 if family == 2 else 16)


def _length(prefix: Prefix | None) -> int | None:
    return None if prefix is None else prefix.length


def _kind(route: Route) -> int:
    return ECMP if route.next_hops else KINDS.get(route.kind, 1)


def _second(route: Route) -> bytes | None:
    """Of a route with exactly one next hop, its gateway."""
    hops = route.next_hops
    return hops[0].via if len(hops) == 1 and hops[0].encap is None else None


def _realm_to(realms: int) -> int | None:
    return realms & LOWER_16 if realms else None


def _realm_from(realms: int) -> int | None:
    return realms >> 16 or None


def _fastopen(route: Route) -> int | None:
    value = dict(route.metrics).get("FASTOPEN_NO_COOKIE")
    return None if value is None else truth(value)


def _encaps(first: int, of: Callable[[Any], Encapsulation | None]) -> tuple[Column, ...]:
    """The nine columns about a lightweight tunnel."""

    def tunnel(number: int, kind: Kind, attribute: int, convert: Callable[[bytes], Value]) -> Column:
        def read(_: View, thing: Any) -> Value:
            encap = of(thing)
            if encap is None or encap.kind not in (IP, IP6):
                return None
            packed = dict(encap.attributes).get(attribute)
            return None if packed is None else convert(packed)

        return Column(first + number, kind, read)

    def only(number: int, kind: Kind, tunnel_kind: int, convert: Callable[[bytes], Value]) -> Column:
        def read(_: View, thing: Any) -> Value:
            encap = of(thing)
            return (
                convert(encap.attributes[0][1]) if encap is not None and encap.kind == tunnel_kind else None
            )

        return Column(first + number, kind, read)

    def kind(_: View, thing: Any) -> int | None:
        encap = of(thing)
        return None if encap is None else encap.kind

    return (
        Column(first, INTEGER, kind),
        only(1, OCTETS, MPLS, _labels),
        tunnel(2, Kind.COUNTER64, TUNNEL_ID, _big),
        tunnel(3, OCTETS, DESTINATION, bytes),
        tunnel(4, OCTETS, SOURCE, bytes),
        tunnel(5, GAUGE, TRAFFIC_CLASS, _big),
        tunnel(6, GAUGE, HOPS, _big),
        tunnel(7, GAUGE, FLAGS, _native),
        only(8, Kind.COUNTER64, ILA, _big),
    )


def _big(packed: bytes) -> int:
    return int.from_bytes(packed, "big")


def _native(packed: bytes) -> int:
    import sys

    return int.from_bytes(packed, sys.byteorder)


def _labels(stack: bytes) -> str:
    labels = (int.from_bytes(stack[at : at + 4], "big") >> LABEL_SHIFT for at in range(0, len(stack), 4))
    return "/".join(str(label) for label in labels)


def _route_rows(view: View) -> list[Row]:
    return owners(view, view.router.plan.static.routes, lambda config: config.routes)


ROUTES: Final = Table(
    (*VRRP, 7, 1),
    _route_rows,
    (
        _route(2, INTEGER, lambda route: 2 if route.family != 2 else 1),
        _route(3, OCTETS, lambda route: _network(route.destination, route.family)),
        _route(4, GAUGE, lambda route: route.destination.length),
        _route(5, OCTETS, lambda route: route.via),
        _route(6, OCTETS, _second),
        _route(7, OCTETS, lambda route: route.preferred_source),
        _route(8, GAUGE, lambda route: route.metric or 0),
        _route(9, INTEGER, lambda route: scope(route.scope or 0)),
        _route(10, INTEGER, _kind),
        Column(11, INTEGER, lambda view, thing: view.number(thing[0].device)),
        _route(12, OCTETS, lambda route: route.device),
        _route(13, GAUGE, lambda route: route.table),
        flag(14, lambda thing: thing[1]),
        _route(15, OCTETS, lambda route: _network(route.source, route.family)),
        _route(16, GAUGE, lambda route: _length(route.source)),
        _route(17, GAUGE, lambda route: route.tos or None),
        _route(18, INTEGER, lambda route: route.protocol + 1),
        flag(19, lambda thing: dict(thing[0].metrics).get("FEATURES")),
        flag(20, lambda thing: "QUICKACK" in dict(thing[0].metrics)),
        _route(21, INTEGER, lambda route: route.expires_s),
        _metric(22, "MTU"),
        _lock(23, "MTU"),
        _metric(24, "HOPLIMIT"),
        _metric(25, "ADVMSS"),
        _lock(26, "ADVMSS"),
        _metric(27, "RTT", 8),
        _lock(28, "RTT"),
        _metric(29, "RTTVAR", 4),
        _lock(30, "RTTVAR"),
        _metric(31, "REORDERING"),
        _lock(32, "REORDERING"),
        _metric(33, "WINDOW"),
        _metric(34, "CWND"),
        _lock(35, "CWND"),
        _metric(36, "SSTHRESH"),
        _lock(37, "SSTHRESH"),
        _metric(38, "RTO_MIN"),
        _lock(39, "RTO_MIN"),
        _metric(40, "INITCWND"),
        _metric(41, "INITRWND"),
        _route(42, OCTETS, lambda route: route.congestion_control),
        _route(
            43, INTEGER, lambda route: PREFERENCES.get(-1 if route.preference is None else route.preference)
        ),
        _route(44, GAUGE, lambda route: _realm_to(route.realms)),
        _route(45, GAUGE, lambda route: _realm_from(route.realms)),
        *_encaps(46, lambda thing: thing[0].encap),
        _route(55, INTEGER, _fastopen),
    ),
)


def _hop_rows(view: View) -> list[Row]:
    return [
        Row((*row.index, number), hop)
        for row in _route_rows(view)
        for number, hop in enumerate(row.thing[0].next_hops, 1)
    ]


def _hop_type(hop: NextHop) -> int | None:
    return None if hop.via is None else address_type(hop.via)


NEXT_HOPS: Final = Table(
    (*VRRP, 11, 1),
    _hop_rows,
    (
        column(2, INTEGER, _hop_type),
        column(3, OCTETS, lambda hop: hop.via),
        Column(4, INTEGER, lambda view, hop: view.number(hop.device)),
        column(5, OCTETS, lambda hop: hop.device),
        column(6, GAUGE, lambda hop: hop.weight if hop.weight > 1 else None),
        flag(7, lambda hop: hop.onlink),
        column(8, GAUGE, lambda hop: _realm_to(hop.realms)),
        column(9, GAUGE, lambda hop: _realm_from(hop.realms)),
        *_encaps(10, lambda hop: hop.encap),
    ),
)


# -- rules ---------------------------------------------------------------------------------------------


def _rule(number: int, kind: Kind, read: Callable[[Rule], Value]) -> Column:
    return Column(number, kind, lambda _, thing: read(thing[0]))


def _attribute(number: int, kind: Kind, name: str, convert: Callable[[int], Value] = int) -> Column:
    def read(rule: Rule) -> Value:
        value = dict(rule.attributes).get(name)
        return None if value is None else convert(value)

    return _rule(number, kind, read)


def _direction(rule: Rule) -> str:
    if rule.destination is not None:
        return "both" if rule.source is not None else "to"
    return "from" if rule.source is not None else ""


def _either(rule: Rule) -> Prefix | None:
    return rule.source if rule.destination is None else rule.destination


def _family(prefix: Prefix | None, rule: Rule) -> int | None:
    return None if prefix is None else 1 if rule.family == 2 else 2


def _uid(rule: Rule, end: int) -> int | None:
    return next((values[end] for name, *values in rule.ranges if name == "UID_RANGE"), None)


def _table(rule: Rule) -> int | None:
    return rule.table if rule.action == FR_ACT_TO_TBL else None


def _group(number: int) -> str:
    return str(number) if number else "default"


RULES: Final = Table(
    (*VRRP, 8, 1),
    lambda view: owners(view, view.router.plan.static.rules, lambda config: config.rules),
    (
        _rule(2, OCTETS, _direction),
        _rule(3, INTEGER, lambda rule: _family(_either(rule), rule)),
        _rule(4, OCTETS, lambda rule: _network(_either(rule), rule.family)),
        _rule(5, GAUGE, lambda rule: _length(_either(rule))),
        _rule(6, GAUGE, _table),
        flag(7, lambda thing: thing[1]),
        flag(8, lambda thing: thing[0].inverted),
        _rule(9, INTEGER, lambda rule: _family(rule.destination, rule)),
        _rule(10, OCTETS, lambda rule: _network(rule.destination, rule.family)),
        _rule(11, GAUGE, lambda rule: _length(rule.destination)),
        _rule(12, INTEGER, lambda rule: _family(rule.source, rule)),
        _rule(13, OCTETS, lambda rule: _network(rule.source, rule.family)),
        _rule(14, GAUGE, lambda rule: _length(rule.source)),
        _rule(15, GAUGE, lambda rule: rule.tos),
        _attribute(16, GAUGE, "FWMARK"),
        _attribute(17, GAUGE, "FWMASK"),
        _attribute(18, GAUGE, "FLOW", _realm_to),
        _attribute(19, GAUGE, "FLOW", _realm_from),
        _rule(20, OCTETS, lambda rule: rule.input_device),
        _rule(21, OCTETS, lambda rule: rule.output_device),
        _rule(
            22, GAUGE, lambda rule: dict(rule.attributes).get("GOTO") if rule.action == FR_ACT_GOTO else None
        ),
        _rule(23, INTEGER, lambda rule: rule.action),
        _rule(24, GAUGE, _table),
        _attribute(25, GAUGE, "PRIORITY", lambda value: value or None),
        _attribute(26, GAUGE, "SUPPRESS_PREFIXLEN"),
        _attribute(27, OCTETS, "SUPPRESS_IFGROUP", _group),
        _attribute(28, GAUGE, "TUN_ID", lambda value: value >> 32 if value else None),
        _attribute(29, GAUGE, "TUN_ID", lambda value: value & LOWER_32 if value else None),
        _rule(30, GAUGE, lambda rule: _uid(rule, 0)),
        _rule(31, GAUGE, lambda rule: _uid(rule, 1)),
        _attribute(32, INTEGER, "L3MDEV"),
    ),
)
