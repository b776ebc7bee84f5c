"""Blocks: a section, a bind line or a server line is a frozen dataclass of keyword fields.

The fields are both the vocabulary and the IR: ``keyword(...)`` as the default of a field declares the
word (argument, documentation, examples, where it may stand), and the same field holds what was read.
Adding a keyword is one field in one dataclass. Words that are known but need no field of their own
(not executed yet, or without meaning here) stand in the block's table and are kept as ``Known``.

    @block("frog option")
    @dataclass(frozen=True, slots=True)
    class Frog:
        weight: int = keyword(Integer(0, 256), "How heavy.", ok=("weight 3",), bad=("weight x",), default=1)
        mood: Mood = part(Mood)                # words of another block, written directly here
        pond: Pond = group("pond", Pond)       # words of another block, written after the word "pond"
        known: tuple[Known, ...] = ()          # filled with statements of the table
        spans: Mapping[str, Span] = spans()    # field -> the statement that set it last

``vocabulary(Frog).find(words, 0)`` finds the declaration of a statement, ``Builder`` collects values
(starting from another block when there is inheritance) and makes the frozen block.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar, cast

from evener.text.record import dataclass
from evener.text.slots import copied
from evener.text.span import Span
from evener.vocab.arguments import Argument, Cursor, Flag
from evener.vocab.registry import Declaration, DeclarationError, Registry, Status

B = TypeVar("B")
C = TypeVar("C", bound=type)


class Repeat(Enum):
    """What a second statement of the same keyword in one block does."""

    REPLACE = "replace"  #: silently takes the place of the first
    WARN = "warn"  #: takes its place, and says so
    REFUSE = "refuse"  #: is an error
    COLLECT = "collect"  #: the field is a tuple and grows


@dataclass(frozen=True, slots=True)
class Keyword(Declaration):
    """A declared word of a block. ``argument`` is None for words of a table: any words are kept."""

    argument: Argument[Any] | None = None
    repeat: Repeat = Repeat.REPLACE
    contexts: frozenset[str] = frozenset()
    negatable: bool = False
    undo: str | None = None  #: a word of its own that takes a flag back (``check``, ``no-check``)
    effect: bool = True  #: False: accepted, and documented as having no meaning here
    least: int = 0  #: of a table's word: how many arguments at least
    most: int | None = None  #: and at most


@dataclass(frozen=True, slots=True)
class Known:
    """A statement that was recognised but has no field: its words, and where it stood."""

    words: tuple[str, ...]
    span: Span | None = dataclasses.field(default=None, compare=False)


class Slot(NamedTuple):
    """Where a keyword's value lives: the fields from the root block to it. Empty path: in ``known``."""

    keyword: Keyword
    path: tuple[str, ...]


class Group(NamedTuple):
    """``word`` (one or more words) needs one more to say which keyword is meant."""

    word: str
    words: dict[str, Slot | Group]


class Harmless(NamedTuple):
    """Marks the argument of a keyword that is read, kept, and has nothing to act on here."""

    argument: Argument[Any]


class Planned(NamedTuple):
    """Marks the argument of a keyword that is read and kept, and not executed yet."""

    argument: Argument[Any]


def keyword(
    argument: Argument[Any] | Planned | Harmless,
    doc: str,
    *,
    ok: Sequence[str],
    bad: Sequence[str],
    name: str | None = None,
    default: Any = None,
    repeat: Repeat = Repeat.REPLACE,
    contexts: Iterable[str] = (),
    negatable: bool = False,
    undo: str | None = None,
    status: Status = Status.WORKING,
    **facts: Any,
) -> Any:
    """Declare a keyword as the default of a dataclass field.

    ``name`` defaults to the field's, with dashes; ``{}`` in an example stands for it.
    """
    if isinstance(argument, Planned):
        argument, status = argument.argument, Status.PLANNED
    effect = not isinstance(argument, Harmless)
    if isinstance(argument, Harmless):
        argument = argument.argument
    made = {
        "name": name,
        "doc": doc,
        "ok": tuple(ok),
        "bad": tuple(bad),
        "status": status,
        "facts": MappingProxyType(facts),
        "argument": argument,
        "repeat": repeat,
        "contexts": frozenset(contexts),
        "negatable": negatable,
        "undo": undo,
        "effect": effect,
    }
    if repeat is Repeat.COLLECT and default is None:
        default = ()
    return dataclasses.field(default=default, metadata={"keyword": made})


