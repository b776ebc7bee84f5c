"""What rules and the runtime API change, and every process must know: lists, maps, process variables.

Each process has its own copy of these and reads nothing else. A worker changes its copy at once and
tells the control process, which puts the changes of all into one order, makes them in its own copy and
tells them to every worker, whoever they came from:

    rule -> Replica.changed -> Hub.heard -> every Replica.hear
    runtime API -> Hub.change ----------------------->

So that all copies end up alike, a worker keeps what it has said and not heard back apart. Of a variable,
the last value counts: it is deaf to others' values until its own words have come back. Of a list, it takes
its own changes of a key back before it makes a change it is told, and makes them again afterwards, as long
as they are outstanding. A few changes are told at once - before the response that a client may take for a
sign - but who has many tells only the last one of each key, a little later.

A change is a plain list (JSON): ``["list", what, number, ...]`` or ``["var", name, type, value]`` (no value:
the variable is gone).

Nothing here sends anything: ``tell`` and ``later`` are given by whoever can.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from evener.haproxy import variables
from evener.haproxy.pattern_list import PatternList, Snapshot
from evener.haproxy.pattern_lists import Lists
from evener.haproxy.sample import Sample, Type

Change = list[Any]
Tell = Callable[[Sequence[Change]], None]

EVERYBODY: Final = -1  #: the origin of what the control process itself changed
PAUSE: Final = 2  #: milliseconds during which changes are collected ...
FEW: Final = 16  #: ... when there have been so many of them


def key_of(change: Change) -> Hashable:
    """What a change is about: a variable's name, or a key of a list (``put`` carries a number before it)."""
    if change[0] == "var":
        return str(change[1])
    return change[2], change[4 if change[1] == "put" else 3]


def variable_change(name: str, sample: Sample | None) -> Change:
    if sample is None:
        return ["var", name, "", None]
    value = sample.value
    return ["var", name, sample.type.name, value.decode("latin-1") if isinstance(value, bytes) else value]


def _apply(lists: Lists, change: Change) -> None:
    if change[0] == "list":
        lists.apply(change[1:])
        return
    _, name, kind, value = change
    kept = value.encode("latin-1") if isinstance(value, str) else value
    variables.PROCESS.keep(name, None if value is None else Sample(Type[kind], kept))


class Replica:
    """A worker's part. ``tell`` sends a batch to the control process."""

    def __init__(
        self, index: int, lists: Lists, tell: Tell, later: Callable[[int, Callable[[], None]], None]
    ) -> None:
        self._index = index
        self._lists = lists
        self._tell = tell
        self._later = later
        self._batch: dict[Hashable, Change] = {}
        self._unanswered: dict[Hashable, int] = {}
        self._told = 0
        self._own: dict[tuple[int, str], Outstanding] = {}
        lists.changing = self._changing
        lists.changed = lambda operation: self.changed(["list", *operation])
        variables.changed = lambda name, sample: self.changed(variable_change(name, sample))

    def changed(self, change: Change) -> None:
        """A rule changed something here."""
        if self._told == 0:
            self._later(PAUSE, self._rested)
        self._told += 1
        if self._told > FEW:
            self._batch[key_of(change)] = change
        else:
            self._say([change])

    def _say(self, changes: Sequence[Change]) -> None:
        for change in changes:
            key = key_of(change)
            self._unanswered[key] = self._unanswered.get(key, 0) + 1
        self._tell(changes)

    def _rested(self) -> None:
        batch, self._batch = self._batch, {}
        self._told = 0
        if batch:
            self._say(list(batch.values()))

    def hear(self, origin: int, changes: Sequence[Change]) -> None:
        """The control process tells what was changed, by whom."""
        for change in changes:
            left = self._answered(key_of(change)) if origin == self._index else -1
            if change[0] == "list":
                self._hear_list(change, left)
            elif left <= 0 and key_of(change) not in self._unanswered and key_of(change) not in self._batch:
                _apply(self._lists, change)

    def _answered(self, key: Hashable) -> int:
        """Own words about a key came back: how many are still on their way."""
        left = self._unanswered.get(key, 1) - 1
        if left > 0:
            self._unanswered[key] = left
        else:
            self._unanswered.pop(key, None)
        return left

    # -- lists ------------------------------------------------------------------------------------

    def _changing(self, of: PatternList, key: str, operation: Sequence[Any]) -> None:
        own = self._own.get((of.number, key))
        if own is None:
            own = self._own[of.number, key] = Outstanding(of.snapshot(key), [])
        own.operations.append(operation)

    def _hear_list(self, change: Change, left: int) -> None:
        of = self._lists.numbered(change[2])
        if of is None:
            return
        touched = [key for key in self._touched(of, change) if (of.number, key) in self._own]
        for key in touched:
            of.restore(key, self._own[of.number, key].snapshot)
        self._lists.apply(change[1:])
        for key in touched:
            self._make_again(of, key, left)

    def _touched(self, of: PatternList, change: Change) -> Sequence[str]:
        """The keys that a change may be about."""
        what, rest = change[1], change[3:]
        if what in ("put", "add"):
            return rest[-2:-1]
        if what in ("set", "remove"):
            return rest[:1]
        if what in ("set-one", "remove-one"):
            element = of.find(rest[0])
            return self._keys_with(of, rest[0]) if element is None else (element.key,)
        return [key for number, key in self._own if number == of.number]

    def _keys_with(self, of: PatternList, id: int) -> list[str]:
        """Where an entry was before this worker removed it."""
        return [
            key
            for (number, key), own in self._own.items()
            if number == of.number and any(id == known for known, _, _ in own.snapshot)
        ]

    def _make_again(self, of: PatternList, key: str, left: int) -> None:
        """What is not answered yet, on top of what everybody knows. ``left``: -1 for others' changes."""
        own = self._own[of.number, key]
        own.snapshot = of.snapshot(key)
        waiting = left if left >= 0 else self._unanswered.get((of.number, key), 0)
        if not waiting and (of.number, key) not in self._batch:
            del self._own[of.number, key]
            return
        if (of.number, key) not in self._batch:
            del own.operations[: max(0, len(own.operations) - waiting)]
        for operation in own.operations:
            self._lists.apply(operation)


@dataclass(slots=True)
class Outstanding:
    """A key of a list before this worker's unanswered changes, and these."""

    snapshot: Snapshot
    operations: list[Sequence[Any]]


class Hub:
    """The control process's part. ``tell(origin, changes)`` reaches every worker."""

    def __init__(self, lists: Lists, tell: Callable[[int, Sequence[Change]], None]) -> None:
        self._lists = lists
        self._tell = tell

    def set_variable(self, name: str, sample: Sample) -> None:
        if not variables.PROCESS.store(name, sample):
            self._tell(EVERYBODY, [variable_change(name, sample)])

    def change(self, changes: Sequence[Change]) -> None:
        for change in changes:
            _apply(self._lists, change)
        self._tell(EVERYBODY, changes)

    def heard(self, worker: int, changes: Sequence[Change]) -> None:
        for change in changes:
            if change[:2] == ["list", "put"]:
                change[3] = self._lists.new_id()
            _apply(self._lists, change)
        self._tell(worker, changes)
