"""The hash functions of ``hash-type`` and how a hash becomes a place in the rotation.

All are 32-bit. The formulas are the published ones of each function: sdbm (h * 65599 + c), djb2
(h * 33 + c) and CRC32; ``avalanche`` is Bob Jenkins' full avalanche integer mix. What they give
for a key decides which server the key sticks to, so they must agree with HAProxy bit by bit.
"""

from __future__ import annotations

import re
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


def wt6(data: bytes) -> int:
    """The hash of that name: two words, shifted by what they were before."""
    h0, h1, step0, step1 = 0xA53C965A, 0x5CA6953A, 6, 18
    for byte in data:
        h0 = ~(h0 ^ byte) & MASK
        h1 = ~(h1 + byte) & MASK
        h0, h1 = (
            (h1 << step0 | h1 >> (32 - step0)) & MASK,
            (h0 << step1 | h0 >> (32 - step1)) & MASK,
        )
        mixed = (h0 >> 16 ^ h1) & 0xFFFF
        step0, step1 = mixed & 0x1F, mixed >> 11
    return h0 ^ h1


_DIGITS: Final = re.compile(rb"-?[0-9]*")


def number(data: bytes) -> int:
    """``none``: the key is a number already, up to its first other character."""
    match = _DIGITS.match(data)
    digits = match[0] if match else b""
    value = int(digits) if digits not in (b"", b"-") else 0
    return max(-(1 << 63), min(value, (1 << 63) - 1)) & MASK


FUNCTIONS: Final[dict[str, Callable[[bytes], int]]] = {
    "sdbm": sdbm,
    "djb2": djb2,
    "wt6": wt6,
    "crc32": zlib.crc32,
    "none": number,
}


@dataclass(frozen=True, slots=True)
class HashType:
    """``hash-type <method> <function> <modifier>``: what is done to a key, whatever the method."""

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
