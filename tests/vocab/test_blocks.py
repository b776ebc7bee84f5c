"""Blocks: a toy vocabulary, read, inherited and printed."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from evener.text.span import Source, Span
from evener.vocab.arguments import BadArgument, Cursor, Flag, Integer, Text, Words
from evener.vocab.blocks import (
    Builder,
    Group,
    Known,
    Repeat,
    Slot,
    block,
    group,
    keyword,
    known_word,
    part,
    read,
    spans,
    statements,
    vocabulary,
)
from evener.vocab.registry import DeclarationError


@block("pond word")
@dataclass(frozen=True, slots=True)
class Pond:
    depth: int | None = keyword(Integer(1, 9), "How deep.", ok=("depth 3",), bad=("depth 0",), default=None)
    fish: tuple[str, ...] = keyword(
        Text("<name>"), "Who lives in it.", ok=("fish carp",), bad=("fish",), repeat=Repeat.COLLECT
    )
    spans: Mapping[str, Span] = spans()


@block("mood word")
@dataclass(frozen=True, slots=True)
class Mood:
    happy: bool | None = keyword(Flag(), "It sings.", ok=("happy",), bad=("happy no",), negatable=True)


@block("frog word", (known_word("jump", "Not yet.", least=1, most=2),))
@dataclass(frozen=True, slots=True)
class Frog:
    colour: tuple[str, ...] = keyword(
        Words(1), "All of them.", ok=("colour red",), bad=("colour",), default=()
    )
    pond: Pond = group("pond", Pond)
    mood: Mood = part(Mood)
    known: tuple[Known, ...] = ()
    spans: Mapping[str, Span] = spans()


class Tokens:
    def __init__(self, text: str) -> None:
        self.words = text.split()

    def span(self, index: int) -> Span:
        return Span(Source("toy"), 1, index, index + 1)


def feed(builder: Builder[Frog], text: str) -> None:
    line = Tokens(text)
    slot, index = vocabulary(Frog).find(line.words)
    assert isinstance(slot, Slot)
    if slot.path:
        builder.store(slot, read(slot, Cursor(line, index)), line.span(0))
    else:
        builder.keep(line.words, line.span(0))


def frog(*lines: str, start: Frog | None = None) -> Frog:
    builder = Builder(Frog, start)
    for line in lines:
        feed(builder, line)
    return builder.finish()


def test_reads_fields_groups_and_parts() -> None:
    made = frog("colour green blue", "pond depth 3", "pond fish carp", "pond fish pike", "happy", "jump 1")
    assert made.colour == ("green", "blue")
    assert made.pond == Pond(depth=3, fish=("carp", "pike"))
    assert made.mood.happy is True
    assert made.known == (Known(("jump", "1")),)
    assert made.pond.spans["depth"].line == 1


def test_finding_says_how_far_it_came() -> None:
    find = vocabulary(Frog).find
    assert find(["nothing"]) == (None, 1)
    found, index = find(["pond", "dept", "3"])
    assert isinstance(found, Group) and index == 1
    found, index = find(["pond", "depth", "3"])
    assert isinstance(found, Slot) and index == 2 and found.keyword.name == "pond depth"
    assert found.keyword.ok == ("pond depth 3",)


def test_inheritance_is_a_start_and_printing_says_the_difference() -> None:
    parent = frog("pond depth 3", "pond fish carp", "happy")
    child = frog("pond fish pike", start=parent)
    assert child.pond == Pond(depth=3, fish=("carp", "pike"))
    assert child.mood.happy is True
    assert list(statements(child, parent)) == [["pond", "fish", "pike"]]
    assert frog(start=parent) is parent


def test_print_parse_is_a_fixed_point() -> None:
    made = frog("colour green", "pond depth 3", "pond fish carp", "happy", "jump 1 2")
    printed = [" ".join(words) for words in statements(made)]
    assert frog(*printed) == made


def test_own_values_are_told_from_inherited_ones() -> None:
    builder = Builder(Frog, frog("pond depth 3"))
    assert builder.get(("pond", "depth")) == 3
    assert not builder.said(("pond", "depth"))
    feed(builder, "pond depth 4")
    assert builder.said(("pond", "depth"))
    assert builder.finish().pond.depth == 4


@pytest.mark.parametrize("text", ["pond depth 0", "pond depth 10", "pond depth x", "pond depth", "colour"])
def test_bad_arguments_are_refused(text: str) -> None:
    with pytest.raises(BadArgument):
        frog(text)


def test_a_word_may_not_hide_another() -> None:
    with pytest.raises(DeclarationError):

        @block("twice", (known_word("pond", "Hides the group."),))
        @dataclass(frozen=True, slots=True)
        class Twice:
            pond: Pond = group("pond", Pond)
