"""Converters that hash: checksums and the hashes of balancing."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from evener.haproxy.balance.hashing import avalanche as _avalanche
from evener.haproxy.balance.hashing import djb2 as _djb2
from evener.haproxy.balance.hashing import sdbm as _sdbm
from evener.haproxy.converters.xxhash import hash32, hash64
from evener.haproxy.sample import Type, converter, declare_planned_converters

BIN: Final = Type.BIN
_M32: Final = 0xFFFFFFFF
_M64: Final = 0xFFFFFFFFFFFFFFFF


@lru_cache(maxsize=1)
def _crc32c_table() -> tuple[int, ...]:
    """RFC 4960 appendix B: the reflected Castagnoli polynomial."""
    table: list[int] = []
    for byte in range(256):
        entry = byte
        for _ in range(8):
            entry = entry >> 1 ^ (0x82F63B78 if entry & 1 else 0)
        table.append(entry)
    return tuple(table)


def _crc32c(data: bytes) -> int:
    table, crc = _crc32c_table(), _M32
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc ^ _M32


def _declare(name: str, doc: str, function: Callable[[bytes], int]) -> None:
    def hashed(avalanche: int = 0) -> Callable[[bytes], int]:
        return (lambda value: _avalanche(function(value))) if avalanche == 1 else function

    hashed.__doc__ = doc + " With 1 every bit of it depends on every bit of the input."
    converter(name, BIN, Type.SINT, ok=[name, f"{name}(1)"], bad=[f"{name}(x)"])(hashed)


_declare("crc32", "The CRC32 of Ethernet and gzip, 32 bits.", zlib.crc32)
_declare("crc32c", "The CRC32C of SCTP and iSCSI, 32 bits.", _crc32c)
_declare("djb2", "The DJB2 hash, 32 bits.", _djb2)
_declare("sdbm", "The SDBM hash, 32 bits.", _sdbm)


@converter("xxh32", BIN, Type.SINT, ok=["xxh32(1)"], bad=["xxh32(x)"])
def xxh32(seed: int = 0) -> Callable[[bytes], int]:
    """XXH32, unsigned 32 bits."""
    return lambda value: hash32(value, seed & _M32)


@converter("xxh64", BIN, Type.SINT, ok=["xxh64(1)"], bad=["xxh64(x)"])
def xxh64(seed: int = 0) -> Callable[[bytes], int]:
    """XXH64, signed 64 bits."""

    def run(value: bytes) -> int:
        number = hash64(value, seed & _M64)
        return number - (1 << 64) if number >> 63 else number

    return run


declare_planned_converters(
    """
    wt6([integer]): sint
    xxh3([integer]): sint
    """,
    BIN,
    "Known; not computed yet.",
)