def part(cls: type[B]) -> B:
    """A sub-block whose words stand directly in the enclosing block."""
    made: B = dataclasses.field(default_factory=cls, metadata={"block": cls, "word": None})
    return made


def group(word: str, cls: type[B]) -> B:
    """A sub-block whose words stand after ``word`` (``timeout client``, ``option httplog``).

    The sub-block declares its words, and their examples, without it.
    """
    made: B = dataclasses.field(default_factory=cls, metadata={"block": cls, "word": word})
    return made


def spans() -> Any:
    """The field in which a block remembers which statement set each of its fields last."""
    return dataclasses.field(default_factory=dict, compare=False, repr=False)


def known_word(
    name: str,
    doc: str,
    *,
    least: int = 0,
    most: int | None = None,
    contexts: Iterable[str] = (),
    effect: bool = True,
    negatable: bool = False,
    status: Status = Status.PLANNED,
    example: str = "",
    missing: str = "",
    check: Any = None,
    argument: str = "<value>",
) -> Keyword:
    """A table's word. Examples follow from how many arguments it takes; ``example``: a better one.

    ``missing`` is what is said when there are too few; the fact ``check`` is a product's own way to look at
    the arguments.
    """
    needed = [argument] * least
    optional = [f"[{argument}...]"] if most is None else [f"[{argument}]"] * (most - least)
    arguments = " ".join(needed + optional)
    good = example or " ".join([name, *("1" for _ in range(least))])
    several = f"no {name}" if most is None else " ".join([name, *("1" for _ in range(most + 1))])
    bad = name if least else several
    return Keyword(
        name, f"{name} {arguments}".strip(), doc, (good,), (bad,), status,
        contexts=frozenset(contexts), effect=effect, negatable=negatable, least=least, most=most,
        facts=MappingProxyType({key: fact for key, fact in (("missing", missing), ("check", check)) if fact}),
    )  # fmt: skip


class Vocabulary:
    """The words of one kind of block, found by the first words of a statement."""

    def __init__(self, cls: type, family: str, table: Iterable[Keyword]) -> None:
        self.cls = cls
        self.registry: Registry[Keyword] = Registry(family)
        self.words: dict[str, Slot | Group] = {}
        self.slots: dict[tuple[str, ...], Slot] = {}
        for entry in dataclasses.fields(cls):
            self._add_field(entry)
        for word in table:
            declared = self.registry.declare(word)
            if not word.facts.get("absent"):
                self._add(declared, ())
        self.registry.freeze()

    def _add_field(self, entry: dataclasses.Field[Any]) -> None:
        if "keyword" in entry.metadata:
            declared = self.registry.declare(declare(entry))
            self._add(declared, (entry.name,))
            if declared.undo is not None:
                self._add(self.registry.declare(taken_back(declared)), (entry.name,))
        elif "block" in entry.metadata:
            inner, word = vocabulary(entry.metadata["block"]), entry.metadata["word"]
            for slot in inner:
                path = (entry.name, *slot.path) if slot.path else ()
                self._add(self.registry.declare(prefixed(slot.keyword, word)), path)

    def _add(self, declared: Keyword, path: tuple[str, ...]) -> None:
        slot = Slot(declared, path)
        words = declared.name.split()
        place = self.words
        for count, word in enumerate(words[:-1], 1):
            inner = place.setdefault(word, Group(" ".join(words[:count]), {}))
            if not isinstance(inner, Group):
                raise DeclarationError(f"{declared.name!r} is hidden by {inner.keyword.name!r}")
            place = inner.words
        if words[-1] in place:
            raise DeclarationError(f"{declared.name!r} is hidden by another word")
        place[words[-1]] = slot
        self.slots.setdefault(path or ("", declared.name), slot)

    def find(self, words: Sequence[str], index: int = 0) -> tuple[Slot | Group | None, int]:
        """What ``words[index:]`` begins with, and the index after it.

        A slot: the index of its first argument. A group: the word after it is missing or unknown (the
        index tells). None: the first word is unknown.
        """
        entry = self.words.get(words[index]) if index < len(words) else None
        index += 1
        while isinstance(entry, Group) and index < len(words) and words[index] in entry.words:
            entry = entry.words[words[index]]
            index += 1
        return entry, index

    def __iter__(self) -> Iterator[Slot]:
        return iter(self.slots.values())


