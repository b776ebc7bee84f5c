"""Routes and routing rules: set and removed, and the news of their disappearance.

Like addresses (``addr``): what is there already, or gone already, is what was wanted. Routes of ours carry
protocol 18 (RTPROT_KEEPALIVED), so that the monitor can tell the few that matter from a full routing table
without decoding it.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from evener.host.netlink.rtnl import NLM_F_CREATE, RtnlSocket, explain
from evener.keepalived.vrrp.plan_routes import RTPROT_KEEPALIVED, NextHop, Prefix, Route, Rule
from evener.wire import rtnetlink
from evener.wire.nfnetlink import attribute
from evener.wire.rtnetlink import Fra, Rta, Rtax, group, number, string, u8, u32

RTM_NEWROUTE, RTM_DELROUTE, RTM_NEWRULE, RTM_DELRULE = 24, 25, 32, 33
NLM_F_EXCL, NLM_F_APPEND = 0x200, 0x800
RTMGRP_IPV4_ROUTE, RTMGRP_IPV6_ROUTE, RTMGRP_IPV4_RULE, RTMGRP_IPV6_RULE = 0x40, 0x400, 0x80, 1 << 18
RT_SCOPE_NOWHERE, RTNH_F_ONLINK, FIB_RULE_INVERT = 255, 4, 2
MODES = {"prepend": 0, "add": NLM_F_EXCL, "append": NLM_F_APPEND}
GONE = (0, errno.ESRCH, errno.ENOENT, errno.ENODEV, errno.ENETUNREACH, errno.EADDRNOTAVAIL)
THERE = (0, errno.EEXIST)
REMOVALS = (RTM_DELROUTE, RTM_DELRULE)
OCTETS = (Fra.L3MDEV, Fra.PROTOCOL, Fra.IP_PROTO)
PROTOCOL_OFFSET = 16 + 5
"""Of rtm_protocol, behind struct nlmsghdr."""

IndexOf = Callable[[str], int | None]
Complain = Callable[[str], None]


def add(rtnl: RtnlSocket, routes: Iterable[Route], index_of: IndexOf, complain: Complain) -> None:
    """Set routes; each failure is a message to ``complain``."""
    for route in routes:
        _request(rtnl, route, index_of, complain, RTM_NEWROUTE)


def remove(rtnl: RtnlSocket, routes: Iterable[Route], index_of: IndexOf, complain: Complain) -> None:
    for route in routes:
        _request(rtnl, route, index_of, complain, RTM_DELROUTE)


def add_rules(rtnl: RtnlSocket, rules: Iterable[Rule], complain: Complain) -> None:
    for rule in rules:
        # One of ours that a killed predecessor left would otherwise be there twice.
        rtnl.request([(_rule(rule), RTM_DELRULE, 0)])
        code = rtnl.request([(_rule(rule), RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL)])[0]
        _answer(code, THERE, "add", f"rule {rule.text}", complain)


def remove_rules(rtnl: RtnlSocket, rules: Iterable[Rule], complain: Complain) -> None:
    for rule in rules:
        _answer(
            rtnl.request([(_rule(rule), RTM_DELRULE, 0)])[0], GONE, "remove", f"rule {rule.text}", complain
        )


def _request(rtnl: RtnlSocket, route: Route, index_of: IndexOf, complain: Complain, kind: int) -> None:
    removes = kind == RTM_DELROUTE
    indexes = {name: index_of(name) for name in route.devices}
    missing = [name for name, index in indexes.items() if index is None]
    if missing:
        if not removes:
            complain(f"cannot add route {route.text}: interface {missing[0]} does not exist")
        return
    message = _route(route, {name: index or 0 for name, index in indexes.items()}, removes)
    flags = 0 if removes else NLM_F_CREATE | MODES[route.mode]
    code = rtnl.request([(message, kind, flags)])[0]
    _answer(code, GONE if removes else THERE, "remove" if removes else "add", f"route {route.text}", complain)


def _answer(code: int, fine: tuple[int, ...], verb: str, what: str, complain: Complain) -> None:
    if code not in fine:
        complain(f"cannot {verb} {what}: {explain(code)}")


def _gateway(route: Route, via: bytes) -> bytes:
    family = socket.AF_INET if len(via) == 4 else socket.AF_INET6
    if family == route.family:
        return attribute(Rta.GATEWAY, via)
    return attribute(Rta.VIA, struct.pack("=H", family) + via)


def _route(route: Route, indexes: dict[str, int], removes: bool) -> bytes:
    nowhere = RT_SCOPE_NOWHERE if removes else 0
    inner = [*_prefix(Rta.DST, route.destination), *_prefix(Rta.SRC, route.source or Prefix())]
    inner += _simple(route, indexes)
    if route.via:
        inner.append(_gateway(route, route.via))
    metrics = _metrics(route)
    if metrics:
        inner.append(group(Rta.METRICS, *metrics))
    if route.next_hops:
        inner.append(group(Rta.MULTIPATH, *(_hop(route, hop, indexes) for hop in route.next_hops)))
    return rtnetlink.route_body(
        route.family,
        (route.destination.length, route.source.length if route.source is not None else 0),
        route.tos,
        route.table if route.table < 256 else 0,
        route.protocol,
        route.scope if route.scope is not None else nowhere,
        route.kind,
        RTNH_F_ONLINK if route.onlink else 0,
        *inner,
    )


def _simple(route: Route, indexes: dict[str, int]) -> Iterator[bytes]:
    if route.table > 255:
        yield u32(Rta.TABLE, route.table)
    if route.preferred_source:
        yield attribute(Rta.PREFSRC, route.preferred_source)
    if route.device:
        yield u32(Rta.OIF, indexes[route.device])
    if route.metric is not None:
        yield u32(Rta.PRIORITY, route.metric)
    if route.realms:
        yield u32(Rta.FLOW, route.realms)
    if route.preference is not None:
        yield u8(Rta.PREF, route.preference)
    if route.expires_s:
        yield u32(Rta.EXPIRES, route.expires_s)


def _prefix(kind: int, prefix: Prefix) -> list[bytes]:
    return [attribute(kind, prefix.packed)] if prefix.packed and prefix.length else []


def _metrics(route: Route) -> list[bytes]:
    made = [u32(Rtax[name], value) for name, value in route.metrics]
    if route.congestion_control:
        made.append(string(Rtax.CC_ALGO, route.congestion_control))
    if route.locked:
        made.append(u32(Rtax.LOCK, sum(1 << Rtax[name] for name in set(route.locked))))
    return made


def _hop(route: Route, hop: NextHop, indexes: dict[str, int]) -> bytes:
    inner = [_gateway(route, hop.via)] if hop.via else []
    if hop.realms:
        inner.append(u32(Rta.FLOW, hop.realms))
    index = indexes[hop.device] if hop.device else 0
    return rtnetlink.hop_body(RTNH_F_ONLINK if hop.onlink else 0, hop.weight - 1, index, *inner)


def _rule(rule: Rule) -> bytes:
    destination, source = rule.destination or Prefix(), rule.source or Prefix()
    inner = [*_prefix(Fra.DST, destination), *_prefix(Fra.SRC, source)]
    if rule.table > 255:
        inner.append(u32(Fra.TABLE, rule.table))
    if rule.input_device:
        inner.append(string(Fra.IIFNAME, rule.input_device))
    if rule.output_device:
        inner.append(string(Fra.OIFNAME, rule.output_device))
    inner += [_number(Fra[name], value) for name, value in rule.attributes]
    inner += [_range(Fra[name], first, last) for name, first, last in rule.ranges]
    return rtnetlink.rule_body(
        rule.family,
        (destination.length, source.length),
        rule.tos,
        rule.table if rule.table < 256 else 0,
        rule.action,
        FIB_RULE_INVERT if rule.inverted else 0,
        *inner,
    )


def _number(kind: Fra, value: int) -> bytes:
    if kind is Fra.TUN_ID:
        return attribute(kind, value.to_bytes(8, "big"))
    return u8(kind, value) if kind in OCTETS else u32(kind, value)


def _range(kind: Fra, first: int, last: int) -> bytes:
    return attribute(kind, struct.pack("=II" if kind is Fra.UID_RANGE else "=HH", first, last))


class Lost(NamedTuple):
    """A route (or rule) that was removed, as far as it identifies one of ours. ``metric``: or preference."""

    is_rule: bool
    family: int
    table: int
    destination: Prefix
    source: Prefix
    metric: int

    def is_route(self, route: Route) -> bool:
        same = (self.family, self.table, self.destination) == (route.family, route.table, route.destination)
        # IPv6 routes without a metric get 1024 from the kernel.
        metrics = (route.metric,) if route.metric is not None else (0, 1024)
        return not self.is_rule and same and self.metric in metrics

    def is_rule_of(self, rule: Rule) -> bool:
        ends = (rule.destination or Prefix(), rule.source or Prefix())
        same = (self.family, self.table) == (rule.family, rule.table) and ends == (
            self.destination,
            self.source,
        )
        return self.is_rule and same and ("PRIORITY", self.metric) in rule.attributes


class RouteMonitor:
    """Hears when routes of ours disappear; opened only where there are any."""

    def __init__(self) -> None:
        self._socket = RtnlSocket(RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_RULE | RTMGRP_IPV6_RULE)

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def read(self) -> list[Lost]:
        """What of ours was removed. When the kernel dropped news, nothing is known of those."""
        lost: list[Lost] = []
        try:
            for data in self._socket.datagrams():
                if _concerns_us(data):
                    gone = (_lost(m) for m in rtnetlink.messages(data) if m.kind in REMOVALS)
                    lost += [found for found in gone if found is not None]
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
        return lost


def _concerns_us(data: bytes) -> bool:
    offset = 0
    while offset + 28 <= len(data):
        length, kind = struct.unpack_from("=IH", data, offset)
        if length < 16:
            break
        if kind == RTM_DELRULE or (
            kind == RTM_DELROUTE and data[offset + PROTOCOL_OFFSET] == RTPROT_KEEPALIVED
        ):
            return True
        offset += (length + 3) & ~3
    return False


def _lost(message: rtnetlink.Message) -> Lost | None:
    found = rtnetlink.headed(message.body)
    if found is None:
        return None
    is_rule = message.kind == RTM_DELRULE
    kinds = (
        (Fra.DST, Fra.SRC, Fra.TABLE, Fra.PRIORITY)
        if is_rule
        else (Rta.DST, Rta.SRC, Rta.TABLE, Rta.PRIORITY)
    )
    destination, source, table, metric = (found.attributes.get(kind) for kind in kinds)
    return Lost(
        is_rule,
        found.family,
        number(table) or found.table,
        Prefix(destination or b"", found.destination_bits),
        Prefix(source or b"", found.source_bits),
        number(metric),
    )
