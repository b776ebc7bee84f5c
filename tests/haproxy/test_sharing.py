"""Copies of lists and variables in several processes end up alike, in whatever order messages arrive."""

import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence

import pytest

from evener.haproxy import variables
from evener.haproxy.pattern import Method
from evener.haproxy.pattern_index import index
from evener.haproxy.pattern_lists import Lists
from evener.haproxy.patterns_file import PackedEntries, Place
from evener.haproxy.sample import Sample, Type
from evener.haproxy.shared_variables import ROOM, ProcessVariables
from evener.haproxy.sharing import FEW, Change, Hub, Replica, variable_change
from evener.lookup.texts import Texts


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    before = variables.changed
    yield
    variables.changed = before
    variables.PROCESS.clear()


def some_lists(large: bool) -> Lists:
    lists = Lists()
    loaded = PackedEntries(Texts([b"a", b"c", b"a"]), Texts([b"1", b"2", b"3"]), [1, 2, 3]) if large else ()
    index(lists.open("m", loaded, Place(0, "", 0), values=True), Method.STR, output=lambda e: e.value)
    lists.number()
    return lists


def content(lists: Lists) -> dict[str, str | None]:
    found = lists.find("m")
    assert found is not None
    return {element.key: element.value for element in found.live()}


class World:
    """Two workers and a control process whose messages wait until they are delivered."""

    def __init__(self, large: bool = False) -> None:
        self.up: list[deque[Sequence[Change]]] = [deque(), deque()]
        self.down: list[deque[tuple[int, Sequence[Change]]]] = [deque(), deque()]
        self.timers: list[Callable[[], None]] = []
        self.lists = [some_lists(large), some_lists(large), some_lists(large)]
        self.hub = Hub(self.lists[2], self.broadcast)
        self.workers = [self.replica(0), self.replica(1)]

    def replica(self, number: int) -> Replica:
        return Replica(
            number, self.lists[number], self.up[number].append, lambda _ms, call: self.timers.append(call)
        )

    def broadcast(self, origin: int, changes: Sequence[Change]) -> None:
        for queue in self.down:
            queue.append((origin, [list(change) for change in changes]))

    def step(self, draw: random.Random) -> bool:
        """Deliver one message or ring one timer; False when nothing is on its way."""
        choices: list[Callable[[], None]] = []
        for number in (0, 1):
            if self.up[number]:
                choices.append(lambda n=number: self.hub.heard(n, self.up[n].popleft()))
            if self.down[number]:
                choices.append(lambda n=number: self.workers[n].hear(*self.down[n].popleft()))
        if self.timers:
            choices.append(lambda: self.timers.pop(0)())
        if choices:
            draw.choice(choices)()
        return bool(choices)


def operated(draw: random.Random, lists: Lists, key: str, value: str, clear: float) -> Change:
    """A command of the runtime API; ``clear`` says how often everything goes."""
    if draw.random() < clear:
        return ["list", "clear", 0, 0]
    found = lists.find("m")
    first = found and found.first(key)
    if first is not None and draw.random() < 0.5:
        return draw.choice([["list", "set-one", 0, first.id, value], ["list", "remove-one", 0, first.id]])
    return ["list", "add", 0, lists.new_id(), 0, key, value]


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("large", [False, True])
def test_everybody_agrees_in_the_end(seed: int, large: bool) -> None:
    draw, world = random.Random(seed), World(large)
    for turn in range(120):
        number, key = draw.randrange(3), draw.choice("abc")
        if number == 2:
            world.hub.change([operated(draw, world.lists[2], key, f"h{turn}", 0.1)])
        elif draw.random() < 0.7:
            world.lists[number].change("put", "m", key, f"w{number}-{turn}")
        else:
            world.lists[number].change("remove", "m", key)
        for _ in range(draw.randrange(3)):
            world.step(draw)
    while world.step(draw):
        pass
    assert content(world.lists[0]) == content(world.lists[1]) == content(world.lists[2])


