"""AgentX (RFC 2741), the subagent's side: PDUs to bytes, and bytes to what a master agent asks.

``Decoder`` takes bytes as they arrive and gives whole PDUs; whatever does not fit raises ``ProtocolError``,
and the session is then of no use. What is written is in network byte order; what is read may be in either.
Not spoken: non-default contexts (refused by who answers), index allocation, opaque values.

Object identifiers are tuples of numbers below 2**32. Sizes are bounded: a PDU, the numbers of a name, the
names of a request.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Final, NamedTuple

Oid = tuple[int, ...]

VERSION: Final = 1
HEADER: Final = struct.Struct("!BBBBIIII")
HEADER_BYTES: Final = 20
MOST_BYTES: Final = 1 << 18
"""Of the payload of a PDU: some times what fits into an SNMP message."""
MOST_NUMBERS: Final = 128
"""Of an object identifier (RFC 2578 3.5)."""
MOST_NAMES: Final = 1024
INTERNET: Final = (1, 3, 6, 1)

NEW_INDEX, NETWORK_ORDER, HAS_CONTEXT = 0x02, 0x10, 0x08


class ProtocolError(Exception):
    """What was received is not AgentX."""


class Pdu(IntEnum):
    OPEN = 1
    CLOSE = 2
    REGISTER = 3
    UNREGISTER = 4
    GET = 5
    GET_NEXT = 6
    GET_BULK = 7
    TEST_SET = 8
    COMMIT_SET = 9
    UNDO_SET = 10
    CLEANUP_SET = 11
    NOTIFY = 12
    PING = 13
    INDEX_ALLOCATE = 14
    INDEX_DEALLOCATE = 15
    ADD_CAPABILITIES = 16
    REMOVE_CAPABILITIES = 17
    RESPONSE = 18


class Kind(IntEnum):
    """Types of values, with the numbers of the wire."""

    INTEGER = 2
    OCTETS = 4
    NULL = 5
    OID = 6
    ADDRESS = 64
    COUNTER = 65
    GAUGE = 66
    TICKS = 67
    OPAQUE = 68
    COUNTER64 = 70
    NO_OBJECT = 128
    NO_INSTANCE = 129
    END_OF_VIEW = 130


class Error(IntEnum):
    """Of responses: those of SNMP that are used, and those of AgentX that are of interest."""

    NONE = 0
    GENERAL = 5
    NO_ACCESS = 6
    WRONG_TYPE = 7
    WRONG_LENGTH = 8
    WRONG_VALUE = 10
    NOT_WRITABLE = 17
    NOT_OPEN = 257
    UNSUPPORTED_CONTEXT = 262
    DUPLICATE_REGISTRATION = 263
    PARSE = 266


class Variable(NamedTuple):
    """``value``: a number, bytes, an Oid; None where the kind says it all."""

    name: Oid
    kind: Kind
    value: int | bytes | Oid | None = None


class Range(NamedTuple):
    """From ``start`` (itself if ``inclusive``) up to, and without, ``end`` (empty: no end)."""

    start: Oid
    end: Oid
    inclusive: bool


class Message(NamedTuple):
    """A PDU from the master agent; which of the last fields are filled depends on ``pdu``.

    ``ranges`` of the Get PDUs; ``variables`` of TestSet and Response; ``error`` of Response, and
    the number ``at`` of the variable it is about.
    """

    pdu: Pdu
    session: int
    transaction: int
    packet: int
    foreign: bool = False
    """In a context that is not the default one."""
    ranges: tuple[Range, ...] = ()
    variables: tuple[Variable, ...] = ()
    non_repeaters: int = 0
    repetitions: int = 0
    error: int = 0
    at: int = 0


NUMBERS: Final = {Kind.INTEGER: "i", Kind.COUNTER: "I", Kind.GAUGE: "I", Kind.TICKS: "I", Kind.COUNTER64: "Q"}
STRINGS: Final = frozenset({Kind.OCTETS, Kind.ADDRESS, Kind.OPAQUE})


class _Reader:
    """The payload of one PDU."""

    def __init__(self, data: bytes, order: str) -> None:
        self._data, self._at, self._order = data, 0, order

    @property
    def more(self) -> bool:
        return self._at < len(self._data)

    def take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._data):
            raise ProtocolError("truncated")
        piece, self._at = self._data[self._at : end], end
        return piece

    def number(self, form: str) -> int:
        value: int = struct.unpack(self._order + form, self.take(struct.calcsize("=" + form)))[0]
        return value

    def oid(self) -> tuple[Oid, bool]:
        """An object identifier, and its "include" bit (RFC 2741 5.1)."""
        count, prefix, include, _ = self.take(4)
        if count > MOST_NUMBERS:
            raise ProtocolError("endless name")
        numbers = struct.unpack(f"{self._order}{count}I", self.take(4 * count))
        return (*INTERNET, prefix, *numbers) if prefix else numbers, bool(include)

    def octets(self) -> bytes:
        size = self.number("I")
        value = self.take(size)
        self.take(-size % 4)
        return value

    def variable(self) -> Variable:
        code = self.number("H")
        self.take(2)
        name, _ = self.oid()
        try:
            kind = Kind(code)
        except ValueError:
            raise ProtocolError("unknown type") from None
        value: int | bytes | Oid | None = None
        if kind in NUMBERS:
            value = self.number(NUMBERS[kind])
        elif kind in STRINGS:
            value = self.octets()
        elif kind is Kind.OID:
            value = self.oid()[0]
        return Variable(name, kind, value)

    def ranges(self) -> tuple[Range, ...]:
        several: list[Range] = []
        while self.more:
            start, inclusive = self.oid()
            several.append(Range(start, self.oid()[0], inclusive))
            if len(several) > MOST_NAMES:
                raise ProtocolError("too many names")
        return tuple(several)

    def variables(self) -> tuple[Variable, ...]:
        several: list[Variable] = []
        while self.more:
            several.append(self.variable())
            if len(several) > MOST_NAMES:
                raise ProtocolError("too many names")
        return tuple(several)


class Decoder:
    """``feed`` it what arrives; it gives the PDUs that are complete."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        self._buffer += data
        messages: list[Message] = []
        while len(self._buffer) >= HEADER_BYTES:
            flags = self._buffer[2]
            order = "big" if flags & NETWORK_ORDER else "little"
            size = int.from_bytes(self._buffer[16:20], order)  # type: ignore[arg-type]
            if self._buffer[0] != VERSION or size > MOST_BYTES or size % 4:
                raise ProtocolError("not a header")
            if len(self._buffer) < HEADER_BYTES + size:
                break
            whole = bytes(self._buffer[: HEADER_BYTES + size])
            del self._buffer[: HEADER_BYTES + size]
            messages.append(_message(whole))
        return messages


