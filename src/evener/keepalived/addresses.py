"""The lines of virtual_ipaddress, virtual_ipaddress_excluded, static_ipaddress and unicast_peer.

``IpEntry`` is one address to be put on an interface, in the terms of ip-address(8). Whether it fits
the instance it stands in is the instance's affair.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import Any

from evener.keepalived.arguments import SAID, Address, Value, address, bare
from evener.keepalived.line import quoted
from evener.keepalived.numbers import UINT_MAX, whole
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Cursor

SCOPES = {"global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255}
MAX_LABEL = 15
LONGEST_BROADCAST = 30


@dataclass(frozen=True, slots=True)
class IpEntry:
    """An address and how it is added. ``prefix`` None: a host address (/32, /128).

    ``broadcast`` is an address, or ``+``/``-`` (the host part all ones/zeros). ``preferred_lft`` None
    says nothing, -1 is for ever.
    """

    address: Address
    prefix: int | None = None
    dev: str | None = None
    broadcast: Address | str | None = None
    scope: str | None = None
    label: str | None = None
    peer: str | None = None
    use_vmac: bool = False
    home: bool = False
    nodad: bool = False
    mngtmpaddr: bool = False
    noprefixroute: bool = False
    autojoin: bool = False
    preferred_lft: int | None = None
    no_track: bool = False
    track_group: str | None = None
    text: str = field(default="", compare=False)
    at: Span | None = field(default=None, compare=False, repr=False)

    @property
    def length(self) -> int:
        """The prefix length that is meant."""
        return self.address.max_prefixlen if self.prefix is None else self.prefix

    def __str__(self) -> str:
        return str(self.address) if self.prefix is None else f"{self.address}/{self.prefix}"


FLAGS = {
    "use_vmac": "use_vmac",
    "home": "home",
    "-nodad": "nodad",
    "mngtmpaddr": "mngtmpaddr",
    "noprefixroute": "noprefixroute",
    "autojoin": "autojoin",
    "no_track": "no_track",
}


def _broadcast(cursor: Cursor, made: dict[str, Any]) -> None:
    if made["address"].version == 6:
        what = f"a broadcast {cursor.words[cursor.index - 1]} to the IPv6 address {made['text']}"
        raise cursor.bad("no-broadcast", f"VRRP is trying to assign {what} !!?? WTF... skipping VIP...")
    word = cursor.take()
    value = word if word in ("+", "-") else address(word)
    if value is None or (not isinstance(value, str) and value.version == 6):
        message = f"VRRP is trying to assign invalid broadcast {word}. skipping VIP..."
        raise cursor.bad("bad-address", message)
    made["broadcast"] = value


def _whole_broadcast(cursor: Cursor, made: dict[str, Any]) -> None:
    """A broadcast address does not go with a peer, nor follow from too long a prefix."""
    told = made.get("broadcast")
    if told is None:
        return
    length = 32 if made["prefix"] is None else made["prefix"]
    if made.get("peer") is not None:
        message = "Cannot specify broadcast and peer addresses - ignoring broadcast address"
    elif told in ("+", "-") and length > LONGEST_BROADCAST:
        message = f"Address prefix length {length} too long for broadcast"
    else:
        return
    cursor.context.warn("broadcast-ignored", message, cursor.span())
    made["broadcast"] = None


def _dev(cursor: Cursor, made: dict[str, Any]) -> None:
    if made.get("dev") is not None:
        message = f"Cannot specify ipaddress device more than once for {made['text']}"
        raise cursor.bad("device-again", message)
    made["dev"] = cursor.take()
    message = f"WARNING - interface {made['dev']} for ip address {made['text']} doesn't exist"
    if not cursor.context.interface(made["dev"], message, cursor.span()):
        raise cursor.bad(SAID, "")


def _scope(cursor: Cursor, made: dict[str, Any]) -> None:
    word = cursor.take()
    if made["address"].version == 6 and (word in SCOPES or not whole(word, 0, 255)[0]):
        if word not in ("global", "universe", "0"):
            message = f"Cannot specify scope for IPv6 addresses ({made['text']}) - ignoring scope"
            cursor.context.warn("scope-ignored", message, cursor.span())
    elif word in SCOPES or not whole(word, 0, 255)[0]:
        made["scope"] = word
    else:
        cursor.context.warn(
            "bad-scope", f"Invalid scope '{word}' specified for {made['text']} - ignoring", cursor.span()
        )


def _label(cursor: Cursor, made: dict[str, Any]) -> None:
    word = cursor.take()
    if len(word) > MAX_LABEL:
        problem = f"is longer than maximum length {MAX_LABEL} - removing address"
        raise cursor.bad("label-too-long", f"Address label {word} {problem}")
    if made["address"].version == 6:
        message = f"Cannot specify label for IPv6 addresses ({made['text']}) - ignoring label"
        cursor.context.warn("label-ignored", message, cursor.span())
    else:
        made["label"] = word


def _peer(cursor: Cursor, made: dict[str, Any]) -> None:
    word = cursor.take()
    peer, span, say = address(word), cursor.span(), cursor.context
    if "peer" in made:
        say.alert("peer-again", f"Peer {word} - another peer has already been specified", span)
    elif peer is None:
        say.alert("bad-address", f"VRRP parsed invalid IP {word}. skipping IP...", span)
        say.alert("bad-address", f"Invalid peer address {word}", span)
    elif peer.version != made["address"].version:
        say.alert("wrong-family", f"Peer address {word} does not match address family", span)
    else:
        if made["prefix"] not in (None, peer.max_prefixlen):
            message = "Cannot specify address prefix when specifying peer address - ignoring"
            say.warn("prefix-and-peer", message, span)
        made["peer"], made["prefix"] = word, None


def _preferred_lft(cursor: Cursor, made: dict[str, Any]) -> None:
    word = cursor.take()
    if word == "forever":
        made["preferred_lft"] = -1
        return
    code, message, number = whole(word, 0, UINT_MAX)
    if code:
        cursor.context.alert(code, message, cursor.span())
        cursor.context.alert(code, f"preferred_lft {word} is invalid", cursor.span())
    else:
        made["preferred_lft"] = number


def _track_group(cursor: Cursor, made: dict[str, Any]) -> None:
    made["track_group"] = cursor.take()


OPTIONS: dict[str, Callable[[Cursor, dict[str, Any]], None]] = {
    "brd": _broadcast,
    "broadcast": _broadcast,
    "dev": _dev,
    "scope": _scope,
    "label": _label,
    "peer": _peer,
    "preferred_lft": _preferred_lft,
}


class IpLine(Value):
    """``IPADDR[/MASK]`` and its options. ``static`` lines may name a track group."""

    good = ("10.0.0.1/24", "10.0.0.1/24 brd 10.0.0.255 dev eth0 label eth0:1 scope link no_track", "fd00::1")
    bad = ("10.0.0.300", "10.0.0.1/33", "10.0.0.1/24 10.0.0.2/24", "10.0.0.1/24 dev")

    def __init__(self, static: bool = False) -> None:
        self.options = {**OPTIONS, "track_group": _track_group} if static else OPTIONS
        self.usage = "<IPADDR>[/<MASK>] [brd <IPADDR>] [dev <STRING>] [scope <SCOPE>] [label <LABEL>] ..."

    def read(self, cursor: Cursor) -> IpEntry:
        word = cursor.take()
        made: dict[str, Any] = {"text": word, "at": cursor.span()}
        made["address"], made["prefix"] = network(cursor, word)
        while cursor.more:
            option = cursor.take()
            if option in FLAGS:
                made[FLAGS[option]] = True
            elif option in self.options:
                if cursor.peek() is None:
                    raise cursor.bad("no-value", f"No {option} parameter specified for {word}")
                self.options[option](cursor, made)
            else:
                message = f"Unknown configuration entry '{option}' for ip address - ignoring"
                cursor.context.alert("unknown-option", message, cursor.span())
        _whole_broadcast(cursor, made)
        return IpEntry(**made)

    def words(self, value: IpEntry) -> list[str]:
        made = [str(value)]
        for option, held in (
            ("brd", value.broadcast),
            ("dev", value.dev),
            ("scope", value.scope),
            ("label", value.label),
            ("peer", value.peer),
            ("track_group", value.track_group),
        ):
            if held is not None:
                made += [option, quoted(str(held))]
        if value.preferred_lft is not None:
            made += ["preferred_lft", "forever" if value.preferred_lft < 0 else str(value.preferred_lft)]
        return made + [option for option, name in FLAGS.items() if getattr(value, name)]


def network(cursor: Cursor, word: str) -> tuple[Address, int | None]:
    """``word`` as address and prefix length; a length out of range is corrected, a bad address raises."""
    text, slash, mask = word.partition("/")
    most = 128 if ":" in word else 32
    code, message, length = whole(mask, 0, most) if slash else ("", "", None)
    if code:
        cursor.context.alert(code, message, cursor.span())
        message = f"Invalid address prefix len {mask} for address {word} - using {most}"
        cursor.context.warn("bad-prefix-length", message, cursor.span())
        length = most
    made = address(text)
    if made is None:
        raise cursor.bad("bad-address", f"VRRP parsed invalid IP {word}. skipping IP...")
    return made, length


@dataclass(frozen=True, slots=True)
class PeerEntry:
    """A line of unicast_peer. Its adverts have a TTL (hop limit) in the range, when one is given."""

    address: Address
    min_ttl: int | None = None
    max_ttl: int | None = None
    at: Span | None = field(default=None, compare=False, repr=False)


class PeerLine(Value):
    """``IPADDR [min_ttl N] [max_ttl N]``."""

    usage = "<IPADDR> [min_ttl {0..255}] [max_ttl {0..255}]"
    good = ("10.0.0.2", "10.0.0.2 min_ttl 254 max_ttl 255")
    bad = ("10.0.0.999", "10.0.0.2 min_ttl 256", "10.0.0.2 often")

    def read(self, cursor: Cursor) -> PeerEntry:
        word = cursor.take()
        peer = address(bare(word))
        reading = cursor.context
        made: dict[str, Any] = {"at": cursor.span()}
        if peer is None:
            place = f"Configuration error: VRRP instance[{reading.name}]"
            raise cursor.bad("bad-address", f"{place} malformed unicast peer address[{word}]. Skipping...")
        while cursor.more:
            option = cursor.take()
            if cursor.peek() is None:
                message = f"({reading.name}) {word} - {option} is missing a value"
                reading.alert("no-value", message, cursor.span())
                break
            code, message, number = whole(cursor.take(), 0, 255)
            if code:
                reading.alert(code, message, cursor.span())
            elif option in ("min_ttl", "max_ttl"):
                made[option] = number
            else:
                message = f"({reading.name}) {word} - unknown unicast_peer option {option}"
                reading.alert("unknown-option", message, cursor.span())
                break
        return PeerEntry(peer, **made)

    def words(self, value: PeerEntry) -> list[str]:
        made = [str(value.address)]
        made += ["min_ttl", str(value.min_ttl)] if value.min_ttl is not None else []
        return made + (["max_ttl", str(value.max_ttl)] if value.max_ttl is not None else [])
