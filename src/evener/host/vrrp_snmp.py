"""The VRRP process's end of SNMP: what its tables show of this machine, and what is told when.

Without one of the enable_snmp words nothing of SNMP is imported. Requests are answered one read at a time,
with bounded work; traps about packets that are refused are limited: one flood must not become two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from evener.host.netlink.link import Interfaces
from evener.host.vrrp_log import LogSink
from evener.host.vrrp_loop import Loop, clock
from evener.keepalived.vrrp.messages import Command, Notify
from evener.keepalived.vrrp.plan import Instance, VrrpPlan
from evener.keepalived.vrrp.plan_tracked import TrackedProcess
from evener.keepalived.vrrp.router import Member, Router

if TYPE_CHECKING:
    from evener.host.snmp_session import SnmpSession
    from evener.keepalived.snmp.agent import Tree
    from evener.keepalived.snmp.plan import SnmpPlan
    from evener.keepalived.snmp.view import View
    from evener.keepalived.snmp.vrrp_traps import Trap

CarryOut = Callable[[Iterable[tuple[str, Command]]], None]

COUNT_US = 1_000_000
"""How old a count of processes may be: looking through /proc takes a while."""
COMPLAINTS_A_SECOND = 20
"""Of traps about refused packets."""


class SnmpEnd:
    """See the module. ``carry_out`` is for what a SET leads to."""

    def __init__(
        self, loop: Loop, router: Router, interfaces: Interfaces, carry_out: CarryOut, log: LogSink
    ) -> None:
        self._loop, self._router, self._interfaces = loop, router, interfaces
        self._carry_out, self._log = carry_out, log
        self._plan: SnmpPlan | None = None
        self._session: SnmpSession | None = None
        self._view: View | None = None
        self._counted: dict[str, tuple[int, int]] = {}
        self._complaints = 0, 0
        self._faults: dict[str, tuple[int, ...]] = {}

    def adopt(self, plan: VrrpPlan) -> None:
        """At the start, and at a reload: a session goes on if it is to serve the same."""
        before, self._plan = self._plan, plan.options.snmp
        if self._plan is None or not self._plan.of_vrrp:
            self.close()
        elif before is None or self._view is None or _offered(before) != _offered(self._plan):
            self.close()
            self._open(self._plan)
        else:
            self._view.facts = self._plan.facts

    def _open(self, plan: SnmpPlan) -> None:
        from evener.host.snmp_session import SnmpSession
        from evener.keepalived.snmp.agent import Subagent

        self._view = self._made_view(plan)
        agent = Subagent(_trees(plan), self._view)
        loop = self._loop
        self._session = SnmpSession(agent, plan.socket, loop.watch, loop.unwatch, clock, self._log)

    def _made_view(self, plan: SnmpPlan) -> View:
        from evener.keepalived.snmp.view import View

        return View(
            plan.facts,
            self._router,
            self._interfaces.index_of,
            self._hardware,
            self._first_address,
            self._running,
            clock,
            self._set_priority,
            self._set_preempt,
            clock(),
        )

    # -- what the tables ask ---------------------------------------------------------------------

    def _hardware(self, name: str) -> bytes:
        interface = self._interfaces.by_name.get(name)
        return interface.mac if interface is not None else b""

    def _first_address(self, name: str, family: int) -> bytes:
        interface = self._interfaces.by_name.get(name)
        configs = (member.machine.config for member in self._router.members.values())
        virtual = frozenset(address.packed for config in configs for address in config.addresses)
        found = interface.primary(family, virtual) if interface is not None else None
        return found or bytes(4 if family == 2 else 16)

    def _running(self, process: TrackedProcess) -> int:
        from evener.host.track_processes import running

        count, at = self._counted.get(process.name, (0, -COUNT_US))
        if clock() - at >= COUNT_US:
            count, at = self._counted[process.name] = running(process), clock()
        return count

    def _set_priority(self, name: str, priority: int) -> None:
        before = self._router.members[name].machine.config.priority
        self._log(f"({name}) base priority changed from {before} to {priority} via SNMP.")
        self._carry_out(self._router.set_priority(clock(), name, priority))

    def _set_preempt(self, name: str, preempt: bool) -> None:
        self._log(f"({name}) preemption {'enabled' if preempt else 'disabled'} with SNMP")
        machine = self._router.members[name].machine
        machine.reconfigure(replace(machine.config, preempt=preempt))

    # -- what is told ----------------------------------------------------------------------------

    def told(self, name: str, command: Notify, config: Instance | None) -> None:
        """An instance or a group has told its state; a reload may have removed it already."""
        plan, view = self._plan, self._view
        if plan is None or view is None:
            return
        from evener.keepalived.snmp import vrrp_traps as traps

        if command.told not in traps.STATES:
            return
        if command.group:
            group = next((g for g in self._router.groups if g.config.name == name), None)
            if group is not None and plan.vrrp:
                self._trap(traps.group_state(view, group, command.told))
            return
        if plan.vrrp and config is not None:
            self._trap(traps.instance_state(view, config, command.told))
        member = self._router.members.get(name)
        if member is not None and traps.becomes_master(member, command.told):
            view.reasons[name] = traps.why_master(member)
            self._new_master(plan, view, member)

    def _new_master(self, plan: SnmpPlan, view: View, member: Member) -> None:
        from evener.keepalived.snmp import rfc2787, rfc6527, vrrp_traps

        config = member.machine.config
        if plan.rfcv2 and rfc2787.fits(config):
            self._trap(vrrp_traps.new_master_v2(view, member))
        if plan.rfcv3 and rfc6527.fits(config):
            self._trap(vrrp_traps.new_master_v3(view, member))

    def refused(self, name: str, source: bytes) -> None:
        """A packet of that instance was dropped: its counters say why."""
        plan, view = self._plan, self._view
        if plan is None or view is None or not (plan.rfcv2 or plan.rfcv3):
            return
        from evener.keepalived.snmp import complaints

        member = self._router.members[name]
        before = self._faults.get(name, complaints.NONE)
        after = self._faults[name] = complaints.counted(member)
        for trap in complaints.traps(plan, view, member, source, complaints.raised(before, after)):
            if self._may_complain():
                self._trap(trap)

    def _may_complain(self) -> bool:
        second, count = self._complaints
        now = clock() // 1_000_000
        self._complaints = (now, count + 1 if now == second else 1)
        return self._complaints[1] <= COMPLAINTS_A_SECOND

    def _trap(self, trap: Trap) -> None:
        if self._session is not None and self._plan is not None and self._plan.facts.traps:
            self._session.trap(trap)

    # -- the loop --------------------------------------------------------------------------------

    def next_timer(self) -> int | None:
        return None if self._session is None else self._session.next_timer()

    def run(self, now: int) -> None:
        if self._session is not None:
            self._session.run(now)

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
        self._session = self._view = None


def _offered(plan: SnmpPlan) -> tuple[object, ...]:
    """What makes it another session."""
    return plan.socket, plan.vrrp, plan.rfcv2, plan.rfcv3, plan.vrrp_has_globals


def _trees(plan: SnmpPlan) -> list[Tree]:
    """In the order in which the original registers them."""
    trees: list[Tree] = []
    if plan.vrrp_has_globals:
        from evener.keepalived.snmp.globals import TREE as GLOBALS

        trees.append(GLOBALS)
    if plan.vrrp:
        from evener.keepalived.snmp.vrrp_tree import TREE as VRRP

        trees.append(VRRP)
    if plan.rfcv2:
        from evener.keepalived.snmp.rfc2787 import TREE as OLD

        trees.append(OLD)
    if plan.rfcv3:
        from evener.keepalived.snmp.rfc6527 import TREE as NEW

        trees.append(NEW)
    return trees
