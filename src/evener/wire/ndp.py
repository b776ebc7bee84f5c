"""Unsolicited neighbour advertisements: what gratuitous ARP is to IPv4 (RFC 4861 7.2.6).

Sent from the address itself to all nodes with hop limit 255, the override flag, and the router flag
when the interface forwards.
"""

from __future__ import annotations

import struct
from functools import lru_cache

from evener.wire.checksum import checksum

ETHERTYPE = 0x86DD
ALL_NODES = b"\xff\x02" + bytes(13) + b"\x01"
ALL_NODES_MAC = b"\x33\x33" + ALL_NODES[12:]
ICMPV6, HOP_LIMIT = 58, 255
NEIGHBOUR_ADVERT, TARGET_LINK_ADDRESS = 136, 2
ROUTER, OVERRIDE = 0x80, 0x20


@lru_cache(maxsize=4096)
def unsolicited(mac: bytes, address: bytes, router: bool = False) -> bytes:
    """The Ethernet frame that announces ``address`` (16 bytes) at ``mac`` (6 bytes)."""
    flags = OVERRIDE | (ROUTER if router else 0)
    head = struct.pack("!BBHB3x", NEIGHBOUR_ADVERT, 0, 0, flags)
    message = bytearray(head + address + bytes((TARGET_LINK_ADDRESS, 1)) + mac)
    pseudo = address + ALL_NODES + struct.pack("!IxxxB", len(message), ICMPV6)
    message[2:4] = checksum(pseudo + bytes(message)).to_bytes(2, "big")
    packet = struct.pack("!IHBB", 6 << 28, len(message), ICMPV6, HOP_LIMIT) + address + ALL_NODES
    return ALL_NODES_MAC + mac + struct.pack("!H", ETHERTYPE) + packet + bytes(message)
