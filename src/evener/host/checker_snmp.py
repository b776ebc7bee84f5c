"""The checker process's end of SNMP: the engine's counters, a weight that is set, and what is told when.

Without enable_snmp_checker nothing of SNMP is imported. Counters are asked of the kernel when somebody asks
us, and not more often than the configuration says, nor so often that it takes more than a tenth of the time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from evener.host.checks.house import CheckHouse
from evener.host.lvs_engine import measured
from evener.host.reactor import READABLE, Reactor, Timer
from evener.host.vrrp_log import LogSink
from evener.keepalived.lvs.director import Director, Step
from evener.keepalived.lvs.ipvs import Engine
from evener.keepalived.lvs.messages import Tell
from evener.keepalived.lvs.overrides import NONE

if TYPE_CHECKING:
    from evener.host.snmp_session import SnmpSession
    from evener.keepalived.snmp.lvs_view import LvsView
    from evener.keepalived.snmp.plan import SnmpPlan

SHARE = 10
"""Asking the kernel takes at most one part of so many of the time."""


def clock() -> int:
    return time.monotonic_ns() // 1000


class CheckerSnmp:
    """See the module."""

    def __init__(
        self,
        reactor: Reactor,
        director: Director,
        house: CheckHouse,
        carry_out: Callable[[Step], None],
        log: LogSink,
    ) -> None:
        self._reactor, self._director, self._house = reactor, director, house
        self._carry_out, self._log = carry_out, log
        self._engine: Engine | None = None
        self._plan: SnmpPlan | None = None
        self._view: LvsView | None = None
        self._session: SnmpSession | None = None
        self._timer: Timer | None = None
        self._counted: tuple[int, int, Mapping[Any, Any]] = (0, 0, {})

    def adopt(self, plan: SnmpPlan | None, engine: Engine) -> None:
        """At the start, and at a reload."""
        before, self._plan, self._engine = self._plan, plan, engine
        if plan is None or not plan.checker:
            self.close()
        elif before is None or self._view is None or before.socket != plan.socket:
            self.close()
            self._open(plan)
        else:
            self._view.plan = plan

    def _open(self, plan: SnmpPlan) -> None:
        from evener.host.snmp_session import SnmpSession
        from evener.keepalived.snmp.agent import Subagent
        from evener.keepalived.snmp.globals import TREE as GLOBALS
        from evener.keepalived.snmp.lvs_reals import TREE
        from evener.keepalived.snmp.lvs_view import LvsView

        self._view = LvsView(plan, self._director, self._counters, self._house.ran, self._set_weight)
        agent = Subagent((GLOBALS, TREE), self._view)
        reactor = self._reactor

        def watch(descriptor: int, readable: Callable[[], None]) -> None:
            reactor.watch(descriptor, READABLE, lambda _events: self._served(readable))

        self._session = SnmpSession(agent, plan.socket, watch, reactor.unwatch, clock, self._log)
        self._arm()

    def _served(self, readable: Callable[[], None]) -> None:
        readable()
        self._arm()

    def _arm(self) -> None:
        """The session's next moment, as a timer of the loop."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = None if self._session is None else self._session.next_timer()
        if due is not None:
            self._timer = self._reactor.later(max(0, due - clock()) / 1e6, self._run)

    def _run(self) -> None:
        if self._session is not None:
            self._session.run(clock())
        self._arm()

    # -- what the tables ask ---------------------------------------------------------------------

    def _counters(self, real: bool) -> Mapping[Any, Any]:
        assert self._plan is not None
        at, until, found = self._counted
        now = clock()
        age = self._plan.rs_age_us if real else self._plan.vs_age_us
        if found and now < max(until, at + age):
            return found
        found = measured(self._engine) if self._engine is not None else {}
        took = clock() - now
        self._counted = now, now + SHARE * took, found
        return found

    def _set_weight(self, virtual: str, address: bytes, port: int, weight: int) -> None:
        place = virtual, address, port
        before = self._director.overrides.get(place, NONE)
        self._carry_out(self._director.override(place, replace(before, weight=weight)))

    # -- what is told ----------------------------------------------------------------------------

    def told(self, tell: Tell) -> None:
        if self._session is None or self._view is None or not self._view.facts.traps:
            return
        from evener.keepalived.snmp.lvs_traps import told

        trap = told(self._view, tell)
        if trap is not None:
            self._session.trap(trap)
            self._arm()

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
        self._session = self._view = None
        self._arm()
