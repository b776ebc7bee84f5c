"""What the daemon executes: a part for each of its processes."""

from __future__ import annotations

from dataclasses import field

from evener.keepalived.bfd.plan import BfdPlan
from evener.keepalived.lvs.plan import CheckerPlan
from evener.keepalived.vrrp.plan import VrrpPlan
from evener.text.record import dataclass


@dataclass(frozen=True, slots=True)
class DaemonPlan:
    """Made by ``compile_daemon.compile_daemon`` of a complete configuration."""

    vrrp: VrrpPlan
    checker: CheckerPlan = field(default_factory=CheckerPlan)
    bfd: BfdPlan = BfdPlan()
