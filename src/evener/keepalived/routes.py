"""The lines of static_routes, virtual_routes, static_rules and virtual_rules.

They are kept as words. What is looked at so far is what the original says about the commonest
mistakes: a destination, a gateway or a rule's prefix that is no address.
"""

from __future__ import annotations

from evener.keepalived.addresses import network
from evener.keepalived.arguments import Value
from evener.keepalived.line import quoted
from evener.vocab.arguments import BadArgument, Cursor

ROUTE_TYPES = frozenset(
    ["unicast", "local", "broadcast", "multicast", "throw", "unreachable", "prohibit", "blackhole", "nat"]
)
ROUTE_WORDS = frozenset(
    [
        "to",
        "inet",
        "inet6",
        "via",
        "gw",
        "or",
        "dev",
        "oif",
        "src",
        "from",
        "table",
        "tos",
        "dsfield",
        "protocol",
        "scope",
        "metric",
        "priority",
        "preference",
        "expires",
        "mtu",
        "hoplimit",
        "advmss",
        "rtt",
        "rttvar",
        "reordering",
        "window",
        "cwnd",
        "ssthresh",
        "rto_min",
        "initcwnd",
        "initrwnd",
        "realms",
        "features",
        "quickack",
        "congctl",
        "pref",
        "ttl-propagate",
        "fastopen_no_cookie",
        "encap",
        "as",
        "nexthop",
        "vrf",
        "add",
        "prepend",
        "append",
        "no_track",
        "track_group",
    ]
)
GATEWAYS = ("via", "gw")


class Words(Value):
    """Words of a line, kept as they are."""

    def words(self, value: tuple[str, ...]) -> list[str]:
        return [quoted(word) for word in value]


class RouteLine(Words):
    """A route in the words of ip-route(8)."""

    usage = (
        "[<TYPE>] [to] <IPADDR>[/<MASK>] [via|gw <IPADDR>] [dev <STRING>] [src <IPADDR>] [table <TABLE>] ..."
    )
    good = (
        "10.5.0.0/16 via 10.0.0.1 dev eth0",
        "src 10.0.0.9 to 10.6.0.0/16 via 10.0.0.1",
        "blackhole 10.7.0.0/16",
    )
    bad = ("10.5.0.0/99 via 10.0.0.1", "foo")

    def read(self, cursor: Cursor) -> tuple[str, ...]:
        start = cursor.index
        words = cursor.words
        while cursor.more and cursor.peek() != "nexthop":
            word = cursor.take()
            if word in ROUTE_TYPES or word in ("inet", "inet6", "quickack", "no_track"):
                continue
            if word in GATEWAYS:
                self._gateway(cursor)
            elif word in ROUTE_WORDS and word != "to":
                cursor.take()
            elif word != "default":
                self._destination(cursor, cursor.take() if word == "to" else word)
                break
        cursor.rest()
        return tuple(words[start:])

    def _destination(self, cursor: Cursor, word: str) -> None:
        if word == "default":
            return
        if word[:1].isalpha() and "/" not in word and ":" not in word:
            message = f"VRRP parsed invalid IP {word}. skipping IP..."
            cursor.context.alert("bad-address", message, cursor.span())
            raise cursor.bad("unknown-option", f"unknown route keyword {word}")
        network(cursor, word)

    def _gateway(self, cursor: Cursor) -> None:
        if cursor.peek() in ("inet", "inet6"):
            cursor.take()
        word = cursor.take()
        network(cursor, word)


class RuleLine(Words):
    """A routing rule in the words of ip-rule(8)."""

    usage = "[not] [from <IPADDR>[/<MASK>]] [to <IPADDR>[/<MASK>]] [table <TABLE>] [preference <NUMBER>] ..."
    good = ("from 10.0.0.0/24 table 100 preference 100",)
    bad = ("from foo", "to 10.0.0.0/33")

    def read(self, cursor: Cursor) -> tuple[str, ...]:
        start = cursor.index
        words = cursor.words
        while cursor.more:
            word = cursor.take()
            if word in ("from", "to") and cursor.peek() not in ("all", "any", "default"):
                self._prefix(cursor, word)
        return tuple(words[start:])

    def _prefix(self, cursor: Cursor, side: str) -> None:
        word = cursor.take()
        cut = cursor.index - 1
        try:
            network(cursor, word)
        except BadArgument as error:
            cursor.context.alert("bad-address", str(error), cursor.line.span(cut))
            raise cursor.bad("bad-address", f"Invalid rule {side} address {word}") from None
