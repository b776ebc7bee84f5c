"""All lists of patterns and maps of a configuration, by name and by number.

Every process has a copy; a change is made to the copy by one of the ``Operation``s below, which are plain
values, so that it can be told to the other processes (``sharing``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from evener.haproxy.pattern import PatternError
from evener.haproxy.pattern_list import STEP, PatternList
from evener.haproxy.patterns_file import MANY, Entry, Place

Operation = Sequence[Any]
"""``[what, list number, ...]``, see ``_OPERATIONS``."""
MakeIndex = Callable[[PatternList], object]


class InlineWords(NamedTuple):
    """The patterns of an ``acl`` line; few of them are ever looked at from outside."""

    keyword: str
    place: Place
    texts: Sequence[str]
    wanted: int | None
    indexes: list[MakeIndex]

    @property
    def serial(self) -> int:
        return self.place.serial

    def made(self, number: int) -> PatternList:
        made = PatternList("", number, acl=True, keyword=self.keyword)
        made.used[-1] = f"acl '{self.keyword}' file '{self.place.file}' line {self.place.line}"
        made.fill(Entry(text, "", 0) for text in self.texts)
        for index in self.indexes:
            index(made)
        return made


_OPERATIONS: dict[str, Callable[..., None]] = {
    "add": PatternList.add,
    "add-many": PatternList.add_many,
    "put": PatternList.put,
    "set": PatternList.set,
    "set-one": PatternList.set_one,
    "remove": PatternList.remove,
    "remove-one": PatternList.remove_one,
    "clear": PatternList.clear,
    "prepare": PatternList.prepare,
    "commit": PatternList.commit,
}


class Lists:
    """All lists of a configuration, by name and by number."""

    def __init__(self) -> None:
        self._named: dict[str, PatternList] = {}
        self._inline: dict[int, InlineWords] = {}
        self._numbered: dict[int, PatternList | InlineWords] = {}
        self._next_id = 0
        self._own = 0
        #: called before and after a rule's change; set by ``sharing``
        self.changing: Callable[[PatternList, str, Operation], None] = lambda of, key, operation: None
        self.changed: Callable[[Operation], None] = lambda operation: None

    def open(self, name: str, entries: Iterable[Entry], place: Place, *, values: bool) -> PatternList:
        """The list of that name, filled when it is mentioned for the first time."""
        found = self._named.get(name)
        if found is None:
            found = self._named[name] = PatternList(name, map=values, serial=place.serial)
            found.fill(entries)
        found.serial = min(found.serial, place.serial)
        return found

    def inline(
        self, keyword: str, place: Place, texts: Sequence[str], wanted: int | None, index: MakeIndex
    ) -> None:
        """The patterns that stand on an ``acl`` line itself; they become a list when somebody asks for it."""
        known = self._inline.get(place.serial)
        if known is None:
            self._inline[place.serial] = InlineWords(keyword, place, texts, wanted, [index])
        else:
            known.indexes.append(index)

    def number(self) -> None:
        """Give every list its number: the one asked for, or the next free one in the order of the text."""
        lists: list[PatternList | InlineWords] = [*self._named.values(), *self._inline.values()]
        lists.sort(key=lambda one: one.serial)
        taken = {one.wanted for one in lists if one.wanted is not None}
        following, numbered = 0, {}
        for one in lists:
            if one.wanted is not None:
                number = one.wanted
            else:
                while following in taken:
                    following += 1
                number = following
                following += 1
            numbered[number] = one
            if isinstance(one, PatternList):
                one.number = number
        self._numbered = dict(sorted(numbered.items()))

    def ready(self) -> None:
        """Before there are workers: build once what each of them would make clients wait for."""
        for one in self._named.values():
            if one.packs or len(one.elements) > MANY:
                for index in one.indexes:
                    index.ready()

    def __iter__(self) -> Iterator[PatternList]:
        for number in list(self._numbered):
            found = self.numbered(number)
            if found is not None:
                yield found

    def find(self, reference: str) -> PatternList | None:
        """``#<id>``, or a name."""
        if reference.startswith("#") and reference[1:].isascii() and reference[1:].isdigit():
            return self.numbered(int(reference[1:9]))
        return self._named.get(reference)

    def numbered(self, number: int) -> PatternList | None:
        found = self._numbered.get(number)
        if isinstance(found, InlineWords):
            found = self._numbered[number] = found.made(number)
        return found

    def new_id(self, many: int = 1) -> int:
        """A number for an entry that has none, or the first one for many: the control process gives them."""
        first = (1 << 32) + self._next_id + STEP
        self._next_id += STEP * many
        return first

    def change(self, what: str, name: str, *arguments: Any) -> None:
        """A rule's change, made here and told to the others. A list that nobody looks at is none."""
        found = self._named.get(name)
        if found is None:
            return
        if what == "put":
            self._own -= 1
            try:
                found.check(*arguments)
            except PatternError:
                return
            arguments = (self._own, *arguments)
        operation = [what, found.number, *arguments]
        self.changing(found, arguments[what == "put"], operation)
        self.apply(operation)
        self.changed(operation)

    def apply(self, operation: Operation) -> None:
        """Carry out ``[what, list number, ...]``."""
        what, number, *arguments = operation
        found = self.numbered(number)
        if found is not None:
            _OPERATIONS[what](found, *arguments)
