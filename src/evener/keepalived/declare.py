"""How a keyword of keepalived.conf is declared: one field of a frozen dataclass, which is also the IR.

    @block("vrrp_instance")
    @dataclass(frozen=True, slots=True)
    class VrrpInstance(Block):
        priority: int = word(Number(1, 255), "For electing MASTER, the highest wins.", default=100,
                             complaint="({name}) Priority not valid! ...")

This is ``vocab.blocks`` with what this language adds: names keep their underscores; a keyword may open a
block of values (``Values``) or a block of keywords (``Nested``); the original's own sentence about a bad
value (``complaint``) and about a missing one (``missing``; without it a missing word ends everything,
as in the original); ``check`` looks at a value beside what was read before it. Examples follow from
the argument when none are given.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

from evener.keepalived.arguments import OnlyName, Value
from evener.keepalived.shape import Form
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab import blocks
from evener.vocab.arguments import Argument
from evener.vocab.blocks import Keyword, Repeat, Slot, vocabulary
from evener.vocab.registry import Status

C = TypeVar("C", bound=type)

PLANNED = Status.PLANNED


@dataclass(frozen=True, slots=True)
class Block:
    """What every block holds beside its keywords: the name after its keyword, and where things stood."""

    name: Any = ""
    at: Span | None = dataclasses.field(default=None, compare=False, repr=False)
    end: Span | None = dataclasses.field(default=None, compare=False, repr=False)
    spans: Mapping[str, Span] = blocks.spans()


class Values(Value):
    """A block with one value per line. ``entry`` reads a line; ``name`` the words before the brace."""

    usage = "{ ... }"

    def __init__(self, entry: Value, name: Value | None = None) -> None:
        self.entry = entry
        self.name = name
        before = f"{name.good[0]} " if name else ""
        self.good = tuple(f"{before}{{ {good} }}" for good in entry.good[:1])
        self.bad = ("x",) if name is None else ("",)


class Nested(Value):
    """A block of keywords. ``cls`` is its dataclass; ``name`` reads the words before the brace."""

    def __init__(self, cls: type[Block], name: Value | None = None, good: str | None = None) -> None:
        self.cls = cls
        self.name = name
        self.usage = f"{name.usage if name else ''} {{ ... }}".strip()
        self.good = (good or (f"{name.good[0]} {{ }}" if name else "{ }"),)
        self.bad = ("",) if name and "" in name.bad else ("x",)


def word(
    argument: Argument[Any],
    doc: str,
    *,
    name: str | None = None,
    ok: Iterable[str] = (),
    bad: Iterable[str] = (),
    default: Any = None,
    repeat: Repeat = Repeat.REPLACE,
    status: Status = Status.WORKING,
    complaint: str | None = None,
    missing: str | None = None,
    check: Callable[..., Any] | None = None,
    check_all: Callable[..., Any] | None = None,
    fallback: Any = None,
    sets: str | None = None,
    told: str | None = None,
    guard: Callable[..., bool] | None = None,
) -> Any:
    """Declare a keyword as the default of a field; ``name`` defaults to the field's.

    ``check_all`` looks at the values of a block together, at its end; ``fallback`` is the value after a bad
    one; ``sets`` is the field that another spelling fills; ``told`` is said whenever the keyword is used;
    ``guard`` decides before its words are read whether they are.
    """
    return blocks.keyword(
        argument, doc, ok=tuple(ok), bad=tuple(bad), name=name, default=default, repeat=repeat, status=status,
        complaint=complaint, missing=missing, check=check, check_all=check_all, fallback=fallback, sets=sets,
        told=told, guard=guard,
    )  # fmt: skip


def collected(argument: Argument[Any], doc: str, **more: Any) -> Any:
    """A keyword whose values add up."""
    return word(argument, doc, repeat=Repeat.COLLECT, **more)


def planned(argument: Argument[Any], doc: str, **more: Any) -> Any:
    """A keyword that is read and kept, but not executed yet; the user is told."""
    return word(argument, doc, status=PLANNED, **more)


def block(family: str) -> Callable[[C], C]:
    """Class decorator above ``@dataclass``: register the keywords of a block."""

    def register(cls: C) -> C:
        for entry in dataclasses.fields(cls):
            made = entry.metadata.get("keyword")
            if made is not None:
                name = made["name"] = made["name"] or entry.name.rstrip("_")
                made["ok"] = made["ok"] or _examples(name, made["argument"].good)
                made["bad"] = made["bad"] or _examples(name, made["argument"].bad) or (name.swapcase(),)
        return blocks.block(family)(cls)

    return register


def _examples(name: str, words: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{name} {text}".strip() for text in words)


def form_of(argument: Argument[Any] | None) -> Form:
    if isinstance(argument, Values):
        return Form.VALUES
    return Form.BLOCK if isinstance(argument, Nested) else Form.LEAF


def slot_of(cls: type, keyword: str) -> Slot | None:
    """The declaration of ``keyword`` in the block ``cls``; None when there is none."""
    slot = vocabulary(cls).words.get(keyword)
    return slot if isinstance(slot, Slot) else None


@dataclass(frozen=True, slots=True)
class BlockOutline:
    """The outline of a block, as ``shape`` asks for it."""

    cls: type

    def form(self, keyword: str) -> Form | None:
        slot = slot_of(self.cls, keyword)
        return None if slot is None else form_of(slot.keyword.argument)

    def passed_over(self, words: Sequence[str]) -> bool:
        slot = slot_of(self.cls, words[0])
        argument = None if slot is None else slot.keyword.argument
        return isinstance(argument, Nested) and isinstance(argument.name, OnlyName) and len(words) != 2

    def inside(self, keyword: str) -> BlockOutline:
        slot = slot_of(self.cls, keyword)
        assert slot is not None and isinstance(slot.keyword.argument, Nested)
        return BlockOutline(slot.keyword.argument.cls)


def declarations(cls: type, path: tuple[str, ...] = ()) -> Iterable[tuple[tuple[str, ...], Keyword]]:
    """Every keyword of ``cls`` and of the blocks inside it, with the keywords that lead there."""
    for slot in vocabulary(cls):
        yield path, slot.keyword
        argument = slot.keyword.argument
        if isinstance(argument, Nested):
            yield from declarations(argument.cls, (*path, slot.keyword.name))


def field_of(cls: type, slot: Slot) -> str:
    """The field that a slot fills."""
    return cast(str, slot.keyword.facts.get("sets") or slot.path[-1])
