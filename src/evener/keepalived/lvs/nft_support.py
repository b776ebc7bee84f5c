"""What of a virtual server nftables can honour, in the user's words.

nftables sees the first packet of a connection and never counts connections by server: schedulers that look
at load, thresholds and one-packet scheduling have no counterpart. The nearest thing it can do is
only done when the user asked for it (``approximate``); what it cannot do at all is refused either way.
"""

from __future__ import annotations

from collections.abc import Iterator

from evener.keepalived.lvs.ipvs import Forwarding, Method, Service, ServiceFlags
from evener.keepalived.lvs.plan import VirtualServer
from evener.keepalived.lvs.slots import CHOSEN

NEAREST = {
    "lc": "rr",
    "wlc": "wrr",
    "sed": "wrr",
    "nq": "wrr",
    "twos": "wrr",
    "lblc": "dh",
    "lblcr": "dh",
    "ovf": "fo",
}
"""Schedulers that nftables does not have."""


def scheduler(name: str) -> str | None:
    """The one that is executed for it; None: an unknown one."""
    return name if name in CHOSEN else NEAREST.get(name)


def approximations(service: Service) -> list[str]:
    """What is only nearly honoured, and how; nothing of it without the user's leave."""
    found = []
    if service.scheduler in NEAREST:
        found.append(f"scheduler {service.scheduler} (nearest: {NEAREST[service.scheduler]})")
    if service.flags & ServiceFlags.ONE_PACKET:
        found.append("ops (nearest: connections)")
    if service.engine:
        found.append(f"persistence_engine {service.engine} (nearest: the client's address)")
    return found


def service_refused(service: Service, approximate: bool) -> str | None:
    """Why nftables does not run a service, or None."""
    if scheduler(service.scheduler) is None:
        return f"no scheduler {service.scheduler}"
    missing = approximations(service)
    if missing and not approximate:
        return f"no {' and no '.join(missing)}"
    return None


def destination_refused(way: Forwarding, limited: bool, approximate: bool) -> str | None:
    """Why nftables does not run a destination, or None. ``limited``: it has thresholds."""
    if way.method is Method.TUN:
        return "no forwarding by TUN"
    if limited and not approximate:
        return "no connection thresholds (nearest: none)"
    return None


def problems(virtual: VirtualServer, approximate: bool) -> Iterator[str]:
    """What is not loaded of a virtual server, and why, for a check before it is run."""
    refused = service_refused(virtual.service, approximate)
    if refused:
        yield f"virtual server {virtual.shown} is not loaded: nftables has {refused}"
        return
    methods = {real.forwarding.method for real in virtual.real_servers} - {Method.TUN}
    if len(methods) > 1:
        yield f"virtual server {virtual.shown}: nftables needs the same lvs_method for all real servers"
    for real in virtual.real_servers:
        refused = destination_refused(real.forwarding, bool(real.upper or real.lower), approximate)
        if refused:
            where = f"real server {real.shown} of virtual server {virtual.shown}"
            yield f"{where} is not loaded: nftables has {refused}"
