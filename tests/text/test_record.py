"""Our ``dataclass`` against the standard one: whatever is asked of one, the answer is the same."""

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from evener.text import record

STANDARD: Any = dataclasses.dataclass
OURS: Any = record._dataclass


def shapes(dataclass: Any) -> dict[str, Any]:
    """The same classes by either decorator."""

    @dataclass(frozen=True, slots=True)
    class Point:
        """A place."""

        x: int
        y: int = 2
        tags: list[int] = dataclasses.field(default_factory=list, compare=False)
        hidden: str = dataclasses.field(default="h", repr=False)

    @dataclass(frozen=True, slots=True)
    class Further(Point):
        z: float = 0.5

    @dataclass(slots=True)
    class Changing:
        a: int = 1
        b: list[int] = dataclasses.field(default_factory=list, init=False)

        def __post_init__(self) -> None:
            self.b.append(self.a)

    @dataclass(frozen=True, slots=True, eq=False)
    class Alone:
        name: str

    @dataclass(frozen=True)
    class Loose:
        name: str

        def __repr__(self) -> str:
            return "mine"

    @dataclass(frozen=True, slots=True)
    class Nothing:
        pass

    return {c.__name__: c for c in (Point, Further, Changing, Alone, Loose, Nothing)}


THEIRS, MINE = shapes(STANDARD), shapes(OURS)
MAKES: list[tuple[str, Callable[[Any], Any]]] = [
    ("Point", lambda c: c(1)),
    ("Point", lambda c: c(1, y=3, tags=[4])),
    ("Further", lambda c: c(1, 2, [], "x", 3.0)),
    ("Changing", lambda c: c(7)),
    ("Alone", lambda c: c("n")),
    ("Loose", lambda c: c(name="n")),
    ("Nothing", lambda c: c()),
]


@pytest.mark.parametrize(("name", "make"), MAKES)
def test_objects_look_the_same(name: str, make: Callable[[Any], Any]) -> None:
    theirs, mine = make(THEIRS[name]), make(MINE[name])
    assert repr(mine) == repr(theirs)
    assert dataclasses.is_dataclass(mine)
    assert [f.name for f in dataclasses.fields(mine)] == [f.name for f in dataclasses.fields(theirs)]
    if name != "Alone":
        assert dataclasses.asdict(mine) == dataclasses.asdict(theirs)
    assert hasattr(mine, "__dict__") == hasattr(theirs, "__dict__")
    assert type(mine).__match_args__ == type(theirs).__match_args__
    assert (type(mine).__hash__ is None) == (type(theirs).__hash__ is None)
    assert (make(MINE[name]) == mine) == (make(THEIRS[name]) == theirs)


def test_equality_and_hash() -> None:
    point = MINE["Point"]
    assert point(1, tags=[1]) == point(1, tags=[2])
    assert hash(point(1, tags=[1])) == hash(point(1, tags=[2]))
    assert point(1) != point(2)
    assert point(1) != MINE["Further"](1)
    assert point(1) != (1, 2)
    with pytest.raises(TypeError):
        hash(MINE["Changing"]())


def test_frozen_objects_do_not_change() -> None:
    for made in (MINE["Point"](1), MINE["Further"](1), MINE["Loose"]("n")):
        for name in ("x", "y", "name", "unknown"):
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(made, name, 3)
        with pytest.raises(dataclasses.FrozenInstanceError):
            del made.x


@pytest.mark.parametrize("arguments", [(), (1, 2, 3, 4, 5)])
def test_wrong_arguments(arguments: tuple[int, ...]) -> None:
    with pytest.raises(TypeError):
        MINE["Point"](*arguments)
    with pytest.raises(TypeError):
        MINE["Point"](1, nothing=2)


def test_replace_and_copy() -> None:
    made = MINE["Further"](1, 2, [3], "x", 4.0)
    assert dataclasses.replace(made, z=5.0).z == 5.0
    assert copy.copy(made) == made
    assert copy.deepcopy(made).tags == [3]


@record.dataclass(frozen=True, slots=True)
class Kept:
    a: int
    b: str = "b"


def test_pickling() -> None:
    assert pickle.loads(pickle.dumps(Kept(1))) == Kept(1)


def test_both_decorators_inherit_from_each_other() -> None:
    @STANDARD(frozen=True, slots=True)
    class UponMine(MINE["Point"]):  # type: ignore[name-defined,misc]
        w: int = 9

    @OURS(frozen=True, slots=True)
    class UponTheirs(THEIRS["Point"]):  # type: ignore[name-defined,misc]
        w: int = 9

    assert UponMine(1).w == UponTheirs(1).w == 9
    assert [f.name for f in dataclasses.fields(UponTheirs)] == [f.name for f in dataclasses.fields(UponMine)]
    with pytest.raises(dataclasses.FrozenInstanceError):
        UponTheirs(1).x = 2


def test_mistakes_are_found_as_early_or_at_the_first_object() -> None:
    with pytest.raises(ValueError, match="mutable default"):

        @OURS
        class Shared:
            a: list[int] = []  # noqa: RUF012

    @OURS
    class Disordered:
        a: int = 1
        b: int

    with pytest.raises(TypeError, match="non-default"):
        Disordered(1, 2)
