"""What a simulation saw: states and addresses over time, and the events worth a line.

Times are microseconds since the beginning. An interval that is still open has its end at the duration.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import field

from evener.keepalived.vrrp.plan import State
from evener.text.record import dataclass

OFF = None
"""The state of an instance whose node is not running."""


@dataclass(frozen=True, slots=True)
class Span:
    """``what`` held from ``start`` until ``end``."""

    start: int
    end: int
    what: State | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the log of the simulation."""

    at: int
    node: str
    text: str


@dataclass(slots=True)
class Track:
    """The states of one instance of one node."""

    node: str
    instance: str
    spans: list[Span] = field(default_factory=list)

    def change(self, now: int, what: State | None) -> None:
        if self.spans:
            last = self.spans.pop()
            if last.what is what:
                self.spans.append(last)
                return
            if last.start < now:
                self.spans.append(Span(last.start, now, last.what))
        self.spans.append(Span(now, now, what))

    def at(self, moment: int) -> State | None:
        found = OFF
        for span in self.spans:
            if span.start > moment:
                break
            found = span.what
        return found


@dataclass(slots=True)
class Timeline:
    """Everything. ``owners`` maps an address to (from, to, node)."""

    nodes: tuple[str, ...]
    duration: int = 0
    tracks: dict[tuple[str, str], Track] = field(default_factory=dict)
    owners: dict[str, list[tuple[int, int, str]]] = field(default_factory=dict)
    log: list[Entry] = field(default_factory=list)
    _held: dict[tuple[str, str], int] = field(default_factory=dict)

    def state(self, now: int, node: str, instance: str, what: State | None) -> None:
        self.tracks.setdefault((node, instance), Track(node, instance)).change(now, what)

    def holds(self, now: int, node: str, address: str) -> None:
        self.owners.setdefault(address, [])
        self._held.setdefault((node, address), now)

    def drops(self, now: int, node: str, address: str) -> None:
        since = self._held.pop((node, address), None)
        if since is not None:
            self.owners.setdefault(address, []).append((since, now, node))

    def drops_all(self, now: int, node: str) -> None:
        for holder, address in list(self._held):
            if holder == node:
                self.drops(now, node, address)

    def say(self, now: int, node: str, text: str) -> None:
        self.log.append(Entry(now, node, text))

    def finish(self, duration: int) -> None:
        """Close what is open."""
        self.duration = duration
        for node, address in list(self._held):
            self.drops(duration, node, address)
        for held in self.owners.values():
            held.sort()
        for track in self.tracks.values():
            if track.spans:
                last = track.spans[-1]
                track.spans[-1] = Span(last.start, duration, last.what)

    def of(self, instance: str) -> Iterator[Track]:
        for (_, name), track in self.tracks.items():
            if name == instance:
                yield track

    @property
    def instances(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for _, name in self.tracks))


def gaps(intervals: Iterable[tuple[int, int, str]], duration: int) -> list[tuple[int, int]]:
    """When nobody held an address, between the first holder and the end."""
    found: list[tuple[int, int]] = []
    covered: int | None = None
    for start, end, _ in sorted(intervals):
        if covered is not None and start > covered:
            found.append((covered, start))
        covered = end if covered is None else max(covered, end)
    if covered is not None and covered < duration:
        found.append((covered, duration))
    return found


HANDOVER_US = 10_000
"""As long as an advert and a netlink request may take: no double owner worth a word."""


def doubles(intervals: Iterable[tuple[int, int, str]]) -> list[tuple[int, int, tuple[str, str]]]:
    """When two nodes held an address, for longer than a handover takes."""
    listed = sorted(intervals)
    return [
        (max(a[0], b[0]), min(a[1], b[1]), (a[2], b[2]))
        for i, a in enumerate(listed)
        for b in listed[i + 1 :]
        if max(a[0], b[0]) + HANDOVER_US < min(a[1], b[1]) and a[2] != b[2]
    ]
