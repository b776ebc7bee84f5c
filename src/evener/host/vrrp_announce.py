"""Sending gratuitous ARPs and unsolicited neighbour advertisements, at the pace that is configured.

Without an interval frames go out at once. With garp_interval or gna_interval they wait in the queue of
their interface (or of its garp_group) and leave one by one; ``cancel`` drops those of an instance that is no
longer master. Interfaces without an Ethernet address get none.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable
from dataclasses import field
from pathlib import Path

from evener.host.netlink.link import ARPHRD_ETHER, Interface
from evener.keepalived.vrrp.plan import Family, GarpGroup, GlobalOptions, Instance, VirtualAddress, VrrpPlan
from evener.text.record import dataclass
from evener.wire import arp, ndp

InterfaceOf = Callable[[str], Interface | None]


@dataclass(slots=True)
class Lane:
    """What waits for one interface, or for a garp_group of them, and when the next may leave."""

    intervals: dict[Family, int]
    queue: deque[tuple[str, VirtualAddress]] = field(default_factory=deque)
    next: int = 0
    last: str = ""
    """``GARP`` or ``GNA``: what was sent last."""


class Announcer:
    """One packet socket for all interfaces. Times are microseconds of the loop's clock."""

    def __init__(self, options: GlobalOptions, interface_of: InterfaceOf) -> None:
        self._options = options
        self._interface_of = interface_of
        self._groups: dict[str, GarpGroup] = {}
        self._below: dict[str, str] = {}
        self._lanes: dict[object, Lane] = {}
        # Protocol 0: this socket never receives anything.
        self._socket = socket.socket(
            socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, 0
        )
        self.sent = 0

    def close(self) -> None:
        self._socket.close()

    def adopt(self, plan: VrrpPlan) -> None:
        """Take over the paces of a plan; what waits keeps its place in its own lane."""
        self._options = plan.options
        self._groups = {name: group for group in plan.garp_groups for name in group.interfaces}
        self._below = {v.name: v.parent for c in plan.instances for v in c.virtuals}
        self._lanes = {key: lane for key, lane in self._lanes.items() if lane.queue}

    def _lane(self, device: str) -> Lane:
        """A virtual interface waits with the one below it."""
        device = self._below.get(device, device)
        group = self._groups.get(device)
        key: object = group if group is not None else device
        lane = self._lanes.get(key)
        if lane is None:
            options = self._options
            pace = group or GarpGroup((device,), options.garp_interval_us, options.gna_interval_us)
            intervals = {Family.INET: pace.garp_interval_us, Family.INET6: pace.gna_interval_us}
            lane = self._lanes[key] = Lane(intervals)
        return lane

    def announce(self, now: int, config: Instance, repeat: int, *, extra: bool = False) -> None:
        """Announce every address of an instance (``extra``: those on other interfaces), round by round."""
        addresses = config.elsewhere() if extra else config.addresses
        for _ in range(repeat):
            for address in addresses:
                lane = self._lane(address.device)
                if lane.intervals[address.family]:
                    lane.queue.append((config.name, address))
                else:
                    self._send(address)
        self.run(now)

    def next_of(self, group: GarpGroup, kind: str) -> int | None:
        """When a group may announce again; None: it has not announced anything of this kind."""
        lane = self._lanes.get(group)
        return lane.next if lane is not None and lane.last == kind else None

    def cancel(self, name: str) -> None:
        """Drop what still waits for instance ``name``."""
        for lane in self._lanes.values():
            lane.queue = deque(entry for entry in lane.queue if entry[0] != name)

    def next_timer(self) -> int | None:
        return min((lane.next for lane in self._lanes.values() if lane.queue), default=None)

    def run(self, now: int) -> None:
        """Send what may leave now."""
        for lane in self._lanes.values():
            while lane.queue and lane.next <= now:
                _, address = lane.queue.popleft()
                self._send(address)
                lane.next = now + lane.intervals[address.family]
                lane.last = "GARP" if address.family is Family.INET else "GNA"

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
