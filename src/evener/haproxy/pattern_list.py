"""Lists of patterns and maps while the process runs: their entries, versions, and what changes them.

A ``PatternList`` holds the entries of one file, one ``virt@`` name or the words of one ``acl`` line, in
order. Every entry belongs to a version: only those of the ``current`` one are looked at by the traffic,
others are being prepared. What is looked up is kept in step by the list's ``Index``es (``pattern_index``).

Of a large file, the entries stand in a ``Sheet`` (``pattern_sheet``), and only those that came later are
elements of their own.

Changes never fail: what makes no sense (any more) changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from evener.haproxy.patterns_file import MANY, Entry, PackedEntries, Place

if TYPE_CHECKING:
    from evener.haproxy.pattern_sheet import Sheet


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
FIRST_ID, STEP = 0x10000, 0x40
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
    """``number`` is what ``#<id>`` means."""

    name: str
    number: int = -1
    acl: bool = False
    map: bool = False
    keyword: str = ""  #: of an ``acl`` line whose own words these are
    wanted: int | None = None  #: the number asked for by ``-u``
    serial: int = 0
    used: dict[int, str] = field(default_factory=dict)  #: by whom, by the serial of the place
    indexes: list[Index] = field(default_factory=list)
    kinds: dict[Hashable, Any] = field(default_factory=dict)  #: indexes that may be shared, by what they are
    current: int = 0
    following: int = 0
    disordered: bool = False
    packs: bool = False  #: large: what can stand in a sheet does
    sheet: Sheet | None = None
    elements: dict[int, Element] = field(default_factory=dict)  #: those that stand in no sheet
    by_key: dict[str, list[Element]] = field(default_factory=dict)

    def use(self, what: str, place: Place) -> None:
        """Note who uses the list, once for each place."""
        self.used.setdefault(place.serial, f"by {what} at file '{place.file}' line {place.line}")

    @property
    def uses(self) -> list[str]:
        """Who uses the list, in the order of the configuration."""
        return [self.used[serial] for serial in sorted(self.used)]

    @property
    def current_sheet(self) -> Sheet | None:
        """The sheet, if its entries count."""
        sheet = self.sheet
        return sheet if sheet is not None and sheet.version == self.current else None

    def live(self) -> Iterator[Element]:
        """The entries that count, in order."""
        return self.of_version(self.current)

    def of_version(self, version: int) -> Iterator[Element]:
        if self.sheet is not None and self.sheet.version == version:
            yield from self.of_sheet(self.sheet.standing())
        for element in self._loose():
            if element.version == version:
                yield element

    def loose(self) -> Iterator[Element]:
        """The entries that count and stand in no sheet."""
        current = self.current
        return (element for element in self._loose() if element.version == current)

    def _loose(self) -> list[Element]:
        """In the order of their ids, a worker's own ones last."""
        if self.disordered:
            self.disordered = False
            self.elements = {e.id: e for e in sorted(self.elements.values(), key=_order)}
        return list(self.elements.values())

    def size(self) -> int:
        """How many entries count."""
        sheet = self.current_sheet
        return (0 if sheet is None else len(sheet)) + sum(1 for _ in self.loose())

    def of_sheet(self, places: Iterable[int]) -> Iterator[Element]:
        """The entries at those places of the sheet, as they are now."""
        sheet = self.sheet
        assert sheet is not None
        for n in places:
            yield Element(sheet.key(n), sheet.value(n), sheet.version, sheet.ids[n])

    def first(self, key: str) -> Element | None:
        """The entry of the current version that comes first under that key."""
        sheet = self.current_sheet
        if sheet is not None and (places := sheet.places(key)):
            return next(self.of_sheet(places))
        return self.first_loose(key)

    def first_loose(self, key: str) -> Element | None:
        current = self.current
        return next((e for e in self.by_key.get(key, ()) if e.version == current), None)

    def find(self, id: int) -> Element | None:
        """The entry with that id, of whatever version."""
        number = None if self.sheet is None else self.sheet.place(id)
        if number is None or self.sheet is None or self.sheet.gone[number]:
            return self.elements.get(id)
        return next(self.of_sheet([number]))

    def check(self, key: str, value: str | None) -> None:
        """Raise PatternError when somebody who uses the list could not read an entry."""
        for index in self.indexes:
            index.check(key, value)

    # -- changes ----------------------------------------------------------------------------------

    def fill(self, entries: Iterable[Entry]) -> None:
        """Take over what a file says."""
        if isinstance(entries, PackedEntries) and self.map is (entries.values is not None):
            from evener.haproxy.pattern_sheet import Sheet  # most configurations have no list of that size

            ids = range(FIRST_ID + STEP, FIRST_ID + STEP * (len(entries) + 1), STEP)
            self.packs, self.sheet = True, Sheet(0, ids, entries.keys, entries.values)
            return
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
        sheet = self.current_sheet
        if sheet is not None:
            sheet.changed.update((number, value) for number in sheet.places(key))
        for element in self.by_key.get(key, ()):
            if element.version == self.current:
                element.value = value
        self._tell_changed(key)

    def set_one(self, id: int, value: str) -> None:
        element = self.find(id)
        if element is None:
            return
        if id in self.elements:
            element.value = value
        elif self.sheet is not None and (number := self.sheet.place(id)) is not None:
            self.sheet.changed[number] = value
        self._tell_changed(element.key)

    def remove(self, key: str) -> None:
        """Forget the first entry of that key."""
        first = self.first(key)
        if first is not None:
            self.remove_one(first.id)

    def remove_one(self, id: int) -> None:
        element = self.find(id)
        if element is None:
            return
        if id in self.elements:
            self._drop(element)
        elif self.sheet is not None and (number := self.sheet.place(id)) is not None:
            self.sheet.gone[number] = 1
        self._tell_changed(element.key)

    def _drop(self, element: Element) -> None:
        del self.elements[element.id]
        same = self.by_key[element.key]
        same.remove(element)
        if not same:
            del self.by_key[element.key]

    def _tell_changed(self, key: str) -> None:
        for index in self.indexes:
            index.changed(key)

    def snapshot(self, key: str) -> Snapshot:
        """All entries of a key, of every version."""
        known = () if self.sheet is None else self.of_sheet(self.sheet.places(key))
        entries = [*known, *self.by_key.get(key, ())]
        return [(e.id, e.version, e.value) for e in entries]

    def restore(self, key: str, snapshot: Snapshot) -> None:
        for element in list(self.by_key.get(key, ())):
            self._drop(element)
        sheet = self.sheet
        if sheet is not None:
            for place in sheet.places(key):
                sheet.gone[place] = 1
        for id, version, value in snapshot:
            number = None if sheet is None else sheet.place(id)
            if sheet is None or number is None:
                self._put(Element(key, value, version, id))
            else:
                sheet.put_back(number, value)
        self._tell_changed(key)

    def clear(self, version: int) -> None:
        self._keep(lambda of: of != version)

    def prepare(self, version: int) -> None:
        self.following = version

    def commit(self, version: int) -> None:
        """Look at that version from now on; what is older is forgotten."""
        self.current = version
        self._keep(lambda of: of >= version)

    def _keep(self, wanted: Callable[[int], bool]) -> None:
        if self.sheet is not None and not wanted(self.sheet.version):
            self.sheet = None
        kept = [element for element in self._loose() if wanted(element.version)]
        self.elements.clear()
        self.by_key.clear()
        for element in kept if self.sheet is not None or not self.packs else self._pack(kept):
            self._put(element)
        for index in self.indexes:
            index.reset()

    def _pack(self, elements: list[Element]) -> list[Element]:
        """A new sheet of all it may have; what remains."""
        fit = [e for e in elements if e.version == self.current and e.id >= 0]
        if len(fit) <= MANY:
            return elements
        from evener.haproxy.pattern_sheet import sheet_of

        self.sheet = sheet_of(self.current, [(e.id, e.key, e.value) for e in fit], values=self.map)
        return [e for e in elements if e.version != self.current or e.id < 0]
