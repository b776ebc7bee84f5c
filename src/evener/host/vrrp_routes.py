"""Whether routes and rules are listened to: only where there are any, as a full routing table says a lot."""

from __future__ import annotations

from collections.abc import Callable

from evener.host.netlink.route import Lost, RouteMonitor
from evener.host.vrrp_loop import Loop


class RouteWatch:
    """``lost`` is told of each route and rule of ours that was removed."""

    def __init__(self, loop: Loop, lost: Callable[[Lost], None]) -> None:
        self._loop, self._lost = loop, lost
        self._monitor: RouteMonitor | None = None

    def want(self, wanted: bool) -> None:
        if wanted and self._monitor is None:
            self._monitor = RouteMonitor()
            self._loop.watch(self._monitor.fileno(), self._changed)
        elif not wanted and self._monitor is not None:
            self._loop.unwatch(self._monitor.fileno())
            self._monitor.close()
            self._monitor = None

    def _changed(self) -> None:
        assert self._monitor is not None
        for lost in self._monitor.read():
            self._lost(lost)
