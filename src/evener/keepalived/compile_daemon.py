"""IR to the plan of the whole daemon: each process's part by its own compiler."""

from __future__ import annotations

from evener.keepalived.compile import compile_plan
from evener.keepalived.compile_bfd import bfd_plan
from evener.keepalived.compile_lvs import compile_lvs
from evener.keepalived.ir import Configuration
from evener.keepalived.plan import DaemonPlan


def compile_daemon(configuration: Configuration) -> DaemonPlan:
    return DaemonPlan(
        vrrp=compile_plan(configuration), checker=compile_lvs(configuration), bfd=bfd_plan(configuration)
    )
