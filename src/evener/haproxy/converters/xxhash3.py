"""XXH3, its 64-bit variant with a seed, from the algorithm's published description.

Five procedures by the length of the input, all mixing it with a secret of 192 bytes: up to 16 bytes in
one step, up to 240 by products of pairs of words, longer ones by eight lanes over stripes of 64 bytes.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Final

from evener.haproxy.converters.xxhash import avalanche64

_M: Final = 0xFFFFFFFFFFFFFFFF
_SECRET: Final = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221"
    "b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8"
    "fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb17"
    "0ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e"
)
_P32: Final = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)
_P64: Final = (
    0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5,
)  # fmt: skip
_MIX_ONE: Final = 0x165667919E3779F9
_MIX_TWO: Final = 0x9FB21C651E98DF25


def _word(data: bytes, at: int, size: int = 8) -> int:
    return int.from_bytes(data[at : at + size], "little")


def _turn(word: int, bits: int) -> int:
    return (word << bits | word >> 64 - bits) & _M


def _folded(left: int, right: int) -> int:
    """The two halves of a 128-bit product, one over the other."""
    product = left * right
    return product & _M ^ product >> 64


def _avalanche(value: int) -> int:
    value = (value ^ value >> 37) * _MIX_ONE & _M
    return value ^ value >> 32


def _up_to_3(data: bytes, size: int, seed: int) -> int:
    if not size:
        return avalanche64(seed ^ _word(_SECRET, 56) ^ _word(_SECRET, 64))
    combined = data[-1] | size << 8 | data[0] << 16 | data[size >> 1] << 24
    return avalanche64(combined ^ (_word(_SECRET, 0, 4) ^ _word(_SECRET, 4, 4)) + seed & _M)


def _up_to_8(data: bytes, size: int, seed: int) -> int:
    swapped = int.from_bytes((seed & 0xFFFFFFFF).to_bytes(4, "little"), "big")
    combined = _word(data, size - 4, 4) + (_word(data, 0, 4) << 32)
    value = ((_word(_SECRET, 8) ^ _word(_SECRET, 16)) - (seed ^ swapped << 32)) & _M ^ combined
    value = (value ^ _turn(value, 49) ^ _turn(value, 24)) * _MIX_TWO & _M
    value = (value ^ (value >> 35) + size) * _MIX_TWO & _M
    return value ^ value >> 28


def _up_to_16(data: bytes, size: int, seed: int) -> int:
    low = (_word(_SECRET, 24) ^ _word(_SECRET, 32)) + seed & _M ^ _word(data, 0)
    high = (_word(_SECRET, 40) ^ _word(_SECRET, 48)) - seed & _M ^ _word(data, size - 8)
    swapped = int.from_bytes(low.to_bytes(8, "little"), "big")
    return _avalanche((size + swapped + high + _folded(low, high)) & _M)


def _mixed(data: bytes, at: int, secret: int, seed: int) -> int:
    """Sixteen bytes of input with sixteen of the secret."""
    left = _word(data, at) ^ (_word(_SECRET, secret) + seed & _M)
    right = _word(data, at + 8) ^ (_word(_SECRET, secret + 8) - seed & _M)
    return _folded(left, right)


def _up_to_128(data: bytes, size: int, seed: int) -> int:
    total = size * _P64[0]
    for turn in range((size - 1 >> 5) + 1):
        total += _mixed(data, turn * 16, turn * 32, seed)
        total += _mixed(data, size - turn * 16 - 16, turn * 32 + 16, seed)
    return _avalanche(total & _M)


def _up_to_240(data: bytes, size: int, seed: int) -> int:
    total = size * _P64[0]
    for at in range(0, 128, 16):
        total += _mixed(data, at, at, seed)
    total = _avalanche(total & _M)
    for at in range(128, size - 15, 16):
        total += _mixed(data, at, at - 125, seed)
    return _avalanche(total + _mixed(data, size - 16, 119, seed) & _M)


@lru_cache(maxsize=16)
def _secret_of(seed: int) -> bytes:
    words = struct.unpack("<24Q", _SECRET)
    return struct.pack(
        "<24Q", *((word - seed if n & 1 else word + seed) & _M for n, word in enumerate(words))
    )


def _accumulate(lanes: list[int], words: tuple[int, ...], keys: tuple[int, ...]) -> None:
    for lane, (word, key) in enumerate(zip(words, keys, strict=True)):
        value = word ^ key
        lanes[lane ^ 1] += word
        lanes[lane] = lanes[lane] + (value & 0xFFFFFFFF) * (value >> 32) & _M


def _long(data: bytes, size: int, seed: int) -> int:
    """Blocks of 16 stripes, the secret shifted by 8 bytes for each; the lanes are scrambled after a block."""
    secret = _secret_of(seed)
    keys = tuple(struct.unpack_from("<8Q", secret, at) for at in range(0, 136, 8))
    lanes = [_P32[2], *_P64[:4], _P32[1], _P64[4], _P32[0]]
    for stripe in range((size - 1) // 64):
        _accumulate(lanes, struct.unpack_from("<8Q", data, stripe * 64), keys[stripe & 15])
        if stripe & 15 == 15:
            lanes = [
                ((lane & _M) ^ (lane & _M) >> 47 ^ key) * _P32[0] & _M
                for lane, key in zip(lanes, keys[16], strict=True)
            ]
    _accumulate(lanes, struct.unpack_from("<8Q", data, size - 64), struct.unpack_from("<8Q", secret, 121))
    total = size * _P64[0]
    for pair in range(0, 8, 2):
        left = lanes[pair] & _M ^ _word(secret, 11 + pair * 8)
        total += _folded(left, lanes[pair + 1] & _M ^ _word(secret, 19 + pair * 8))
    return _avalanche(total & _M)


def hash3(data: bytes, seed: int) -> int:
    size = len(data)
    if size <= 16:
        by_size = _up_to_3 if size <= 3 else _up_to_8 if size <= 8 else _up_to_16
        return by_size(data, size, seed)
    if size <= 240:
        return _up_to_128(data, size, seed) if size <= 128 else _up_to_240(data, size, seed)
    return _long(data, size, seed)
