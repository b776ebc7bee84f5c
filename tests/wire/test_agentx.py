"""AgentX: what a master may send gives the same PDUs however it arrives, and rubbish is an error."""

from __future__ import annotations

import random
import struct

import pytest

from evener.wire import agentx
from evener.wire.agentx import Decoder, Error, Kind, Message, Oid, Pdu, ProtocolError, Range, Variable

ENTERPRISE: Oid = (1, 3, 6, 1, 4, 1, 9586)
VARIABLES = (
    Variable((*ENTERPRISE, 1), Kind.INTEGER, -7),
    Variable((*ENTERPRISE, 2), Kind.OCTETS, b"abcde"),
    Variable((*ENTERPRISE, 3), Kind.OID, (1, 3, 6, 1, 2, 1, 68)),
    Variable((*ENTERPRISE, 4), Kind.ADDRESS, bytes((10, 0, 0, 1))),
    Variable((*ENTERPRISE, 5), Kind.COUNTER64, 1 << 40),
    Variable((*ENTERPRISE, 6), Kind.NO_OBJECT),
    Variable((1, 0, 9), Kind.GAUGE, 4_000_000_000),
    Variable((), Kind.NULL),
)


def name(oid: Oid, order: str, include: bool = False) -> bytes:
    """Without the short form, which the encoder under test uses."""
    return struct.pack(f"{order}BBBB{len(oid)}I", len(oid), 0, include, 0, *oid)


def pdu(kind: int, payload: bytes, order: str = "!", flags: int = 0) -> bytes:
    network = 0x10 if order == "!" else 0
    return struct.pack(f"{order}BBBBIIII", 1, kind, flags | network, 0, 3, 4, 5, len(payload)) + payload


def requests(order: str) -> bytes:
    start, end = name(ENTERPRISE, order, include=True), name((1, 4), order)
    integer = (
        struct.pack(f"{order}HH", Kind.INTEGER, 0) + name(ENTERPRISE, order) + struct.pack(f"{order}i", -1)
    )
    return b"".join(
        (
            pdu(Pdu.GET, start + name((), order), order),
            pdu(Pdu.GET_NEXT, start + end + start + end, order),
            pdu(Pdu.GET_BULK, struct.pack(f"{order}HH", 1, 20) + start + end, order),
            pdu(Pdu.TEST_SET, integer, order),
            pdu(Pdu.COMMIT_SET, b"", order),
            pdu(Pdu.RESPONSE, struct.pack(f"{order}IHH", 9, 262, 2), order),
            pdu(Pdu.GET, struct.pack(f"{order}I", 2) + b"ab\0\0" + start + end, order, flags=8),
        )
    )


EXPECTED = [
    Message(Pdu.GET, 3, 4, 5, ranges=(Range(ENTERPRISE, (), True),)),
    Message(Pdu.GET_NEXT, 3, 4, 5, ranges=(Range(ENTERPRISE, (1, 4), True),) * 2),
    Message(
        Pdu.GET_BULK, 3, 4, 5, ranges=(Range(ENTERPRISE, (1, 4), True),), non_repeaters=1, repetitions=20
    ),
    Message(Pdu.TEST_SET, 3, 4, 5, variables=(Variable(ENTERPRISE, Kind.INTEGER, -1),)),
    Message(Pdu.COMMIT_SET, 3, 4, 5),
    Message(Pdu.RESPONSE, 3, 4, 5, error=262, at=2),
    Message(Pdu.GET, 3, 4, 5, foreign=True, ranges=(Range(ENTERPRISE, (1, 4), True),)),
]


@pytest.mark.parametrize("order", ["!", "<"])
def test_requests_are_read_in_both_byte_orders(order: str) -> None:
    assert Decoder().feed(requests(order)) == EXPECTED


def test_byte_by_byte_gives_the_same() -> None:
    decoder, found = Decoder(), list[Message]()
    for byte in requests("!"):
        found += decoder.feed(bytes((byte,)))
    assert found == EXPECTED


def test_what_trails_waits_for_the_rest() -> None:
    decoder = Decoder()
    assert decoder.feed(requests("!") + requests("!")[:25]) == EXPECTED
    assert decoder.feed(requests("!")[25:]) == EXPECTED


def test_every_kind_of_value_comes_back() -> None:
    (answer,) = Decoder().feed(agentx.respond(EXPECTED[0], VARIABLES, Error.WRONG_VALUE, 3))
    assert answer == Message(Pdu.RESPONSE, 3, 4, 5, variables=VARIABLES, error=10, at=3)


def test_numbers_wrap_as_counters_do() -> None:
    wide = (Variable((1, 3), Kind.COUNTER, (1 << 32) + 5), Variable((1, 3), Kind.INTEGER, 0xFFFFFFFF))
    (answer,) = Decoder().feed(agentx.respond(EXPECTED[0], wide))
    assert [variable.value for variable in answer.variables] == [5, -1]


def test_common_names_are_short() -> None:
    """RFC 2741 5.1: the prefix takes the place of five numbers."""
    assert agentx.register(1, 2, ENTERPRISE)[-12:] == bytes((2, 4, 0, 0)) + struct.pack("!II", 1, 9586)


@pytest.mark.parametrize(
    "bad",
    [
        bytes(20),
        pdu(Pdu.GET, b"")[:16] + b"\xff\xff\xff\xfc",
        pdu(Pdu.GET, b"abc"),
        pdu(19, b""),
        pdu(Pdu.GET, name((1,), "!")),
        pdu(Pdu.GET, b"\xff\0\0\0" * 2),
        pdu(Pdu.TEST_SET, struct.pack("!HH", 99, 0) + name((1,), "!")),
        pdu(Pdu.TEST_SET, struct.pack("!HH", Kind.OCTETS, 0) + name((1,), "!") + struct.pack("!I", 1 << 31)),
        pdu(Pdu.GET_NEXT, bytes(8) * 2000),
        pdu(Pdu.RESPONSE, b""),
    ],
)
def test_rubbish_is_an_error(bad: bytes) -> None:
    with pytest.raises(ProtocolError):
        Decoder().feed(bad)


def test_damaged_pdus_are_read_or_refused() -> None:
    """Whatever a master sends: messages, or ProtocolError, and nothing else."""
    chance, whole = random.Random(1), requests("!") + agentx.respond(EXPECTED[0], VARIABLES)
    for _ in range(3000):
        damaged = bytearray(whole)
        for _ in range(chance.randrange(1, 6)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            Decoder().feed(bytes(damaged[: chance.randrange(len(damaged))]))
        except ProtocolError:
            pass
