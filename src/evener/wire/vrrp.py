"""VRRP adverts, versions 2 and 3, as bytes and as values.

Knows RFC 3768 (and the simple password of RFC 2338, which keepalived kept) and RFC 9568. Knows no
instance: what is wrong with an advert for *this* router is decided in ``keepalived/vrrp/admission``.

An advert is built once per priority and destination (``encode``, ``ipv4_packet``) and sent many times with
only its IP id changed (``stamp``). A received PDU first has to pass ``header``, ``expected_length`` and
``intact``, which look at a few bytes, before ``dissect`` takes it apart - once, for the adverts of a master
are all the same.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from evener.wire.checksum import checksum

PROTOCOL = 112
TTL = 255
ADVERTISEMENT = 1
HEADER_BYTES = 8
AUTH_BYTES = 8
TOS_INTERNETWORK_CONTROL = 0xC0
IPV4_HEADER_BYTES = 20
IPV4_WORDS = struct.Struct("!10H")


class Header(NamedTuple):
    """The fixed fields. ``addresses`` counts them; ``auth_type`` is of version 2, else 0."""

    version: int
    type: int
    vrid: int
    priority: int
    addresses: int
    auth_type: int
    interval_cs: int


@dataclass(frozen=True, slots=True)
class Advert:
    """An advertisement. ``addresses`` are packed; ``auth_data`` is eight bytes in version 2, else empty."""

    version: int
    vrid: int
    priority: int
    interval_cs: int
    addresses: tuple[bytes, ...]
    auth_type: int = 0
    auth_data: bytes = b""


class Datagram(NamedTuple):
    """An IPv4 packet taken apart as far as VRRP cares.

    ``length`` is the payload's according to the header, ``payload`` what there is of it.
    """

    source: bytes
    destination: bytes
    ttl: int
    protocol: int
    length: int
    payload: bytes


def header(pdu: bytes) -> Header | None:
    """The fixed fields of a PDU, or None when they are not all there."""
    if len(pdu) < HEADER_BYTES:
        return None
    first, vrid, priority, count, fifth, sixth = pdu[:6]
    version = first >> 4
    if version == 3:
        # RFC 9568 5.2: four reserved bits, then a twelve bit interval in centiseconds.
        return Header(version, first & 15, vrid, priority, count, 0, (fifth & 15) << 8 | sixth)
    return Header(version, first & 15, vrid, priority, count, fifth, sixth * 100)


def expected_length(head: Header, address_bytes: int) -> int:
    """How many bytes a PDU with this header has."""
    trailer = AUTH_BYTES if head.version == 2 else 0
    return HEADER_BYTES + head.addresses * address_bytes + trailer


def pseudo_header(source: bytes, destination: bytes, length: int) -> bytes:
    """RFC 9568 5.2.8: of RFC 8200 8.1 for IPv6, and its elder sister for IPv4."""
    if len(source) == 4:
        return source + destination + struct.pack("!BBH", 0, PROTOCOL, length)
    return source + destination + struct.pack("!IxxxB", length, PROTOCOL)


def intact(pdu: bytes, source: bytes, destination: bytes, *, as_v2: bool = False) -> bool:
    """Whether the checksum is right. ``as_v2``: version 3 over IPv4 without its pseudo header."""
    if pdu[0] >> 4 == 3 and not (as_v2 and len(source) == 4):
        return checksum(pseudo_header(source, destination, len(pdu)) + pdu) == 0
    return checksum(pdu) == 0


@lru_cache(maxsize=256)
def dissect(pdu: bytes, family: int) -> Advert:
    """The advert in a PDU that has the length its header asks for; raises ValueError otherwise."""
    head = header(pdu)
    if head is None or len(pdu) != expected_length(head, 4 if family == socket.AF_INET else 16):
        raise ValueError("not a VRRP advert")
    size = 4 if family == socket.AF_INET else 16
    end = HEADER_BYTES + head.addresses * size
    addresses = tuple(pdu[start : start + size] for start in range(HEADER_BYTES, end, size))
    return Advert(
        head.version, head.vrid, head.priority, head.interval_cs, addresses, head.auth_type, pdu[end:]
    )


def encode(advert: Advert, source: bytes, destination: bytes, *, as_v2: bool = False) -> bytes:
    """The PDU of an advert between two addresses (of one family), checksum included."""
    version, cs = advert.version, advert.interval_cs
    # Version 2 has the authentication type and whole seconds where version 3 has its interval.
    fifth, sixth = (advert.auth_type, cs // 100 & 0xFF) if version == 2 else (cs >> 8 & 15, cs & 0xFF)
    first = version << 4 | ADVERTISEMENT
    fields = first, advert.vrid, advert.priority, len(advert.addresses), fifth, sixth, 0
    pdu = bytearray(struct.pack("!BBBBBBH", *fields) + b"".join(advert.addresses))
    if version == 2:
        pdu += advert.auth_data.ljust(AUTH_BYTES, b"\0")[:AUTH_BYTES]
    covered = bytes(pdu)
    if version == 3 and not (as_v2 and len(source) == 4):
        covered = pseudo_header(source, destination, len(pdu)) + covered
    pdu[6:8] = checksum(covered).to_bytes(2, "big")
    return bytes(pdu)


def ipv4_packet(pdu: bytes, source: bytes, destination: bytes, ttl: int = TTL) -> bytearray:
    """The whole IPv4 packet around a PDU: type of service 0xc0, fragments allowed, id still to be set."""
    length = IPV4_HEADER_BYTES + len(pdu)
    head = struct.pack("!BBHHHBBH", 0x45, TOS_INTERNETWORK_CONTROL, length, 1, 0, ttl, PROTOCOL, 0)
    packet = bytearray(head + source + destination + pdu)
    stamp(packet, 1)
    return packet


def stamp(packet: bytearray, identifier: int) -> None:
    """Give such a packet its IP id and the header checksum that goes with it."""
    packet[4:6] = identifier.to_bytes(2, "big")
    packet[10:12] = b"\0\0"
    total: int = sum(IPV4_WORDS.unpack_from(packet))
    total = (total & 0xFFFF) + (total >> 16)
    packet[10:12] = (~total & 0xFFFF if total < 0x10000 else ~(total + 1) & 0xFFFF).to_bytes(2, "big")


def split_ipv4(packet: bytes) -> Datagram | None:
    """Take an IPv4 packet apart, or None when it is none. Padding behind its end is left out."""
    if len(packet) < IPV4_HEADER_BYTES or packet[0] >> 4 != 4:
        return None
    size = (packet[0] & 15) * 4
    if size < IPV4_HEADER_BYTES or len(packet) < size:
        return None
    end = packet[2] << 8 | packet[3]
    return Datagram(packet[12:16], packet[16:20], packet[8], packet[9], end - size, packet[size:end])
