"""Lookups in maps: which entry a value matches, by each matching method.

Texts compared as a whole, prefixes and networks find the entry that fits most closely, whatever its
place; all other methods find the first of the file. A lookup is built once from all keys and gives the
number of the entry, or None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from evener.haproxy.cast import to_bytes, to_ipv4, to_ipv6
from evener.haproxy.pattern import Method, Network, Pattern, Range, read, text_test

Lookup = Callable[[Any], int | None]


def _first_of(keys: Sequence[Any]) -> dict[Any, int]:
    """Where each key stands first."""
    found: dict[Any, int] = {}
    for number, key in enumerate(keys):
        found.setdefault(key, number)
    return found


def _prefixes(keys: Sequence[bytes]) -> Lookup:
    known = _first_of(keys)
    sizes = sorted({len(key) for key in keys}, reverse=True)

    def find(value: bytes) -> int | None:
        length = len(value)
        for size in sizes:
            if size <= length:
                number = known.get(value[:size])
                if number is not None:
                    return number
        return None

    return find


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
        return _first_of([r.low for r in ranges]).get
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


def _networks(networks: Sequence[Network]) -> Lookup:
    """Both families, longest mask first; then IPv4 among the IPv6 keys and the reverse (section 7.1.6)."""
    four = _family([(n, network) for n, network in enumerate(networks) if len(network.address) == 4])
    six = _family([(n, network) for n, network in enumerate(networks) if len(network.address) == 16])

    def find(value: bytes) -> int | None:
        if len(value) == 4:
            number = four(value)
            return six(to_ipv6(value)) if number is None else number
        number = six(value)
        if number is not None:
            return number
        inner = to_ipv4(value) if len(value) == 16 else None
        return None if inner is None else four(inner)

    return find


def _family(networks: Sequence[tuple[int, Network]]) -> Callable[[bytes], int | None]:
    by_mask: dict[int, dict[int, int]] = {}
    for number, (address, mask) in networks:
        by_mask.setdefault(int.from_bytes(mask, "big"), {}).setdefault(int.from_bytes(address, "big"), number)
    masks = tuple(sorted(by_mask.items(), key=lambda item: item[0].bit_count(), reverse=True))

    def find(value: bytes) -> int | None:
        number = int.from_bytes(value, "big")
        for mask, known in masks:
            entry = known.get(number & mask)
            if entry is not None:
                return entry
        return None

    return find


def _regexes(regexes: Sequence[re.Pattern[bytes]]) -> Lookup:
    return _one_by_one([regex.search for regex in regexes])


_BY_METHOD: Final[dict[Method, Callable[[Sequence[Any]], Lookup]]] = {
    Method.STR: lambda keys: _first_of(keys).get,
    Method.BEG: _prefixes,
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
    return _one_by_one([text_test(method, [Pattern(text)]) for text in texts])


def captures(
    texts: Sequence[str], values: Sequence[str]
) -> Callable[[bytes], tuple[re.Match[bytes], bytes] | None]:
    """For ``map_regm``: the match of the first regular expression, and its value with back-references."""
    pairs = tuple(
        (read_key(Method.REG, text).search, to_bytes(value))
        for text, value in zip(texts, values, strict=True)
    )

    def find(value: bytes) -> tuple[re.Match[bytes], bytes] | None:
        for search, template in pairs:
            match = search(value)
            if match is not None:
                return match, template
        return None

    return find
