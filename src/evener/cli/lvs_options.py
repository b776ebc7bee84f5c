"""The options of our own that say how virtual servers are run, from the words of either command line."""

from __future__ import annotations

from dataclasses import replace

from evener.keepalived.lvs.plan import CheckerOptions
from evener.keepalived.plan import DaemonPlan

ENGINES = ("auto", "ipvs", "nft")


def engine_options(
    engine: str | None, approximate: bool, disconnect: bool = False, control: str | None = None
) -> CheckerOptions:
    """Raises ValueError."""
    if engine is not None and engine not in ENGINES:
        raise ValueError(f"Invalid --lvs-engine {engine}: it is one of {', '.join(ENGINES)}")
    return CheckerOptions(
        engine=engine or "auto", approximate=approximate, disconnect=disconnect, control=control or ""
    )


def with_engine(plan: DaemonPlan, given: CheckerOptions) -> DaemonPlan:
    """The plan of a configuration, run as the command line says."""
    options = replace(
        plan.checker.options,
        engine=given.engine,
        approximate=given.approximate,
        disconnect=given.disconnect,
        control=given.control,
    )
    return replace(plan, checker=replace(plan.checker, options=options))


def kernel_has_ipvs() -> bool:
    from evener.host.netlink.generic import GenericSocket
    from evener.wire import ipvs

    try:
        GenericSocket(ipvs.GENL_NAME, ipvs.GENL_VERSION).close()
    except OSError:
        return False
    return True
