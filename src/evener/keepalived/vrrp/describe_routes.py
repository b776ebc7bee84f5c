"""Routes and rules in the words of the original's dumps: keepalived.data and keepalived.json.

They are said from what was understood, not as they were written: numbers instead of names, in a fixed order.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

from evener.keepalived.vrrp.plan_routes import (
    FR_ACT_GOTO,
    FR_ACT_NOP,
    FR_ACT_TO_TBL,
    RT_TABLE_MAIN,
    RTN_UNICAST,
    RTPROT_KEEPALIVED,
    Encapsulation,
    NextHop,
    Prefix,
    Route,
    Rule,
)

KINDS = (
    "none", "unicast", "local", "broadcast", "anycast", "multicast", "blackhole", "unreachable", "prohibit",
    "throw", "nat", "xresolve",
)  # fmt: skip
TIMES = (("RTT", 8), ("RTTVAR", 4), ("RTO_MIN", 1))
"""Metrics that are times, and the kernel's units in a millisecond."""
LOCKABLE = ("MTU", "WINDOW", "SSTHRESH", "CWND", "ADVMSS", "REORDERING")
PLAIN = ("HOPLIMIT", "INITCWND", "INITRWND", "QUICKACK")
PREFERENCES = {0: "medium", 1: "high", 3: "low"}
TUNNELS = {
    2: ("ip", (1, "id"), (2, "dst"), (3, "src"), (5, "tos"), (4, "ttl"), (6, "flags")),
    4: ("ip6", (1, "id"), (2, "dst"), (3, "src"), (5, "tc"), (4, "hoplimit"), (6, "flags")),
}
MPLS, ILA = 1, 3


def route_line(route: Route) -> str:
    return " ".join(_route(route))


def rule_line(rule: Rule) -> str:
    return " ".join(_rule(rule))


def _text(packed: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)


def _prefix(prefix: Prefix) -> str:
    if not prefix.packed:
        return "default"
    whole = prefix.length == len(prefix.packed) * 8
    return _text(prefix.packed) + ("" if whole else f"/{prefix.length}")


def _via(packed: bytes) -> str:
    return f"via {'inet' if len(packed) == 4 else 'inet6'} {_text(packed)}"


def _realms(realms: int) -> str:
    return f"realms {realms >> 16}/{realms & 0xFFFF}" if realms >> 16 else f"realm {realms}"


def _route(route: Route) -> Iterator[str]:
    yield route.mode
    if route.kind != RTN_UNICAST:
        yield KINDS[route.kind]
    yield _prefix(route.destination)
    if route.source:
        yield f"from {_prefix(route.source)}"
    if route.preferred_source:
        yield f"src {_text(route.preferred_source)}"
    if route.tos:
        yield f"tos {route.tos}"
    if route.encap:
        yield _encap(route.encap)
    if route.via:
        yield _via(route.via)
    if route.device:
        yield f"dev {route.device}"
    if route.table != RT_TABLE_MAIN:
        yield f"table {route.table}"
    if route.tracked or route.protocol != RTPROT_KEEPALIVED:
        yield f"proto {route.protocol}"
    yield from _qualities(route)
    yield from (word for hop in route.next_hops for word in _hop(hop))
    if not route.tracked:
        yield "no_track"


def _qualities(route: Route) -> Iterator[str]:
    if route.scope is not None:
        yield f"scope {route.scope}"
    if route.metric is not None:
        yield f"metric {route.metric}"
    if route.onlink:
        yield "onlink"
    if route.realms:
        yield _realms(route.realms)
    if route.expires_s is not None:
        yield f"expires {route.expires_s}sec"
    if route.congestion_control:
        yield f"congctl {route.congestion_control}{'lock ' if 'CC_ALGO' in route.locked else ''}"
    yield from _metrics(route, dict(route.metrics))
    if route.preference is not None:
        yield f"pref {PREFERENCES.get(route.preference, 'unknown')}"
    if "FASTOPEN_NO_COOKIE" in dict(route.metrics):
        yield f"fastopen_no_cookie {dict(route.metrics)['FASTOPEN_NO_COOKIE']}"
    if route.ttl_propagate is not None:
        yield f"ttl-propagate {'en' if route.ttl_propagate else 'dis'}abled"


