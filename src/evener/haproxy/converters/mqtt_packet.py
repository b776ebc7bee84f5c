"""MQTT CONNECT and CONNACK packets, bytes to fields (OASIS MQTT 3.1.1 and 5.0, chapters 2 and 3).

A packet is read from the front to its announced end, which it must fill exactly; what follows is not
looked at. Fields are kept by the names configurations use, the properties of MQTT 5.0 by their numbers as
text, those that are integers with 0 when the packet lacks them. Numbers are ``int``, texts and data
``bytes``. User properties are skipped.
"""

from __future__ import annotations

from typing import Final

from evener.text.record import dataclass

CONNECT: Final = 1
CONNACK: Final = 2


class Incomplete(Exception):
    """More bytes are needed to tell."""


class BadPacket(Exception):
    """The bytes are no such packet."""


@dataclass(slots=True)
class Packet:
    type: int
    fields: dict[str, int | bytes]


class _Reader:
    """Takes fields from the front of a span; what is beyond its end makes the packet bad."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self.data = data
        self.at = at
        self.end = end

    def take(self, size: int) -> bytes:
        start = self.at
        if start + size > self.end:
            raise BadPacket
        self.at += size
        return self.data[start : self.at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def text(self) -> bytes:
        return self.take(self.number(2))

    def varint(self) -> int:
        value = 0
        for shift in (0, 7, 14, 21):
            byte = self.number(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise BadPacket


#: Properties by number: 1, 2 and 4 are sizes of integers, 0 is text or data, -1 a pair of texts.
_PROPERTIES: Final = {
    1: 1, 2: 4, 3: 0, 8: 0, 9: 0, 17: 4, 18: 0, 19: 2, 21: 0, 22: 0, 23: 1, 24: 4, 25: 1, 26: 0, 28: 0, 31: 0,
    33: 2, 34: 2, 36: 1, 37: 1, 38: -1, 39: 4, 40: 1, 41: 1, 42: 1,
}  # fmt: skip
_OF_CONNECT: Final = frozenset((17, 21, 22, 23, 25, 33, 34, 38, 39))
_OF_WILL: Final = frozenset((1, 2, 3, 8, 9, 24, 38))
_OF_CONNACK: Final = frozenset((17, 18, 19, 21, 22, 26, 28, 31, 33, 34, 36, 37, 38, 39, 40, 41, 42))


def _properties(reader: _Reader, allowed: frozenset[int], fields: dict[str, int | bytes]) -> None:
    size = reader.varint()
    inner = _Reader(reader.data, reader.at, reader.at + size)
    reader.take(size)
    fields |= {str(number): 0 for number in allowed if _PROPERTIES[number] > 0}
    seen: set[int] = set()
    while inner.at < inner.end:
        number = inner.varint()
        if number not in allowed or (number in seen and number != 38):
            raise BadPacket
        seen.add(number)
        kind = _PROPERTIES[number]
        if kind < 0:
            inner.text()
            inner.text()
        else:
            fields[str(number)] = inner.number(kind) if kind else inner.text()


_VERSIONS: Final = {(b"MQIsdp", 3), (b"MQTT", 4), (b"MQTT", 5)}


def _connect(reader: _Reader, fields: dict[str, int | bytes]) -> None:
    """Section 3.1: name, version, flags, keep alive, and what the flags announce."""
    name, version = reader.text(), reader.number(1)
    flags = reader.number(1)
    if (name, version) not in _VERSIONS or flags & 1:
        raise BadPacket
    will = flags & 0x04
    fields |= {
        "protocol_name": name,
        "protocol_version": version,
        "flags": flags,
        "keepalive": reader.number(2),
    }
    if version == 5:
        _properties(reader, _OF_CONNECT, fields)
    fields["client_identifier"] = reader.text()
    if will:
        if version == 5:
            _properties(reader, _OF_WILL, fields)
        fields["will_topic"] = reader.text()
        fields["will_payload"] = reader.text()
    if flags & 0x80:
        fields["username"] = reader.text()
    if flags & 0x40:
        fields["password"] = reader.text()


def _connack(reader: _Reader, fields: dict[str, int | bytes]) -> None:
    """Section 3.2: flags, reason, and properties, which only MQTT 5.0 has."""
    flags = reader.number(1)
    if flags & 0xFE:
        raise BadPacket
    fields |= {"flags": flags, "reason_code": reader.number(1), "protocol_version": 4}
    if reader.at < reader.end:
        fields["protocol_version"] = 5
        _properties(reader, _OF_CONNACK, fields)


def read_packet(data: bytes) -> Packet:
    """The packet the bytes are; raises Incomplete or BadPacket."""
    if len(data) < 2:
        raise Incomplete
    kind = data[0] >> 4
    if data[0] & 15 or kind not in (CONNECT, CONNACK):
        raise BadPacket
    head = _Reader(data, 1, len(data))
    try:
        size = head.varint()
    except BadPacket:
        if len(data) < 5 and data[-1] & 0x80:
            raise Incomplete from None
        raise
    if head.at + size > len(data):
        raise Incomplete
    fields: dict[str, int | bytes] = {}
    reader = _Reader(data, head.at, head.at + size)
    (_connect if kind == CONNECT else _connack)(reader, fields)
    if reader.at != reader.end:
        raise BadPacket
    return Packet(kind, fields)
