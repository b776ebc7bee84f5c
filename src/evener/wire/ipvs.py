"""IPVS over generic netlink (include/uapi/linux/ip_vs.h): requests to bytes, answers to values.

pyroute2 has these messages too, but its "update" commands delete, its flag mask leaves high bits alone, and
an encoding takes a hundred times as long as one made here, which counts with 25,000 of them. Addresses are
packed; numbers that travel in network order (ports) are given in the machine's.
"""

from __future__ import annotations

import socket
import struct
from functools import lru_cache
from typing import Final

from evener.wire.nfnetlink import NLA_F_NESTED, attribute, attributes

GENL_NAME: Final = "IPVS"
GENL_VERSION: Final = 1
NEW_SERVICE, SET_SERVICE, DEL_SERVICE, GET_SERVICE = 1, 2, 3, 4
NEW_DEST, SET_DEST, DEL_DEST, GET_DEST = 5, 6, 7, 8
NEW_DAEMON, DEL_DAEMON, GET_DAEMON, SET_CONFIG, GET_CONFIG, FLUSH = 9, 10, 11, 12, 13, 17
STATE_MASTER, STATE_BACKUP = 1, 2

FORWARD: Final = {"NAT": 0, "TUN": 2, "DR": 3}
TUNNEL: Final = {"ipip": 0, "gue": 1, "gre": 2}
CHECKSUM: Final = {"nocsum": 0, "csum": 1, "remcsum": 2}

_ALL: Final = 0xFFFFFFFF
_SERVICE, _DEST, _DAEMON, _TCP, _TCP_FIN, _UDP = 1, 2, 3, 4, 5, 6

# Several attributes at once: there are tens of thousands of these. An address fills its 16 bytes with zeros.
_KEY: Final = struct.Struct("=HHHxxHHHxxHH16sHHHxx")
_PLACE: Final = struct.Struct("=HH16sHHHxxHHHxx")
_PLAIN: Final = struct.Struct("=HH" + "HH16sHHHxxHHHxx" + "HHI" * 4)
_SETTINGS: Final = struct.Struct("=" + "HHI" * 4)


def _u16(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack("=H", value))


def _u32(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack("=I", value))


def _port(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack("!H", value))


def _name(kind: int, value: str) -> bytes:
    return attribute(kind, value.encode() + b"\0")


def service_key(family: int, protocol: int, address: bytes, port: int, fwmark: int) -> bytes:
    """The attributes that say which service is meant."""
    if fwmark:
        return _u16(1, family) + _u32(5, fwmark)
    return _KEY.pack(6, 1, family, 6, 2, protocol, 20, 3, address, 6, 4, socket.htons(port))


def netmask(family: int, prefix: int) -> bytes:
    """Of the clients that belong together, as IPVS wants it."""
    if family == socket.AF_INET:
        return struct.pack("!I", _ALL << (32 - prefix) & _ALL)
    return struct.pack("=I", prefix)


def service(key: bytes, scheduler: str, flags: int, timeout: int, mask: bytes, engine: str) -> bytes:
    """NEW_SERVICE, SET_SERVICE."""
    return attribute(_SERVICE | NLA_F_NESTED, key + _manner(scheduler, flags, timeout, mask, engine))


@lru_cache(maxsize=64)
def _manner(scheduler: str, flags: int, timeout: int, mask: bytes, engine: str) -> bytes:
    """Thousands of services often have this in common."""
    body = _name(6, scheduler) + attribute(7, struct.pack("=II", flags, _ALL)) + _u32(8, timeout)
    body += attribute(9, mask)
    return body + _name(11, engine) if engine else body


def named(key: bytes) -> bytes:
    """DEL_SERVICE, GET_DEST, and the service of destinations."""
    return attribute(_SERVICE | NLA_F_NESTED, key)


def destination_key(family: int, address: bytes, port: int) -> bytes:
    return _PLACE.pack(20, 1, address, 6, 2, socket.htons(port), 6, 11, family)


