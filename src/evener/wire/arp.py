"""Gratuitous ARP: the frame that moves an IPv4 address to another port of the switches.

keepalived sends ARP *requests* in which sender and target are the address itself (RFC 5227 section 3
explains why requests are understood by more hosts than replies).
"""

from __future__ import annotations

import struct
from functools import lru_cache

ETHERTYPE = 0x0806
BROADCAST = b"\xff" * 6
REQUEST = 1
LAYOUT = struct.Struct("!6s6sHHHBBH6s4s6s4s")
ETHERNET_HARDWARE, IPV4_PROTOCOL = 1, 0x0800


@lru_cache(maxsize=4096)
def gratuitous(mac: bytes, address: bytes) -> bytes:
    """The Ethernet frame that announces ``address`` (4 bytes) at ``mac`` (6 bytes)."""
    kind = ETHERNET_HARDWARE, IPV4_PROTOCOL, len(mac), len(address), REQUEST
    return LAYOUT.pack(BROADCAST, mac, ETHERTYPE, *kind, mac, address, BROADCAST, address)
