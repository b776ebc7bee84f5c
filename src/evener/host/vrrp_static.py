"""Static addresses, routes and rules: set when the VRRP process starts, put back when they are lost.

They belong to the machine and not to a master; when the process ends they go with it, as in keepalived.
A reload carries out the difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from evener.host.netlink import addr, route
from evener.host.netlink.route import IndexOf, Lost
from evener.host.netlink.rtnl import RtnlSocket
from evener.keepalived.vrrp.plan import StaticPlan


class Statics:
    """What is set of the plan's static part."""

    def __init__(self, rtnl: RtnlSocket, index_of: IndexOf, log: Callable[[str], None]) -> None:
        self._rtnl, self._index_of, self._log = rtnl, index_of, log
        self._plan = StaticPlan()

    def adopt(self, plan: StaticPlan) -> None:
        """Make what is set fit ``plan``."""
        old, self._plan = self._plan, plan
        self._remove(
            StaticPlan(
                tuple(a for a in old.addresses if a not in plan.addresses),
                tuple(r for r in old.routes if r not in plan.routes),
                tuple(r for r in old.rules if r not in plan.rules),
            )
        )
        self._add(
            StaticPlan(
                tuple(a for a in plan.addresses if a not in old.addresses),
                tuple(r for r in plan.routes if r not in old.routes),
                tuple(r for r in plan.rules if r not in old.rules),
            )
        )

    def clear(self) -> None:
        self.adopt(StaticPlan())

    @property
    def needs_routes(self) -> bool:
        return bool(self._plan.routes or self._plan.rules)

    def interfaces_changed(self, names: Iterable[str]) -> None:
        """Interfaces came up, or back: with them what belongs on them."""
        names = set(names)
        self._add(
            StaticPlan(
                tuple(a for a in self._plan.addresses if a.tracked and a.device in names),
                tuple(r for r in self._plan.routes if r.tracked and r.devices & names),
            )
        )

    def address_lost(self, packed: bytes, device: str) -> None:
        lost = tuple(
            a for a in self._plan.addresses if a.tracked and (a.packed, a.device) == (packed, device)
        )
        if lost:
            self._log(f"Restoring deleted static address {lost[0]}")
            self._add(StaticPlan(lost))

    def route_lost(self, lost: Lost) -> None:
        routes = tuple(r for r in self._plan.routes if r.tracked and lost.is_route(r))
        rules = tuple(r for r in self._plan.rules if r.tracked and lost.is_rule_of(r))
        for text in [*(r.text for r in routes), *(r.text for r in rules)]:
            self._log(f"Restoring deleted static {'rule' if lost.is_rule else 'route'} {text}")
        self._add(StaticPlan((), routes, rules))

    def _add(self, what: StaticPlan) -> None:
        addr.add(self._rtnl, what.addresses, self._index_of, self._log)
        route.add(self._rtnl, what.routes, self._index_of, self._log)
        route.add_rules(self._rtnl, what.rules, self._log)

    def _remove(self, what: StaticPlan) -> None:
        route.remove_rules(self._rtnl, what.rules, self._log)
        route.remove(self._rtnl, what.routes, self._index_of, self._log)
        addr.remove(self._rtnl, what.addresses, self._index_of, self._log)
