"""Argument types: what they read, what they refuse, and that printing is the inverse of reading."""

from enum import Enum
from typing import Any

import pytest

from evener.text.span import Source, Span
from evener.vocab.arguments import (
    Argument,
    BadArgument,
    Choice,
    Cursor,
    Fraction,
    Integer,
    Measure,
    Record,
    Text,
    Words,
    choice_of,
)


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Tokens:
    def __init__(self, text: str) -> None:
        self.words = text.split(" ") if text else []

    def span(self, index: int) -> Span:
        return Span(Source("toy"), 1, index, index + 1)


TIME = Measure({"": (1, 1), "us": (1, 1000), "s": (1000, 1), "m": (60000, 1)}, 2**31 - 1, "<time>")


def read(argument: Argument[Any], text: str) -> Any:
    return argument.read(Cursor(Tokens(text), 0))


GOOD = [
    (Integer(0, 9), "7", 7),
    (Integer(-5), "-5", -5),
    (Fraction(0, 5), "1.25", 1.25),
    (Text(), "x", "x"),
    (Words(1), "a b", ("a", "b")),
    (choice_of(Colour), "blue", Colour.BLUE),
    (Choice({"on": True, "off": False}), "off", False),
    (TIME, "1500", 1500),
    (Record(Text(), Integer()), "a 3", ("a", 3)),
]


@pytest.mark.parametrize(("argument", "text", "value"), GOOD)
def test_reading_and_printing(argument: Argument[Any], text: str, value: Any) -> None:
    assert read(argument, text) == value
    assert read(argument, " ".join(argument.words(value))) == value


@pytest.mark.parametrize(
    ("text", "value"), [("2s", 2000), ("1us", 1), ("1500us", 2), ("1m", 60000), ("0", 0)]
)
def test_measures(text: str, value: int) -> None:
    assert read(TIME, text) == value


@pytest.mark.parametrize(
    ("argument", "text", "code"),
    [
        (Integer(), "", "missing-argument"),
        (Integer(), "-1", "not-a-number"),
        (Integer(), "1_0", "not-a-number"),
        (Integer(), "\u0663", "not-a-number"),
        (Integer(0, 9), "10", "out-of-range"),
        (Integer(-5), "-6", "out-of-range"),
        (Fraction(), "1.", "not-a-number"),
        (Fraction(), ".", "not-a-number"),
        (Fraction(), "1e3", "not-a-number"),
        (choice_of(Colour), "green", "unknown-value"),
        (TIME, "99999999999", "overflow"),
        (TIME, "x", "unexpected-character"),
        (Words(0, 1), "a b", "unexpected-argument"),
        (Words(1), "", "missing-argument"),
    ],
)
def test_refusals(argument: Argument[Any], text: str, code: str) -> None:
    with pytest.raises(BadArgument) as caught:
        read(argument, text)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("text", "character"), [("1.5s", "."), ("1S", "S"), ("-1", "-"), ("5sx", "x"), ("x", "x")]
)
def test_measures_name_the_character(text: str, character: str) -> None:
    with pytest.raises(BadArgument, match=f"unexpected character '{character}'"):
        read(TIME, text)
