"""The interfaces of the machine: their indexes, whether they are up, their MACs and own addresses.

``Interfaces`` is filled by one dump at the start and kept true by the kernel's events; it never polls and
never waits. Each ``read`` says which interfaces changed, and which addresses disappeared.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from dataclasses import field
from typing import Any, NamedTuple

from evener.host.netlink.rtnl import (
    RTM_DELADDR,
    RTM_DELLINK,
    RTM_GETADDR,
    RTM_GETLINK,
    RTM_NEWADDR,
    RTM_NEWLINK,
    RTMGRP_IPV4_IFADDR,
    RTMGRP_IPV6_IFADDR,
    RTMGRP_LINK,
    RtnlSocket,
)
from evener.text.record import dataclass

IFF_UP, IFF_RUNNING = 0x1, 0x40
ARPHRD_ETHER = 1
SECONDARY, DADFAILED, TENTATIVE = 0x01, 0x08, 0x40
LINK_LOCAL = b"\xfe\x80"


@dataclass(slots=True)
class Interface:
    """One interface. ``addresses`` are its usable ones, packed, in the kernel's order, both families."""

    name: str
    index: int
    flags: int = 0
    mac: bytes = b""
    kind: int = 0
    addresses: list[bytes] = field(default_factory=list)
    beat: bool = True
    """What linkbeat says of its link."""

    @property
    def up(self) -> bool:
        return self.beat and self.flags & (IFF_UP | IFF_RUNNING) == IFF_UP | IFF_RUNNING

    def primary(self, family: int, avoid: frozenset[bytes] = frozenset()) -> bytes | None:
        """The address adverts are sent from: the first IPv4 one, or the first link-local IPv6 one."""
        for packed in self.addresses:
            if packed in avoid:
                continue
            if family == socket.AF_INET and len(packed) == 4:
                return packed
            if family == socket.AF_INET6 and len(packed) == 16 and packed[:2] == LINK_LOCAL:
                return packed
        return None


class LostAddress(NamedTuple):
    packed: bytes
    device: str


@dataclass(slots=True)
class Changes:
    """What ``read`` has seen: names of interfaces that changed, and addresses that were removed."""

    interfaces: set[str] = field(default_factory=set)
    lost: list[LostAddress] = field(default_factory=list)


class Interfaces:
    """The table, and the monitor that keeps it. Register ``fileno()`` for reading, then ``read()``."""

    def __init__(self, *, dump_buffer: int = 0, force: bool = False) -> None:
        """``dump_buffer``: the receive buffer for dumps."""
        self._dump_buffer = dump_buffer, force
        # The monitor first: what changes during the dump is then heard as well.
        self._monitor = RtnlSocket(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR)
        self.by_name: dict[str, Interface] = {}
        self._by_index: dict[int, Interface] = {}
        self._absorbed = Changes()
        self.told: Callable[[str, bool, str], None] | None = None
        """Hears of each address that is set or removed: the address, whether it is there, the interface."""
        self._dump(Changes())

    def _dump(self, changes: Changes) -> None:
        from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
        from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

        rtnl = RtnlSocket()
        size, force = self._dump_buffer
        rtnl.set_buffer(size, force=force)
        try:
            for question, kind in ((ifinfmsg(), RTM_GETLINK), (ifaddrmsg(), RTM_GETADDR)):
                for message in rtnl.dump(question, kind):
                    self._note(message, changes)
        finally:
            rtnl.close()

    def set_buffer(self, size: int, *, force: bool) -> None:
        self._monitor.set_buffer(size, force=force)

    def fileno(self) -> int:
        return self._monitor.fileno()

    def close(self) -> None:
        self._monitor.close()

    def index_of(self, name: str) -> int | None:
        interface = self.by_name.get(name)
        return interface.index if interface else None

    def read(self) -> Changes:
        """Take in what the kernel reported; says so as well of what was absorbed before."""
        self.absorb()
        changes, self._absorbed = self._absorbed, Changes()
        return changes

    def absorb(self) -> None:
        """Take in what the kernel reported, and keep what there is to say for the next ``read``."""
        changes = self._absorbed
        try:
            for message in self._monitor.pending():
                self._note(message, changes)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            # Events were lost: take stock again.
            self._resynchronise(changes)

    def _resynchronise(self, changes: Changes) -> None:
        for interface in self.by_name.values():
            interface.addresses.clear()
            changes.interfaces.add(interface.name)
        self._dump(changes)

    def _note(self, message: Any, changes: Changes) -> None:
        kind = message["header"]["type"]
        if kind == RTM_NEWLINK:
            self._link_is(message, changes)
        elif kind == RTM_DELLINK:
            self._link_gone(message["index"], changes)
        elif kind in (RTM_NEWADDR, RTM_DELADDR):
            self._address(message, kind == RTM_NEWADDR, changes)

    def _link_is(self, message: Any, changes: Changes) -> None:
        if message["family"] != socket.AF_UNSPEC:
            return  # bridge port notifications describe the port, not the interface
        name, index = message.get_attr("IFLA_IFNAME"), message["index"]
        mac = bytes.fromhex((message.get_attr("IFLA_ADDRESS") or "").replace(":", ""))
        known = self._by_index.get(index)
        if known is None:
            known = self._by_index[index] = Interface(name, index)
            changes.interfaces.add(name)
        seen = (known.name, known.up, known.mac)
        if known.name != name:
            self.by_name.pop(known.name, None)
            changes.interfaces.add(known.name)
        known.name, known.flags, known.mac, known.kind = name, message["flags"], mac, message["ifi_type"]
        self.by_name[name] = known
        if seen != (known.name, known.up, known.mac):
            changes.interfaces.add(name)

    def _link_gone(self, index: int, changes: Changes) -> None:
        interface = self._by_index.pop(index, None)
        if interface is None:
            return
        changes.interfaces.add(interface.name)
        if self.by_name.get(interface.name) is interface:
            del self.by_name[interface.name]

    def _address(self, message: Any, there: bool, changes: Changes) -> None:
        interface = self._by_index.get(message["index"])
        text = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
        if interface is None or text is None:
            return
        if self.told is not None:
            self.told(text, there, interface.name)
        packed = socket.inet_pton(message["family"], text)
        flags = message.get_attr("IFA_FLAGS")
        flags = message["flags"] if flags is None else flags
        usable = there and not flags & (TENTATIVE | DADFAILED)
        known = packed in interface.addresses
        if usable and not known:
            interface.addresses.append(packed)
        elif not usable and known:
            interface.addresses.remove(packed)
        if not there:
            changes.lost.append(LostAddress(packed, interface.name))
        if usable != known or not there:
            changes.interfaces.add(interface.name)


def vrf_table_of(name: str) -> int | None:
    """The routing table of a VRF interface; None when there is none of that name."""
    from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

    rtnl = RtnlSocket()
    try:
        for message in rtnl.dump(ifinfmsg(), RTM_GETLINK):
            info = message.get_attr("IFLA_LINKINFO")
            if message.get_attr("IFLA_IFNAME") != name or info is None:
                continue
            data = info.get_attr("IFLA_INFO_DATA")
            if info.get_attr("IFLA_INFO_KIND") == "vrf" and data is not None:
                return int(data.get_attr("IFLA_VRF_TABLE"))
    finally:
        rtnl.close()
    return None
