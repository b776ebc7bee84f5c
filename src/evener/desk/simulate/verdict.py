"""The invariants of a simulation, and what a configuration can never do.

* Two masters of one virtual router that hear each other: tolerated for one advert interval (that is how
  they find out), a violation after that.
* No master although somebody who could be one is there: tolerated for the longest master-down time, a
  violation after that. A sync group may take two of them, for its members wait for each other.
* Weights that cannot flip an election: not a violation of the protocol, but the commonest mistake of
  configurations; they are named as advice.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

from evener.desk.simulate.world import Node, World, same_wire
from evener.keepalived.vrrp.plan import Family, Instance, State, Track, TrackKind, VrrpPlan
from evener.keepalived.vrrp.timers import master_down_us
from evener.keepalived.vrrp.tracking import standing
from evener.text.record import dataclass

SLACK_US = 20_000


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that did not hold from ``start`` until ``end``."""

    start: int
    end: int
    what: str


class Referee:
    """Watches a world. ``violations`` is complete after ``finish``."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.violations: list[Violation] = []
        self._since: dict[tuple[object, ...], int] = {}
        self._limits: dict[tuple[object, ...], int] = {}
        world.watchers.append(self.look)

    def look(self, now: int) -> None:
        current: dict[tuple[object, ...], int] = {}
        for router_of in self._routers().values():
            for part in self._partitions(router_of):
                current.update(self._judge(part))
        for key in list(self._since):
            if key not in current:
                self._close(key, now)
        for key, limit in current.items():
            self._since.setdefault(key, now)
            self._limits[key] = limit

    def finish(self, duration: int) -> list[Violation]:
        for key in list(self._since):
            self._close(key, duration)
        self.violations.sort(key=lambda violation: violation.start)
        return self.violations

    def _close(self, key: tuple[object, ...], now: int) -> None:
        since, limit = self._since.pop(key), self._limits.pop(key)
        if now - since > limit:
            self.violations.append(Violation(since, now, str(key[0])))

    def _routers(self) -> dict[tuple[int, Family], list[tuple[Node, Instance]]]:
        """Who takes part in which virtual router, among those that run."""
        found: dict[tuple[int, Family], list[tuple[Node, Instance]]] = {}
        for node in self.world.nodes.values():
            if node.router is not None:
                for config in node.plan.instances:
                    found.setdefault((config.vrid, config.family), []).append((node, config))
        return found

    def _partitions(self, members: list[tuple[Node, Instance]]) -> Iterable[list[tuple[Node, Instance]]]:
        """Members that hear each other, directly or over others; one way is enough: it is one network."""
        rest = list(members)
        while rest:
            part, rest = [rest[0]], rest[1:]
            for member in part:
                near = [other for other in rest if self._meet(member, other)]
                rest = [other for other in rest if other not in near]
                part += near
            yield part

    def _meet(self, first: tuple[Node, Instance], second: tuple[Node, Instance]) -> bool:
        return self._hears(first, second) or self._hears(second, first)

    def _hears(self, first: tuple[Node, Instance], second: tuple[Node, Instance]) -> bool:
        """Whether the second hears the first."""
        return (
            self.world.connected(first[0].name, second[0].name)
            and same_wire(first[1], second[1])
            and first[0].hears_on(first[1].interface)
            and second[0].hears_on(second[1].interface)
        )

    def _how_they_hear(self, masters: list[tuple[Node, Instance]], part: list[tuple[Node, Instance]]) -> str:
        """Two masters that do not hear each other can still have a listener in common, who hears both."""
        pairs = [pair for pair in combinations(masters, 2) if self._meet(*pair)]
        if any(self._hears(one, other) and self._hears(other, one) for one, other in pairs):
            return "and hear each other"
        for one, other in pairs:
            heard, hearer = (one, other) if self._hears(one, other) else (other, one)
            return f"but only {hearer[0].name} hears {heard[0].name}"
        return f"and are heard by {_listed([member for member in part if member not in masters], 'and')}"

    def _judge(self, part: list[tuple[Node, Instance]]) -> dict[tuple[object, ...], int]:
        states = [(node, config, _state(node, config)) for node, config in part]
        names = frozenset(node.name for node, _ in part)
        masters = [(node, config) for node, config, state in states if state is State.MASTER]
        vrid = part[0][1].vrid
        if len(masters) > 1:
            who = " and ".join(sorted(node.name for node, _ in masters))
            slowest = max(config.advert_us for _, config in masters)
            how = self._how_they_hear([member for member in part if member in masters], part)
            return {(f"VRID {vrid}: {who} are master {how}", names): slowest + SLACK_US}
        able = [(node, config) for node, config, state in states if state is State.BACKUP]
        if masters or not able:
            return {}
        return {(f"VRID {vrid}: nobody is master although {_listed(able)} could be", names): _patience(able)}


def _listed(members: list[tuple[Node, Instance]], word: str = "or") -> str:
    return f" {word} ".join(sorted(node.name for node, _ in members))


def _state(node: Node, config: Instance) -> State:
    assert node.router is not None
    return node.router.members[config.name].machine.state


def _patience(able: list[tuple[Node, Instance]]) -> int:
    longest = 0
    for node, config in able:
        assert node.router is not None
        machine = node.router.members[config.name].machine
        # A backup waits with the interval of the master it last heard (RFC 9568 6.1).
        interval = max(config.advert_us, machine.master_advert_us)
        down = master_down_us(config.version, machine.priority, interval, config.down_timer_adverts)
        grouped = any(config.name in group.members for group in node.plan.groups)
        longest = max(longest, round(down * (2 if grouped else 1) / node.rate))
    return longest + SLACK_US


def advice(plans: Iterable[tuple[str, VrrpPlan]]) -> list[str]:
    """What the weights of a node can never bring about, with every other node in good health."""
    nodes = list(plans)
    found: list[str] = []
    for name, plan in nodes:
        for config in plan.instances:
            rivals = [
                (other, there, _priority(there, _tracks(elsewhere, there)))
                for other, elsewhere in nodes
                if other != name
                for there in elsewhere.instances
                if (there.vrid, there.family) == (config.vrid, config.family)
            ]
            found += _useless(name, config, _tracks(plan, config), rivals)
    return found


Rival = tuple[str, Instance, int]
"""A node, its instance, and the priority of that with everything up."""


def _tracks(plan: VrrpPlan, config: Instance) -> tuple[Track, ...]:
    of_group = (group.tracks for group in plan.groups if config.name in group.members)
    return config.tracks + next(of_group, ())


def _priority(config: Instance, tracks: tuple[Track, ...], down: tuple[TrackKind, str] | None = None) -> int:
    known = {(t.kind, t.name): int(t.kind is not TrackKind.FILE) for t in tracks}
    known = {key: value if key != down else 0 for key, value in known.items()}
    return standing(config.priority, tracks, known).priority


def _useless(name: str, config: Instance, tracks: tuple[Track, ...], rivals: list[Rival]) -> list[str]:
    """Tracks whose failure leaves this node master before the very rivals it was ahead of."""
    found: list[str] = []
    healthy = _priority(config, tracks)
    beaten = [rival for rival in rivals if rival[2] < healthy]
    for track in tracks:
        if not track.weight or track.kind is TrackKind.FILE or not beaten:
            continue
        failed = _priority(config, tracks, (track.kind, track.name))
        if failed >= healthy:
            continue
        why = _why_none_takes_over(failed, beaten)
        if why:
            fall = f"{config.name} goes from {healthy} to {failed}"
            found.append(
                f"{name}: when {track.kind.value} {track.name} fails, {fall}, {why}:"
                " this weight cannot flip the election"
            )
    return found


def _why_none_takes_over(failed: int, beaten: list[Rival]) -> str:
    """Empty: somebody does. RFC 9568 6.4.2: a backup with Preempt_Mode false takes any advert for good."""
    other, _, priority = max(beaten, key=lambda rival: rival[2])
    if failed >= priority:
        return f"which is still not below {other} ({priority})"
    able = [rival for rival in beaten if rival[2] > failed]
    if any(there.preempt for _, there, _ in able):
        return ""
    names = " and ".join(f"{other} ({priority})" for other, _, priority in able)
    return f"but {names} has nopreempt and leaves the address to any master"
