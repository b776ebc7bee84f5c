"""Searching for many texts at once: what large lists use instead of trying one pattern after the other.

Each search is built from all keys and gives the number of the entry that counts, or None: for heads the
longest key, for everything else the first key of the list. The cost depends on the length of the value
and on how many different lengths the keys have, not on how many keys there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Lookup = Callable[[Any], int | None]


def first_of(keys: Sequence[Any]) -> dict[Any, int]:
    """Where each key stands first."""
    found: dict[Any, int] = {}
    for number, key in enumerate(keys):
        found.setdefault(key, number)
    return found


def heads(keys: Sequence[bytes]) -> Lookup:
    """The longest key the value begins with."""
    known = first_of(keys)
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


def tails(keys: Sequence[bytes]) -> Lookup:
    """The first key the value ends with."""
    known = first_of(keys)
    sizes = sorted({len(key) for key in keys})

    def find(value: bytes) -> int | None:
        length, best = len(value), None
        for size in sizes:
            if size > length:
                break
            number = known.get(value[length - size :])
            if number is not None and (best is None or number < best):
                best = number
        return best

    return find


def insides(keys: Sequence[bytes]) -> Lookup:
    """The first key that stands anywhere in the value."""
    known = first_of(keys)
    sizes = sorted({len(key) for key in keys})

    def find(value: bytes) -> int | None:
        length, best = len(value), None
        for size in sizes:
            for start in range(length - size + 1):
                number = known.get(value[start : start + size])
                if number is not None and (best is None or number < best):
                    best = number
        return best

    return find


def words(delimiters: bytes) -> Callable[[Sequence[bytes]], Lookup]:
    """The first key, stripped of delimiters, that stands between delimiters or ends of the value."""

    def build(keys: Sequence[bytes]) -> Lookup:
        known = first_of([key.strip(delimiters) for key in keys])
        sizes = sorted({len(key) for key in known})

        def find(value: bytes) -> int | None:
            edges = [at for at, byte in enumerate(value) if byte in delimiters]
            ends = {*edges, len(value)}
            best = None
            for start in [0, *(at + 1 for at in edges)]:
                for size in sizes:
                    if start + size not in ends:
                        continue
                    number = known.get(value[start : start + size])
                    if number is not None and (best is None or number < best):
                        best = number
            return best

        return find

    return build
