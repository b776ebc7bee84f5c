"""The order in which servers take turns, by weight, as HAProxy's ``balance roundrobin`` goes about it.

Time is counted in turns. A round has as many of them as all weights together, so a server of weight w is
due again every total/w turns; what does not divide is carried over, and who carries more comes first
among those due at the same turn. A server that nobody has asked yet waits with the other new ones, the
heaviest first, and is asked whenever no one else is due. One whose next turn lies beyond the round waits
for the round after it.

One process moves the turns on when servers change, the workers lay them out: a ``Standing`` goes from one
to the others. The engine wants a list it can index. ``order`` lays out the turns that follow; they repeat
themselves after ``total / gcd(weights)`` turns, at once when all servers were new, else after a while.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from heapq import heapify, heappop, heappush
from math import gcd
from typing import Final, NamedTuple

LIMIT: Final = 8192
"""Turns laid out or caught up with at most, so that a rebuild stays in milliseconds."""
_SPAN: Final = 257
_FINE: Final = 16
"""The parts of a turn by which those due at the same one are told apart, and what is too little for that."""
LATER: Final = 1 << 32
"""Ranks of those that wait for the next round lie below its negative."""


def coarsen(weights: Mapping[int, int]) -> dict[int, int]:
    """About the same proportions in fewer turns, for very many servers of odd weights."""
    while sum(weights.values()) // gcd(*weights.values()) > LIMIT and max(weights.values()) > 1:
        weights = {index: max(1, weight // 2) for index, weight in weights.items()}
    return dict(weights)


class Place(NamedTuple):
    """Where a server stands. ``rank``: above 0 its arrival in the queue, below 0 its place among the new ones
    or, below ``-LATER``, among those of the next round; 0 is nothing known."""

    due: int
    last: int
    carried: int
    rank: int


class Standing(NamedTuple):
    round: int  #: 0: nothing is known, all servers are new
    now: int
    places: Mapping[int, Place]


class Turns:
    """``weights`` by server index, none of them 0. ``moved`` follows changes, ``order`` looks ahead."""

    __slots__ = (
        "_carried",
        "_due",
        "_entered",
        "_last",
        "_later",
        "_new",
        "_now",
        "_queue",
        "_round",
        "weights",
    )

    def __init__(self, weights: Mapping[int, int]) -> None:
        self.weights = dict(weights)
        self._round = self._now = sum(weights.values())
        self._new = sorted(weights, key=lambda index: -weights[index])
        self._later: list[int] = []
        self._queue: list[tuple[int, int, int]] = []  # (due and fraction, order of arrival, server)
        self._due: dict[int, int] = {}
        self._last: dict[int, int] = {}
        self._carried: dict[int, int] = {}
        self._entered = 0

    @property
    def total(self) -> int:
        return sum(self.weights.values())

    @property
    def period(self) -> int:
        return self.total // gcd(*self.weights.values()) if self.weights else 0

    def moved(self, taken: int, weights: Mapping[int, int]) -> Turns:
        """What becomes of the turns after ``taken`` more of them, when servers come, go or change weight."""
        if not self.weights or not weights:
            return Turns(weights)
        turns = self.copy()
        for _ in range(taken if taken < LIMIT else taken % max(self.period, 1)):
            turns.take()
        for index in set(turns.weights) - set(weights):
            turns._leave(index)
        for index, weight in weights.items():
            if index not in turns.weights:
                turns._join(index, weight)
            elif weight != turns.weights[index]:
                turns._reweigh(index, weight)
        return turns

    def order(self) -> tuple[list[int], int]:
        """Turns from now on, and how many of them come before those that are repeated."""
        if not self.weights:
            return [], 0
        turns = self.copy()
        repeated = turns.period
        fresh = len(self._new) == len(self.weights)
        order = [
            turns.take() for _ in range(repeated if fresh else max(repeated, min(4 * repeated, LIMIT // 4)))
        ]
        for _ in range(3):
            if self._fair(order[-repeated:]):
                return order, len(order) - repeated
            order += [turns.take() for _ in range(repeated)]
        return order, len(order) - repeated if self._fair(order[-repeated:]) else 0

    def _fair(self, order: list[int]) -> bool:
        """Whether everybody has the turns of a period that are his."""
        found = Counter(order)
        return all(found[index] * self.total == weight * len(order) for index, weight in self.weights.items())

    def take(self) -> int:
        """The server whose turn it is."""
        index = self._pop()
        if index is None:
            self._new, self._later = self._later, self._new
            self._round = self._now = self.total
            index = self._pop()
        assert index is not None, "somebody has a turn in every round"
        weight, due = self.weights[index], self._due.get(index) or self._now
        step, rest = divmod(self.total, weight)
        carried = self._carried.get(index, 0) + rest
        over = carried >= weight
        self._last[index] = due
        self._due[index] = due + step + over
        self._carried[index] = carried - weight * over
        self._now += 1
        self._line_up(index)
        return index

    def _pop(self) -> int | None:
        if self._new and (not self._queue or self._due[self._queue[0][2]] > self._now):
            index = self._new.pop(0)
            self._due[index] = self._carried[index] = 0
            return index
        return heappop(self._queue)[2] if self._queue else None

    def _line_up(self, index: int) -> None:
        due = self._due[index]
        if due >= 2 * self._round or due >= self._round + self.total:
            self._due[index] -= self._round
            self._insert(self._later, index)
            return
        self._entered += 1
        heappush(self._queue, (self._key(index), self._entered, index))

    def _key(self, index: int) -> int:
        fraction = (_SPAN * _FINE + self._carried[index] - self.weights[index]) // _FINE
        return _SPAN * self._due[index] + fraction

    def _insert(self, waiting: list[int], index: int) -> None:
        waiting.append(index)
        waiting.sort(key=lambda other: -self.weights[other])

    def _out(self, index: int) -> None:
        """Take ``index`` from where it waits; its due turn counts from now on in this round."""
        if index in self._new:
            self._new.remove(index)
            self._due[index] = self._carried[index] = 0
        elif index in self._later:
            self._later.remove(index)
            self._due[index] += self._round
        else:
            self._queue = [entry for entry in self._queue if entry[2] != index]
            heapify(self._queue)

    def _leave(self, index: int) -> None:
        self._out(index)
        del self.weights[index]

    def _join(self, index: int, weight: int) -> None:
        self.weights[index] = weight
        self._carried.setdefault(index, 0)
        self._due[index] = self._now + (self.total + self._round - self._now) // weight
        self._line_up(index)

    def _reweigh(self, index: int, weight: int) -> None:
        """A turn that is due stays; one that the new weight brings forward is brought forward."""
        self.weights[index] = weight
        if index in self._new:
            self._new.remove(index)
            self._insert(self._new, index)
            return
        self._out(index)
        step = self.total // weight
        due = min(self._last.get(index, 0) + step, self._due[index])
        self._due[index] = due if due >= self._now + 2 else self._now + step
        self._carried[index] = 0
        self._line_up(index)

    def copy(self) -> Turns:
        other = Turns({})
        other.weights, other._due = dict(self.weights), dict(self._due)
        other._last, other._carried = dict(self._last), dict(self._carried)
        other._new, other._later, other._queue = list(self._new), list(self._later), list(self._queue)
        other._round, other._now, other._entered = self._round, self._now, self._entered
        return other

    def standing(self) -> Standing:
        ranks = {index: -1 - place for place, index in enumerate(self._new)}
        ranks |= {index: -1 - place - LATER for place, index in enumerate(self._later)}
        ranks |= {index: entered for _, entered, index in self._queue}
        places = {
            index: Place(self._due.get(index, 0), self._last.get(index, 0), self._carried.get(index, 0), rank)
            for index, rank in ranks.items()
        }
        return Standing(self._round, self._now, places)

    @classmethod
    def at(cls, standing: Standing, weights: Mapping[int, int]) -> Turns:
        """What ``standing`` was taken of. A server it does not know is one of the new ones."""
        turns = cls(weights)
        known = {index: place for index, place in standing.places.items() if index in weights and place.rank}
        if not standing.round or not known:
            return turns
        turns._round, turns._now = standing.round, standing.now
        turns._new = [index for index in turns._new if index not in known]
        for index in sorted(known, key=lambda index: abs(known[index].rank)):
            turns._settle(index, known[index])
        return turns

    def _settle(self, index: int, place: Place) -> None:
        self._due[index], self._last[index], self._carried[index] = place.due, place.last, place.carried
        if place.rank > 0:
            self._entered = place.rank
            heappush(self._queue, (self._key(index), place.rank, index))
        else:
            (self._new if place.rank >= -LATER else self._later).append(index)


class Rotation:
    """What is kept of a backend's order between two changes, each after ``taken`` turns in all."""

    __slots__ = ("_size", "since", "turns")

    def __init__(self) -> None:
        self.turns = Turns({})
        self.since = self._size = 0

    def move(self, taken: int, weights: Mapping[int, int]) -> None:
        """The servers have these weights (0: none) from now on."""
        weights = {index: weight for index, weight in weights.items() if weight > 0}
        wanted = coarsen(weights) if weights else {}
        if self.turns.weights and wanted == weights:
            self.turns = self.turns.moved(taken - self.since, weights)
        else:
            self.turns = Turns(wanted)
        self.since = taken

    def place(self, taken: int, size: int) -> int:
        """Where to go on in a table of ``size`` places: where the last one was left, if it is that long."""
        place = taken - self.since
        place = (place - 1) % self._size + 1 if place and self._size else place  # behind the last one taken
        place = place if place < size else 0
        self.since, self._size = taken - place, size
        return place
