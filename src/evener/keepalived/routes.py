"""The lines of static_routes and virtual_routes: routes in the words of ip-route(8).

``RouteEntry`` keeps the words (they are printed back as they were written) and the ``Route`` they amount
to. Each kind of word has a small function; a word that is none of them is the destination. The sentences
about what is wrong are the original's, and most of them take the route away.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import field
from typing import Any

from evener.keepalived.arguments import Value, address, parts
from evener.keepalived.line import quoted
from evener.keepalived.numbers import UINT_MAX
from evener.keepalived.route_encap import read_encap
from evener.keepalived.route_words import (
    FAMILIES,
    TYPES,
    c_number,
    milliseconds,
    named_number,
    no_number,
    realms,
    said_prefix,
)
from evener.keepalived.vrrp.plan_routes import RTPROT_KEEPALIVED, NextHop, Route
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import BadArgument, Cursor

MIXED = "Cannot mix IPv4 and IPv6 addresses for route"


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """A route as written, and as it is set. ``track_group`` is for static ones."""

    words: tuple[str, ...]
    route: Route
    track_group: str | None = None
    at: Span | None = field(default=None, compare=False, repr=False)


class Draft:
    """A route while its words are read. ``family`` 0: not known yet."""

    def __init__(self, cursor: Cursor, static: bool) -> None:
        self.cursor, self.static = cursor, static
        self.context: Any = cursor.context
        self.family = 0
        self.fields: dict[str, Any] = {}
        self.metrics: dict[str, int] = {}
        self.locked: list[str] = []
        self.hops: list[NextHop] = []
        self.track_group: str | None = None

    def refuse(self, message: str) -> BadArgument:
        return self.cursor.bad("bad-route", message)

    def belongs(self, family: int, message: str = MIXED) -> None:
        """Everything in a route is of one family."""
        if family and self.family and family != self.family:
            raise self.refuse(message)
        self.family = self.family or family

    def address(self, complaint: str) -> bytes:
        """``[inet|inet6] ADDRESS`` without prefix length."""
        word = self.cursor.take()
        if word in FAMILIES:
            self.belongs(int(FAMILIES[word]))
            word = self.cursor.take()
        pieces = parts("network", word)
        found = address(pieces[0] or "") if pieces and "/" not in word else None
        if found is None:
            message = f"VRRP parsed invalid IP {word}. skipping IP..."
            self.context.alert("bad-address", message, self.cursor.span())
            raise self.refuse(complaint.format(word))
        self.belongs(int(socket.AF_INET if found.version == 4 else socket.AF_INET6))
        return found.packed

    def number(self, highest: int, complaint: str) -> int:
        word = self.cursor.take()
        value = c_number(word, highest)
        if value is None:
            if message := no_number(word):
                self.warn(message)
            raise self.refuse(complaint.format(word))
        return value

    def device(self) -> str:
        name = self.cursor.take()
        if self.context.misses(name):
            raise self.refuse(f"WARNING - interface {name} for VROUTE nexthop doesn't exist")
        return name

    def warn(self, message: str) -> None:
        self.context.alert("route-option", message, self.cursor.span())


def _family(draft: Draft, word: str) -> None:
    other = "IPv4" if word == "inet6" else "IPv6"
    draft.belongs(int(FAMILIES[word]), f"{word} specified for {other} route")
    if draft.cursor.more:  # the original passes over the word behind it, whatever it is
        draft.cursor.take()


def _via(draft: Draft, word: str) -> None:
    if word == "gw":
        draft.warn('"gw" for routes is deprecated. Please use "via"')
    draft.fields["via"] = draft.address("invalid route via address {}")


def _or(draft: Draft, word: str) -> None:
    draft.warn('"or" for routes is deprecated. Please use "nexthop"')
    if draft.hops:
        draft.warn('"or" route already specified - ignoring subsequent')
        draft.cursor.take()
        return
    first = draft.fields.pop("via", None)
    draft.hops += [NextHop(first), NextHop(draft.address('Invalid "or" address {}'))]


def _source(draft: Draft, word: str) -> None:
    draft.fields["preferred_source"] = draft.address("invalid route src address {}")


def _from(draft: Draft, word: str) -> None:
    text = draft.cursor.take()
    found = said_prefix(draft.cursor, text)
    if found is None:
        raise draft.refuse(f"invalid route from address {text}")
    if found[1] != socket.AF_INET6:
        raise draft.refuse(f"route from address only supported with IPv6 ({text})")
    draft.belongs(found[1])
    draft.fields["source"] = found[0]


def _named(kind: str, name: str, complaint: str) -> Callable[[Draft, str], None]:
    def read(draft: Draft, word: str) -> None:
        text = draft.cursor.take()
        value = named_number(draft.context, kind, text)
        if value is None:
            raise draft.refuse(complaint.format(text))
        draft.fields[name] = value

    return read


def _realms(draft: Draft, word: str) -> None:
    text = draft.cursor.take()
    value = realms(draft.context, text)
    if value is None:
        raise draft.refuse(f"Invalid realms {text} for route")
    draft.belongs(int(socket.AF_INET), "realms are only valid for IPv4")
    draft.fields["realms"] = value


def _metric(draft: Draft, word: str) -> None:
    draft.fields["metric"] = draft.number(UINT_MAX, "Invalid metric {} specified for route")


def _expires(draft: Draft, word: str) -> None:
    draft.belongs(int(socket.AF_INET6), "expires is only valid for IPv6")
    draft.fields["expires_s"] = draft.number(UINT_MAX, "Invalid expires time {} specified for route")


def _counted(name: str, complaint: str, highest: int = UINT_MAX) -> Callable[[Draft, str], None]:
    def read(draft: Draft, word: str) -> None:
        if draft.cursor.accept("lock"):
            draft.locked.append(name)
        draft.metrics[name] = draft.number(highest, complaint)

    return read


def _timed(draft: Draft, word: str) -> None:
    name = word.upper()
    if draft.cursor.accept("lock"):
        draft.locked.append(name)
    value = milliseconds(draft.cursor, word)
    if value is None:
        text = draft.cursor.words[draft.cursor.index - 1]
        of = " value" if word == "rto_min" else ""
        end = "specified for route" if word == "rto_min" else "for route"
        raise draft.refuse(f"Invalid {word}{of} {text} {end}")
    draft.metrics[name] = value


def _features(draft: Draft, word: str) -> None:
    text = draft.cursor.take()
    if text == "ecn":
        draft.metrics["FEATURES"] = 1
    else:
        draft.warn(f"feature {text} not supported")


def _congctl(draft: Draft, word: str) -> None:
    if draft.cursor.accept("lock"):
        draft.locked.append("CC_ALGO")
    draft.fields["congestion_control"] = draft.cursor.take()


def _pref(draft: Draft, word: str) -> None:
    """RFC 4191: two bits."""
    draft.belongs(int(socket.AF_INET6), "pref is only valid for IPv6")
    text = draft.cursor.take()
    value = {"low": 3, "medium": 0, "high": 1}.get(text, c_number(text, 255))
    if value is None:
        raise draft.refuse(f"Invalid pref value {text} specified for route")
    draft.fields["preference"] = value


def _encap(draft: Draft, word: str) -> None:
    draft.fields["encap"] = read_encap(draft)


def _ttl_propagate(draft: Draft, word: str) -> None:
    text = draft.cursor.take()
    if text not in ("enabled", "disabled"):
        draft.warn(f"ttl-propagate value {text} not recognised")
    draft.fields["ttl_propagate"] = text == "enabled"


def _as(draft: Draft, word: str) -> None:
    draft.cursor.accept("to")
    draft.cursor.take()
    draft.warn('"as to" for MPLS only - ignoring')


def _track_group(draft: Draft, word: str) -> None:
    name = draft.cursor.take()
    if not draft.context.knows("track_group", name):
        draft.warn(f"track_group {name} not found")
    else:
        draft.track_group = name


def _vrf(draft: Draft, word: str) -> None:
    """The table of a VRF is known when it exists."""
    name = draft.cursor.take()
    table = draft.context.surroundings.vrf_table
    found = 0 if table is None else table(name)
    if found is None:
        raise draft.refuse(f"VRF {name} not found for route")
    draft.fields["table"] = found


def _set(name: str, value: Any) -> Callable[[Draft, str], None]:
    def read(draft: Draft, word: str) -> None:
        draft.fields[name] = value

    return read


def _device(draft: Draft, word: str) -> None:
    draft.fields["device"] = draft.device()


WORDS: dict[str, Callable[[Draft, str], None]] = {
    "inet": _family, "inet6": _family, "src": _source, "from": _from, "via": _via, "gw": _via, "or": _or,
    "as": _as, "dev": _device, "oif": _device, "metric": _metric, "priority": _metric,
    "preference": _metric, "expires": _expires, "realms": _realms, "features": _features,
    "congctl": _congctl, "pref": _pref, "encap": _encap, "ttl-propagate": _ttl_propagate, "vrf": _vrf,
    "fastopen_no_cookie": _counted(
        "FASTOPEN_NO_COOKIE", "Invalid fastopen_no_cookie value {} specified for route", 1
    ),
    "tos": _named("rt_dsfield", "tos", "TOS value {} is invalid"),
    "dsfield": _named("rt_dsfield", "tos", "TOS value {} is invalid"),
    "table": _named("rt_tables", "table", "Routing table {} not found for route"),
    "protocol": _named("rt_protos", "protocol", "Protocol {} not found or invalid for route"),
    "scope": _named("rt_scopes", "scope", "Scope {} not found or invalid for route"),
    "onlink": _set("onlink", True), "add": _set("mode", "add"), "append": _set("mode", "append"),
    "prepend": _set("mode", "prepend"), "no_track": _set("tracked", False),
    "mtu": _counted("MTU", "Invalid MTU {} specified for route"),
    "hoplimit": _counted("HOPLIMIT", "Invalid hoplimit {} specified for route", 255),
    "advmss": _counted("ADVMSS", "Invalid advmss {} specified for route"),
    "reordering": _counted("REORDERING", "Invalid reordering value {} specified for route"),
    "window": _counted("WINDOW", "Invalid window value {} specified for route"),
    "cwnd": _counted("CWND", "Invalid cwnd value {} specified for route"),
    "ssthresh": _counted("SSTHRESH", "Invalid ssthresh value {} specified for route"),
    "initcwnd": _counted("INITCWND", "Invalid initcwnd value {} specified for route"),
    "initrwnd": _counted("INITRWND", "Invalid initrwnd value {} specified for route"),
    "quickack": _counted("QUICKACK", "Invalid quickack value {} specified for route", 1),
    "rtt": _timed, "rttvar": _timed, "rto_min": _timed,
}  # fmt: skip


class RouteLine(Value):
    """A route in the words of ip-route(8). ``static`` ones may name a track group."""

    usage = "[<TYPE>] [to] <IPADDR>[/<MASK>] [via <IPADDR>] [dev <STRING>] [src <IPADDR>] [table <TABLE>] ..."
    good = (
        "10.5.0.0/16 via 10.0.0.1 dev eth0",
        "src 10.0.0.9 to 10.6.0.0/16 via 10.0.0.1",
        "blackhole 10.7.0.0/16",
        "10.8.0.0/16 encap ip id 7 dst 10.0.0.2 ttl 5 dev eth0",
        "default table 100 nexthop via 10.0.0.1 weight 2 nexthop via 10.0.0.2",
    )
    bad = ("10.5.0.0/99 via 10.0.0.1", "foo", "10.5.0.0/16 via x", "via 10.0.0.1", "10.5.0.0/16 gw 10.0.0.1")

    def __init__(self, static: bool = False) -> None:
        self.static = static

    def read(self, cursor: Cursor) -> RouteEntry:
        start = cursor.index
        draft = Draft(cursor, self.static)
        while cursor.more and cursor.peek() != "nexthop":
            word = cursor.take()
            if word == "track_group" and self.static:
                _track_group(draft, word)
            elif word in WORDS:
                WORDS[word](draft, word)
            else:
                _destination(draft, word)
        if cursor.more and draft.hops:
            draft.warn('Cannot specify nexthops with "or" route')
            cursor.rest()
        while cursor.accept("nexthop"):
            draft.hops.append(_next_hop(draft))
        if cursor.more:
            raise draft.refuse(f"Route has trailing nonsense after nexthops - {cursor.take()}")
        return _finish(draft, tuple(cursor.words[start:]), cursor.line.span(start))

    def words(self, value: RouteEntry) -> list[str]:
        return [quoted(word) for word in value.words]


def _destination(draft: Draft, word: str) -> None:
    if word == "to":
        word = draft.cursor.take()
    if word in TYPES:
        draft.fields["kind"] = TYPES[word]
        word = draft.cursor.take()
    found = said_prefix(draft.cursor, word)
    if found is None:
        raise draft.refuse(f"unknown route keyword {word}")
    draft.belongs(found[1], f"{MIXED} ({word})")
    draft.fields["destination"] = found[0]


def _next_hop(draft: Draft) -> NextHop:
    made: dict[str, Any] = {}
    cursor = draft.cursor
    while cursor.more:
        word = cursor.peek()
        if word not in ("via", "dev", "weight", "onlink", "realms", "encap"):
            break
        cursor.take()
        if word == "via":
            made["via"] = draft.address("invalid nexthop address {}")
        elif word == "dev":
            made["device"] = draft.device()
        elif word == "onlink":
            made["onlink"] = True
        elif word == "encap":
            made["encap"] = read_encap(draft)
        elif word == "realms":
            made["realms"] = realms(draft.context, cursor.take()) or 0
        else:
            made["weight"] = draft.number(256, "Invalid weight {} specified for route")
            if not made["weight"]:
                raise draft.refuse("Invalid weight 0 specified for route")
    return NextHop(**made)


def _finish(draft: Draft, words: tuple[str, ...], at: Span) -> RouteEntry:
    made = draft.fields
    if "destination" not in made:
        raise draft.refuse("Route must have a destination")
    if made.get("tracked", True) and made.get("protocol", RTPROT_KEEPALIVED) != RTPROT_KEEPALIVED:
        draft.warn(
            "Route cannot be tracked if protocol is not RTPROT_KEEPALIVED"
            f"({RTPROT_KEEPALIVED}), resetting protocol"
        )
        made["protocol"] = RTPROT_KEEPALIVED
    if draft.track_group is not None and "device" not in made:
        draft.warn("Static route cannot have track group if no oif specified")
        draft.track_group = None
    route = Route(
        family=draft.family or int(socket.AF_INET),
        metrics=tuple(draft.metrics.items()),
        locked=tuple(draft.locked),
        next_hops=tuple(draft.hops),
        text=" ".join(words),
        **made,
    )
    return RouteEntry(words, route, draft.track_group, at)
