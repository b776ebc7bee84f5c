"""Copies of objects that are made of slots."""

import sys

import pytest

from evener.text.record import dataclass
from evener.text.slots import copied


@dataclass(frozen=True, slots=True)
class Frog:
    name: str
    friends: list[str]
    weight: int | None = None


@dataclass(frozen=True, slots=True)
class Toad(Frog):
    warts: int = 0


def test_a_copy_has_the_same_values() -> None:
    friends = ["a", "b"]
    before = sys.getrefcount(friends)
    toad = Toad("t", friends, warts=3)
    copy = copied(toad)
    assert copy == toad and copy is not toad and type(copy) is Toad
    held = sys.getrefcount(friends) - before
    del toad, copy
    left = sys.getrefcount(friends) - before
    assert (held, left) == (2, 0)


def test_a_slot_without_a_value_stays_without() -> None:
    empty = object.__new__(Toad)
    with pytest.raises(AttributeError):
        _ = copied(empty).name


class Plain:
    __slots__ = ("a",)


class Loose(Plain):
    pass


@pytest.mark.parametrize("made", [Loose(), (1, 2), "text", 1.5, {"a": 1}, type("Number", (int,), {})()])
def test_what_has_more_than_slots_is_refused(made: object) -> None:
    with pytest.raises(TypeError, match="has more than slots"):
        copied(made)
