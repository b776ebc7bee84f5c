"""Converters that hash for distribution, not for security: 32 and 64-bit sums of bytes.

The 32-bit ones give what the hash-based balancing algorithms use, bit by bit; ``avalanche`` (not 0) spreads
the bits of a weak one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from evener.haproxy.balance.hashing import MASK
from evener.haproxy.balance.hashing import avalanche as mix
from evener.haproxy.balance.hashing import djb2 as hash_djb2
from evener.haproxy.balance.hashing import sdbm as hash_sdbm
from evener.haproxy.converters.xxhash import hash32, hash64
from evener.haproxy.sample import Type, converter

Run = Callable[..., Any]
BIN: Final = Type.BIN
SINT: Final = Type.SINT
_MASK64: Final = (1 << 64) - 1


def _mixed(function: Callable[[bytes], int], avalanche: int) -> Run:
    return (lambda value: mix(function(value))) if avalanche else function


@converter("crc32", BIN, SINT, ok=["crc32", "crc32(1)"], bad=["crc32(a)"])
def crc32(avalanche: int = 0) -> Run:
    """CRC-32 as in Ethernet, gzip and PNG."""
    import zlib

    return _mixed(zlib.crc32, avalanche)


@lru_cache(maxsize=1)
def _castagnoli() -> tuple[int, ...]:
    """The table of the polynomial of RFC 9260 appendix A, bits reflected."""
    table: list[int] = []
    for code in range(256):
        for _ in range(8):
            code = code >> 1 ^ (0x82F63B78 if code & 1 else 0)
        table.append(code)
    return tuple(table)


@converter("crc32c", BIN, SINT, ok=["crc32c", "crc32c(1)"], bad=["crc32c(a)"])
def crc32c(avalanche: int = 0) -> Run:
    """CRC-32C (Castagnoli), as in SCTP and iSCSI."""
    table = _castagnoli()

    def run(value: bytes) -> int:
        crc = MASK
        for byte in value:
            crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
        return crc ^ MASK

    return _mixed(run, avalanche)


@converter("djb2", BIN, SINT, ok=["djb2", "djb2(1)"], bad=["djb2(a)"])
def djb2(avalanche: int = 0) -> Run:
    """Bernstein's hash: times 33, plus the byte."""
    return _mixed(hash_djb2, avalanche)


@converter("sdbm", BIN, SINT, ok=["sdbm", "sdbm(1)"], bad=["sdbm(a)"])
def sdbm(avalanche: int = 0) -> Run:
    """The hash of the sdbm database library: times 65599, plus the byte."""
    return _mixed(hash_sdbm, avalanche)


def _rotated(word: int, bits: int) -> int:
    return (word << bits | word >> 32 - bits) & MASK


def hash_wt6(data: bytes) -> int:
    """Two 32-bit words, crossed and rotated after each byte by amounts the words themselves give."""
    one, two, turn_one, turn_two = 0xA53C965A, 0x5CA6953A, 18, 6
    for byte in data:
        one, two = _rotated(~(two + byte) & MASK, turn_two), _rotated(~(one ^ byte) & MASK, turn_one)
        both = (one >> 16 ^ two) & 0xFFFF
        turn_two, turn_one = both & 0x1F, both >> 11
    return one ^ two


@converter("wt6", BIN, SINT, ok=["wt6", "wt6(1)"], bad=["wt6(a)"])
def wt6(avalanche: int = 0) -> Run:
    """A hash with rotations that depend on the data; spreads well over few servers."""
    return _mixed(hash_wt6, avalanche)


@converter("xxh32", BIN, SINT, ok=["xxh32", "xxh32(7)"], bad=["xxh32(a)"])
def xxh32(seed: int = 0) -> Run:
    """The 32-bit variant of xxHash, unsigned."""
    start = seed & MASK
    return lambda value: hash32(value, start)


def _signed(function: Callable[[bytes, int], int], seed: int) -> Run:
    start = seed & _MASK64

    def run(value: bytes) -> int:
        number = function(value, start)
        return number - (1 << 64) if number >> 63 else number

    return run


@converter("xxh64", BIN, SINT, ok=["xxh64", "xxh64(7)"], bad=["xxh64(a)"])
def xxh64(seed: int = 0) -> Run:
    """The 64-bit variant of xxHash, as a signed integer."""
    return _signed(hash64, seed)


@converter("xxh3", BIN, SINT, ok=["xxh3", "xxh3(7)"], bad=["xxh3(a)"])
def xxh3(seed: int = 0) -> Run:
    """The 64-bit hash of the third generation of xxHash, as a signed integer."""
    from evener.haproxy.converters.xxhash3 import hash3

    return _signed(hash3, seed)
