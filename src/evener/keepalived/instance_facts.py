"""What a vrrp_instance means once its own settings and global_defs are put together.

Used by the completion and by the compiler, so that both see the same instance.
"""

from __future__ import annotations

import ipaddress

from evener.keepalived.arguments import SECOND, Address
from evener.keepalived.blocks.global_defs import GlobalDefs
from evener.keepalived.blocks.vrrp_instance import VrrpInstance

DEFAULT_PRIORITY = 100
DEFAULT_ADVERT = SECOND
OWNER = 255
GROUP4 = ipaddress.ip_address("224.0.0.18")
GROUP6 = ipaddress.ip_address("ff02::12")


def family_of(instance: VrrpInstance) -> int:
    """4 or 6: the version of IP that the adverts use."""
    shown: list[Address] = [entry.address for entry in instance.virtual_ipaddress[:1]]
    shown += [entry.address for entry in instance.unicast_peer[:1]]
    shown += [source for source in (instance.unicast_src_ip, instance.mcast_src_ip) if source is not None]
    if shown:
        return shown[0].version
    return 6 if instance.native_ipv6 else 4


def version_of(settings: GlobalDefs, instance: VrrpInstance) -> int:
    """The VRRP version; IPv6 has none but 3 (RFC 5798 replaced the drafts that used 2)."""
    if family_of(instance) == 6:
        return 3
    return settings.vrrp_version if instance.version is None else instance.version


def multicast_group(settings: GlobalDefs, instance: VrrpInstance, family: int) -> Address:
    if instance.mcast_dst_ip is not None:
        return instance.mcast_dst_ip
    if family == 6:
        return settings.vrrp_mcast_group6 or GROUP6
    return settings.vrrp_mcast_group4 or GROUP4


def strict_of(settings: GlobalDefs, instance: VrrpInstance) -> bool:
    return bool(settings.vrrp_strict if instance.strict_mode is None else instance.strict_mode)


def priority_of(instance: VrrpInstance) -> int:
    """A master without a priority owns the addresses."""
    if instance.priority is not None:
        return instance.priority
    return OWNER if instance.state == "MASTER" else DEFAULT_PRIORITY


def accepts(settings: GlobalDefs, made: VrrpInstance) -> bool:
    """Whether packets for its addresses are taken: by an owner always, else unless it is told not to."""
    if priority_of(made) == OWNER or made.accept:
        return True
    return not (made.no_accept or strict_of(settings, made))
