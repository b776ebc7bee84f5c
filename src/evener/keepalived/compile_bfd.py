"""bfd_instance blocks to the plan of the BFD process."""

from __future__ import annotations

from evener.keepalived.bfd.plan import (
    DEFAULT_IDLE_US,
    DEFAULT_INTERVAL_US,
    DEFAULT_MULTIPLIER,
    BfdPlan,
    SessionConfig,
)
from evener.keepalived.describe_globals import Process, describe
from evener.keepalived.ir import Configuration
from evener.keepalived.trackers.things import BfdInstance
from evener.keepalived.twins import unlike
from evener.keepalived.vrrp.plan import Scheduling

DEFAULT_TTL = {4: 255, 6: 64}
"""The original's: RFC 5881 asks for 255 with both."""


def bfd_plan(configuration: Configuration) -> BfdPlan:
    """Nobody is told of a session that he does not track."""
    trackers = (*configuration.vrrp_instance, *configuration.vrrp_sync_group)
    tracked = {entry.name for block in trackers for entry in block.track_bfd}
    reals = (real for server in unlike(configuration.virtual_server) for real in server.real_server)
    checked = {check.bfd_name for real in reals for check in real.bfd_check if check.bfd_name}
    settings = configuration.global_defs
    return BfdPlan(
        tuple(_session(made, tracked, checked) for made in configuration.bfd_instance),
        Scheduling(
            nice=settings.bfd_priority,
            rt_priority=settings.bfd_rt_priority,
            rlimit_rttime_us=settings.bfd_rlimit_rttime,
            cpu_affinity=settings.bfd_cpu_affinity,
            no_swap=settings.bfd_no_swap,
        ),
        settings.bfd_process_name,
        describe(configuration, Process.BFD),
    )


def _session(made: BfdInstance, tracked: set[str], checked: set[str]) -> SessionConfig:
    neighbour = made.neighbor_ip
    assert neighbour is not None, "a bfd_instance without a neighbour was removed when it was read"
    hops = made.ttl or made.hoplimit or DEFAULT_TTL[neighbour.version]
    allowed = made.max_hops or 0
    return SessionConfig(
        name=made.name,
        neighbour=neighbour.packed,
        source=made.source_ip.packed if made.source_ip else None,
        min_rx_us=made.min_rx or DEFAULT_INTERVAL_US,
        min_tx_us=made.min_tx or DEFAULT_INTERVAL_US,
        idle_tx_us=made.idle_tx or DEFAULT_IDLE_US,
        multiplier=made.multiplier or DEFAULT_MULTIPLIER,
        passive=made.passive,
        ttl=hops,
        # The original keeps -1 in an unsigned octet; more hops than the TTL has are as good as all of them.
        max_hops=255 if allowed == -1 else min(allowed, hops),
        multihop=bool(made.multihop),
        tell_vrrp=made.name in tracked and (made.vrrp or not made.checker),
        tell_checker=made.name in checked and (made.checker or not made.vrrp),
        for_vrrp=made.vrrp or not made.checker,
        for_checker=made.checker or not made.vrrp,
    )
