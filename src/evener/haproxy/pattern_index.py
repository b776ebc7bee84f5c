"""How lists and maps are looked up: structures that follow every change of their list.

There is one index for each way a list is used: its matching method, whether case counts, and what a
lookup gives (nothing but yes for an ACL; the value or the key for a map). What the traffic calls is
``run``: for whole texts it is the lookup of a dict itself, for networks and numbers a search in dicts,
for everything else a search that is built at the first lookup after a change. Large lists are looked up
natively (``Packed``), with an index of what was added later behind it.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from evener.haproxy.cast import cast, to_bytes
from evener.haproxy.map_lookup import Networks, lookup
from evener.haproxy.pattern import STRICT, Method, Pattern, PatternError, compile_patterns, read
from evener.haproxy.pattern_list import Element, PatternList
from evener.haproxy.sample import Type

if TYPE_CHECKING:
    from evener.haproxy.pattern_sheet import Sheet

Run = Callable[[Any], Any]
Output = Callable[[Element], Any]


class Text:
    """The output that is an entry's value as it is written, or its key."""

    __slots__ = ("of_key",)

    def __init__(self, of_key: bool) -> None:
        self.of_key = of_key

    def __call__(self, element: Element) -> bytes:
        return to_bytes(element.key if self.of_key else element.value or "")


class Loose:
    """What stands in no sheet of a list, as if it were a list."""

    def __init__(self, of: PatternList) -> None:
        self.live = self.loose = of.loose
        self.first = of.first_loose
        self.indexes: list[Any] = []
        self._of = of

    @property
    def disordered(self) -> bool:
        return self._of.disordered


class Index(ABC):
    """What the indexes have in common. ``output`` None: for an ACL."""

    idx = "list"
    follows = False

    def __init__(
        self, of: PatternList | Loose, method: Method, ignore_case: bool, output: Output | None
    ) -> None:
        self.of = of
        self.method = method
        self.ignore_case = ignore_case
        self.output = output
        self._grown: Index | None = None
        self.run: Run = self._first_run
        of.indexes.append(self)

    def check(self, key: str, value: str | None) -> None:
        if self.method in STRICT:
            read(self.method, Pattern(key, self.ignore_case))
        if self.output is not None and not isinstance(self.output, Text):
            try:
                self.output(Element(key, value, 0, 0))
            except ValueError as error:
                raise PatternError(f"unable to parse '{value}'") from error

    def added(self, element: Element) -> None:
        self.reset()

    def changed(self, key: str) -> None:
        self.reset()

    def reset(self) -> None:
        self.run = self._first_run

    def _first_run(self, value: Any) -> Any:
        """Build, then look up."""
        self.ready()
        return self.run(value)

    def ready(self) -> None:
        """Build now what the first lookup would wait for."""
        if self.run == self._first_run:
            large = self._large()
            self.run = self.build() if large is None else lambda value: large.run(value)

    def _large(self) -> Index | None:
        """What looks up in place of this one, because the list has grown large."""
        if not isinstance(self.of, PatternList) or self.of.current_sheet is None:
            return None
        if self._grown is None:
            from evener.haproxy.pattern_packed import PACKED, Grown  # most configurations have no large lists

            if self.method in PACKED:
                self._grown = Grown(self.of, self.method, self.ignore_case, self.output)
        return self._grown

    @abstractmethod
    def build(self) -> Run:
        """What answers from now on."""

    def search(self, text: str) -> Element | None:
        """Which entry a text matches, for those who ask by hand."""
        convert = cast(Type.STR, self.method.takes)
        value = None if convert is None else convert(to_bytes(text))
        if value is None:
            return None
        elements = list(self.of.live())
        keys = [element.key for element in elements]
        if self.ignore_case and self.method is Method.REG:
            tests = (compile_patterns(Method.REG, [Pattern(key, True)]) for key in keys)
            return next((e for e, test in zip(elements, tests, strict=True) if test(value)), None)
        if self.ignore_case and isinstance(value, bytes):
            keys, value = [key.lower() for key in keys], value.lower()
        number = lookup(self.method, keys)(value)
        return None if number is None else elements[number]


LATE = 64  #: additions after which an index is built anew


