"""Sending gratuitous ARPs and unsolicited neighbour advertisements, at the pace that is configured.

Without an interval frames go out at once. With garp_interval or gna_interval they wait in a queue and
leave one by one; ``cancel`` drops those of an instance that is no longer master. Interfaces without an
Ethernet address get none.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable
from pathlib import Path

from evener.host.netlink.link import ARPHRD_ETHER, Interface
from evener.keepalived.vrrp.plan import Family, GlobalOptions, Instance, VirtualAddress
from evener.wire import arp, ndp

InterfaceOf = Callable[[str], Interface | None]


class Announcer:
    """One packet socket for all interfaces. Times are microseconds of the loop's clock."""

    def __init__(self, options: GlobalOptions, interface_of: InterfaceOf) -> None:
        self._intervals = {Family.INET: options.garp_interval_us, Family.INET6: options.gna_interval_us}
        self._interface_of = interface_of
        self._queue: deque[tuple[str, VirtualAddress]] = deque()
        self._next = 0
        # Protocol 0: this socket never receives anything.
        self._socket = socket.socket(
            socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, 0
        )
        self.sent = 0

    def close(self) -> None:
        self._socket.close()

    def announce(self, now: int, config: Instance, repeat: int) -> None:
        """Announce every address of an instance, round by round."""
        for _ in range(repeat):
            for address in config.addresses:
                if self._intervals[address.family]:
                    self._queue.append((config.name, address))
                else:
                    self._send(address)
        self.run(now)

    def cancel(self, name: str) -> None:
        """Drop what still waits for instance ``name``."""
        self._queue = deque(entry for entry in self._queue if entry[0] != name)

    def next_timer(self) -> int | None:
        return self._next if self._queue else None

    def run(self, now: int) -> None:
        """Send what may leave now."""
        while self._queue and self._next <= now:
            _, address = self._queue.popleft()
            self._send(address)
            self._next = now + self._intervals[address.family]

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
