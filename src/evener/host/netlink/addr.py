"""Virtual addresses on interfaces: put on, take off.

An address that is there already, or is gone already, is what was wanted. IPv6 addresses are added with
IFA_F_NODAD unless they are to be tried first, as keepalived does: duplicate address detection would hold the
address back just when the old master may still be letting go of it.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterable
from typing import Any

from evener.host.netlink.rtnl import (
    NLM_F_CREATE,
    NLM_F_REPLACE,
    RTM_DELADDR,
    RTM_NEWADDR,
    RtnlSocket,
    explain,
)
from evener.keepalived.vrrp.plan import Family, VirtualAddress

IFA_F_NODAD = 0x02
INFINITE = 0xFFFFFFFF
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


Requests = list[tuple[VirtualAddress, tuple[Any, int, int]]]


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


def _message(address: VirtualAddress, index: int, kind: int) -> Any:
    from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg

    family = address.family
    text = socket.inet_ntop(family, address.packed)
    far = socket.inet_ntop(family, address.peer) if address.peer else text
    attributes: list[tuple[str, Any]] = [("IFA_LOCAL", text), ("IFA_ADDRESS", far)]
    message = ifaddrmsg()
    message["family"], message["prefixlen"] = int(family), address.prefix
    message["index"], message["scope"] = index, address.scope
    if kind == RTM_NEWADDR:
        attributes += _attributes_of_new(address, family)
    message["attrs"] = attributes
    return message


def _attributes_of_new(address: VirtualAddress, family: Family) -> list[tuple[str, Any]]:
    attributes: list[tuple[str, Any]] = []
    flags = address.flags
    if family is Family.INET6:
        flags |= 0 if address.detect_duplicates else IFA_F_NODAD
        if address.preferred_lft is not None:
            lifetime = {"ifa_preferred": address.preferred_lft, "ifa_valid": INFINITE}
            attributes.append(("IFA_CACHEINFO", lifetime))
    if flags:
        attributes.append(("IFA_FLAGS", flags))
    if address.broadcast:
        attributes.append(("IFA_BROADCAST", socket.inet_ntop(family, address.broadcast)))
    if address.label:
        attributes.append(("IFA_LABEL", address.label))
    return attributes
