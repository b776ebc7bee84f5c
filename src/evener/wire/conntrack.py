"""Entries of the connection tracking table, as netlink messages (netfilter/nfnetlink_conntrack.h)."""

from __future__ import annotations

from dataclasses import dataclass

from evener.wire.nfnetlink import NFNL_SUBSYS_CTNETLINK, attribute, attributes

GET, DELETE = NFNL_SUBSYS_CTNETLINK << 8 | 1, NFNL_SUBSYS_CTNETLINK << 8 | 2
TUPLE_ORIG, TUPLE_REPLY, STATUS, PROTOINFO = 1, 2, 3, 4
IPS_DST_NAT = 0x20
TCP_ESTABLISHED, SCTP_ESTABLISHED = 3, 4


@dataclass(frozen=True, slots=True)
class Translated:
    """A connection whose destination was translated: protocol, what the client asked for, who answers."""

    protocol: int
    asked: tuple[bytes, int]
    server: tuple[bytes, int]
    active: bool
    """An established TCP or SCTP connection; IPVS counts others as inactive."""
    identity: bytes
    """What a message that deletes it says."""


def translated(body: bytes) -> Translated | None:
    """An entry of a dump; None: not a translated one, or unreadable."""
    parts = attributes(body)
    if not int.from_bytes(parts.get(STATUS, b""), "big") & IPS_DST_NAT:
        return None
    asked, server = _ends(parts.get(TUPLE_ORIG, b"")), _ends(parts.get(TUPLE_REPLY, b""))
    if asked is None or server is None:
        return None
    protocol, _, target = asked
    active = any(
        attributes(info).get(1)
        in ((bytes((TCP_ESTABLISHED,)),) if kind == 1 else (bytes((SCTP_ESTABLISHED,)),))
        for kind, info in attributes(parts.get(PROTOINFO, b"")).items()
        if kind in (1, 3)
    )
    return Translated(protocol, target, server[1], active, attribute(TUPLE_ORIG | 0x8000, parts[TUPLE_ORIG]))


def _ends(tuple_: bytes) -> tuple[int, tuple[bytes, int], tuple[bytes, int]] | None:
    """Protocol, source, destination."""
    parts = attributes(tuple_)
    address, protocol = attributes(parts.get(1, b"")), attributes(parts.get(2, b""))
    source, target = address.get(1) or address.get(3), address.get(2) or address.get(4)
    if source is None or target is None or 1 not in protocol:
        return None
    ports = (int.from_bytes(protocol.get(which, b""), "big") for which in (2, 3))
    return protocol[1][0], (source, next(ports)), (target, next(ports))
