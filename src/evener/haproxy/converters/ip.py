"""Converters of IP packets (``fc_saved_syn`` with ``tcp-ss 1``, or ``eth.data``).

Packets are cut by offsets and may be shorter than their header says: then there is no sample.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from evener.haproxy.converters.tcp import MSS, WINDOW_SCALE, Tcp, number, option, read_tcp
from evener.haproxy.sample import Type, converter

Run = Callable[..., Any]
BIN: Final = Type.BIN
SINT: Final = Type.SINT
ADDR: Final = Type.ADDR


class _Ip(NamedTuple):
    """Where things are in an IP header; ``size`` counts options and extension headers."""

    version: int
    size: int
    protocol: int


#: Extension headers of IPv6 whose length is in units of eight bytes, less one.
_EXTENSIONS: Final = frozenset({0, 43, 60, 135, 139, 140})
_FRAGMENT: Final = 44
_AUTHENTICATION: Final = 51


def _ip(packet: bytes) -> _Ip | None:
    version = packet[0] >> 4 if packet else 0
    if version == 4 and len(packet) >= 20:
        size = (packet[0] & 15) * 4
        return _Ip(4, size, packet[9]) if 20 <= size <= len(packet) else None
    if version == 6 and len(packet) >= 40:
        return _extensions(packet)
    return None


def _extensions(packet: bytes) -> _Ip | None:
    protocol, size = packet[6], 40
    while protocol in _EXTENSIONS or protocol in (_FRAGMENT, _AUTHENTICATION):
        if size + 8 > len(packet):
            return None
        following, length = packet[size], packet[size + 1]
        if protocol == _FRAGMENT:
            size += 8
        else:
            size += (length + 2) * 4 if protocol == _AUTHENTICATION else (length + 1) * 8
        protocol = following
    return _Ip(6, size, protocol) if size <= len(packet) else None


def _of_ip(read: Callable[[bytes, _Ip], Any]) -> Run:
    def run(packet: bytes) -> Any:
        header = _ip(packet)
        return None if header is None else read(packet, header)

    return run


def _tos(packet: bytes, ip: _Ip) -> int:
    return packet[1] if ip.version == 4 else (packet[0] & 15) << 4 | packet[1] >> 4


def _df(packet: bytes, ip: _Ip) -> int:
    return packet[6] >> 6 & 1 if ip.version == 4 else 1


def _ttl(packet: bytes, ip: _Ip) -> int:
    return packet[8] if ip.version == 4 else packet[7]


def _source(packet: bytes, ip: _Ip) -> bytes:
    return packet[12:16] if ip.version == 4 else packet[8:24]


@converter("ip.data", BIN, BIN)
def ip_data() -> Run:
    """What follows the header of an IP packet, its options and extensions: usually a TCP segment."""
    return _of_ip(lambda packet, ip: packet[ip.size :])


@converter("ip.hdr", BIN, BIN)
def ip_hdr() -> Run:
    """The header of an IP packet with its options or extensions."""
    return _of_ip(lambda packet, ip: packet[: ip.size])


@converter("ip.ver", BIN, SINT)
def ip_ver() -> Run:
    """The version of an IP packet, 4 or 6."""
    return lambda packet: packet[0] >> 4 if packet else None


@converter("ip.proto", BIN, SINT)
def ip_proto() -> Run:
    """The transport protocol of an IP packet, 6 for TCP."""
    return _of_ip(lambda packet, ip: ip.protocol)


@converter("ip.tos", BIN, SINT)
def ip_tos() -> Run:
    """The type of service of an IP packet, or its traffic class."""
    return _of_ip(_tos)


@converter("ip.ttl", BIN, SINT)
def ip_ttl() -> Run:
    """The time to live of an IP packet, or its hop limit."""
    return _of_ip(_ttl)


@converter("ip.df", BIN, SINT)
def ip_df() -> Run:
    """1 when an IP packet must not be fragmented, as always for IPv6, else 0."""
    return _of_ip(_df)


@converter("ip.src", BIN, ADDR)
def ip_src() -> Run:
    """The source address of an IP packet."""
    return _of_ip(_source)


@converter("ip.dst", BIN, ADDR)
def ip_dst() -> Run:
    """The destination address of an IP packet."""
    return _of_ip(lambda packet, ip: packet[16:20] if ip.version == 4 else packet[24:40])


def _fingerprint(packet: bytes, ip: _Ip, segment: bytes, tcp: Tcp, mode: int) -> bytes:
    ttl, flags = _ttl(packet, ip), segment[13]
    plain = 20 if ip.version == 4 else 40
    marks = (
        (ip.version == 6) << 7 | _df(packet, ip) << 6 | (ttl > 32) + (ttl > 64) + (ttl > 128) << 4
        | (ip.size > plain) << 3 | (len(segment) > tcp.size) << 2 | flags >> 6
    )  # fmt: skip
    scale = option(tcp, WINDOW_SCALE, 1)
    window = 0 if scale is None else min(scale[0] + 1, 15)
    kinds = 0
    for kind, _ in tcp.options:
        if kind >= 2:
            kinds |= 1 << kind - 2 if kind <= 8 else 0x80
    made = struct.pack(
        ">BBBHHB", _tos(packet, ip), marks, (segment[12] & 0xF0) | window,
        int.from_bytes(segment[14:16], "big"), number(tcp, MSS, 2), kinds,
    )  # fmt: skip
    if mode & 1:
        made += bytes((ttl,))
    if mode & 2:
        made += bytes([kind for kind, _ in tcp.options])
    return made + _source(packet, ip) if mode & 4 else made


@converter("ip.fp", BIN, BIN, ok=["ip.fp", "ip.fp(5)"], bad=["ip.fp(x)", "ip.fp(1,2)"])
def ip_fp(mode: int = 0) -> Run:
    """A fingerprint of at least 8 bytes made of what does not change between a host's connections.

    Type of service; flags; TCP header length and window scale; window; segment size; TCP options. The
    mode adds the time to live (1), the list of TCP options (2) and the source address (4).
    """

    def read(packet: bytes, ip: _Ip) -> bytes | None:
        segment = packet[ip.size :]
        tcp = read_tcp(segment)
        return None if tcp is None else _fingerprint(packet, ip, segment, tcp, mode)

    return _of_ip(read)
