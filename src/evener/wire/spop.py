"""SPOP frames as far as a greeting needs them: variable-length integers, typed values, items of a list.

A frame is a length (4 bytes), a type, flags (4 bytes), stream and frame numbers, and for greetings a list
of names with typed values (SPOE specification, 3.2). Whatever does not fit raises ``ProtocolError``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

HAPROXY_HELLO: Final = 1
AGENT_HELLO: Final = 101
AGENT_DISCONNECT: Final = 102
FIN: Final = 1

ERRORS: Final[dict[int, str]] = {
    0: "normal",
    1: "I/O error",
    2: "a timeout occurred",
    3: "frame is too big",
    4: "invalid frame received",
    5: "version value not found",
    6: "max-frame-size value not found",
    7: "capabilities value not found",
    8: "unsupported version",
    9: "max-frame-size too big or too small",
    10: "payload fragmentation is not supported",
    11: "invalid interlaced frames",
    12: "frame-id not found",
    13: "resource allocation error",
    99: "an unknown error occurred",
}
"""Status codes of a disconnection, as they are told."""

NULL, BOOLEAN, INT32, UINT32, INT64, UINT64, IPV4, IPV6, STRING, BINARY = range(10)
_INTEGERS = (INT32, UINT32, INT64, UINT64)
_TYPE = 0x0F
_TRUE = 0x10

Value = int | bytes | bool | None


class ProtocolError(Exception):
    """These bytes are no frame."""


@dataclass(slots=True)
class _Reader:
    data: bytes
    at: int = 0

    def take(self, count: int) -> bytes:
        if count > len(self.data) - self.at:
            raise ProtocolError("truncated")
        self.at += count
        return self.data[self.at - count : self.at]

    def varint(self) -> int:
        """Below 240 a byte is the value; else its low bits come first and every next byte adds seven."""
        value = self.take(1)[0]
        if value < 240:
            return value
        shift = 4
        while shift < 64:
            byte = self.take(1)[0]
            value += byte << shift
            shift += 7
            if byte < 128:
                return value
        raise ProtocolError("endless integer")

    def text(self) -> bytes:
        return self.take(self.varint())

    def value(self) -> Value:
        first = self.take(1)[0]
        kind = first & _TYPE
        if kind == NULL:
            return None
        if kind == BOOLEAN:
            return bool(first & _TRUE)
        if kind in _INTEGERS:
            return self.varint()
        if kind in (IPV4, IPV6):
            return self.take(4 if kind == IPV4 else 16)
        if kind in (STRING, BINARY):
            return self.text()
        raise ProtocolError("unknown type")


def varint(value: int) -> bytes:
    if value < 240:
        return bytes([value])
    out = [value & 0xFF | 0xF0]
    value = (value - 240) >> 4
    while value >= 128:
        out.append(value & 0xFF | 0x80)
        value = (value - 128) >> 7
    return bytes([*out, value])


def text(data: bytes) -> bytes:
    return varint(len(data)) + data


def frame(kind: int, body: bytes, flags: int = FIN) -> bytes:
    """A frame of stream 0, frame 0."""
    rest = bytes([kind]) + flags.to_bytes(4, "big") + b"\0\0" + body
    return len(rest).to_bytes(4, "big") + rest


def items(data: bytes) -> Iterator[tuple[bytes, Value]]:
    """The names and values of a list."""
    reader = _Reader(data)
    while reader.at < len(data):
        name = reader.text()
        if not name:
            raise ProtocolError("empty name")
        yield name, reader.value()