def _metrics(route: Route, metrics: dict[str, int]) -> Iterator[str]:
    for name, units in TIMES:
        if name in metrics:
            lock, value = "  lock" if name in route.locked else "", metrics[name] / units
            time = f"{value / 1000:g}s" if value >= 1000 else f"{value:g}ms"
            yield f"{name.lower()}{lock} {time}"
    if metrics.get("FEATURES"):
        yield "features ecn"
    for name in LOCKABLE:
        if name in metrics:
            yield f"{name.lower()} {'lock ' if name in route.locked else ''}{metrics[name]}"
    for name in PLAIN:
        if name in metrics:
            yield f"{name.lower()} {metrics[name]}"


def _hop(hop: NextHop) -> Iterator[str]:
    yield "nexthop"
    if hop.via:
        yield _via(hop.via)
    if hop.device:
        yield f"dev {hop.device}"
    if hop.weight > 1:
        yield f"weight {hop.weight}"
    if hop.onlink:
        yield "onlink"
    if hop.realms:
        yield _realms(hop.realms)
    if hop.encap:
        yield _encap(hop.encap)


def _encap(encap: Encapsulation) -> str:
    values = dict(encap.attributes)
    if encap.kind == MPLS:
        entries = [values[1][at : at + 4] for at in range(0, len(values[1]), 4)]
        return f"encap mpls {'/'.join(f'{int.from_bytes(entry):x}' for entry in entries)}"
    if encap.kind == ILA:
        return f"encap ila {':'.join(values[1].hex()[at : at + 4] for at in range(0, 16, 4))}"
    name, *words = TUNNELS[encap.kind]
    said = [f"{word} {_tunnel(str(word), values[number])}" for number, word in words if number in values]
    return " ".join([f"encap {name}", *said])


def _tunnel(word: str, value: bytes) -> str:
    if word in ("dst", "src"):
        return _text(value)
    return hex(int.from_bytes(value, "little")) if word == "flags" else str(int.from_bytes(value))


def _rule(rule: Rule) -> Iterator[str]:
    known = dict(rule.attributes)
    ranges = {name: f"{first}-{last}" for name, first, last in rule.ranges}
    if rule.family == socket.AF_INET6 and not rule.source and not rule.destination:
        yield "inet6"
    if rule.inverted:
        yield "not"
    yield f"from {_end(rule, rule.source)}" if rule.source else "from all"
    if rule.destination:
        yield f"to {_end(rule, rule.destination)}"
    if "PRIORITY" in known:
        yield f"priority {known['PRIORITY']}"
    yield f"tos {rule.tos:#x}"
    if "FWMARK" in known:
        mask = known.get("FWMASK", 0xFFFFFFFF)
        yield f"fwmark {known['FWMARK']:#x}{'' if mask == 0xFFFFFFFF else f'/{mask:#x}'}"
    devices = (("iif", rule.input_device), ("oif", rule.output_device))
    yield from (f"{word} {device}" for word, device in devices if device)
    for word, name in (
        ("suppress_prefixlen", "SUPPRESS_PREFIXLEN"),
        ("suppress_ifgroup", "SUPPRESS_IFGROUP"),
        ("tunnel-id", "TUN_ID"),
    ):
        if name in known:
            yield f"{word} {known[name]}"
    if "UID_RANGE" in ranges:
        yield f"uidrange {ranges['UID_RANGE']}"
    if "L3MDEV" in known:
        yield "l3mdev"
    for word, name in (("protocol", "PROTOCOL"), ("ipproto", "IP_PROTO")):
        if name in known:
            yield f"{word} {known[name]}"
    for word, name in (("sport", "SPORT_RANGE"), ("dport", "DPORT_RANGE")):
        if name in ranges:
            yield f"{word} {ranges[name]}"
    if "FLOW" in known:
        yield f"realms {known['FLOW'] >> 16}/{known['FLOW'] & 0xFFFF}"
    yield _action(rule, known)
    if not rule.tracked:
        yield "no_track"


def _end(rule: Rule, prefix: Prefix) -> str:
    everything = "::/0" if rule.family == socket.AF_INET6 else "0.0.0.0/0"
    return _prefix(prefix) if prefix.packed else everything


def _action(rule: Rule, known: dict[str, int]) -> str:
    if rule.action == FR_ACT_TO_TBL:
        return f"lookup {rule.table}"
    if rule.action == FR_ACT_GOTO:
        return f"goto {known['GOTO']}"
    return "nop" if rule.action == FR_ACT_NOP else f"type {KINDS[rule.action]}"
