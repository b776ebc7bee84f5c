"""The words of use_vmac and use_ipvlan: the interface that an instance makes for its addresses."""

from __future__ import annotations

from typing import Any

from evener.keepalived.arguments import Address, Value, address, parts
from evener.keepalived.line import quoted
from evener.keepalived.route_words import named_number
from evener.text.record import dataclass
from evener.vocab.arguments import Cursor

MAX_NAME = 15
IETF = bytes.fromhex("00005e0001"), bytes.fromhex("00005e0002")
"""RFC 9568 7.3: VRID addresses of IPv4 and IPv6, which nobody else may use."""

IPVLAN_FLAGS = {"bridge": 0, "private": 1, "vepa": 2}


@dataclass(frozen=True, slots=True)
class VmacEntry:
    """A macvlan. ``mac`` of five bytes is completed with the VRID; None: the one of RFC 9568."""

    name: str | None = None
    mac: bytes | None = None
    notify: bool = False
    group: int | None = None


@dataclass(frozen=True, slots=True)
class IpvlanEntry:
    """An ipvlan in mode L2. ``flags`` None: bridge, as nothing was said."""

    name: str | None = None
    address: Address | None = None
    prefix: int | None = None
    flags: str | None = None
    group: int | None = None


def mac_of(text: str) -> bytes | None:
    """Five or six hexadecimal bytes between colons; the sixth may be missing together with its digits."""
    pieces = text.split(":")
    if len(pieces) == 6 and not pieces[5]:
        pieces.pop()
    digits = "0123456789abcdefABCDEF"
    fine = all(1 <= len(piece) <= 2 and all(c in digits for c in piece) for piece in pieces)
    return bytes(int(piece, 16) for piece in pieces) if fine and len(pieces) in (5, 6) else None


def _group(cursor: Cursor, what: str) -> int | None:
    name = cursor.take()
    number = named_number(cursor.context, "group", name)
    if number is None:
        cursor.context.alert("unknown-group", f"{what} group {name} not found", cursor.span())
    return number


def _name(cursor: Cursor, name: str, held: str | None, complaints: tuple[str, str]) -> str | None:
    """The name to keep; one is enough, and nobody else may have it."""
    reading: Any = cursor.context
    twice, long = complaints
    if held is not None:
        reading.alert("name-again", twice.format(instance=reading.name, name=name), cursor.span())
        return held
    if len(name) > MAX_NAME or not name or "/" in name or name in (".", ".."):
        reading.alert("name-too-long", long.format(instance=reading.name, name=name), cursor.span())
        return None
    other = reading.vmac_names.setdefault(name, reading.name)
    if other != reading.name:
        message = f"({reading.name}) VRRP instance {other} is already using {name} - ignoring name"
        reading.alert("name-used", message, cursor.span())
        return None
    return name


class VmacArgument(Value):
    """``[[name] IFNAME] [MAC] [netlink_notify_msg] [group GROUP]``."""

    usage = "[[name] <IFNAME>] [<MAC>] [netlink_notify_msg] [group <GROUP>]"
    good = ("", "vrrp.51", "name group 02:11:22:33:44:55 netlink_notify_msg", "02:11:22:33:44 group 5")
    bad = ("a-name-that-is-too-long", "01:11:22:33:44:55", "00:00:5e:00:01:05", "02:11")

    def read(self, cursor: Cursor) -> VmacEntry:
        made: dict[str, Any] = {}
        complaints = (
            "VMAC interface name already specified",
            "VMAC interface name '{name}' too long or invalid characters - ignoring",
        )
        while cursor.more:
            word = cursor.take()
            if ":" in word:
                self._mac(cursor, word, made)
            elif word == "netlink_notify_msg":
                made["notify"] = True
            elif word == "group":
                made["group"] = _group(cursor, "VMAC")
            else:
                name = cursor.take() if word == "name" else word
                made["name"] = _name(cursor, name, made.get("name"), complaints)
        return VmacEntry(**made)

    @staticmethod
    def _mac(cursor: Cursor, word: str, made: dict[str, Any]) -> None:
        mac = mac_of(word)
        if "mac" in made:
            message = "VMAC interface address already specified"
        elif mac is None:
            message = f"VMAC invalid MAC address {word} - ignored"
        elif mac[0] & 1:
            message = f"VMAC MAC address is multicast {word} - ignoring"
        elif mac[:5] in IETF:
            message = f"VMAC MAC address not allowed to be RFC5798 address ({word}) - ignoring"
        else:
            made["mac"] = mac
            return
        cursor.context.alert("bad-mac", message, cursor.span())

    def words(self, value: VmacEntry) -> list[str]:
        made = ["name", quoted(value.name)] if value.name else []
        made += [value.mac.hex(":")] if value.mac else []
        made += ["netlink_notify_msg"] if value.notify else []
        return made + (["group", str(value.group)] if value.group is not None else [])


class IpvlanArgument(Value):
    """``[[name] IFNAME] [ADDRESS] [bridge|private|vepa] [group GROUP]``."""

    usage = "[[name] <IFNAME>] [<IPADDR>[/<MASK>]] [bridge|private|vepa] [group <GROUP>]"
    good = ("", "ipv0 10.0.0.5/24 private", "name bridge group 5")
    bad = ("a-name-that-is-too-long", "ipv0 ipv1", "vepa bridge")

    def read(self, cursor: Cursor) -> IpvlanEntry:
        made: dict[str, Any] = {}
        complaints = (
            "({instance}) IPVLAN interface already specified - ignoring '{name}'",
            "({instance}) IPVLAN interface name '{name}' too long - ignoring",
        )
        while cursor.more:
            word = cursor.take()
            if word in IPVLAN_FLAGS:
                self._flags(cursor, word, made)
            elif word == "group":
                made["group"] = _group(cursor, "ipvlan")
            elif word != "name" and self._address(cursor, word, made):
                continue
            else:
                name = cursor.take() if word == "name" else word
                made["name"] = _name(cursor, name, made.get("name"), complaints)
        return IpvlanEntry(**made)

    @staticmethod
    def _flags(cursor: Cursor, word: str, made: dict[str, Any]) -> None:
        if "flags" in made:
            message = f"({cursor.context.name}) ipvlan type already specified - ignoring '{word}'"
            cursor.context.alert("type-again", message, cursor.span())
        made.setdefault("flags", word)

    @staticmethod
    def _address(cursor: Cursor, word: str, made: dict[str, Any]) -> bool:
        pieces = parts("network", word)
        found = address(pieces[0] or "") if pieces else None
        if found is None or pieces is None:
            return False
        if "address" in made:
            message = f"({cursor.context.name}) ipvlan address already specified - ignoring '{word}'"
            cursor.context.alert("address-again", message, cursor.span())
            return True
        length = pieces[1]
        number = int(length) if length and length.isascii() and length.isdigit() and len(length) < 4 else None
        made["address"] = found
        made["prefix"] = number if number is not None and number <= found.max_prefixlen else None
        return True

    def words(self, value: IpvlanEntry) -> list[str]:
        made = ["name", quoted(value.name)] if value.name else []
        if value.address is not None:
            made.append(str(value.address) + (f"/{value.prefix}" if value.prefix is not None else ""))
        made += [value.flags] if value.flags else []
        return made + (["group", str(value.group)] if value.group is not None else [])
