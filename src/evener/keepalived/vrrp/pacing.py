"""At which pace gratuitous ARPs and unsolicited neighbour advertisements leave. Sends nothing itself.

Without an interval an announcement leaves at once. With garp_interval or gna_interval it waits in the lane of
its interface (or of its garp_group), and they leave one by one; ``cancel`` drops those of an instance that is
no longer master. Times are microseconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import field

from evener.keepalived.vrrp.plan import Family, GarpGroup, GlobalOptions, Instance, VirtualAddress, VrrpPlan
from evener.text.record import dataclass


@dataclass(slots=True)
class Lane:
    """What waits for one interface, or for a garp_group of them, and when the next may leave."""

    intervals: dict[Family, int]
    queue: deque[tuple[str, VirtualAddress]] = field(default_factory=deque)
    next: int = 0
    last: str = ""
    """``GARP`` or ``GNA``: what was sent last."""


class Pacing:
    """See the module. What is to be announced now comes out of ``announce`` and ``due``."""

    def __init__(self, options: GlobalOptions) -> None:
        self._options = options
        self._groups: dict[str, GarpGroup] = {}
        self._below: dict[str, str] = {}
        self._lanes: dict[object, Lane] = {}

    def adopt(self, plan: VrrpPlan) -> None:
        """Take over the paces of a plan; what waits keeps its place in its own lane."""
        self._options = plan.options
        self._groups = {name: group for group in plan.garp_groups for name in group.interfaces}
        self._below = {v.name: v.parent for c in plan.instances for v in c.virtuals}
        self._lanes = {key: lane for key, lane in self._lanes.items() if lane.queue}

    def _lane(self, device: str) -> Lane:
        """A virtual interface waits with the one below it."""
        device = self._below.get(device, device)
        group = self._groups.get(device)
        key: object = group if group is not None else device
        lane = self._lanes.get(key)
        if lane is None:
            options = self._options
            pace = group or GarpGroup((device,), options.garp_interval_us, options.gna_interval_us)
            intervals = {Family.INET: pace.garp_interval_us, Family.INET6: pace.gna_interval_us}
            lane = self._lanes[key] = Lane(intervals)
        return lane

    def announce(
        self, now: int, config: Instance, repeat: int, *, extra: bool = False
    ) -> Iterator[VirtualAddress]:
        """Announce every address of an instance (``extra``: those on other interfaces), round by round."""
        addresses = config.elsewhere() if extra else config.addresses
        for _ in range(repeat):
            for address in addresses:
                lane = self._lane(address.device)
                if lane.intervals[address.family]:
                    lane.queue.append((config.name, address))
                else:
                    yield address
        yield from self.due(now)

    def due(self, now: int) -> Iterator[VirtualAddress]:
        """What may leave now."""
        for lane in self._lanes.values():
            while lane.queue and lane.next <= now:
                _, address = lane.queue.popleft()
                lane.next = now + lane.intervals[address.family]
                lane.last = "GARP" if address.family is Family.INET else "GNA"
                yield address

    def next_of(self, group: GarpGroup, kind: str) -> int | None:
        """When a group may announce again; None: it has not announced anything of this kind."""
        lane = self._lanes.get(group)
        return lane.next if lane is not None and lane.last == kind else None

    def cancel(self, name: str) -> None:
        """Drop what still waits for instance ``name``."""
        for lane in self._lanes.values():
            lane.queue = deque(entry for entry in lane.queue if entry[0] != name)

    def next_timer(self) -> int | None:
        return min((lane.next for lane in self._lanes.values() if lane.queue), default=None)
