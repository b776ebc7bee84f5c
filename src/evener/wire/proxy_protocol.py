"""The PROXY protocol (versions 1 and 2) and NetScaler's client IP header: bytes to addresses and back.

Decides whether a header is complete and well formed. It does not know sockets. A connection that does
not begin with a header is refused: an address must not be believed by accident (HAProxy reads ``1.2.3``,
``01.2.3.4`` and ports above 65535 as addresses, and wants the whole line in one segment; neither is so here).
Of the fields of version 2 the checksum is verified and the lengths are bounded; what fields mean is left
to who asks for them.
"""

from __future__ import annotations

import ipaddress
import re
import struct
from collections.abc import Sequence
from socket import AF_INET, AF_INET6, inet_ntop
from typing import Final, NamedTuple

V2_SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"
V1_LONGEST: Final = 107
AUTHORITY: Final = 0x02
CRC32C: Final = 0x03
UNIQUE_ID: Final = 0x05
SSL: Final = 0x20
LONGEST: Final = {AUTHORITY: 255, UNIQUE_ID: 128}
MOST: Final = 1024  #: bytes of any other field
_PORT: Final = re.compile(rb"(?:0|[1-9][0-9]{0,4})\Z")
_V4_IN_V6: Final = b"\0\0\0\0\0\0\0\0\0\0\xff\xff"

Fields = tuple[tuple[int, bytes], ...]


class Header(NamedTuple):
    """``addresses`` (source, port, destination, port) is None for a connection of the sender itself."""

    used: int
    addresses: tuple[bytes, int, bytes, int] | None
    fields: Fields = ()


def parse(data: bytes) -> Header | None:
    """The header at the start of ``data``; None when more is needed. ValueError on anything else."""
    if data[: len(V2_SIGNATURE)] == V2_SIGNATURE[: len(data)] and data[:1] == b"\r":
        return _second(data)
    if data[:6] == b"PROXY "[: len(data)]:
        return _first(data)
    raise ValueError("no PROXY header")


def fault(data: bytes, late: bool, netscaler: bool) -> str:
    """In the original's words: what is wrong with a connection that began like this and went no further."""
    name = "NetScaler Client IP header" if netscaler else "PROXY protocol header"
    if late:
        return f"Timeout exceeded while waiting for {name}"
    if not data:
        return f"Connection closed while waiting for {name}"
    if netscaler:
        return f"Received an invalid {name}"
    if len(data) < 16 and data[:6] != b"PROXY ":
        return f"Truncated {name} received"
    sound = data[:6] == b"PROXY "[: len(data)] or data[:12] == V2_SIGNATURE[: len(data)]
    if not sound or (data[:1] == b"\r" and len(data) > 12 and data[12] >> 4 != 2):
        return f"Received something which does not look like a {name}"
    try:
        if parse(data) is None:
            return f"Truncated {name} received"
    except ValueError:
        pass
    if data[:1] == b"P" and not data.startswith((b"PROXY TCP4 ", b"PROXY TCP6 ", b"PROXY UNKNOWN\r\n")):
        return f"Received an unhandled protocol in the {name}"
    return f"Received an invalid {name}"


def _first(data: bytes) -> Header | None:
    line, end, _ = data.partition(b"\r\n")
    if not end:
        if len(data) >= V1_LONGEST:
            raise ValueError("PROXY line without an end")
        return None
    if len(line) + 2 > V1_LONGEST:
        raise ValueError("PROXY line too long")
    used = len(line) + 2
    words = line.split(b" ")
    if words[1:] == [b"UNKNOWN"]:
        return Header(used, None)
    if len(words) != 6 or words[1] not in (b"TCP4", b"TCP6"):
        raise ValueError("bad PROXY line")
    kind = ipaddress.IPv4Address if words[1] == b"TCP4" else ipaddress.IPv6Address
    source, target = (kind(word.decode("ascii")).packed for word in words[2:4])
    return Header(used, (source, _port(words[4]), target, _port(words[5])))


def _port(word: bytes) -> int:
    """As much of the number as a port can hold, which is what HAProxy takes it for."""
    if not _PORT.match(word):
        raise ValueError("bad port in a PROXY line")
    return int(word) & 0xFFFF


def _second(data: bytes) -> Header | None:
    if len(data) < 16:
        return None
    version, command = data[12] >> 4, data[12] & 15
    used = 16 + int.from_bytes(data[14:16], "big")
    if version != 2 or command > 1:
        raise ValueError("bad PROXY header version or command")
    if len(data) < used:
        return None
    size = {0x11: 4, 0x21: 16}.get(data[13], 0)
    if command == 0:
        return Header(used, None, _fields(data[:used], 16))
    if size == 0:
        raise ValueError("neither TCP over IPv4 nor IPv6")
    start = 16 + 2 * size + 4
    if used < start:
        raise ValueError("PROXY header too short for its addresses")
    source, target = data[16 : 16 + size], data[16 + size : 16 + 2 * size]
    ports = struct.unpack(">HH", data[start - 4 : start])
    return Header(used, (source, ports[0], target, ports[1]), _fields(data[:used], start))


