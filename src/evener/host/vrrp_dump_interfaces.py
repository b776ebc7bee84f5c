"""The part of keepalived.data about the machine's interfaces, asked of the kernel when it is written.

An interface has the addresses that are nobody's virtual ones; of IPv6 only the link-local ones count, since
adverts are sent from those. What the original keeps about its own doings is derived from the plan.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evener.host.netlink.link import ARPHRD_ETHER, IFF_RUNNING, IFF_UP, Interface, Interfaces
from evener.host.netlink.rtnl import RTM_GETLINK, RtnlSocket
from evener.keepalived.vrrp.describe_tracked import users
from evener.keepalived.vrrp.plan import Debounce, Family, State, TrackKind, VrrpPlan
from evener.keepalived.vrrp.router import Router

ARPHRD_LOOPBACK, ARPHRD_INFINIBAND = 772, 32
HARDWARE = {ARPHRD_LOOPBACK: "LOOPBACK", ARPHRD_ETHER: "ETHERNET", ARPHRD_INFINIBAND: "INFINIBAND"}
ODDITIES = (
    (0x2, False, "no broadcast"),
    (0x8, True, "loopback"),
    (0x10, True, "point to point"),
    (0x80, True, "no arp"),
    (0x1000, False, "no multicast"),
)
"""A flag, whether it is odd that it is set, and what the original says then."""


def interface_lines(router: Router, interfaces: Interfaces) -> Iterator[str]:
    links = _links()
    for interface in sorted(interfaces.by_name.values(), key=lambda one: one.index):
        link = links.get(interface.index)
        if link is not None:
            yield from _Described(router, interfaces, interface, link).lines()


def _links() -> dict[int, Any]:
    from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

    rtnl = RtnlSocket()
    try:
        return {message["index"]: message for message in rtnl.dump(ifinfmsg(), RTM_GETLINK)}
    finally:
        rtnl.close()


class _Described:
    """One interface."""

    def __init__(self, router: Router, interfaces: Interfaces, interface: Interface, link: Any) -> None:
        self.router, self.interfaces = router, interfaces
        self.interface, self.link = interface, link

    @property
    def plan(self) -> VrrpPlan:
        return self.router.plan

    def lines(self) -> Iterator[str]:
        yield f" Name = {self.interface.name}"
        yield f"   index = {self.interface.index}"
        yield from self._addresses()
        yield from self._hardware()
        yield from self._state()
        yield from self._made()
        yield from self._driver()
        yield from self._pace()
        yield from self._settings()
        yield from self._trackers()

    def _addresses(self) -> Iterator[str]:
        virtual = {a.packed for c in self.plan.instances for a in c.addresses}
        virtual |= {a.packed for a in self.plan.static.addresses}
        own = [packed for packed in self.interface.addresses if packed not in virtual]
        four = [packed for packed in own if len(packed) == 4]
        six = [packed for packed in own if packed[:2] == b"\xfe\x80"]
        for version, family, found in ((4, Family.INET, four), (6, Family.INET6, six)):
            texts = [socket.inet_ntop(family, packed) for packed in found]
            yield f"   IPv{version} address = {texts[0] if texts else '(none)'}"
            if texts[1:]:
                yield f"   Additional IPv{version} addresses :"
                yield from (f"     {one}" for one in texts[1:])

    def _hardware(self) -> Iterator[str]:
        if self.interface.mac and self.interface.kind != ARPHRD_LOOPBACK:
            yield f"   MAC = {self.interface.mac.hex(':')}"
            yield f"   MAC broadcast = {self.link.get_attr('IFLA_BROADCAST')}"

    def _state(self) -> Iterator[str]:
        flags = self.interface.flags
        odd = "".join(f", {words}" for flag, meant, words in ODDITIES if bool(flags & flag) is meant)
        yield f"   State = {_running(flags)}{odd}"
        yield f"   Seen up = {int(self.interface.up)}"
        yield "   Delayed state change running = false"
        paces = {entry.interface: entry for entry in self.plan.debounces}
        pace = paces.get(self.interface.name, Debounce(self.interface.name, 0, 0))
        yield f"   Up debounce timer = {pace.up_us}us"
        yield f"   Down debounce timer = {pace.down_us}us"
        yield f"   Group = {self.link.get_attr('IFLA_GROUP') or 0}"

    def _made(self) -> Iterator[str]:
        made = next((v for v in self._virtuals() if v.name == self.interface.name), None)
        if made is None:
            return
        below = self.interfaces.by_name.get(made.parent)
        if below is not None:
            kind = "VMAC type private" if made.mac is not None else "IPVLAN type L2 bridge"
            yield f"   {kind}, underlying interface = {made.parent}, state = {_running(below.flags)}"
        yield "   I/f created by keepalived"

    def _virtuals(self) -> Iterator[Any]:
        return (virtual for config in self.plan.instances for virtual in config.virtuals)

    def _driver(self) -> Iterator[str]:
        kind = self.interface.kind
        yield f"   MTU = {self.link.get_attr('IFLA_MTU')}"
        yield f"   HW Type = {HARDWARE.get(kind, f'UNKNOWN ({kind})')}"
        polled = any(name == self.interface.name for name, _ in self.plan.linkbeat)
        yield "   NIC ioctl refresh polling" if polled else "   NIC netlink status update"

    def _pace(self) -> Iterator[str]:
        for group in self.plan.garp_groups:
            if self.interface.name in group.interfaces:
                for title, interval_us in (("ARP", group.garp_interval_us), ("NA", group.gna_interval_us)):
                    if interval_us:
                        yield f"   Gratuitous {title} interval {interval_us // 1000}ms"

    def _settings(self) -> Iterator[str]:
        """The settings that a macvlan needs, of it and of the interface below."""
        name = self.interface.name
        over = [v for v in self._virtuals() if v.family is Family.INET and v.mac is not None]
        above, own = sum(v.parent == name for v in over), any(v.name == name for v in over)
        yield f"   Reset ARP config counter {above}"
        yield f"   Original arp_ignore {int(bool(above or own))}"
        yield f"   Original arp_filter {int(bool(above))}"
        if above or own:
            yield "   rp_filter 0"
        promotes = [c for c in self.plan.instances if c.promote_secondaries and c.interface == name]
        yield f"   Original promote_secondaries {int(own)}"
        yield f"   Reset promote_secondaries counter {len(promotes)}"
        yield from self._forwarding()

    def _forwarding(self) -> Iterator[str]:
        """Neighbour advertisements say whether we are a router."""
        for member in self.router.members.values():
            config = member.machine.config
            devices = {a.device for a in config.addresses if a.family is Family.INET6}
            if member.machine.state is State.MASTER and self.interface.name in devices:
                path = Path("/proc/sys/net/ipv6/conf", self.interface.name, "forwarding")
                routes = path.read_text("ascii").strip() != "0" if path.exists() else False
                yield f"   {'' if routes else 'Not '}IPv6 forwarding. Last checked {_now()}"
                return

    def _trackers(self) -> Iterator[str]:
        several = list(users(self.router, TrackKind.INTERFACE, self.interface.name))
        if several:
            yield "   Tracking VRRP instances :"
            yield from several


def _now() -> str:
    now = time.time()
    return f"{now:.6f} ({time.ctime(now)}{f'{now % 1:.6f}'[1:]})"


def _running(flags: int) -> str:
    words = (("UP", IFF_UP), ("RUNNING", IFF_RUNNING))
    return ", ".join(word if flags & flag else f"not {word}" for word, flag in words)