class Built(Index):
    """An index that is built anew after each change; a few additions are in a small one behind it."""

    _late: list[Element] | None = None
    _early: Run | None = None

    def reset(self) -> None:
        self._late = None
        super().reset()

    def added(self, element: Element) -> None:
        if self._late is None or self._early is None or len(self._late) == LATE or self.of.disordered:
            self.reset()
            return
        self._late.append(element)
        early, late = self._early, self._search(self._late)

        def run(value: Any) -> Any:
            found = early(value)
            return found if found is not None and found is not False else late(value)

        self.run = run

    def build(self) -> Run:
        made = self._search(list(self.of.live()))
        self._early, self._late = made, []
        return made

    def _search(self, elements: list[Element]) -> Run:
        keys = [element.key for element in elements]
        if self.output is None:
            return compile_patterns(self.method, [Pattern(key, self.ignore_case) for key in keys])
        find = lookup(self.method, keys)
        results = [self.output(element) for element in elements]

        def run(value: Any) -> Any:
            number = find(value)
            return None if number is None else results[number]

        return run


class Captured(Index):
    """For ``map_regm``: gives the match and the value with its references."""

    def build(self) -> Run:
        assert self.output is not None
        pairs = [(read(Method.REG, Pattern(e.key)).search, self.output(e)) for e in self.of.live()]

        def run(value: bytes) -> tuple[re.Match[bytes], bytes] | None:
            for search, template in pairs:
                match = search(value)
                if match is not None:
                    return match, template
            return None

        return run


class Whole(Index):
    """Whole texts. ``run`` is the dict's own method and stays the same for ever."""

    idx = "tree"
    follows = True

    def __init__(self, of: PatternList | Loose, output: Output | None) -> None:
        super().__init__(of, Method.STR, False, output)
        self.known: dict[bytes, Any] = {}
        self.run = self.build()
        self.reset()

    def build(self) -> Run:
        return self.known.__contains__ if self.output is None else self.known.get

    def reset(self) -> None:
        self.known.clear()
        if isinstance(self.of, PatternList) and self.of.current_sheet is not None:
            self._spread(self.of, self.of.current_sheet)
        for element in self.of.loose():
            self.added(element)

    def _spread(self, of: PatternList, sheet: Sheet) -> None:
        """Take over a sheet, of whose equal keys the first counts."""
        keys, values, output = list(sheet.keys), sheet.values, self.output
        if output is None:
            self.known.update((keys[number], True) for number in sheet.standing())
        elif isinstance(output, Text) and not sheet.changed and values is not None and not any(sheet.gone):
            self.known.update(
                zip(reversed(keys), reversed(keys if output.of_key else list(values)), strict=True)
            )
        else:
            for element in of.of_sheet(sheet.standing()):
                self.added(element)

    def added(self, element: Element) -> None:
        self.known.setdefault(to_bytes(element.key), True if self.output is None else self.output(element))

    def changed(self, key: str) -> None:
        self.known.pop(to_bytes(key), None)
        first = self.of.first(key)
        if first is not None:
            self.added(first)

    def search(self, text: str) -> Element | None:
        return self.of.first(text)


class Addresses(Index):
    """Networks; an addition does not need a new structure."""

    idx = "tree"
    follows = True
    _known: Networks | None = None

    def reset(self) -> None:
        self._known = None
        super().reset()

    def added(self, element: Element) -> None:
        if self._known is not None:
            self._add(self._known, element)

    def _add(self, known: Networks, element: Element) -> None:
        network = read(Method.IP, Pattern(element.key))
        known.add(network, True if self.output is None else self.output(element))

    def build(self) -> Run:
        known = self._known = Networks()
        for element in self.of.live():
            self._add(known, element)
        return known.find


class Heads(Built):
    idx = "tree"


def index(of: PatternList, method: Method, ignore_case: bool = False, output: Output | None = None) -> Index:
    """A new index over a list, chosen by what it is for."""
    if of.packs:
        from evener.haproxy.pattern_packed import PACKED, Packed  # most configurations have no large lists

        if method in PACKED:
            return Packed(of, method, ignore_case, output)
    return small(of, method, ignore_case, output)


def small(of: PatternList | Loose, method: Method, ignore_case: bool, output: Output | None) -> Index:
    if method is Method.STR and not ignore_case:
        return Whole(of, output)
    if method is Method.IP:
        return Addresses(of, method, ignore_case, output)
    if method is Method.BEG and not ignore_case:
        return Heads(of, method, ignore_case, output)
    return Built(of, method, ignore_case, output)


def lively(made: Index) -> Run:
    """What a rule calls: it sees every change, and costs no more than it must."""
    if isinstance(made, Whole):
        return made.run
    return lambda value: made.run(value)