def _fields(data: bytes, at: int) -> Fields:
    found: list[tuple[int, bytes]] = []
    while at < len(data):
        if at + 3 > len(data):
            raise ValueError("PROXY field cut short")
        kind, length = data[at], int.from_bytes(data[at + 1 : at + 3], "big")
        value = data[at + 3 : at + 3 + length]
        if len(value) != length or length > LONGEST.get(kind, MOST):
            raise ValueError("bad length of a PROXY field")
        if kind == CRC32C:
            blank = data[: at + 3] + bytes(4) + data[at + 7 :]
            if length != 4 or crc32c(blank) != int.from_bytes(value, "big"):
                raise ValueError("bad checksum of a PROXY header")
        found.append((kind, value))
        at += 3 + length
    return tuple(found)


# -- sending ---------------------------------------------------------------------------------------------


def first(source: bytes, source_port: int, target: bytes, target_port: int) -> bytes:
    """The line of version 1, with IPv4 inside of IPv6 when the families differ; UNKNOWN without addresses."""
    if not {len(source), len(target)} <= {4, 16}:
        return b"PROXY UNKNOWN\r\n"
    if len(source) != len(target):
        source, target = (_V4_IN_V6 + one if len(one) == 4 else one for one in (source, target))
    family = "TCP4" if len(source) == 4 else "TCP6"
    shown = [inet_ntop(AF_INET if len(one) == 4 else AF_INET6, one) for one in (source, target)]
    return f"PROXY {family} {shown[0]} {shown[1]} {source_port} {target_port}\r\n".encode("ascii")


def second(
    source: bytes, source_port: int, target: bytes, target_port: int, fields: Sequence[tuple[int, bytes]]
) -> bytes:
    """The header of version 2; LOCAL without addresses when one of them is no IP address.

    A field of kind CRC32C gets the checksum as its value, whatever was given.
    """
    if len(source) not in (4, 16) or len(target) not in (4, 16):
        command, family, addresses = 0x20, 0, b""
    else:
        if len(source) != len(target):
            source, target = (a if len(a) == 16 else _V4_IN_V6 + a for a in (source, target))
        command, family = 0x21, 0x11 if len(source) == 4 else 0x21
        addresses = source + target + struct.pack(">HH", source_port, target_port)
    body = addresses
    checksum = -1
    for kind, value in fields:
        if kind == CRC32C:
            checksum, value = 16 + len(body) + 3, bytes(4)
        body += struct.pack(">BH", kind, len(value)) + value
    data = V2_SIGNATURE + struct.pack(">BBH", command, family, len(body)) + body
    if checksum >= 0:
        data = data[:checksum] + crc32c(data).to_bytes(4, "big") + data[checksum + 4 :]
    return data


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_CRC: Final = _crc_table()


def crc32c(data: bytes) -> int:
    """Castagnoli's polynomial, as in SCTP and iSCSI (RFC 3309)."""
    value = 0xFFFFFFFF
    for byte in data:
        value = value >> 8 ^ _CRC[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF


# -- NetScaler -------------------------------------------------------------------------------------------


def netscaler(data: bytes, magic: int) -> Header | None:
    """A client IP header: magic, length, then a copy of the IP and TCP headers. None: more is needed."""
    if len(data) < 12:
        return None
    if int.from_bytes(data[:4], "big") != magic:
        raise ValueError("no NetScaler header")
    if data[8] & 0xD0 == 0x40:  # the old form: the IP header follows at once
        start, length = 8, int.from_bytes(data[4:8], "big")
    elif data[8] == 0:
        start, length = 12, int.from_bytes(data[10:12], "big")
    else:
        raise ValueError("unknown form of NetScaler header")
    if length > 1024:
        raise ValueError("NetScaler header too long")
    if len(data) < max(start + length, start + 40):
        return None
    inner = data[start:]
    version = inner[0] >> 4
    if version == 4 and inner[9] == 6:
        size, at, after = 4, 12, (inner[0] & 15) * 4
    elif version == 6 and inner[6] == 6:
        size, at, after = 16, 8, 40
    else:
        raise ValueError("no TCP in a NetScaler header")
    if len(inner) < after + 4:
        return None
    source, target = inner[at : at + size], inner[at + size : at + 2 * size]
    ports = struct.unpack(">HH", inner[after : after + 4])
    return Header(start + length, (source, ports[0], target, ports[1]))
