"""Which virtual servers with ha_suspend have none of their addresses on this machine.

The kernel says when addresses come and go. It is listened to only where some virtual server has the word:
the libraries that this takes are not even loaded otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from evener.host.reactor import READABLE, Reactor
from evener.keepalived.lvs.plan import CheckerPlan, VirtualServer

if TYPE_CHECKING:
    from evener.host.netlink.link import Interfaces


class AddressWatch:
    """``changed`` is told (name, is suspended) of each virtual server for which that changes."""

    def __init__(self, reactor: Reactor, changed: Callable[[str, bool], None]) -> None:
        self._reactor, self._changed = reactor, changed
        self._interfaces: Interfaces | None = None
        self._servers: tuple[VirtualServer, ...] = ()
        self.suspended: set[str] = set()

    def use(self, plan: CheckerPlan) -> set[str]:
        """The names of those that are suspended now; nobody is told of them."""
        self._servers = tuple(filter(depends_on_addresses, plan.virtual_servers))
        if self._servers and self._interfaces is None:
            from evener.host.netlink.link import Interfaces

            dumps, events = plan.options.buffers.command, plan.options.buffers.monitor
            self._interfaces = Interfaces(dump_buffer=dumps.size, force=dumps.force)
            self._interfaces.set_buffer(events.size, force=events.force)
            self._reactor.watch(self._interfaces.fileno(), READABLE, lambda _events: self._read())
        elif not self._servers:
            self.close()
        self.suspended = self._missing()
        return self.suspended

    def close(self) -> None:
        if self._interfaces is not None:
            self._reactor.unwatch(self._interfaces.fileno())
            self._interfaces.close()
            self._interfaces = None

    def _read(self) -> None:
        assert self._interfaces is not None
        self._interfaces.read()
        missing = self._missing()
        changed = missing ^ self.suspended
        self.suspended = missing
        for name in sorted(changed):
            self._changed(name, name in missing)

    def _missing(self) -> set[str]:
        if self._interfaces is None:
            return set()
        here = {packed for each in self._interfaces.by_name.values() for packed in each.addresses}
        return {
            virtual.name
            for virtual in self._servers
            if not any(key.address in here for key in virtual.members)
        }


def depends_on_addresses(virtual: VirtualServer) -> bool:
    """A mark has no address that could be missing."""
    return virtual.ha_suspend and any(key.address for key in virtual.members)
