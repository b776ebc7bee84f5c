"""The interface that an instance makes for itself: its name, its MAC address, and what moves onto it."""

from __future__ import annotations

from collections.abc import Iterable

from evener.keepalived.blocks.global_defs import GlobalDefs
from evener.keepalived.blocks.vrrp_instance import VrrpInstance
from evener.keepalived.instance_facts import family_of
from evener.keepalived.ir import Configuration
from evener.keepalived.virtual_interface import IETF, IPVLAN_FLAGS, MAX_NAME
from evener.keepalived.vrrp.plan import Family, VirtualAddress, VirtualInterface

DEFAULT_PREFIX = "vrrp"


def names(configuration: Configuration) -> dict[str, str]:
    """The name of the interface of each instance that makes one: what it says, or ``vrrp.VRID``."""
    settings = configuration.global_defs
    made: dict[str, str] = {}
    for instance in configuration.vrrp_instance:
        entry = instance.use_vmac if instance.use_vmac is not None else instance.use_ipvlan
        if entry is None or instance.interface is None:
            continue
        made[instance.name] = entry.name or _free(settings, instance, made.values())
    return made


def _free(settings: GlobalDefs, instance: VrrpInstance, used: Iterable[str]) -> str:
    """IPv6 tries ``vrrp6`` when ``vrrp`` is taken by the IPv4 instance of the same VRID."""
    prefix, end, used = settings.vmac_prefix or DEFAULT_PREFIX, f".{instance.virtual_router_id}", set(used)
    numbers = ["", "6"] if family_of(instance) == 6 else [""]
    for number in (*numbers, *(str(n) for n in range(1, 256))):
        name = prefix[: MAX_NAME - len(number + end)] + number + end
        if name not in used:
            break
    return name


def virtual_interface(configuration: Configuration, made: VrrpInstance) -> VirtualInterface | None:
    """None: the instance uses its interface as it is."""
    name = names(configuration).get(made.name)
    if name is None or made.interface is None or made.virtual_router_id is None:
        return None
    version = family_of(made)
    family = Family.INET if version == 4 else Family.INET6
    if made.use_vmac is not None:
        mac = made.use_vmac.mac or IETF[version == 6]
        mac = mac if len(mac) == 6 else mac + bytes((made.virtual_router_id,))
        return VirtualInterface(
            name, made.interface, family, mac, made.use_vmac.group, made.use_vmac.notify, made.vmac_xmit_base
        )
    entry = made.use_ipvlan
    assert entry is not None
    own = None
    if entry.address is not None:
        length = entry.address.max_prefixlen if entry.prefix is None else entry.prefix
        own = VirtualAddress(entry.address.packed, length, name, advertised=False)
    flags = IPVLAN_FLAGS[entry.flags or "bridge"]
    return VirtualInterface(name, made.interface, family, None, entry.group, ipvlan_flags=flags, address=own)
