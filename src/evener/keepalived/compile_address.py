"""One line of virtual_ipaddress as the address that is put on an interface."""

from __future__ import annotations

import ipaddress

from evener.keepalived.addresses import SCOPES, IpEntry
from evener.keepalived.vrrp import plan

# linux/if_addr.h
IFA_F_HOMEADDRESS = 0x10
IFA_F_MANAGETEMPADDR = 0x100
IFA_F_NOPREFIXROUTE = 0x200
IFA_F_MCAUTOJOIN = 0x400


def virtual_address(entry: IpEntry, device: str, advertised: bool) -> plan.VirtualAddress:
    return plan.VirtualAddress(
        packed=entry.address.packed,
        prefix=entry.length,
        device=entry.dev or device,
        label=entry.label,
        scope=_scope(entry),
        broadcast=_broadcast(entry),
        peer=_peer(entry),
        flags=_flags(entry),
        preferred_lft=_preferred(entry),
        advertised=advertised,
        tracked=not entry.no_track,
        detect_duplicates=entry.nodad,
    )


def _scope(entry: IpEntry) -> int:
    if entry.scope is None:
        return 0
    return SCOPES[entry.scope] if entry.scope in SCOPES else int(entry.scope)


def _broadcast(entry: IpEntry) -> bytes | None:
    """``+`` and ``-``: the host part all ones, or all zeros (ip-address(8))."""
    if entry.broadcast is None or entry.address.version == 6:
        return None
    if not isinstance(entry.broadcast, str):
        return entry.broadcast.packed
    network = ipaddress.ip_network((entry.address, entry.length), strict=False)
    return (network.broadcast_address if entry.broadcast == "+" else network.network_address).packed


def _peer(entry: IpEntry) -> bytes | None:
    return None if entry.peer is None else ipaddress.ip_address(entry.peer.partition("/")[0]).packed


def _flags(entry: IpEntry) -> int:
    return (
        IFA_F_HOMEADDRESS * entry.home
        | IFA_F_MANAGETEMPADDR * entry.mngtmpaddr
        | IFA_F_NOPREFIXROUTE * entry.noprefixroute
        | IFA_F_MCAUTOJOIN * entry.autojoin
    )


def _preferred(entry: IpEntry) -> int | None:
    """A /128 is deprecated unless something else is said (keepalived.conf(5), virtual_ipaddress)."""
    if entry.address.version == 4:
        return None
    if entry.preferred_lft is None:
        return 0 if entry.length == entry.address.max_prefixlen else None
    return None if entry.preferred_lft < 0 else entry.preferred_lft
