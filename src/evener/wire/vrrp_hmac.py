"""The trailer that keepalived's auth_hmac puts behind an advert: who sent it, and when, and that it is whole.

    0       1       2        4          8         10        12            28
    type=1  key id  reserved seconds    fraction  counter   HMAC-SHA256 (first 16 bytes)

Seconds, fraction (1/2^16) and counter together are one sequence number that only grows. The HMAC covers a
header of its own (family, version, VRID, source), the advert with its checksum read as zero, and the trailer
with its HMAC read as zero. The destination is not covered, so that unicast copies are alike.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from typing import NamedTuple

TRAILER_BYTES = 28
HMAC_BYTES = 16
EXTENSION = 1
PREFIX = struct.Struct("!BBHIHH")


class Trailer(NamedTuple):
    """A trailer taken apart; ``sequence`` is its 64 bits of time and counter."""

    extension: int
    key_id: int
    reserved: int
    sequence: int
    digest: bytes


def parse(data: bytes) -> Trailer:
    """``data`` has ``TRAILER_BYTES``."""
    extension, key_id, reserved, seconds, fraction, counter = PREFIX.unpack_from(data)
    sequence = seconds << 32 | fraction << 16 | counter
    return Trailer(extension, key_id, reserved, sequence, data[PREFIX.size :])


def digest_of(key: bytes, pdu: bytes, prefix: bytes, source: bytes) -> bytes:
    """The HMAC of an advert and the first part of its trailer."""
    head = bytes((4 if len(source) == 4 else 6, pdu[0] >> 4, pdu[1], 0)) + source.ljust(16, b"\0")
    message = head + pdu[:6] + b"\0\0" + pdu[8:] + prefix + bytes(HMAC_BYTES)
    return hmac.digest(key, message, hashlib.sha256)[:HMAC_BYTES]


def build(key_id: int, key: bytes, sequence: int, pdu: bytes, source: bytes) -> bytes:
    """The trailer of an advert from ``source``."""
    seconds, fraction, counter = sequence >> 32, sequence >> 16 & 0xFFFF, sequence & 0xFFFF
    prefix = PREFIX.pack(EXTENSION, key_id, 0, seconds, fraction, counter)
    return prefix + digest_of(key, pdu, prefix, source)


def genuine(trailer: Trailer, data: bytes, key: bytes, pdu: bytes, source: bytes) -> bool:
    """Whether the HMAC of a trailer is right; takes the same time for every wrong one."""
    return hmac.compare_digest(trailer.digest, digest_of(key, pdu, data[: PREFIX.size], source))
