"""linkbeat: asking drivers for the state of a link, for those that do not tell the kernel when it changes.

Every second each listed interface is asked, in the way that was configured or else the first that its driver
answers: ethtool, MII registers, or the running flag.
"""

from __future__ import annotations

import ctypes
import fcntl
import socket
import struct
from collections.abc import Callable

from evener.host.netlink.link import IFF_RUNNING, Interfaces

INTERVAL_US = 1_000_000
SIOCGIFFLAGS, SIOCETHTOOL, SIOCGMIIPHY, SIOCGMIIREG = 0x8913, 0x8946, 0x8947, 0x8948
ETHTOOL_GLINK = 0x0A
MII_STATUS, MII_LINK = 1, 0x04
REQUEST = struct.Struct("=16s24s")


class Linkbeat:
    """``interfaces`` holds the answers (``Interface.beat``)."""

    def __init__(self, interfaces: Interfaces) -> None:
        self._interfaces = interfaces
        self._wanted: dict[str, str] = {}
        self._way: dict[str, str] = {}
        self._socket: socket.socket | None = None
        self._due: int | None = None

    def adopt(self, now: int, wanted: dict[str, str]) -> None:
        """Interfaces, and how each is asked (empty: find out)."""
        for name in self._wanted.keys() - wanted.keys():
            interface = self._interfaces.by_name.get(name)
            if interface is not None:
                interface.beat = True
        if wanted != self._wanted:
            self._wanted, self._way = wanted, {}
        self._due = now if wanted else None

    def next_timer(self) -> int | None:
        return self._due

    def run(self, now: int) -> list[str]:
        """The interfaces whose link has changed."""
        if self._due is None or self._due > now:
            return []
        self._due = now + INTERVAL_US
        if self._socket is None:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        changed = []
        for name, way in self._wanted.items():
            interface = self._interfaces.by_name.get(name)
            if interface is None:
                self._way.pop(name, None)
                continue
            beat = self._ask(name, way)
            if beat is not None and beat != interface.beat:
                interface.beat = beat
                changed.append(name)
        return changed

    def _ask(self, name: str, wanted: str) -> bool | None:
        known = self._way.get(name)
        ways = [known] if known else [wanted, *WAYS] if wanted else list(WAYS)
        assert self._socket is not None
        for way in ways:
            try:
                beat = WAYS[way](self._socket.fileno(), name.encode())
            except OSError:
                continue
            self._way[name] = way
            return beat
        return None

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()


def ethtool(descriptor: int, name: bytes) -> bool:
    value = ctypes.create_string_buffer(struct.pack("=II", ETHTOOL_GLINK, 0), 8)
    request = REQUEST.pack(name, struct.pack("@P", ctypes.addressof(value)))
    fcntl.ioctl(descriptor, SIOCETHTOOL, request)
    return bool(struct.unpack("=II", value.raw)[1])


def mii(descriptor: int, name: bytes) -> bool:
    """The link bit latches: the second reading is of now."""
    phy = REQUEST.unpack(fcntl.ioctl(descriptor, SIOCGMIIPHY, REQUEST.pack(name, b"")))[1][:2]
    asked = REQUEST.pack(name, phy + struct.pack("=HHH", MII_STATUS, 0, 0))
    for _ in range(2):
        answer = fcntl.ioctl(descriptor, SIOCGMIIREG, asked)
    return bool(struct.unpack_from("=H", answer, 16 + 6)[0] & MII_LINK)


def flags(descriptor: int, name: bytes) -> bool:
    answer = fcntl.ioctl(descriptor, SIOCGIFFLAGS, REQUEST.pack(name, b""))
    return bool(struct.unpack_from("=h", answer, 16)[0] & IFF_RUNNING)


WAYS: dict[str, Callable[[int, bytes], bool]] = {"ETHTOOL": ethtool, "MII": mii, "IOCTL": flags}
"""In the order in which they are tried."""