def _message(whole: bytes) -> Message:
    flags = whole[2]
    order = "!" if flags & NETWORK_ORDER else "<"
    try:
        pdu = Pdu(whole[1])
    except ValueError:
        raise ProtocolError("unknown PDU") from None
    message = Message(pdu, *struct.unpack(f"{order}III", whole[4:16]))
    reader = _Reader(whole[HEADER_BYTES:], order)
    if flags & HAS_CONTEXT:
        message = message._replace(foreign=bool(reader.octets()))
    match pdu:
        case Pdu.GET | Pdu.GET_NEXT:
            return message._replace(ranges=reader.ranges())
        case Pdu.GET_BULK:
            few, many = reader.number("H"), reader.number("H")
            return message._replace(non_repeaters=few, repetitions=many, ranges=reader.ranges())
        case Pdu.TEST_SET:
            return message._replace(variables=reader.variables())
        case Pdu.RESPONSE:
            reader.take(4)
            error, index = reader.number("H"), reader.number("H")
            return message._replace(error=error, at=index, variables=reader.variables())
    return message


# -- what a subagent says ------------------------------------------------------------------------------


def _pdu(pdu: Pdu, session: int, transaction: int, packet: int, payload: bytes = b"") -> bytes:
    head = HEADER.pack(VERSION, pdu, NETWORK_ORDER, 0, session, transaction, packet, len(payload))
    return head + payload


def _oid(name: Oid, include: bool = False) -> bytes:
    prefix = 0
    if len(name) > len(INTERNET) and name[: len(INTERNET)] == INTERNET and 0 < name[len(INTERNET)] < 256:
        prefix, name = name[len(INTERNET)], name[len(INTERNET) + 1 :]
    return struct.pack(f"!BBBB{len(name)}I", len(name), prefix, include, 0, *name)


def _octets(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value + bytes(-len(value) % 4)


def _variable(variable: Variable) -> bytes:
    kind, value = variable.kind, variable.value
    head = struct.pack("!HH", kind, 0) + _oid(variable.name)
    if isinstance(value, int):
        form = NUMBERS[kind]
        if kind is Kind.INTEGER:
            return head + struct.pack("!i", (value + 0x80000000) % (1 << 32) - 0x80000000)
        return head + struct.pack("!" + form, value % (1 << 8 * struct.calcsize("=" + form)))
    if isinstance(value, bytes):
        return head + _octets(value)
    return head if value is None else head + _oid(value)


def open_session(packet: int, name: Oid, description: bytes, timeout_s: int = 0) -> bytes:
    payload = bytes((timeout_s, 0, 0, 0)) + _oid(name) + _octets(description)
    return _pdu(Pdu.OPEN, 0, 0, packet, payload)


def close(session: int, packet: int, reason: int = 5) -> bytes:
    """``reason`` 5: this side shuts down (RFC 2741 6.2.2)."""
    return _pdu(Pdu.CLOSE, session, 0, packet, bytes((reason, 0, 0, 0)))


def register(session: int, packet: int, root: Oid, priority: int = 127) -> bytes:
    """Everything below ``root`` is asked of this subagent."""
    return _pdu(Pdu.REGISTER, session, 0, packet, bytes((0, priority, 0, 0)) + _oid(root))


def unregister(session: int, packet: int, root: Oid, priority: int = 127) -> bytes:
    return _pdu(Pdu.UNREGISTER, session, 0, packet, bytes((0, priority, 0, 0)) + _oid(root))


def add_capabilities(session: int, packet: int, name: Oid, description: bytes) -> bytes:
    """A row of sysORTable, for people who look for what an agent knows."""
    return _pdu(Pdu.ADD_CAPABILITIES, session, 0, packet, _oid(name) + _octets(description))


def notify(session: int, packet: int, variables: tuple[Variable, ...]) -> bytes:
    """A trap: the first variable is snmpTrapOID.0."""
    return _pdu(Pdu.NOTIFY, session, 0, packet, b"".join(map(_variable, variables)))


def ping(session: int, packet: int) -> bytes:
    return _pdu(Pdu.PING, session, 0, packet)


def respond(
    asked: Message, variables: tuple[Variable, ...] = (), error: int = Error.NONE, index: int = 0
) -> bytes:
    payload = struct.pack("!IHH", 0, error, index) + b"".join(map(_variable, variables))
    return _pdu(Pdu.RESPONSE, asked.session, asked.transaction, asked.packet, payload)
