"""Which objects keepalived has on the bus, and where: one for VRRP, and one for every instance.

    /org/keepalived/Vrrp1[/NAMESPACE][/INSTANCE]/Vrrp
    /org/keepalived/Vrrp1[/NAMESPACE][/INSTANCE]/Instance/INTERFACE/VRID/IPv4 or IPv6

NAMESPACE is net_namespace and INSTANCE that of the daemon (the word ``instance``). INTERFACE is the
configured one, whatever is made on top of it. A path holds letters, digits and ``_``; everything else becomes
``_`` (the original does so in INTERFACE only, and shows no object at all when another part needs it).
"""

from __future__ import annotations

import re

from evener.keepalived.vrrp.plan import Family, Instance, VrrpPlan
from evener.text.record import dataclass

VRRP_INTERFACE = "org.keepalived.Vrrp1.Vrrp"
INSTANCE_INTERFACE = "org.keepalived.Vrrp1.Instance"
ROOT = "/org/keepalived/Vrrp1"


@dataclass(frozen=True, slots=True)
class BusPlan:
    """What is on the bus as ``service``: the VRRP object at ``vrrp``, and the paths of instances by name."""

    service: str
    vrrp: str
    instances: dict[str, str]


def bus_plan(plan: VrrpPlan) -> BusPlan | None:
    """None: it is not asked for."""
    options = plan.options.bus
    if options is None:
        return None
    parts = (options.namespace, plan.options.instance)
    root = "".join((ROOT, *(f"/{_valid(part)}" for part in parts if part)))
    paths = {each.name: f"{root}/Instance/{_place(each, options.no_interface)}" for each in plan.instances}
    return BusPlan(options.service, f"{root}/Vrrp", paths)


def _place(instance: Instance, no_interface: str) -> str:
    family = "IPv4" if instance.family is Family.INET else "IPv6"
    return f"{_valid(instance.interface or no_interface)}/{instance.vrid}/{family}"


def _valid(text: str) -> str:
    return re.sub("[^A-Za-z0-9_]", "_", text)
