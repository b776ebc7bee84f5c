"""What crosses the switch of a lab: adverts and announcements, with the kernel's timestamps."""

from __future__ import annotations

import ctypes
import select
import socket
import struct
import threading
from dataclasses import dataclass, field

from spaces import inside, packed

from evener.wire import vrrp

SO_TIMESTAMPNS, PACKET_ADD_MEMBERSHIP, SOL_PACKET, SO_RCVBUFFORCE = 35, 1, 263, 33
SO_ATTACH_FILTER = 26
STRANGER = "10.9.0.77"
"""Where rubbish comes from; the capture does not see it (classic BPF: the word at 26, of Ethernet)."""
BLIND_TO_STRANGER = ((0x20, 0, 0, 26), (0x15, 0, 1, 0x0A09004D), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFF))
ETH_P_ALL = 3


@dataclass(frozen=True)
class Frame:
    """A captured advert (``priority`` set), or an announcement of the virtual address (None)."""

    at: float
    mac: bytes
    priority: int | None
    source: bytes = b""


@dataclass
class Capture:
    """Everything of interest that crosses the switch, from the moment it is made."""

    namespace: str
    frames: list[Frame] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._socket = inside(self.namespace, self._open)
        self._done, self._finish = socket.socketpair()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @staticmethod
    def _open() -> socket.socket:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)  # floods must not hide adverts
        code = ctypes.create_string_buffer(
            b"".join(struct.pack("=HBBI", *line) for line in BLIND_TO_STRANGER)
        )
        program = struct.pack("@HP", len(BLIND_TO_STRANGER), ctypes.addressof(code))
        sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
        sock.bind(("br0", ETH_P_ALL))
        promiscuous = struct.pack("iHH8s", socket.if_nametoindex("br0"), 1, 0, b"")
        sock.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, promiscuous)
        return sock

    def _run(self) -> None:
        while True:
            ready = select.select([self._socket, self._done], [], [])[0]
            if self._done in ready:
                return
            data, ancillary, _, _ = self._socket.recvmsg(2048, 64)
            seconds, nanoseconds = struct.unpack("qq", ancillary[0][2][:16])
            frame = parse(seconds + nanoseconds / 1e9, data)
            if frame is not None:
                self.frames.append(frame)

    def close(self) -> None:
        self._finish.send(b"x")
        self._thread.join()
        for sock in (self._socket, self._done, self._finish):
            sock.close()

    def adverts(self, source: str, since: float = 0.0) -> list[Frame]:
        wanted = packed(source)
        return [f for f in self.frames if f.priority is not None and f.source == wanted and f.at >= since]

    def announcements(self, mac: bytes, since: float = 0.0) -> list[Frame]:
        return [f for f in self.frames if f.priority is None and f.mac == mac and f.at >= since]


def parse(at: float, data: bytes) -> Frame | None:
    kind, mac, body = data[12:14], data[6:12], data[14:]
    if kind == b"\x08\x06" and body[14:18] == body[24:28]:
        return Frame(at, mac, None)
    if kind == b"\x08\x00" and body[9] == vrrp.PROTOCOL and len(body) > 22:
        return Frame(at, mac, body[22], body[12:16])
    if kind == b"\x86\xdd" and body[6] == vrrp.PROTOCOL:
        return Frame(at, mac, body[42], body[8:24])
    if kind == b"\x86\xdd" and body[6] == 58 and body[40] == 136 and body[24:26] == b"\xff\x02":
        return Frame(at, mac, None) if body[48:64] == packed("fe80::100") else None
    return None
