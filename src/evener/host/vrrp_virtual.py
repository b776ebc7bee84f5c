"""macvlan and ipvlan interfaces of instances: made before the sockets are opened, removed at the end.

A macvlan carries the virtual MAC address of RFC 9568 7.3, so that a takeover changes nobody's neighbour
table. It is private: frames of our own MAC that come from outside (the other router has the same one) are
delivered to it. An interface of the right kind, parent and MAC that is already there is used again; any
other interface of that name that is of this kind is replaced, and one that is not is left alone.

The settings are those of the original: the kernel answers ARP only on the interface that has the address, and
the addresses of one interface may send through the other.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evener.host.netlink import addr
from evener.host.netlink.link import Interface, Interfaces
from evener.host.netlink.rtnl import (
    NLM_F_CREATE,
    RTM_DELLINK,
    RTM_GETLINK,
    RTM_NEWLINK,
    RtnlSocket,
    explain,
)
from evener.keepalived.vrrp.firewall import Macvlan
from evener.keepalived.vrrp.plan import Family, VirtualAddress, VirtualInterface, VrrpPlan

NLM_F_EXCL = 0x200
IFF_UP = 1
LINK_PREFIX = 64


class VirtualInterfaces:
    """The interfaces of a plan. ``arrange`` after each change of the plan or of the interfaces below."""

    def __init__(self, rtnl: RtnlSocket, interfaces: Interfaces, log: Callable[[str], None]) -> None:
        self._rtnl, self._interfaces, self._log = rtnl, interfaces, log
        self._wanted: dict[str, tuple[str, VirtualInterface]] = {}
        self._made: dict[str, VirtualInterface] = {}
        self._refused: dict[str, int] = {}

    def adopt(self, plan: VrrpPlan) -> None:
        """Make the interfaces of ``plan``; remove those that are not in it any more."""
        self._wanted = {v.name: (c.name, v) for c in plan.instances for v in c.virtuals}
        for name, made in list(self._made.items()):
            entry = self._wanted.get(name)
            if entry is None or entry[1] != made:
                self._remove(name)
        self.arrange()

    def arrange(self) -> bool:
        """Make what is missing and can be made; True when something was."""
        changed = False
        for name, (instance, wanted) in self._wanted.items():
            parent = self._interfaces.by_name.get(wanted.parent)
            there = self._interfaces.by_name.get(name)
            if parent is None or (there is not None and name in self._made):
                continue
            if self._make(instance, wanted, parent, there):
                self._made[name] = wanted
                changed = True
        return changed

    def macvlans(self) -> dict[Family, set[Macvlan]]:
        """Those that were made."""
        found: dict[Family, set[Macvlan]] = {}
        for name, made in self._made.items():
            own, below = (self._interfaces.by_name.get(one) for one in (name, made.parent))
            if made.mac is not None and own is not None and below is not None:
                one = Macvlan(own.index, name, below.index, below.primary(Family.INET6))
                found.setdefault(made.family, set()).add(one)
        return found

    def clear(self) -> None:
        for name in list(self._made):
            self._remove(name)

    def _remove(self, name: str) -> None:
        self._made.pop(name, None)
        index = self._interfaces.index_of(name)
        if index is None:
            return
        message = _link(index)
        code = self._rtnl.request([(message, RTM_DELLINK, 0)])[0]
        if code not in (0, errno.ENODEV):
            self._log(f"cannot remove interface {name}: {explain(code)}")
        self._interfaces.absorb()

    def _make(
        self, instance: str, wanted: VirtualInterface, parent: Interface, there: Interface | None
    ) -> bool:
        if there is not None:
            kind, below = self._kind_of(there.index)
            if kind != wanted.kind:
                self._log(f"({instance}) VMAC {wanted.name} conflicts with existing interface")
                return False
            if below != parent.index or (wanted.mac is not None and there.mac != wanted.mac):
                self._log(
                    f"({instance}) Removing old VMAC interface {wanted.name} due to conflicting interface"
                )
                self._rtnl.request([(_link(there.index), RTM_DELLINK, 0)])
                there = None
        if there is None and not self._create(instance, wanted, parent):
            return False
        self._interfaces.absorb()
        index = self._interfaces.index_of(wanted.name)
        if index is None:
            return False
        configure(wanted)
        message = _link(index)
        message["flags"], message["change"] = IFF_UP, IFF_UP
        self._rtnl.request([(message, RTM_NEWLINK, 0)])
        self._interfaces.absorb()
        self._own_address(instance, wanted, parent)
        return True

    def _create(self, instance: str, wanted: VirtualInterface, parent: Interface) -> bool:
        message = _link(0)
        data = (
            [("IFLA_MACVLAN_MODE", "private")]
            if wanted.mac is not None
            else [("IFLA_IPVLAN_MODE", 0), ("IFLA_IPVLAN_FLAGS", wanted.ipvlan_flags)]
        )
        info = [("IFLA_INFO_KIND", wanted.kind), ("IFLA_INFO_DATA", {"attrs": data})]
        attributes: list[tuple[str, Any]] = [
            ("IFLA_IFNAME", wanted.name),
            ("IFLA_LINK", parent.index),
            ("IFLA_LINKINFO", {"attrs": info}),
        ]
        if wanted.mac is not None:
            attributes.append(("IFLA_ADDRESS", wanted.mac.hex(":")))
        message["attrs"] = attributes + self._inherited(wanted, parent.index)
        code = self._rtnl.request([(message, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL)])[0]
        if code:
            self._log(
                f"({instance}): Unable to create {wanted.kind} interface {wanted.name}: {explain(code)}"
            )
        return code == 0

    def _inherited(self, wanted: VirtualInterface, parent: int) -> list[tuple[str, Any]]:
        """The VRF of the interface below, and its group: firewalls may go by either."""
        links = {message["index"]: message for message in self._rtnl.dump(_link(0), RTM_GETLINK)}
        below, group = links.get(parent), wanted.group
        if below is None:
            return []
        master = links.get(below.get_attr("IFLA_MASTER"))
        info = master.get_attr("IFLA_LINKINFO") if master is not None else None
        in_vrf = info is not None and info.get_attr("IFLA_INFO_KIND") == "vrf"
        if group is None and wanted.mac is not None:
            group = below.get_attr("IFLA_GROUP")
        found: list[tuple[str, Any]] = [("IFLA_MASTER", below.get_attr("IFLA_MASTER"))] if in_vrf else []
        return [*found, ("IFLA_GROUP", group)] if group else found

    def _kind_of(self, index: int) -> tuple[str | None, int | None]:
        """Kind and parent of an interface."""
        for message in self._rtnl.dump(_link(0), RTM_GETLINK):
            if message["index"] == index:
                info = message.get_attr("IFLA_LINKINFO")
                return info and info.get_attr("IFLA_INFO_KIND"), message.get_attr("IFLA_LINK")
        return None, None

    def _own_address(self, instance: str, wanted: VirtualInterface, parent: Interface) -> None:
        """IPv6 adverts come from a link-local address of the interface that sends them."""
        own = wanted.address
        if own is None and wanted.family is Family.INET6 and not wanted.xmit_base:
            packed = parent.primary(Family.INET6)
            own = VirtualAddress(packed, LINK_PREFIX, wanted.name) if packed else None
        if own is not None:
            addr.add(
                self._rtnl, [own], self._interfaces.index_of, lambda text: self._log(f"({instance}) {text}")
            )


def _link(index: int) -> Any:
    from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

    message = ifinfmsg()
    message["index"] = index
    return message


def configure(wanted: VirtualInterface) -> None:
    """The kernel's settings of the interface and of its parent."""
    setting("ipv6", wanted.name, "addr_gen_mode", "1")
    setting("ipv6", wanted.name, "disable_ipv6", "0" if wanted.family is Family.INET6 else "1")
    setting("ipv4", wanted.name, "arp_ignore", "1")
    if wanted.family is Family.INET6:
        return
    for name, value in (("accept_local", "1"), ("rp_filter", "0"), ("promote_secondaries", "1")):
        setting("ipv4", wanted.name, name, value)
    for name in ("arp_ignore", "arp_filter"):
        setting("ipv4", wanted.parent, name, "1")
    loosen_reverse_path()


def loosen_reverse_path() -> None:
    """conf.all.rp_filter is a floor for every interface: hand it down to each of them, and lift it."""
    top = Path("/proc/sys/net/ipv4/conf")
    floor = _read(top / "all" / "rp_filter")
    if floor in ("", "0"):
        return
    for directory in top.iterdir():
        if directory.name != "all" and _read(directory / "rp_filter") < floor:
            setting("ipv4", directory.name, "rp_filter", floor)
    setting("ipv4", "all", "rp_filter", "0")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def setting(family: str, interface: str, name: str, value: str) -> None:
    try:
        Path("/proc/sys/net", family, "conf", interface, name).write_text(value, encoding="ascii")
    except OSError:
        pass  # a read-only /proc, or a kernel without IPv6: what follows will say so