def test_few_changes_are_told_at_once_and_many_later() -> None:
    told: list[Sequence[Change]] = []
    timers: list[Callable[[], None]] = []
    lists = some_lists(False)
    Replica(0, lists, told.append, lambda _ms, call: timers.append(call))
    for number in range(FEW + 50):
        lists.change("put", "m", "k", str(number))
    assert len(told) == FEW
    timers.pop()()
    assert len(told) == FEW + 1
    assert told[-1][0][-1] == str(FEW + 49)


@pytest.mark.parametrize(
    "sample",
    [
        Sample(Type.STR, b"a\xff\0b"),
        Sample(Type.SINT, -5),
        Sample(Type.BOOL, True),
        Sample(Type.IPV4, bytes([1, 2, 3, 4])),
        Sample(Type.BIN, b""),
    ],
)
def test_variables_arrive_as_they_were(sample: Sample) -> None:
    hub = Hub(some_lists(False), lambda origin, changes: None)
    hub.change([variable_change("proc.x", sample)])
    assert variables.PROCESS.get("proc.x") == sample
    hub.change([variable_change("proc.x", None)])
    assert variables.PROCESS.get("proc.x") is None


def test_rules_tell_their_variables() -> None:
    told: list[Sequence[Change]] = []
    Replica(0, some_lists(False), told.append, lambda _ms, _call: None)
    variables.setter("proc.x")(None, Sample(Type.SINT, 4))
    variables.remover("proc.x")(None)
    assert told == [[["var", "proc.x", "SINT", 4]], [["var", "proc.x", "", None]]]


class Segment:
    """Cells that everybody sees."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], int] = {}

    def get(self, row: int, column: int) -> int:
        return self.cells.get((row, column), 0)

    def set(self, row: int, column: int, value: int) -> None:
        assert -(1 << 63) <= value < 1 << 63
        self.cells[row, column] = value

    def add(self, row: int, column: int, delta: int) -> int:
        self.cells[row, column] = self.get(row, column) + delta
        return self.cells[row, column]


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, ROOM - 1, ROOM])
def test_texts_of_any_length_that_fits_are_shared(length: int) -> None:
    segment, text = Segment(), bytes(range(256)) * 4
    one, other = ProcessVariables(), ProcessVariables()
    one.share(segment, {"proc.a": 3, "proc.b": 4})
    other.share(segment, {"proc.a": 3, "proc.b": 4})
    assert one.store("proc.b", Sample(Type.BIN, text[:length]))
    assert other.get("proc.b") == Sample(Type.BIN, text[:length])
    assert other.get("proc.a") is None
    assert one.store("proc.b", None)
    assert other.get("proc.b") is None


def test_what_does_not_fit_is_kept_here_and_told() -> None:
    segment, one, other = Segment(), ProcessVariables(), ProcessVariables()
    one.share(segment, {"proc.a": 3})
    other.share(segment, {"proc.a": 3})
    long = Sample(Type.STR, b"x" * (ROOM + 1))
    assert not one.store("proc.a", long)
    assert one.get("proc.a") == long
    assert other.get("proc.a") is None
    other.keep("proc.a", long)
    assert other.get("proc.a") == long
    assert one.store("proc.a", Sample(Type.SINT, -(1 << 63)))
    assert other.get("proc.a") == Sample(Type.SINT, -(1 << 63))


def test_values_of_before_move_and_strangers_do_not_lock_for_ever() -> None:
    segment, one = Segment(), ProcessVariables()
    one.store("proc.a", Sample(Type.BOOL, True))
    one.store("proc.z", Sample(Type.SINT, 1))
    one.share(segment, {"proc.a": 3})
    assert dict(one.items()) == {"proc.a": Sample(Type.BOOL, True), "proc.z": Sample(Type.SINT, 1)}
    segment.set(3, 0, 1)  # somebody died while writing
    segment.set(3, 1, 7)
    assert one.get("proc.a") is None
    assert one.store("proc.a", Sample(Type.BOOL, False))
    assert one.get("proc.a") == Sample(Type.BOOL, False)
