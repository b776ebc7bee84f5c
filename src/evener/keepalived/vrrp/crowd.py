"""Masters that advertise in the same instant are set apart, so that each keeps its own beat.

Hundreds of instances that became master together would send hundreds of adverts in one go: long enough for
the kernel to run somebody else in the middle of it, and then the adverts of those behind are late, now and
then. So their next adverts come in groups, the last of them half an interval before the first: one interval
is shorter, which is never too late for a backup, and from then on all are regular.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from evener.keepalived.vrrp.fsm import Machine
from evener.keepalived.vrrp.plan import State

CROWD = 16
"""So many adverts are sent in well under a millisecond."""


def set_apart(machines: Iterable[Machine]) -> Iterator[Machine]:
    """Move the deadlines of masters where more than CROWD have the same; yields those that were moved."""
    together: dict[tuple[int, int], list[Machine]] = defaultdict(list)
    for machine in machines:
        if machine.state is State.MASTER and machine.deadline is not None:
            together[machine.deadline, machine.config.advert_us].append(machine)
    for (deadline, interval), crowd in together.items():
        groups = -(-len(crowd) // CROWD)
        for number, machine in enumerate(crowd):
            ahead = interval // 2 * (number * groups // len(crowd)) // groups
            if ahead:
                machine.deadline = deadline - ahead
                yield machine
