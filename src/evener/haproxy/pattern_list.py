"""Lists of patterns and maps while the process runs: their entries, versions, and what changes them.

A ``PatternList`` holds the entries of one file, one ``virt@`` name or the words of one ``acl`` line, in
order. Every entry belongs to a version: only those of the ``current`` one are looked at by the traffic,
others are being prepared. What is looked up is kept in step by the list's ``Index``es (``pattern_index``).

Of a large list, the entries stand in a ``Sheet`` (``pattern_sheet``), and only those that came later are
elements of their own. Entries of a version that is being prepared are only noted (``Prepared``): nobody looks
at them before it counts.

Changes never fail: what makes no sense (any more) changes nothing.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
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


@dataclass(slots=True, eq=False)
class Prepared:
    """Entries of a version that does not count yet; ``ids`` ascend."""

    ids: array[int] = field(default_factory=lambda: array("q"))
    keys: list[str] = field(default_factory=list)
    values: list[str | None] = field(default_factory=list)

    def elements(self, version: int) -> Iterator[Element]:
        for id, key, value in zip(self.ids, self.keys, self.values, strict=True):
            yield Element(key, value, version, id)


def _order(element: Element) -> int:
    return element.id if element.id >= 0 else LAST - element.id


LAST = 1 << 62
FIRST_ID, STEP = 0x10000, 0x40
Snapshot = list[tuple[int, int, str | None]]
"""Id, version and value of each entry of a key."""


class Index(Protocol):
    """One way in which a list is looked up."""

    follows: bool  #: an addition costs no more when the list is large

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
    prepared: dict[int, Prepared] = field(default_factory=dict)  #: by version
    _look: int = MANY  #: how many elements may stand by themselves before somebody looks at them

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
        if version in self.prepared:
            self._settle()
        for element in self._loose():
            if element.version == version:
                yield element

    def _settle(self) -> None:
        """What was prepared becomes elements, because somebody asks for it."""
        prepared, self.prepared = self.prepared, {}
        for version, noted in prepared.items():
            for element in noted.elements(version):
                self._put(element)

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
        if self.prepared:
            self._settle()
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
        self.add_many(id, version, [key], [value])

    def add_many(
        self, first: int, version: int, keys: Sequence[str], values: Sequence[str | None] | None
    ) -> None:
        """Add entries whose ids begin with ``first``; no ``values``: none of them has one."""
        values = [None] * len(keys) if values is None else values
        ids = range(first, first + STEP * len(keys), STEP)
        if version != self.current:
            noted = self.prepared.setdefault(version, Prepared())
            noted.ids.extend(ids)
            noted.keys.extend(keys)
            noted.values.extend(values)
            return
        for id, key, value in zip(ids, keys, values, strict=True):
            element = Element(key, value, version, id)
            self._put(element)
            for index in self.indexes:
                index.added(element)
        if len(self.elements) > self._look:
            self._grow()

    def _grow(self) -> None:
        """When so much has come that reading it again after each change takes long, it joins the sheet."""
        sheet = self.current_sheet if self.current_sheet else None
        self._look = 2 * len(self.elements)
        if all(index.follows for index in self.indexes):
            return
        later = [e for e in self.loose() if sheet is None or e.id > sheet.ids[-1]]
        if len(later) <= max(MANY, 0 if sheet is None else len(sheet.keys)):
            return
        moved = {element.id for element in later}
        known = [] if sheet is None else list(self.of_sheet(sheet.standing()))
        self._refill([e for e in self._loose() if e.id not in moved], known + later)

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
        """All entries of a key that count."""
        sheet = self.current_sheet
        known = () if sheet is None else self.of_sheet(sheet.places(key))
        entries = [*known, *(e for e in self.by_key.get(key, ()) if e.version == self.current)]
        return [(e.id, e.version, e.value) for e in entries]

    def restore(self, key: str, snapshot: Snapshot) -> None:
        for element in [e for e in self.by_key.get(key, ()) if e.version == self.current]:
            self._drop(element)
        sheet = self.current_sheet
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
        self.prepared.pop(version, None)
        self._keep(lambda of: of != version)

    def prepare(self, version: int) -> None:
        self.following = version

    def commit(self, version: int) -> None:
        """Look at that version from now on; what is older is forgotten."""
        self.current = version
        if any(element.version == version for element in self.elements.values()):
            self._settle()
        noted = self.prepared.pop(version, None)
        self.prepared = {of: kept for of, kept in self.prepared.items() if of > version}
        self._keep(lambda of: of >= version, noted)

    def _keep(self, wanted: Callable[[int], bool], noted: Prepared | None = None) -> None:
        """Forget all versions but the wanted ones; ``noted`` counts from now on."""
        if self.sheet is not None and not wanted(self.sheet.version):
            self.sheet = None
        kept = [element for element in self._loose() if wanted(element.version)]
        if noted is not None and len(noted.ids) > MANY:
            self._spread(noted.ids, noted.keys, noted.values)
        elif noted is not None:
            kept += noted.elements(self.current)
        fit = [e for e in kept if e.version == self.current and e.id >= 0] if self.sheet is None else []
        if len(fit) > MANY:
            kept = [e for e in kept if e.version != self.current or e.id < 0]
        self._refill(kept, fit if len(fit) > MANY else [])

    def _refill(self, elements: Iterable[Element], sheet: Sequence[Element]) -> None:
        """These stand by themselves, and those in a new sheet, if there are any."""
        self.elements.clear()
        self.by_key.clear()
        self._look = MANY
        for element in elements:
            self._put(element)
        if sheet:
            self._spread(array("q", (e.id for e in sheet)), [e.key for e in sheet], [e.value for e in sheet])
        for index in self.indexes:
            index.reset()

    def _spread(self, ids: array[int], keys: Sequence[str], values: Sequence[str | None]) -> None:
        """These entries are the sheet."""
        from evener.haproxy.pattern_sheet import sheet_of

        self.packs = True
        self.sheet = sheet_of(self.current, ids, keys, values if self.map else None)
