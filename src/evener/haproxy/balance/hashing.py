"""The hash functions of ``hash-type`` and how a hash becomes a place in the rotation.

All are 32-bit. The formulas are the published ones of each function: sdbm (h * 65599 + c), djb2
(h * 33 + c) and CRC32; ``avalanche`` is Bob Jenkins' full avalanche integer mix. What they give
for a key decides which server the key sticks to, so they must agree with HAProxy bit by bit.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from evener.text.record import dataclass

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
    """Spread a weak hash over all 32 bits; the last step moves it to where servers are looked for."""
    h = (h + 0x7ED55D16 + (h << 12)) & MASK
    h = (h ^ 0xC761C23C ^ h >> 19) & MASK
    h = (h + 0x165667B1 + (h << 5)) & MASK
    h = (h + 0xD3A2646C ^ h << 9) & MASK
    h = (h + 0xFD7046C5 + (h << 3)) & MASK
    h = (h ^ 0xB55A4F09 ^ h >> 16) & MASK
    return h * 0xC0000001 & MASK


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
