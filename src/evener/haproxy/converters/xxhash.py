"""xxHash, the 32 and 64-bit variants, from the algorithm's published description.

Four lanes take turns over the input in stripes of four words; the lanes are folded into one, the rest of
the input is added in ever smaller pieces, and an avalanche mixes the bits.
"""

from __future__ import annotations

import struct
from typing import Final

_M32: Final = 0xFFFFFFFF
_P32: Final = (2654435761, 2246822519, 3266489917, 668265263, 374761393)
_M64: Final = 0xFFFFFFFFFFFFFFFF
_P64: Final = (
    11400714785074694791,
    14029467366897019727,
    1609587929392839161,
    9650029242287828579,
    2870177450012600261,
)


def _turn32(word: int, bits: int) -> int:
    return (word << bits | word >> 32 - bits) & _M32


def _turn64(word: int, bits: int) -> int:
    return (word << bits | word >> 64 - bits) & _M64


def _round32(lane: int, word: int) -> int:
    return _turn32((lane + word * _P32[1]) & _M32, 13) * _P32[0] & _M32


def hash32(data: bytes, seed: int) -> int:
    one, two, three, four, five = _P32
    size = len(data)
    whole = size & ~15
    if whole:
        lanes = [(seed + one + two) & _M32, (seed + two) & _M32, seed, (seed - one) & _M32]
        for words in struct.iter_unpack("<4I", data[:whole]):
            lanes = [_round32(lane, word) for lane, word in zip(lanes, words, strict=True)]
        total = sum(_turn32(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18), strict=True))
    else:
        total = seed + five
    total = (total + size) & _M32
    quads = size & ~3
    for (word,) in struct.iter_unpack("<I", data[whole:quads]):
        total = _turn32((total + word * three) & _M32, 17) * four & _M32
    for byte in data[quads:]:
        total = _turn32((total + byte * five) & _M32, 11) * one & _M32
    total = (total ^ total >> 15) * two & _M32
    total = (total ^ total >> 13) * three & _M32
    return total ^ total >> 16


def _round64(lane: int, word: int) -> int:
    return _turn64((lane + word * _P64[1]) & _M64, 31) * _P64[0] & _M64


def hash64(data: bytes, seed: int) -> int:
    one, two, _, four, five = _P64
    size = len(data)
    whole = size & ~31
    if whole:
        lanes = [(seed + one + two) & _M64, (seed + two) & _M64, seed, (seed - one) & _M64]
        for words in struct.iter_unpack("<4Q", data[:whole]):
            lanes = [_round64(lane, word) for lane, word in zip(lanes, words, strict=True)]
        total = sum(_turn64(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18), strict=True))
        for lane in lanes:
            total = ((total ^ _round64(0, lane)) * one + four) & _M64
    else:
        total = seed + five
    total = (total + size) & _M64
    return avalanche64(_rest64(total, data[whole:]))


def _rest64(total: int, rest: bytes) -> int:
    """What is left after the stripes: eight bytes at a time, then four, then single ones."""
    one, two, three, four, five = _P64
    eights = len(rest) & ~7
    for (word,) in struct.iter_unpack("<Q", rest[:eights]):
        total = (_turn64(total ^ _round64(0, word), 27) * one + four) & _M64
    if len(rest) - eights >= 4:
        word = int.from_bytes(rest[eights : eights + 4], "little")
        total = (_turn64((total ^ word * one) & _M64, 23) * two + three) & _M64
        eights += 4
    for byte in rest[eights:]:
        total = _turn64((total ^ byte * five) & _M64, 11) * one & _M64
    return total


def avalanche64(total: int) -> int:
    total = (total ^ total >> 33) * _P64[1] & _M64
    total = (total ^ total >> 29) * _P64[2] & _M64
    return total ^ total >> 32
