"""How the sheet of a large list is searched, by each matching method.

A search gives the place of the entry that counts, or -1; it passes over those that are gone. The methods
that try one pattern after the other (regular expressions, lengths) have none: their lists are read like
small ones.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Sequence
from heapq import heappop, heappush
from typing import Any, Final

from evener.haproxy.cast import to_ipv4, to_ipv6
from evener.haproxy.pattern import DELIMITERS, Method, Pattern, Range, read
from evener.haproxy.pattern_sheet import Sheet
from evener.lookup.keys import Keys
from evener.lookup.networks import Networks
from evener.lookup.texts import Texts

Search = Callable[[Any], int]


def search_of(sheet: Sheet, method: Method, ignore_case: bool) -> Search:
    """The search of a sheet for a method out of ``PACKED``."""
    kind = method, ignore_case
    if kind not in sheet.kinds:
        sheet.kinds[kind] = _SEARCHES[method](sheet, ignore_case)
    found: Search = sheet.kinds[kind]
    return found


def _keys(sheet: Sheet, kind: Hashable, keys: Callable[[], Iterable[bytes]]) -> Keys:
    if kind not in sheet.kinds:
        sheet.kinds[kind] = Keys(Texts(keys()), sheet.gone)
    found: Keys = sheet.kinds[kind]
    return found


def _text(name: str) -> Callable[[Sheet, bool], Search]:
    """A search of the keys as they are, or of both keys and value in lower case."""

    def build(sheet: Sheet, ignore_case: bool) -> Search:
        if not ignore_case:
            exact: Search = getattr(sheet.names, name)
            return exact
        find: Search = getattr(_keys(sheet, "lower", lambda: (key.lower() for key in sheet.keys)), name)
        return lambda value: find(value.lower())

    return build


def _words(delimiters: bytes) -> Callable[[Sheet, bool], Search]:
    def build(sheet: Sheet, ignore_case: bool) -> Search:
        def keys() -> Iterable[bytes]:
            return ((key.lower() if ignore_case else key).strip(delimiters) for key in sheet.keys)

        find = _keys(sheet, (delimiters, ignore_case), keys).word
        if ignore_case:
            return lambda value: find(value.lower(), delimiters)
        return lambda value: find(value, delimiters)

    return build


def _read(sheet: Sheet, method: Method) -> list[Any]:
    return [read(method, Pattern(sheet.key(number))) for number in range(len(sheet.keys))]


def _binary(sheet: Sheet, ignore_case: bool) -> Search:
    return Keys(Texts(_read(sheet, Method.BIN)), sheet.gone).exact


def _networks(sheet: Sheet, ignore_case: bool) -> Search:
    """Both families; then IPv4 among the IPv6 keys and the reverse (section 7.1.6)."""
    networks = _read(sheet, Method.IP)
    known = Networks(Texts(n.address for n in networks), Texts(n.mask for n in networks), sheet.gone)
    closest, four, six = known.closest, known.has(4), known.has(16)

    def find(value: bytes) -> int:
        found = closest(value)
        if found >= 0:
            return found
        if len(value) == 4:
            return closest(to_ipv6(value)) if six else -1
        inner = to_ipv4(value) if four and len(value) == 16 else None
        return -1 if inner is None else closest(inner)

    return find


_LEAST: Final = -(1 << 63)
_MOST: Final = (1 << 63) - 1


def _integers(sheet: Sheet, ignore_case: bool) -> Search:
    """Numbers and ranges, of which the first counts; laid out anew when one of them goes or comes back."""
    ranges: list[Range] = _read(sheet, Method.INT)
    gone = sheet.gone
    starts, winners = stretches(ranges, gone)
    returned = sheet.returned

    def find(value: int) -> int:
        nonlocal starts, winners, returned
        found = winners[bisect_right(starts, value) - 1]
        if (found >= 0 and gone[found]) or returned != sheet.returned:
            starts, winners = stretches(ranges, gone)
            returned = sheet.returned
            found = winners[bisect_right(starts, value) - 1]
        return found

    return find


def stretches(ranges: Sequence[Range], gone: Sequence[int]) -> tuple[array[int], array[int]]:
    """Where each stretch of numbers begins, and which is the first of the ranges that cover it (-1: none)."""
    order = sorted(
        (_LEAST if r.low is None else r.low, number) for number, r in enumerate(ranges) if not gone[number]
    )
    ends = [_MOST if r.high is None else r.high for r in ranges]
    points = sorted(
        {_LEAST, *(low for low, _ in order), *(ends[n] + 1 for _, n in order if ends[n] != _MOST)}
    )
    starts, winners = array("q"), array("q")
    open_: list[int] = []
    following = 0
    for point in points:
        while following < len(order) and order[following][0] == point:
            heappush(open_, order[following][1])
            following += 1
        while open_ and ends[open_[0]] < point:
            heappop(open_)
        starts.append(point)
        winners.append(open_[0] if open_ else -1)
    return starts, winners


_SEARCHES: Final[dict[Method, Callable[[Sheet, bool], Search]]] = {
    Method.STR: _text("exact"),
    Method.BIN: _binary,
    Method.BEG: _text("head"),
    Method.END: _text("tail"),
    Method.SUB: _text("inside"),
    Method.DIR: _words(DELIMITERS[Method.DIR]),
    Method.DOM: _words(DELIMITERS[Method.DOM]),
    Method.INT: _integers,
    Method.IP: _networks,
}
PACKED: Final = frozenset(_SEARCHES)
