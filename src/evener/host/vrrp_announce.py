"""Sending gratuitous ARPs and unsolicited neighbour advertisements, at the pace that ``pacing`` decides.

Interfaces without an Ethernet address get none.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

from evener.host.netlink.link import ARPHRD_ETHER, Interface
from evener.keepalived.vrrp.pacing import Pacing
from evener.keepalived.vrrp.plan import Family, GlobalOptions, Instance, VirtualAddress
from evener.wire import arp, ndp

InterfaceOf = Callable[[str], Interface | None]


class Announcer:
    """One packet socket for all interfaces. Times are microseconds of the loop's clock."""

    def __init__(self, options: GlobalOptions, interface_of: InterfaceOf) -> None:
        self.pacing = Pacing(options)
        self._interface_of = interface_of
        # Protocol 0: this socket never receives anything.
        self._socket = socket.socket(
            socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, 0
        )
        self.sent = 0

    def close(self) -> None:
        self._socket.close()

    def announce(self, now: int, config: Instance, repeat: int, *, extra: bool = False) -> None:
        for address in self.pacing.announce(now, config, repeat, extra=extra):
            self._send(address)

    def run(self, now: int) -> None:
        """Send what may leave now."""
        for address in self.pacing.due(now):
            self._send(address)

    def _send(self, address: VirtualAddress) -> None:
        interface = self._interface_of(address.device)
        if interface is None or interface.kind != ARPHRD_ETHER or len(interface.mac) != 6:
            return
        if address.family is Family.INET:
            frame, ethertype = arp.gratuitous(interface.mac, address.packed), arp.ETHERTYPE
        else:
            frame = ndp.unsolicited(interface.mac, address.packed, forwards(interface.name))
            ethertype = ndp.ETHERTYPE
        try:
            self._socket.sendto(frame, (interface.name, ethertype))
        except OSError:
            return  # the interface went away or down: there is nobody to tell
        self.sent += 1


def forwards(name: str) -> bool:
    """Whether an interface forwards IPv6: then its advertisements carry the router flag."""
    try:
        text = Path("/proc/sys/net/ipv6/conf", name, "forwarding").read_text(encoding="ascii")
    except OSError:
        return False
    return text.strip() != "0"
