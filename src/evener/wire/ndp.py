"""Unsolicited neighbour advertisements: what gratuitous ARP is to IPv4 (RFC 4861 7.2.6).

Sent from the address itself to all nodes with hop limit 255, the override flag, and the router flag
when the interface forwards. Frames are built once by Scapy.
"""

from __future__ import annotations

import socket
from functools import lru_cache

ETHERTYPE = 0x86DD
ALL_NODES = "ff02::1"
ALL_NODES_MAC = "33:33:00:00:00:01"


@lru_cache(maxsize=4096)
def unsolicited(mac: bytes, address: bytes, router: bool = False) -> bytes:
    """The Ethernet frame that announces ``address`` (16 bytes) at ``mac`` (6 bytes)."""
    from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, IPv6
    from scapy.layers.l2 import Ether

    where = mac.hex(":")
    text = socket.inet_ntop(socket.AF_INET6, address)
    packet = IPv6(src=text, dst=ALL_NODES, hlim=255) / ICMPv6ND_NA(tgt=text, R=int(router), S=0, O=1)
    frame = Ether(dst=ALL_NODES_MAC, src=where, type=ETHERTYPE) / packet
    return bytes(frame / ICMPv6NDOptDstLLAddr(lladdr=where))
