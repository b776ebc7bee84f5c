"""Lookups in maps: which entry a value matches, by each matching method.

Texts compared as a whole, prefixes and networks find the entry that fits most closely, whatever its
place; all other methods find the first of the file. A lookup is built once from all keys and gives the
number of the entry, or None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from evener.haproxy.cast import to_ipv4, to_ipv6
from evener.haproxy.pattern import DELIMITERS, Method, Network, Pattern, Range, length_test, read
from evener.haproxy.pattern_search import Lookup, first_of, heads, insides, tails, words


def _one_by_one(tests: Sequence[Callable[[Any], Any]]) -> Lookup:
    numbered = tuple(enumerate(tests))

    def find(value: Any) -> int | None:
        for number, test in numbered:
            if test(value):
                return number
        return None

    return find


def _integers(ranges: Sequence[Range]) -> Lookup:
    if all(r.low is not None and r.low == r.high for r in ranges):
        return first_of([r.low for r in ranges]).get
    bounds = tuple(
        (number, -(1 << 63) if r.low is None else r.low, (1 << 63) - 1 if r.high is None else r.high)
        for number, r in enumerate(ranges)
    )

    def find(value: int) -> int | None:
        for number, low, high in bounds:
            if low <= value <= high:
                return number
        return None

    return find


class Networks:
    """Both families, longest mask first; then IPv4 among the IPv6 keys and the reverse (section 7.1.6).

    What was added first counts among equal networks.
    """

    def __init__(self) -> None:
        self._four: Family = []
        self._six: Family = []

    def add(self, network: Network, result: Any) -> None:
        family = self._four if len(network.address) == 4 else self._six
        mask, address = int.from_bytes(network.mask, "big"), int.from_bytes(network.address, "big")
        known = next((known for at, known in family if at == mask), None)
        if known is None:
            known = {}
            family.append((mask, known))
            family.sort(key=lambda item: item[0].bit_count(), reverse=True)
        known.setdefault(address, result)

    def find(self, value: bytes) -> Any:
        """The result of the closest network around a packed address, or None."""
        if len(value) == 4:
            found = _closest(self._four, value)
            return _closest(self._six, to_ipv6(value)) if found is None and self._six else found
        found = _closest(self._six, value)
        if found is not None or not self._four:
            return found
        inner = to_ipv4(value) if len(value) == 16 else None
        return None if inner is None else _closest(self._four, inner)


Family = list[tuple[int, dict[int, Any]]]
"""Mask, and what each network with that mask gives."""


def _closest(family: Family, value: bytes) -> Any:
    number = int.from_bytes(value, "big")
    for mask, known in family:
        found = known.get(number & mask)
        if found is not None:
            return found
    return None


def _networks(networks: Sequence[Network]) -> Lookup:
    made = Networks()
    for number, network in enumerate(networks):
        made.add(network, number)
    return made.find


def _regexes(regexes: Sequence[re.Pattern[bytes]]) -> Lookup:
    return _one_by_one([regex.search for regex in regexes])


_BY_METHOD: Final[dict[Method, Callable[[Sequence[Any]], Lookup]]] = {
    Method.STR: lambda keys: first_of(keys).get,
    Method.BIN: lambda keys: first_of(keys).get,
    Method.BEG: heads,
    Method.END: tails,
    Method.SUB: insides,
    Method.DIR: words(DELIMITERS[Method.DIR]),
    Method.DOM: words(DELIMITERS[Method.DOM]),
    Method.INT: _integers,
    Method.IP: _networks,
    Method.REG: _regexes,
}


def read_key(method: Method, text: str) -> Any:
    """The value of a key; raises PatternError."""
    return read(method, Pattern(text))


def lookup(method: Method, texts: Sequence[str]) -> Lookup:
    """The lookup over keys that are known to be readable."""
    build = _BY_METHOD.get(method)
    if build is not None:
        return build([read_key(method, text) for text in texts])
    return _one_by_one([length_test([read_key(method, text)]) for text in texts])