def destination(
    key: bytes, method: str, weight: int, upper: int, lower: int, tunnel: tuple[str, int, str] | None
) -> bytes:
    """NEW_DEST, SET_DEST. ``tunnel``: type, port and checksum."""
    body = key + _SETTINGS.pack(8, 3, FORWARD[method], 8, 4, weight, 8, 5, upper, 8, 6, lower)
    if tunnel is not None:
        kind, port, checksum = tunnel
        body += attribute(13, bytes((TUNNEL[kind],))) + _port(14, port) + _u16(15, CHECKSUM[checksum])
    return attribute(_DEST | NLA_F_NESTED, body)


def plain_destination(
    family: int, address: bytes, port: int, method: int, weight: int, upper: int, lower: int
) -> bytes:
    """NEW_DEST of a destination without a tunnel; ``method`` is a number of FORWARD."""
    return _PLAIN.pack(
        _PLAIN.size, _DEST | NLA_F_NESTED, 20, 1, address, 6, 2, socket.htons(port), 6, 11, family,
        8, 3, method, 8, 4, weight, 8, 5, upper, 8, 6, lower,
    )  # fmt: skip


def gone(key: bytes) -> bytes:
    """DEL_DEST."""
    return attribute(_DEST | NLA_F_NESTED, key)


def timeouts(tcp: int, tcp_fin: int, udp: int) -> bytes:
    """SET_CONFIG; 0 leaves one as it is."""
    return _u32(_TCP, tcp) + _u32(_TCP_FIN, tcp_fin) + _u32(_UDP, udp)


def daemon(
    state: int, interface: str, sync_id: int, maxlen: int = 0, port: int = 0, ttl: int = 0, group: bytes = b""
) -> bytes:
    """NEW_DAEMON, DEL_DAEMON: the synchronisation of connections. 0 and empty: the kernel's default."""
    body = _u32(1, state) + _name(2, interface) + _u32(3, sync_id)
    if maxlen:
        body += _u16(4, maxlen)
    if group:
        body += attribute(5 if len(group) == 4 else 6, group)
    if port:
        body += _u16(7, port)
    if ttl:
        body += attribute(8, bytes((ttl,)))
    return attribute(_DAEMON | NLA_F_NESTED, body)


# -- answers --------------------------------------------------------------------------------------------


def inner(payload: bytes, kind: int) -> dict[int, bytes]:
    """The attributes inside the service (1) or the destination (2) of an answer."""
    found = attributes(payload).get(kind, b"")
    return attributes(found)


def number(data: bytes) -> int:
    return int.from_bytes(data, "little" if struct.pack("=H", 1)[0] else "big")


def read_service_key(found: dict[int, bytes]) -> tuple[int, int, bytes, int, int]:
    """(family, protocol, address, port, fwmark)."""
    family = number(found.get(1, b""))
    size = 4 if family == socket.AF_INET else 16
    if 5 in found:
        return family, 0, b"", 0, number(found[5])
    port = int.from_bytes(found.get(4, b"\0\0"), "big")
    return family, number(found.get(2, b"")), found.get(3, b"")[:size], port, 0


def read_destination_key(found: dict[int, bytes], family: int) -> tuple[int, bytes, int]:
    """(family, address, port); old kernels do not say the family, it is then that of the service."""
    family = number(found[11]) if 11 in found else family
    size = 4 if family == socket.AF_INET else 16
    return family, found.get(1, b"")[:size], int.from_bytes(found.get(2, b"\0\0"), "big")


FIRST_RATE = 6
"""Of the statistics: the rates come behind the counters, in the same order."""


def read_counters(found: dict[int, bytes], kind: int, first: int = 1) -> tuple[int, int, int, int, int]:
    """(connections, packets in and out, bytes in and out) of the nested statistics ``kind``."""
    counters = attributes(found.get(kind, b""))
    return tuple(number(counters.get(each, b"")) for each in range(first, first + 5))  # type: ignore[return-value]


SERVICE_STATS, SERVICE_STATS64 = 10, 12
DEST_STATS, DEST_STATS64 = 10, 12
ACTIVE, INACTIVE, PERSISTENT = 7, 8, 9
