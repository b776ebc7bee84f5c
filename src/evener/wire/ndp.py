"""Unsolicited neighbour advertisements: what gratuitous ARP is to IPv4 (RFC 4861 7.2.6).

Sent from the address itself to all nodes with hop limit 255, the override flag, and the router flag
when the interface forwards. Frames are built once by Scapy.
"""

from __future__ import annotations

import socket
from functools import lru_cache

from evener.wire.layers import layers

ETHERTYPE = 0x86DD
ALL_NODES = "ff02::1"
ALL_NODES_MAC = "33:33:00:00:00:01"


@lru_cache(maxsize=4096)
def unsolicited(mac: bytes, address: bytes, router: bool = False) -> bytes:
    """The Ethernet frame that announces ``address`` (16 bytes) at ``mac`` (6 bytes)."""
    scapy = layers()
    where = mac.hex(":")
    text = socket.inet_ntop(socket.AF_INET6, address)
    frame = scapy.ethernet(dst=ALL_NODES_MAC, src=where, type=ETHERTYPE)
    packet = scapy.ipv6(src=text, dst=ALL_NODES, hlim=255)
    advert = scapy.neighbour_advert(tgt=text, R=int(router), S=0, O=1)
    return bytes(frame / packet / advert / scapy.target_address(lladdr=where))
