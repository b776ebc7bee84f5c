"""Lists of patterns and maps while the process runs: their entries, versions, and what changes them.

A ``PatternList`` holds the entries of one file, one ``virt@`` name or the words of one ``acl`` line, in
order. Every entry belongs to a version: only those of the ``current`` one are looked at by the traffic,
others are being prepared. What is looked up is kept in step by the list's ``Index``es (``pattern_index``).

``Lists`` are all of a configuration. Every process has a copy; a change is made to the copy by one of the
``Operation``s below, which are plain values, so that it can be told to the other processes (``sharing``).
Operations never fail: what makes no sense (any more) changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from evener.haproxy.pattern import PatternError
from evener.haproxy.patterns_file import Entry, Place

Operation = Sequence[Any]
"""``[what, list number, ...]``, see ``_OPERATIONS``."""


@dataclass(slots=True, eq=False)
class Element:
    """``id`` is shown to users as a hexadecimal number, and says the order; a worker's own additions have
    a negative one until the control process has made them. ``value`` is None in a list without values."""

    key: str
    value: str | None
    version: int
    id: int


def _order(element: Element) -> int:
    return element.id if element.id >= 0 else LAST - element.id


LAST = 1 << 62
MANY = 500  #: entries from which on looking things up is prepared before anybody asks
Snapshot = list[tuple[int, int, str | None]]
"""Id, version and value of each entry of a key."""


class Index(Protocol):
    """One way in which a list is looked up."""

    def check(self, key: str, value: str | None) -> None:
        """Raise PatternError when an entry cannot be read."""

    def added(self, element: Element) -> None: ...

    def changed(self, key: str) -> None:
        """An entry with that key is gone or has another value."""

    def reset(self) -> None:
        """Anything may have changed."""

    def ready(self) -> None:
        """What takes long to build is built now."""


@dataclass(slots=True, eq=False)
class PatternList:
    """``number`` is what ``#<id>`` means; ``uses`` say where the configuration uses the list."""

    name: str
    number: int = -1
    acl: bool = False
    map: bool = False
    keyword: str = ""  #: of an ``acl`` line whose own words these are
    wanted: int | None = None  #: the number asked for by ``-u``
    serial: int = 0
    uses: list[str] = field(default_factory=list)
    indexes: list[Index] = field(default_factory=list)
    kinds: dict[Hashable, Any] = field(default_factory=dict)  #: indexes that may be shared, by what they are
    current: int = 0
    following: int = 0
    disordered: bool = False
    elements: dict[int, Element] = field(default_factory=dict)
    by_key: dict[str, list[Element]] = field(default_factory=dict)

    def use(self, what: str, place: Place) -> None:
        """Note who uses the list, once for each place."""
        told = f"by {what} at file '{place.file}' line {place.line}"
        if told not in self.uses:
            self.uses.append(told)

    def live(self) -> Iterator[Element]:
        """The entries that count, in order: that of their ids, a worker's own ones last."""
        if self.disordered:
            self.disordered = False
            self.elements = {e.id: e for e in sorted(self.elements.values(), key=_order)}
        current = self.current
        return (element for element in self.elements.values() if element.version == current)

    def first(self, key: str) -> Element | None:
        """The entry of the current version that comes first under that key."""
        current = self.current
        return next((e for e in self.by_key.get(key, ()) if e.version == current), None)

    def check(self, key: str, value: str | None) -> None:
        """Raise PatternError when somebody who uses the list could not read an entry."""
        for index in self.indexes:
            index.check(key, value)

    # -- changes ----------------------------------------------------------------------------------

    def fill(self, entries: Iterable[Entry]) -> None:
        """Take over what a file says."""
        for number, entry in enumerate(entries, len(self.elements) + 1):
            self._put(Element(entry.key, entry.value if self.map else None, 0, FIRST_ID + number * STEP))

    def _put(self, element: Element) -> None:
        last = next(reversed(self.elements.values()), None)
        self.elements[element.id] = element
        same = self.by_key.setdefault(element.key, [])
        same.append(element)
        if last is not None and _order(last) > _order(element):
            self.disordered = True
            same.sort(key=_order)

    def add(self, id: int, version: int, key: str, value: str | None) -> None:
        element = Element(key, value, version, id)
        self._put(element)
        if version == self.current:
            for index in self.indexes:
                index.added(element)

    def put(self, id: int, key: str, value: str | None) -> None:
        """Give the key that value, adding it when it is not there; what an action does."""
        first = self.first(key)
        if first is None:
            self.add(id, self.current, key, value)
            return
        if value is not None:
            self.set(key, value)

    def set(self, key: str, value: str) -> None:
        for element in self.by_key.get(key, ()):
            if element.version == self.current:
                element.value = value
        self._tell_changed(key)

    def set_one(self, id: int, value: str) -> None:
        element = self.elements.get(id)
        if element is not None:
            element.value = value
            self._tell_changed(element.key)

    def remove(self, key: str) -> None:
        """Forget the first entry of that key."""
        first = self.first(key)
        if first is not None:
            self.remove_one(first.id)

    def remove_one(self, id: int) -> None:
        element = self.elements.pop(id, None)
        if element is None:
            return
        same = self.by_key[element.key]
        same.remove(element)
        if not same:
            del self.by_key[element.key]
        self._tell_changed(element.key)

    def _tell_changed(self, key: str) -> None:
        for index in self.indexes:
            index.changed(key)

    def snapshot(self, key: str) -> Snapshot:
        """All entries of a key, of every version."""
        return [(e.id, e.version, e.value) for e in self.by_key.get(key, ())]

    def restore(self, key: str, snapshot: Snapshot) -> None:
        for element in self.by_key.pop(key, ()):
            del self.elements[element.id]
        for id, version, value in snapshot:
            self._put(Element(key, value, version, id))
        self._tell_changed(key)

    def clear(self, version: int) -> None:
        self._keep(lambda element: element.version != version)

    def prepare(self, version: int) -> None:
        self.following = version

    def commit(self, version: int) -> None:
        """Look at that version from now on; what is older is forgotten."""
        self.current = version
        self._keep(lambda element: element.version >= version)

    def _keep(self, wanted: Callable[[Element], bool]) -> None:
        kept = [element for element in self.elements.values() if wanted(element)]
        self.elements.clear()
        self.by_key.clear()
        for element in kept:
            self._put(element)
        for index in self.indexes:
            index.reset()


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
        made.uses.append(f"acl '{self.keyword}' file '{self.place.file}' line {self.place.line}")
        made.fill(Entry(text, "", 0) for text in self.texts)
        for index in self.indexes:
            index(made)
        return made


FIRST_ID, STEP = 0x10000, 0x40

_OPERATIONS: dict[str, Callable[..., None]] = {
    "add": PatternList.add,
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
            if len(one.elements) > MANY:
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

    def new_id(self) -> int:
        """A number for an entry that has none: only the control process gives them."""
        self._next_id += STEP
        return (1 << 32) + self._next_id

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
