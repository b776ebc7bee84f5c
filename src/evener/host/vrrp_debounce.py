"""interface_up_down_delays: a change of an interface's state counts when it has lasted.

Times are microseconds of the loop's clock. A change back within the delay was never there.
"""

from __future__ import annotations

from evener.keepalived.vrrp.plan import Debounce, VrrpPlan


class Debouncer:
    """What each interface is taken to be, and which changes still have to prove themselves."""

    def __init__(self) -> None:
        self._delays: dict[str, Debounce] = {}
        self._taken: dict[str, bool] = {}
        self._pending: dict[str, tuple[int, bool]] = {}

    def adopt(self, plan: VrrpPlan) -> None:
        """A virtual interface has the delays of the one below it."""
        self._delays = {debounce.interface: debounce for debounce in plan.debounces}
        for config in plan.instances:
            if config.virtual is not None and config.virtual.parent in self._delays:
                self._delays.setdefault(config.virtual.name, self._delays[config.virtual.parent])

    def settle(self, name: str, up: bool) -> None:
        """The state is known and counts at once."""
        self._taken[name] = up
        self._pending.pop(name, None)

    def note(self, now: int, name: str, up: bool) -> bool:
        """An interface is now ``up`` or not; True when that counts at once."""
        delays = self._delays.get(name)
        delay = 0 if delays is None else delays.up_us if up else delays.down_us
        if self._taken.get(name) == up or not delay:
            self.settle(name, up)
            return True
        if self._pending.get(name, (0, not up))[1] != up:
            self._pending[name] = now + delay, up
        return False

    def next_timer(self) -> int | None:
        return min((due for due, _ in self._pending.values()), default=None)

    def due(self, now: int) -> list[tuple[str, bool]]:
        """The changes that count from now on."""
        ready = [(name, up) for name, (due, up) in self._pending.items() if due <= now]
        for name, up in ready:
            self.settle(name, up)
        return ready
