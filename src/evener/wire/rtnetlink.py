"""rtnetlink: messages about links, addresses, routes and rules, as bytes (rtnetlink(7), linux/rtnetlink.h).

Bodies only: what stands between struct nlmsghdr and the next message. Fixed structures and numbers inside
attributes are in the machine's order; addresses are packed. The framing of attributes is ``nfnetlink``'s.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from evener.wire.nfnetlink import attribute, attributes

_HEADER = struct.Struct("=IHHII")
_LINK = struct.Struct("=BxHiII")
_ADDRESS = struct.Struct("=BBBBI")
_ROUTE = struct.Struct("=BBBBBBBBI")
_RULE = struct.Struct("=BBBBBxxBI")
_HOP = struct.Struct("=HBBi")
HOP_BYTES = _HOP.size
_ORDER = sys.byteorder


class Ifla(IntEnum):
    """Attributes of links."""

    ADDRESS, IFNAME, LINK, LINKINFO, GROUP = 1, 3, 5, 18, 27


class Info(IntEnum):
    """Inside LINKINFO."""

    KIND, DATA = 1, 2


class Ifa(IntEnum):
    """Attributes of addresses."""

    ADDRESS, LOCAL, LABEL, BROADCAST, CACHEINFO, FLAGS = 1, 2, 3, 4, 6, 8


class Rta(IntEnum):
    """Attributes of routes."""

    DST, SRC, OIF, GATEWAY, PRIORITY, PREFSRC = 1, 2, 4, 5, 6, 7
    METRICS, MULTIPATH, FLOW, TABLE, VIA, PREF, EXPIRES = 8, 9, 11, 15, 18, 20, 23


class Rtax(IntEnum):
    """Inside METRICS; LOCK is a mask of the others."""

    LOCK, MTU, WINDOW, RTT, RTTVAR, SSTHRESH, CWND, ADVMSS, REORDERING = 1, 2, 3, 4, 5, 6, 7, 8, 9
    HOPLIMIT, INITCWND, FEATURES, RTO_MIN, INITRWND, QUICKACK, CC_ALGO = 10, 11, 12, 13, 14, 15, 16
    FASTOPEN_NO_COOKIE = 17


class Fra(IntEnum):
    """Attributes of rules."""

    DST, SRC, IIFNAME, GOTO, PRIORITY, FWMARK, FLOW, TUN_ID = 1, 2, 3, 4, 6, 10, 11, 12
    SUPPRESS_IFGROUP, SUPPRESS_PREFIXLEN, TABLE, FWMASK, OIFNAME = 13, 14, 15, 16, 17
    L3MDEV, UID_RANGE, PROTOCOL, IP_PROTO, SPORT_RANGE, DPORT_RANGE = 19, 20, 21, 22, 23, 24


MACVLAN_MODE, MACVLAN_PRIVATE = 1, 1
IPVLAN_MODE, IPVLAN_FLAGS = 1, 2
VRF_TABLE = 1
"""Inside DATA, by kind."""


class Message(NamedTuple):
    kind: int
    body: bytes


class Link(NamedTuple):
    family: int
    device: int
    """ARPHRD_*."""
    ifindex: int
    flags: int
    attributes: dict[int, bytes]

    @property
    def name(self) -> str:
        return text(self.attributes.get(Ifla.IFNAME, b""))

    @property
    def info(self) -> dict[int, bytes]:
        return attributes(self.attributes.get(Ifla.LINKINFO, b""))


class Address(NamedTuple):
    family: int
    prefix: int
    flags: int
    ifindex: int
    attributes: dict[int, bytes]

    @property
    def packed(self) -> bytes | None:
        return self.attributes.get(Ifa.LOCAL) or self.attributes.get(Ifa.ADDRESS)


class Headed(NamedTuple):
    """A route or a rule, as far as the two look alike."""

    family: int
    destination_bits: int
    source_bits: int
    table: int
    attributes: dict[int, bytes]


def messages(data: bytes) -> Iterator[Message]:
    """Those in a datagram; ends at the first one that is cut short."""
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind, _, _, _ = _HEADER.unpack_from(data, at)
        if length < _HEADER.size or at + length > len(data):
            return
        yield Message(kind, data[at + _HEADER.size : at + length])
        at += (length + 3) & ~3


def request(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    return _HEADER.pack(_HEADER.size + len(body), kind, flags, sequence, 0) + body


def link(body: bytes) -> Link | None:
    if len(body) < _LINK.size:
        return None
    family, device, index, flags, _ = _LINK.unpack_from(body)
    return Link(family, device, index, flags, attributes(body[_LINK.size :]))


def link_body(index: int, flags: int = 0, change: int = 0, *inner: bytes) -> bytes:
    return _LINK.pack(0, 0, index, flags, change) + b"".join(inner)


def address(body: bytes) -> Address | None:
    """``flags`` are the long ones where the kernel sends them."""
    if len(body) < _ADDRESS.size:
        return None
    family, prefix, flags, _, index = _ADDRESS.unpack_from(body)
    found = attributes(body[_ADDRESS.size :])
    return Address(family, prefix, number(found.get(Ifa.FLAGS), flags), index, found)


def address_body(family: int, prefix: int, scope: int, index: int, *inner: bytes) -> bytes:
    return _ADDRESS.pack(family, prefix, 0, scope, index) + b"".join(inner)


def headed(body: bytes) -> Headed | None:
    """struct rtmsg and struct fib_rule_hdr begin alike."""
    if len(body) < _ROUTE.size:
        return None
    family, destination, source, _, table = body[:5]
    return Headed(family, destination, source, table, attributes(body[_ROUTE.size :]))


def route_body(
    family: int,
    bits: tuple[int, int],
    tos: int,
    table: int,
    protocol: int,
    scope: int,
    kind: int,
    flags: int,
    *inner: bytes,
) -> bytes:
    """``bits`` are those of destination and source."""
    head = _ROUTE.pack(family, *bits, tos, table, protocol, scope, kind, flags)
    return head + b"".join(inner)


def rule_body(
    family: int, bits: tuple[int, int], tos: int, table: int, action: int, flags: int, *inner: bytes
) -> bytes:
    return _RULE.pack(family, *bits, tos, table, action, flags) + b"".join(inner)


def hop_body(flags: int, hops: int, index: int, *inner: bytes) -> bytes:
    """struct rtnexthop."""
    rest = b"".join(inner)
    return _HOP.pack(HOP_BYTES + len(rest), flags, hops, index) + rest


def u8(kind: int, value: int) -> bytes:
    return attribute(kind, bytes((value,)))


def u32(kind: int, value: int) -> bytes:
    return attribute(kind, (value & 0xFFFFFFFF).to_bytes(4, _ORDER))


def string(kind: int, value: str) -> bytes:
    return attribute(kind, value.encode() + b"\0")


def group(kind: int, *inner: bytes) -> bytes:
    """Attributes in an attribute."""
    return attribute(kind, b"".join(inner))


def number(payload: bytes | None, otherwise: int = 0) -> int:
    return otherwise if payload is None else int.from_bytes(payload[:4], _ORDER)


def text(payload: bytes) -> str:
    return payload.partition(b"\0")[0].decode(errors="replace")
