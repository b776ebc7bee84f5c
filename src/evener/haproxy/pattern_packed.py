"""The index of a large list: its sheet is searched natively, and the entries that came later behind it.

Where the entry counts that fits most closely - prefixes, networks - both are looked at; everywhere else the
sheet's entries come first, because they are the earlier ones.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Any, Final

from evener.haproxy.cast import cast, to_bytes
from evener.haproxy.pattern import Method, Pattern, read
from evener.haproxy.pattern_index import Index, Loose, Output, Run, Text, small
from evener.haproxy.pattern_list import Element, PatternList
from evener.haproxy.pattern_sheet import Sheet
from evener.haproxy.sample import Type
from evener.haproxy.sheet_search import PACKED, Search, search_of
from evener.lookup.texts import Texts

__all__ = ["PACKED", "Grown", "Packed"]


class Packed(Index):
    """The sheet of a large list, and an index of its loose entries behind it."""

    def __init__(self, of: PatternList, method: Method, ignore_case: bool, output: Output | None) -> None:
        super().__init__(of, method, ignore_case, output)
        self.list = of
        self._loose = small(Loose(of), method, ignore_case, None if output is None else _itself)
        self.idx, self.follows = self._loose.idx, self._loose.follows
        self._sheet: Sheet | None = None
        self._results: Sequence[Any] | Texts = ()

    def added(self, element: Element) -> None:
        self._loose.added(element)
        self.run = self._first_run

    def changed(self, key: str) -> None:
        self._loose.changed(key)
        self.run = self._first_run

    def reset(self) -> None:
        self._loose.reset()
        self.run = self._first_run

    def _large(self) -> None:
        return None

    def build(self) -> Run:
        sheet, output = self.list.current_sheet, self.output
        behind = self._behind()
        if sheet is None:
            return behind
        find, result = search_of(sheet, self.method, self.ignore_case), self._result(sheet)
        if not self.list.elements:
            return lambda value: result(number) if (number := find(value)) >= 0 else None
        if output is not None and self.method in _CLOSEST:
            return self._closest(find, result)

        def run(value: Any) -> Any:
            number = find(value)
            return result(number) if number >= 0 else behind(value)

        return run

    def _behind(self) -> Run:
        """The lookup among the loose entries."""
        loose, output = self._loose, self.output
        if output is None:
            return lambda value: loose.run(value)

        def run(value: Any) -> Any:
            element = loose.run(value)
            return None if element is None else output(element)

        return run

    def _result(self, sheet: Sheet) -> Callable[[int], Any]:
        """What an entry of the sheet gives."""
        output = self.output
        if output is None:
            return lambda number: True
        if sheet is not self._sheet:
            self._sheet, self._results = sheet, self._results_of(sheet, output)
        if not sheet.changed:
            return self._results.__getitem__
        results = self._results
        changed = dict(zip(sheet.changed, map(output, self.list.of_sheet(sheet.changed)), strict=True))
        return lambda number: changed[number] if number in changed else results[number]

    def _results_of(self, sheet: Sheet, output: Output) -> Sequence[Any] | Texts:
        if isinstance(output, Text) and sheet.values is not None:
            return sheet.keys if output.of_key else sheet.values
        return pack([output(element) for element in self.list.of_sheet(range(len(sheet.keys)))])

    def _closest(self, find: Search, result: Callable[[int], Any]) -> Run:
        """The entry that fits most closely, wherever it stands; that of the sheet among equal ones."""
        loose, output, closeness = self._loose, self.output, _CLOSEST[self.method]
        assert output is not None

        def run(value: Any) -> Any:
            number, element = find(value), loose.run(value)
            if element is None:
                return result(number) if number >= 0 else None
            if number >= 0:
                (known,) = self.list.of_sheet([number])
                if closeness(known.key, value) >= closeness(element.key, value):
                    return result(number)
            return output(element)

        return run

    def search(self, text: str) -> Element | None:
        convert = cast(Type.STR, self.method.takes)
        value = None if convert is None else convert(to_bytes(text))
        sheet = self.list.current_sheet
        if value is None:
            return None
        if sheet is not None:
            number = search_of(sheet, self.method, self.ignore_case)(value)
            if number >= 0:
                return next(iter(self.list.of_sheet([number])))
        return self._loose.search(text)


class Grown(Packed):
    """The index of a list that became large; what may be added is the business of the index before it."""

    def check(self, key: str, value: str | None) -> None:
        return None


def _itself(element: Element) -> Element:
    return element


def _network_closeness(key: str, value: bytes) -> tuple[bool, int]:
    """Networks of the address's own family first, then those with the longest mask."""
    network = read(Method.IP, Pattern(key))
    return len(network.mask) == len(value), int.from_bytes(network.mask, "big").bit_count()


_CLOSEST: Final[dict[Method, Callable[[str, Any], Any]]] = {
    Method.BEG: lambda key, value: len(to_bytes(key)),
    Method.IP: _network_closeness,
}


def pack(values: list[Any]) -> Sequence[Any] | Texts:
    """The same values, natively where they are all bytes or all integers."""
    if all(type(value) is bytes for value in values):
        return Texts(values)
    if all(type(value) is int for value in values):
        return array("q", values)
    return values
