"""The IP Authentication Header (RFC 2402) that keepalived can put before a VRRPv2 advert.

    next header(1) length(1) reserved(2)   SPI(4)   sequence number(4)   HMAC-MD5-96 (12)

The hash covers the IPv4 header with its mutable fields read as zero, this header with its hash read as
zero, and the advert. TTL counts as mutable for unicast only: a multicast advert makes no hop. The SPI is the
sender's address (keepalived's choice; nobody negotiates one).
"""

from __future__ import annotations

import hmac
import struct
from typing import NamedTuple

from evener.wire.vrrp import IPV4_HEADER_BYTES
from evener.wire.vrrp import PROTOCOL as VRRP

PROTOCOL = 51
HASH_BYTES = 12
FIXED = struct.Struct("!BBHII")
HEADER_BYTES = FIXED.size + HASH_BYTES
LENGTH_WORDS = HEADER_BYTES // 4 - 2
SEQUENCE_MAX = 0xFFFFFFFD


class Header(NamedTuple):
    """One as it was received."""

    next_header: int
    spi: bytes
    sequence: int
    digest: bytes


def parse(data: bytes) -> Header | None:
    """The header at the start of an IPv4 payload; None when it is cut short."""
    if len(data) < HEADER_BYTES:
        return None
    following, _, _, _, sequence = FIXED.unpack_from(data)
    return Header(following, data[4:8], sequence, data[FIXED.size : HEADER_BYTES])


def wrap(packet: bytearray) -> bytearray:
    """An IPv4 packet of ``vrrp.ipv4_packet`` with room for a header that is still to be signed."""
    packet[2:4] = (len(packet) + HEADER_BYTES).to_bytes(2, "big")
    packet[9] = PROTOCOL
    head = FIXED.pack(VRRP, LENGTH_WORDS, 0, int.from_bytes(packet[12:16], "big"), 0) + bytes(HASH_BYTES)
    return packet[:IPV4_HEADER_BYTES] + head + packet[IPV4_HEADER_BYTES:]


def digest_of(key: bytes, packet: bytes | bytearray, size: int, *, unicast: bool) -> bytes:
    """The hash of a packet whose IP header has ``size`` bytes."""
    head = bytearray(packet[:size])
    head[1] = 0
    head[6:8] = head[10:12] = b"\0\0"
    if unicast:
        head[8] = 0
    start = size + FIXED.size
    message = bytes(head) + packet[size:start] + bytes(HASH_BYTES) + packet[start + HASH_BYTES :]
    return hmac.digest(key, message, "md5")[:HASH_BYTES]


def sign(packet: bytearray, key: bytes, sequence: int, *, unicast: bool) -> None:
    """Number and sign a packet of ``wrap``, whose IP id must be set."""
    at = IPV4_HEADER_BYTES + 8
    packet[at : at + 4] = sequence.to_bytes(4, "big")
    packet[at + 4 : at + 16] = digest_of(key, packet, IPV4_HEADER_BYTES, unicast=unicast)
