"""What of a virtual server nftables can honour, in the user's words.

nftables sees the first packet of a connection and never counts connections by server: schedulers that look
at load, thresholds and one-packet scheduling have no counterpart. The nearest thing it can do is
only done when the user asked for it (``approximate``); what it cannot do at all is refused either way.
"""

from __future__ import annotations

from evener.keepalived.lvs.ipvs import Destination, Method, Service, ServiceFlags
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
        return f"nftables has no scheduler {service.scheduler}"
    missing = approximations(service)
    if missing and not approximate:
        return f"nftables has no {' and no '.join(missing)}"
    return None


def destination_refused(destination: Destination, approximate: bool) -> str | None:
    """Why nftables does not run a destination, or None."""
    if destination.forwarding.method is Method.TUN:
        return "nftables cannot forward by TUN"
    if (destination.upper or destination.lower) and not approximate:
        return "nftables has no connection thresholds (nearest: none)"
    return None
