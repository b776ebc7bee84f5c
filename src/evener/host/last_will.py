"""What is done when the VRRP process is killed: its addresses are taken off the interfaces.

A process that dies of SIGKILL (or of its own defect) cannot let go of anything, and its addresses would
answer beside the next master's. Its script helper notices within a millisecond that the other end of its
socket is gone, and executes this will - unless it was told farewell, which is what happens in an orderly
end. The process that is started in place of the killed one is a backup first, so the two do not get in
each other's way.
"""

from __future__ import annotations

import socket
from typing import Any

from evener.host.netlink import addr
from evener.host.netlink.rtnl import RtnlSocket
from evener.keepalived.vrrp.plan import VirtualAddress, VrrpPlan


def draw_up(plan: VrrpPlan) -> list[list[Any]]:
    """The will, as it travels to the helper: addresses that a master of this plan may have set."""
    return [
        [a.packed.hex(), a.prefix, a.device, a.peer.hex() if a.peer else ""]
        for config in plan.instances
        for a in config.addresses
    ]


def execute(will: list[list[Any]]) -> None:
    """Take the addresses off; one that is not there does not matter."""
    if not will:
        return
    try:
        rtnl = RtnlSocket()
    except OSError:
        return
    try:
        addr.remove(rtnl, [_address(entry) for entry in will], _index_of, lambda _message: None)
    finally:
        rtnl.close()


def _address(entry: list[Any]) -> VirtualAddress:
    packed, prefix, device, peer = entry
    return VirtualAddress(bytes.fromhex(packed), prefix, device, peer=bytes.fromhex(peer) or None)


def _index_of(name: str) -> int | None:
    try:
        return socket.if_nametoindex(name)
    except OSError:
        return None
