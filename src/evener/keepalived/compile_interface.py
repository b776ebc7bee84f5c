"""The interface that an instance makes for itself: its name, its MAC address, and what moves onto it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from evener.keepalived.arguments import SECOND
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


Device = tuple[str, int]
"""An interface and an IP version."""


def address_interfaces(configuration: Configuration, made: VrrpInstance) -> dict[Device, VirtualInterface]:
    """use_vmac_addr, or ``use_vmac`` of an address: a macvlan on each other interface that has addresses."""
    settings, vrid = configuration.global_defs, made.virtual_router_id
    assert vrid is not None
    used = [*names(configuration).values()]
    found: dict[Device, VirtualInterface] = {}
    seen: set[tuple[str, Device]] = set()
    for instance in configuration.vrrp_instance:
        for entry in (*instance.virtual_ipaddress, *instance.virtual_ipaddress_excluded):
            if entry.dev in (None, instance.interface) or not (entry.use_vmac or instance.use_vmac_addr):
                continue
            version = entry.address.version
            key = (entry.dev or "", version)
            if (instance.name, key) in seen:
                continue
            seen.add((instance.name, key))
            name = _free_of(settings, instance, version, used)
            used.append(name)
            if instance is made:
                mac = instance.use_vmac.mac if instance.use_vmac is not None else None
                mac = mac or IETF[version == 6]
                mac = mac if len(mac) == 6 else mac + bytes((vrid,))
                family = Family.INET if version == 4 else Family.INET6
                found[key] = VirtualInterface(name, key[0], family, mac)
    return found


def _free_of(settings: GlobalDefs, instance: VrrpInstance, version: int, used: list[str]) -> str:
    prefix = settings.vmac_addr_prefix or settings.vmac_prefix or DEFAULT_PREFIX
    end = f".{instance.virtual_router_id}"
    for number in (*([""] if version == 4 else ["6"]), *(str(n) for n in range(1, 256))):
        name = prefix[: MAX_NAME - len(number + end)] + number + end
        if name not in used:
            break
    return name


def moved(
    addresses: tuple[VirtualAddress, ...], others: dict[Device, VirtualInterface]
) -> tuple[VirtualAddress, ...]:
    """The addresses, on their macvlans."""
    if not others:
        return addresses

    def on(address: VirtualAddress) -> VirtualAddress:
        virtual = others.get((address.device, 4 if address.family is Family.INET else 6))
        return address if virtual is None else replace(address, device=virtual.name)

    return tuple(on(address) for address in addresses)


def extra_if(words: tuple[str, ...]) -> dict[str, Any]:
    """garp_extra_if: ``[all] SECONDS``."""
    seconds = [int(word) for word in words if word.isascii() and word.isdecimal()]
    return {"extra_us": seconds[-1] * SECOND, "extra_all": "all" in words} if seconds else {}


def linkbeat_of(configuration: Configuration) -> tuple[tuple[str, str], ...]:
    """The interfaces that are polled: those that are listed, or those of instances that ask for it."""
    found = {line[0]: line[1] if len(line) > 1 else "" for line in configuration.linkbeat_interfaces}
    for instance in configuration.vrrp_instance:
        asked = configuration.linkbeat_use_polling or instance.linkbeat_use_polling
        if asked and instance.interface is not None:
            found.setdefault(instance.interface, "")
    return tuple(found.items())
