"""Converters of Protocol Buffers messages and of gRPC's frames around them.

A field is looked up by its path of numbers. Nothing is recursive: each step narrows the span of bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.arguments import ArgumentError, Fields, clamp
from evener.haproxy.sample import Sample, Type, converter

Run = Callable[..., Any]
BIN: Final = Type.BIN

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> bits - 1 else value


def _zigzag(value: int) -> int:
    return value >> 1 ^ -(value & 1)


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Value and the position after it; position -1 when it does not end."""
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7
    return 0, -1


def _number(raw: bytes) -> int:
    return _varint(raw, 0, len(raw))[0]


def _floating(form: str) -> Callable[[bytes], int | None]:
    def read(raw: bytes) -> int | None:
        (value,) = struct.unpack(form, raw)
        return clamp(int(value)) if value - value == 0 else None  # neither infinite nor no number

    return read


#: Wire type and how its bytes become an integer, by the name of the type.
_TYPES: Final[dict[str, tuple[int, Callable[[bytes], int | None]]]] = {
    "int32": (VARINT, lambda raw: _signed(_number(raw), 32)),
    "uint32": (VARINT, lambda raw: _signed(_number(raw), 64)),
    "int64": (VARINT, lambda raw: _signed(_number(raw), 64)),
    "uint64": (VARINT, lambda raw: _signed(_number(raw), 64)),
    "bool": (VARINT, lambda raw: _signed(_number(raw), 64)),
    "enum": (VARINT, lambda raw: _signed(_number(raw), 64)),
    "sint32": (VARINT, lambda raw: _zigzag(_number(raw) & 0xFFFFFFFF)),
    "sint64": (VARINT, lambda raw: _zigzag(_number(raw) & 0xFFFFFFFFFFFFFFFF)),
    "fixed64": (FIXED64, lambda raw: int.from_bytes(raw, "little", signed=True)),
    "sfixed64": (FIXED64, lambda raw: int.from_bytes(raw, "little", signed=True)),
    "double": (FIXED64, _floating("<d")),
    "fixed32": (FIXED32, lambda raw: int.from_bytes(raw, "little")),
    "sfixed32": (FIXED32, lambda raw: int.from_bytes(raw, "little", signed=True)),
    "float": (FIXED32, _floating("<f")),
}


def _value(data: bytes, at: int, end: int, wire: int) -> tuple[int, int]:
    """Where the bytes of a field's value begin and stop; stop is -1 when they do not fit."""
    if wire == VARINT:
        return at, _varint(data, at, end)[1]
    if wire == BYTES:
        size, start = _varint(data, at, end)
        return start, start + size if start >= 0 and start + size <= end else -1
    size = 8 if wire == FIXED64 else 4 if wire == FIXED32 else end + 1
    return at, at + size if at + size <= end else -1


def _find(data: bytes, start: int, end: int, number: int) -> tuple[int, int, int] | None:
    """Wire type, start and stop of the first field of that number."""
    while start < end:
        key, at = _varint(data, start, end)
        if at < 0:
            return None
        first, stop = _value(data, at, end, key & 7)
        if stop < 0:
            return None
        if key >> 3 == number:
            return key & 7, first, stop
        start = stop
    return None


def _extract(data: bytes, start: int, end: int, path: tuple[int, ...], kind: str) -> Sample | None:
    wire = BYTES
    for depth, number in enumerate(path, 1):
        found = _find(data, start, end, number)
        if found is None:
            return None
        wire, start, end = found
        if wire != BYTES and depth < len(path):
            return None
    raw = data[start:end]
    if not kind:
        return Sample(BIN, raw)
    expected, read = _TYPES[kind]
    value = read(raw) if wire == expected else None
    return None if value is None else Sample(Type.SINT, value)


def _check(field_number: tuple[int, ...], field_type: str | None = None) -> None:
    if field_type and field_type not in _TYPES:
        raise ArgumentError(f"Wrong protocol buffer type '{field_type}'")


@converter(
    "protobuf",
    BIN,
    BIN,
    check=_check,
    ok=["protobuf(1)", "protobuf(48.59.1,int32)"],
    bad=["protobuf", "protobuf(x)", "protobuf(1,string)"],
    dynamic=True,
)
def protobuf(field_number: Fields, field_type: str = "") -> Run:
    """A field of a Protocol Buffers message by its path, as bytes, or as integer when its type is given."""
    return lambda value: _extract(value, 0, len(value), field_number, field_type)


@converter(
    "ungrpc",
    BIN,
    BIN,
    check=_check,
    ok=["ungrpc(1)", "ungrpc(48.59.1,int32)"],
    bad=["ungrpc", "ungrpc(x)", "ungrpc(1,string)"],
    dynamic=True,
)
def ungrpc(field_number: Fields, field_type: str = "") -> Run:
    """As ``protobuf`` for the first message of a gRPC body, which five bytes of frame precede."""

    def run(value: bytes) -> Sample | None:
        if len(value) < 5:
            return None
        end = 5 + int.from_bytes(value[1:5], "big")
        return _extract(value, 5, end, field_number, field_type) if end <= len(value) else None

    return run
