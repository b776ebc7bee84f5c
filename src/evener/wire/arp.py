"""Gratuitous ARP: the frame that moves an IPv4 address to another port of the switches.

keepalived sends ARP *requests* in which sender and target are the address itself (RFC 5227 section 3
explains why requests are understood by more hosts than replies). Frames are built once by Scapy.
"""

from __future__ import annotations

import socket
from functools import lru_cache

from evener.wire.layers import layers

ETHERTYPE = 0x0806
BROADCAST = b"\xff" * 6


@lru_cache(maxsize=4096)
def gratuitous(mac: bytes, address: bytes) -> bytes:
    """The Ethernet frame that announces ``address`` (4 bytes) at ``mac`` (6 bytes)."""
    scapy = layers()
    where = mac.hex(":")
    text = socket.inet_ntop(socket.AF_INET, address)
    arp = scapy.arp(op=1, hwsrc=where, psrc=text, hwdst=BROADCAST.hex(":"), pdst=text)
    return bytes(scapy.ethernet(dst=BROADCAST.hex(":"), src=where, type=ETHERTYPE) / arp)
