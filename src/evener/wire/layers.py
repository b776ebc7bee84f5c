"""Scapy's layers, imported once and without what only an interactive session needs.

Scapy would read the machine's routes at import, which costs a tenth of a second per family and is never
used here: every address and every MAC of a packet is given.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple


class Layers(NamedTuple):
    """Scapy's packet classes, by what they are here."""

    ethernet: Any
    arp: Any
    ipv4: Any
    ipv6: Any
    neighbour_advert: Any
    target_address: Any
    vrrp2: Any
    vrrp3: Any


@lru_cache(maxsize=1)
def layers() -> Layers:
    """Import on first use; call it early where the first packet must not wait."""
    from scapy.config import conf

    conf.route_autoload = False
    conf.route6_autoload = False
    from scapy.layers import inet, inet6, l2, vrrp

    return Layers(
        l2.Ether,
        l2.ARP,
        inet.IP,
        inet6.IPv6,
        inet6.ICMPv6ND_NA,
        inet6.ICMPv6NDOptDstLLAddr,
        vrrp.VRRP,
        vrrp.VRRPv3,
    )