def declare(entry: dataclasses.Field[Any]) -> Keyword:
    """The declaration that a field's metadata stands for."""
    made = dict(entry.metadata["keyword"])
    name = made.pop("name") or entry.name.rstrip("_").replace("_", "-")
    made["ok"], made["bad"] = (tuple(x.replace("{}", name) for x in made[key]) for key in ("ok", "bad"))
    return Keyword(name=name, signature=f"{name} {made['argument'].usage}".strip(), **made)


class Undo(Flag):
    """A flag's word that says no."""

    def read(self, cursor: Cursor) -> bool:
        return False


def taken_back(declared: Keyword) -> Keyword:
    """The word that takes the flag ``declared`` back."""
    name = declared.undo or ""
    return dataclasses.replace(
        declared,
        name=name,
        signature=name,
        doc=f"Takes back {declared.name!r}.",
        ok=(name,),
        bad=(f"{name} x",),
        argument=Undo(),
        undo=None,
    )


def prefixed(declared: Keyword, word: str | None) -> Keyword:
    """The same keyword as it is written in a group: after ``word``."""
    if word is None:
        return declared
    return dataclasses.replace(
        declared,
        name=f"{word} {declared.name}",
        signature=f"{word} {declared.signature}",
        ok=tuple(f"{word} {example}" for example in declared.ok),
        bad=tuple(f"{word} {example}" for example in declared.bad),
    )


_vocabularies: dict[type, Vocabulary] = {}


def block(family: str, table: Iterable[Keyword] = ()) -> Callable[[C], C]:
    """Class decorator (above ``@dataclass``): make the vocabulary of a dataclass of keyword fields."""

    def register(cls: C) -> C:
        _vocabularies[cls] = Vocabulary(cls, family, table)
        return cls

    return register


def vocabulary(cls: type) -> Vocabulary:
    """The vocabulary of a class decorated with ``block``."""
    return _vocabularies[cls]


class Builder(Generic[B]):
    """Values for a block while its statements are read; ``start`` is what it inherits from."""

    __slots__ = ("_children", "cls", "known", "spans", "start", "values")

    def __init__(self, cls: type[B], start: B | None = None) -> None:
        self.cls = cls
        self.start: B = cls() if start is None else start
        self.values: dict[str, Any] = {}
        self.spans: dict[str, Span] = {}
        self.known: list[Known] = []
        self._children: dict[str, Builder[Any]] = {}

    def at(self, path: Sequence[str]) -> Builder[Any]:
        """The builder of the sub-block in which the last field of ``path`` lives."""
        builder: Builder[Any] = self
        if len(path) == 1:
            return builder
        if len(path) == 2 and path[0] in self._children:
            return self._children[path[0]]
        for name in path[:-1]:
            child = builder._children.get(name)
            if child is None:
                inner = getattr(builder.start, name)
                child = builder._children[name] = Builder(type(inner), inner)
            builder = child
        return builder

    def get(self, path: Sequence[str]) -> Any:
        """The value as it stands, inherited or read."""
        place, name = self if len(path) == 1 else self.at(path), path[-1]
        return place.values[name] if name in place.values else getattr(place.start, name)

    def said(self, path: Sequence[str]) -> bool:
        """Whether this very block (not what it inherits from) has set the field."""
        return path[-1] in self.at(path).values

    def set(self, path: Sequence[str], value: Any, span: Span | None = None) -> None:
        place, name = self if len(path) == 1 else self.at(path), path[-1]
        place.values[name] = value
        if span is not None:
            place.spans[name] = span

    def append(self, path: Sequence[str], value: Any, span: Span | None = None) -> None:
        """Grow a collecting field."""
        place, name = self if len(path) == 1 else self.at(path), path[-1]
        held = place.values.get(name)
        if not isinstance(held, list):
            held = place.values[name] = list(getattr(place.start, name) if held is None else held)
        held.append(value)
        if span is not None:
            place.spans[name] = span

    def store(self, slot: Slot, value: Any, span: Span | None = None) -> None:
        """Set or grow, as the keyword's ``repeat`` says."""
        (self.append if slot.keyword.repeat is Repeat.COLLECT else self.set)(slot.path, value, span)

    def keep(self, words: Sequence[str], span: Span | None = None) -> None:
        """Remember a statement of the table."""
        self.known.append(Known(tuple(words), span))

    def finish(self) -> B:
        """The frozen block."""
        changes = {k: tuple(v) if isinstance(v, list) else v for k, v in self.values.items()}
        changes.update((name, child.finish()) for name, child in self._children.items())
        if self.spans and hasattr(self.start, "spans"):
            changes["spans"] = {**self.start.spans, **self.spans}
        if self.known:
            changes["known"] = (*getattr(self.start, "known", ()), *self.known)
        if not changes:
            return self.start
        return changed(self.start, changes)


