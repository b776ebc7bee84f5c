"""Virtual addresses on interfaces: put on, take off.

An address that is there already, or is gone already, is what was wanted. IPv6 addresses are added with
IFA_F_NODAD, as keepalived does: duplicate address detection would hold the address back just when the
old master may still be letting go of it.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable, Iterable, Iterator

from evener.host.netlink.rtnl import (
    NLM_F_CREATE,
    NLM_F_REPLACE,
    RTM_DELADDR,
    RTM_NEWADDR,
    Request,
    RtnlSocket,
    explain,
)
from evener.keepalived.vrrp.plan import Family, VirtualAddress
from evener.wire import rtnetlink
from evener.wire.nfnetlink import attribute
from evener.wire.rtnetlink import Ifa

IFA_F_NODAD = 0x02
INFINITE = 0xFFFFFFFF
CACHE_INFO = struct.Struct("=IIII")
"""Preferred and valid lifetime; when it was made and changed is the kernel's to say."""
GONE = (0, errno.EADDRNOTAVAIL, errno.ENODEV, errno.ESRCH)
THERE = (0, errno.EEXIST)

IndexOf = Callable[[str], int | None]
Complain = Callable[[str], None]


def add(rtnl: RtnlSocket, addresses: Iterable[VirtualAddress], index_of: IndexOf, complain: Complain) -> None:
    """Put addresses on their devices; each failure is a message to ``complain``."""
    requests = _requests(addresses, index_of, complain, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE)
    _carry_out(rtnl, requests, THERE, "add", complain)


def remove(
    rtnl: RtnlSocket, addresses: Iterable[VirtualAddress], index_of: IndexOf, complain: Complain
) -> None:
    """Take addresses off their devices."""
    requests = _requests(addresses, index_of, lambda _: None, RTM_DELADDR, 0)
    _carry_out(rtnl, requests, GONE, "remove", complain)


Requests = list[tuple[VirtualAddress, Request]]


def _requests(
    addresses: Iterable[VirtualAddress], index_of: IndexOf, complain: Complain, kind: int, flags: int
) -> Requests:
    requests: Requests = []
    for address in addresses:
        index = index_of(address.device)
        if index is None:
            complain(f"cannot add {address}: interface {address.device} does not exist")
        else:
            requests.append((address, (_message(address, index, kind), kind, flags)))
    return requests


def _carry_out(
    rtnl: RtnlSocket, requests: Requests, fine: tuple[int, ...], verb: str, complain: Complain
) -> None:
    results = rtnl.request([request for _, request in requests])
    for (address, _), result in zip(requests, results, strict=True):
        if result not in fine:
            complain(f"cannot {verb} {address} on {address.device}: {explain(result)}")


def _message(address: VirtualAddress, index: int, kind: int) -> bytes:
    far = address.peer or address.packed
    attributes = [attribute(Ifa.LOCAL, address.packed), attribute(Ifa.ADDRESS, far)]
    if kind == RTM_NEWADDR:
        attributes += _attributes_of_new(address)
    return rtnetlink.address_body(address.family, address.prefix, address.scope, index, *attributes)


def _attributes_of_new(address: VirtualAddress) -> Iterator[bytes]:
    flags = address.flags
    if address.family is Family.INET6:
        flags |= IFA_F_NODAD
        if address.preferred_lft is not None:
            yield attribute(Ifa.CACHEINFO, CACHE_INFO.pack(address.preferred_lft, INFINITE, 0, 0))
    if flags:
        yield rtnetlink.u32(Ifa.FLAGS, flags)
    if address.broadcast:
        yield attribute(Ifa.BROADCAST, address.broadcast)
    if address.label:
        yield rtnetlink.string(Ifa.LABEL, address.label)
