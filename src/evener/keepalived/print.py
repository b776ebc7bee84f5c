"""Canonical text of a configuration: what ``load`` reads back as the same IR.

Every value is written by the argument type that read it. Includes, parameters and comments are gone;
old spellings are written in their new form.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from evener.keepalived.declare import Nested, Values
from evener.keepalived.ir import Configuration, NamedValues
from evener.keepalived.line import quoted
from evener.vocab.blocks import Repeat, Slot, vocabulary

INDENT = "    "


def text(configuration: Configuration) -> str:
    """The whole configuration."""
    return "".join(f"{line}\n" for line in block_lines(configuration, 0))


def block_lines(block: Any, depth: int) -> Iterator[str]:
    """The statements of a block that say something."""
    plain = type(block)()
    for slot in vocabulary(type(block)):
        if slot.keyword.facts.get("sets") or not slot.path:
            continue
        value = getattr(block, slot.path[-1])
        if value != getattr(plain, slot.path[-1]) and value is not None:
            yield from _statements(slot, value, depth)


def _statements(slot: Slot, value: Any, depth: int) -> Iterator[str]:
    name, argument = slot.keyword.name, slot.keyword.argument
    many = slot.keyword.repeat is Repeat.COLLECT
    if isinstance(argument, Nested):
        for made in value if many else (value,):
            words = [name, *(argument.name.words(made.name) if argument.name else [])]
            yield from _braced(words, list(block_lines(made, depth + 1)), depth)
    elif isinstance(argument, Values):
        yield from _values(name, argument, value, depth)
    else:
        assert argument is not None
        for made in value if many else (value,):
            yield INDENT * depth + " ".join([name, *argument.words(made)])


def _values(name: str, argument: Values, value: Any, depth: int) -> Iterator[str]:
    indent = INDENT * (depth + 1)
    if argument.name is None:
        yield from _braced([name], [indent + " ".join(argument.entry.words(v)) for v in value], depth)
        return
    for made in value:
        assert isinstance(made, NamedValues)
        lines = [indent + " ".join(argument.entry.words(v)) for v in made.values]
        yield from _braced([name, quoted(made.name)], lines, depth)


def _braced(words: list[str], lines: list[str], depth: int) -> Iterator[str]:
    yield INDENT * depth + " ".join(words) + " {"
    yield from lines
    yield INDENT * depth + "}"
