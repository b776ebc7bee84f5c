"""A stranger on the switch: it sends routers whatever packets it likes, and the capture does not see them."""

from __future__ import annotations

import socket

from lab import STRANGER, Lab, inside, packed

from evener.wire import vrrp

SOURCE, GROUP = packed(STRANGER), packed("224.0.0.18")


def wrap(pdu: bytes, ttl: int = 255, source: bytes = SOURCE) -> bytes:
    """The IPv4 packet of an advert's bytes."""
    packet = vrrp.ipv4_packet(pdu, source, GROUP, ttl)
    vrrp.stamp(packet, 7)
    return bytes(packet)


def send(lab: Lab, packets: list[bytes], times: int) -> None:
    """Put packets on the wire from the switch: both routers hear them."""

    def work() -> None:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
            sock.bind(("br0", 0))
            head = bytes.fromhex("01005e000012020000000077") + b"\x08\0"
            for _ in range(times):
                for packet in packets:
                    sock.send(head + packet)

    inside(lab.switch, work)
