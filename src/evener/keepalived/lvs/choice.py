"""Which engine runs a virtual server, as what, and why: for people who look before they start."""

from __future__ import annotations

from evener.keepalived.lvs.marks import markable
from evener.keepalived.lvs.nft_support import approximations, problems, scheduler
from evener.keepalived.lvs.plan import CheckerOptions, VirtualServer
from evener.text.record import dataclass

WHY = {
    "ipvs": "--lvs-engine ipvs asks for it",
    "nft": "--lvs-engine nft asks for it",
}


@dataclass(frozen=True, slots=True)
class Served:
    virtual_server: str
    services: int
    """Of the engine: a virtual_server_group has many."""
    engine: str
    why: str
    scheduler: str
    approximated: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def served(virtual: VirtualServer, options: CheckerOptions, kernel_has_ipvs: bool) -> Served:
    """``kernel_has_ipvs`` decides where the options leave the choice to the machine."""
    engine, why = options.engine, WHY.get(options.engine, "")
    if engine == "auto":
        engine = "ipvs" if kernel_has_ipvs else "nft"
        why = (
            "the kernel has IPVS"
            if kernel_has_ipvs
            else "the kernel has no IPVS (or its module is not loaded)"
        )
    asked = virtual.service.scheduler
    if engine == "ipvs":
        entries = markable(virtual) if options.marking is not None else []
        if not entries:
            return Served(virtual.name, len(virtual.members), engine, why, asked)
        services = len(virtual.members) - len(entries) + len({entry.family for entry in entries})
        return Served(virtual.name, services, engine, f"{why}; nftables_ipvs marks its packets", asked)
    found = tuple(problems(virtual, options.approximate))
    nearly: tuple[str, ...] = ()
    done = asked
    if options.approximate:
        nearly, done = tuple(approximations(virtual.service)), scheduler(asked) or asked
    return Served(virtual.name, len(virtual.members), engine, why, done, nearly, found)
