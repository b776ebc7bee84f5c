"""Routes and routing rules: set and removed, and the news of their disappearance.

Like addresses (``addr``): what is there already, or gone already, is what was wanted. Routes of ours carry
protocol 18 (RTPROT_KEEPALIVED), so that the monitor can tell the few that matter from a full routing table
without decoding it.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from evener.host.netlink.route_message import classes, encapsulation
from evener.host.netlink.rtnl import NLM_F_CREATE, RtnlSocket, explain
from evener.keepalived.vrrp.plan_routes import RTPROT_KEEPALIVED, NextHop, Prefix, Route, Rule

RTM_NEWROUTE, RTM_DELROUTE, RTM_NEWRULE, RTM_DELRULE = 24, 25, 32, 33
NLM_F_EXCL, NLM_F_APPEND = 0x200, 0x800
RTMGRP_IPV4_ROUTE, RTMGRP_IPV6_ROUTE, RTMGRP_IPV4_RULE, RTMGRP_IPV6_RULE = 0x40, 0x400, 0x80, 1 << 18
RT_SCOPE_NOWHERE, RTNH_F_ONLINK, FIB_RULE_INVERT = 255, 4, 2
MODES = {"prepend": 0, "add": NLM_F_EXCL, "append": NLM_F_APPEND}
GONE = (0, errno.ESRCH, errno.ENOENT, errno.ENODEV, errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EOPNOTSUPP)
THERE = (0, errno.EEXIST)
REMOVALS = (RTM_DELROUTE, RTM_DELRULE)
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


def _text(packed: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)


def _gateway(route: Route, via: bytes) -> tuple[str, Any]:
    family = socket.AF_INET if len(via) == 4 else socket.AF_INET6
    if family == route.family:
        return "RTA_GATEWAY", _text(via)
    return "RTA_VIA", {"family": int(family), "addr": _text(via)}


def _route(route: Route, indexes: dict[str, int], removes: bool) -> Any:
    message = classes()[0]()
    message["family"], message["proto"], message["tos"] = route.family, route.protocol, route.tos
    message["table"] = route.table if route.table < 256 else 0
    message["scope"] = route.scope if route.scope is not None else RT_SCOPE_NOWHERE if removes else 0
    message["type"] = route.kind
    message["flags"] = RTNH_F_ONLINK if route.onlink else 0
    attributes: list[tuple[str, Any]] = []
    message["dst_len"] = _prefix(route.destination, "RTA_DST", attributes)
    if route.source is not None:
        message["src_len"] = _prefix(route.source, "RTA_SRC", attributes)
    simple = (
        ("RTA_TABLE", route.table if route.table > 255 else None),
        ("RTA_PREFSRC", route.preferred_source and _text(route.preferred_source)),
        ("RTA_OIF", indexes[route.device] if route.device else None),
        ("RTA_PRIORITY", route.metric),
        ("RTA_FLOW", route.realms or None),
        ("RTA_PREF", route.preference),
        ("RTA_TTL_PROPAGATE", None if route.ttl_propagate is None else int(route.ttl_propagate)),
        ("RTA_EXPIRES", route.expires_s and struct.pack("=I", route.expires_s)),
    )
    attributes += [(name, value) for name, value in simple if value is not None]
    attributes += encapsulation(route.encap)
    if route.via:
        attributes.append(_gateway(route, route.via))
    metrics = _metrics(route)
    if metrics:
        attributes.append(("RTA_METRICS", {"attrs": metrics}))
    if route.next_hops:
        hops = [_hop(route, hop, indexes) for hop in route.next_hops]
        attributes.append(("RTA_MULTIPATH", hops))
    message["attrs"] = attributes
    return message


def _prefix(prefix: Prefix, name: str, attributes: list[tuple[str, Any]]) -> int:
    if prefix.packed and prefix.length:
        attributes.append((name, _text(prefix.packed)))
    return prefix.length


def _metrics(route: Route) -> list[tuple[str, Any]]:
    made: list[tuple[str, Any]] = [(f"RTAX_{name}", value) for name, value in route.metrics]
    if route.congestion_control:
        made.append(("RTAX_CC_ALGO", route.congestion_control))
    if route.locked:
        numbers = {entry[0]: number for number, entry in enumerate(classes()[1].nla_map)}
        made.append(("RTAX_LOCK", sum(1 << numbers[f"RTAX_{name}"] for name in set(route.locked))))
    return made


def _hop(route: Route, hop: NextHop, indexes: dict[str, int]) -> dict[str, Any]:
    attributes: list[tuple[str, Any]] = []
    if hop.via:
        attributes.append(_gateway(route, hop.via))
    attributes += encapsulation(hop.encap)
    if hop.realms:
        attributes.append(("RTA_FLOW", hop.realms))
    return {
        "hops": hop.weight - 1,
        "oif": indexes[hop.device] if hop.device else 0,
        "flags": RTNH_F_ONLINK if hop.onlink else 0,
        "attrs": attributes,
    }


def _rule(rule: Rule) -> Any:
    from pyroute2.netlink.rtnl.fibmsg import fibmsg

    message = fibmsg()
    message["family"], message["action"], message["tos"] = rule.family, rule.action, rule.tos
    message["table"] = rule.table if rule.table < 256 else 0
    message["flags"] = FIB_RULE_INVERT if rule.inverted else 0
    attributes: list[tuple[str, Any]] = []
    if rule.destination is not None:
        message["dst_len"] = _prefix(rule.destination, "FRA_DST", attributes)
    if rule.source is not None:
        message["src_len"] = _prefix(rule.source, "FRA_SRC", attributes)
    if rule.table > 255:
        attributes.append(("FRA_TABLE", rule.table))
    if rule.input_device:
        attributes.append(("FRA_IIFNAME", rule.input_device))
    if rule.output_device:
        attributes.append(("FRA_OIFNAME", rule.output_device))
    attributes += [(f"FRA_{name}", value) for name, value in rule.attributes]
    attributes += [(f"FRA_{name}", f"{first}:{last}") for name, first, last in rule.ranges]
    message["attrs"] = attributes
    return message


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
                    lost += [_lost(m) for m in self._socket.decode(data) if m["header"]["type"] in REMOVALS]
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


def _lost(message: Any) -> Lost:
    is_rule = message["header"]["type"] == RTM_DELRULE
    kind = "FRA" if is_rule else "RTA"
    family = message["family"]

    def prefix(name: str, length: int) -> Prefix:
        text = message.get_attr(f"{kind}_{name}")
        return Prefix(socket.inet_pton(family, text) if text else b"", length)

    return Lost(
        is_rule,
        family,
        message.get_attr(f"{kind}_TABLE") or message["table"],
        prefix("DST", message["dst_len"]),
        prefix("SRC", message["src_len"]),
        message.get_attr(f"{kind}_PRIORITY") or 0,
    )
