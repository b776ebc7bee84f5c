"""The hash functions of ``hash-type`` and how a hash becomes a place in the rotation.

All are 32-bit. The formulas are the published ones of each function: sdbm (h * 65599 + c), djb2
(h * 33 + c) and CRC32; ``avalanche`` is Bob Jenkins' full avalanche integer mix. What they give
for a key decides which server the key sticks to, so they must agree with HAProxy bit by bit.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

MASK: Final = 0xFFFFFFFF


def sdbm(data: bytes) -> int:
    h = 0
    for byte in data:
        h = (byte + h * 65599) & MASK
    return h


def djb2(data: bytes) -> int:
    h = 5381
    for byte in data:
        h = (h * 33 + byte) & MASK
    return h


def avalanche(h: int) -> int:
    """Spread a weak hash over all 32 bits."""
    h = (h + (h << 12)) & MASK
    h ^= h >> 22
    h = (h + (h << 4)) & MASK
    h ^= h >> 9
    h = (h + (h << 10)) & MASK
    h ^= h >> 2
    h = (h + (h << 7)) & MASK
    h ^= h >> 12
    return h


FUNCTIONS: Final[dict[str, Callable[[bytes], int]]] = {
    "sdbm": sdbm,
    "djb2": djb2,
    "crc32": zlib.crc32,
}


@dataclass(frozen=True, slots=True)
class HashType:
    """``hash-type <method> <function> <modifier>``; only the map-based method is executed."""

    function: str = "sdbm"
    avalanche: bool = False

    def of_bytes(self) -> Callable[[bytes], int]:
        """The hash of a byte string, remembered for the keys seen most recently."""
        raw = FUNCTIONS[self.function]
        mixed = (lambda data: avalanche(raw(data))) if self.avalanche else raw
        cached = lru_cache(maxsize=2048)(mixed)
        return lambda data: cached(data) if len(data) <= 256 else mixed(data)

    def of_address(self) -> Callable[[bytes], int]:
        """The hash of a packed address: its 32-bit words folded together."""

        def fold(address: bytes) -> int:
            h = 0
            for at in range(0, len(address), 4):
                h ^= int.from_bytes(address[at : at + 4], "big")
            return avalanche(h) if self.avalanche else h

        return fold