_setters: dict[type, dict[str, Callable[[Any, Any], None]]] = {}


def changed(made: B, changes: Mapping[str, Any]) -> B:
    """What ``dataclasses.replace`` does, for slotted blocks: an order of magnitude faster on large ones."""
    cls = type(made)
    setters = _setters.get(cls)
    if setters is None:
        names = (entry.name for entry in dataclasses.fields(cast(Any, cls)))
        setters = _setters[cls] = {name: getattr(cls, name).__set__ for name in names}
    copy = copied(made)
    for name, value in changes.items():
        setters[name](copy, value)
    return copy


def read(slot: Slot, cursor: Cursor) -> Any:
    """The value of a slot's keyword read from its arguments; raises BadArgument."""
    argument = slot.keyword.argument
    return cursor.rest() if argument is None else argument.read(cursor)


def statements(made: Any, baseline: Any = None) -> Iterator[list[str]]:
    """The statements that say what ``made`` says beyond ``baseline`` (a block of the same class)."""
    cls = type(made)
    baseline = cls() if baseline is None else baseline
    for slot in vocabulary(cls):
        if slot.path:
            value, before = made, baseline
            for name in slot.path:
                value, before = getattr(value, name), getattr(before, name)
            if value != before and not (value is None and _replaced(made, slot)):
                yield from _statement(slot.keyword, value, before)
    inherited = len(getattr(baseline, "known", ()))
    for known in getattr(made, "known", ())[inherited:]:
        yield list(known.words)


def _replaced(made: Any, slot: Slot) -> bool:
    """What is not said because something that excludes it is, and cannot be said to be the default."""
    if not slot.keyword.facts.get("no_default"):
        return False
    for name in slot.keyword.facts.get("clears", ()):
        other, _ = vocabulary(type(made)).find(name.split())
        value = made
        for part in other.path if isinstance(other, Slot) else ():
            value = getattr(value, part)
        if value is True:
            return True
    return False


def _statement(word: Keyword, value: Any, before: Any) -> Iterator[list[str]]:
    name, argument = word.name.split(), word.argument
    if argument is None:
        return
    if word.repeat is Repeat.COLLECT:
        inherited = len(before) if tuple(value[: len(before)]) == tuple(before) else 0
        if inherited < len(before) and word.negatable:
            yield ["no", *name]
        for item in value[inherited:]:
            yield argument.statement(name, item)
    elif value is None:
        if word.negatable:
            yield ["no" if word.facts.get("no_default") else "default", *name]
    elif value is False and (before is True or word.negatable):
        yield [word.undo] if word.undo else ["no", *name]
    else:
        yield argument.statement(name, value)
