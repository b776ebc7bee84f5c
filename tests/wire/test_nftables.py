"""nfnetlink messages: shapes, and answers that may be anything."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from evener.wire import conntrack, nftables
from evener.wire.nfnetlink import NLM_F_ACK, answers, attribute, attributes, batch, nested, u32
from evener.wire.nftables import Kind, Table

TABLE = Table(nftables.NFPROTO_IPV4, "t")


def test_attributes_are_padded_and_found_again() -> None:
    made = attribute(1, b"abc") + nested(2, u32(7, 5)) + attribute(3, b"")
    assert len(made) % 4 == 0
    assert attributes(made) == {1: b"abc", 2: u32(7, 5), 3: b""}


def test_a_message() -> None:
    encoded = TABLE.flush_chain("c").encode(9, NLM_F_ACK)
    length, kind, flags, sequence, _ = struct.unpack_from("=IHHII", encoded)
    assert (length, kind, flags, sequence) == (len(encoded), 10 << 8 | Kind.DELRULE, 1 | NLM_F_ACK, 9)
    assert encoded[16:20] == bytes((2, 0, 0, 0))
    assert attributes(encoded[20:]) == {1: b"t\0", 2: b"c\0"}


def test_a_batch_begins_and_ends() -> None:
    made = list(answers(batch(10, [TABLE.new().encode(2)], 1, 3)))
    assert [(one.kind, one.sequence) for one in made] == [(16, 1), (10 << 8, 2), (17, 3)]


def test_elements_are_split_before_an_attribute_is_too_long() -> None:
    elements = [
        nftables.element(number.to_bytes(4, "big"), nftables.value(bytes(20))) for number in range(9000)
    ]
    messages = list(TABLE.add_elements("m", elements))
    assert len(messages) > 1
    listed = [one.key for message in messages for one in nftables.elements(message.body)]
    assert listed == [number.to_bytes(4, "big") for number in range(9000)]
    for message in messages:
        assert len(attributes(message.body)[3]) <= 0xFFFF - 4


def test_refusals() -> None:
    header = struct.pack("=IHHII", 20, 2, 0, 7, 0)
    found = list(answers(header + struct.pack("=i", -17)))
    assert [(one.sequence, one.error) for one in found] == [(7, 17)]
    assert list(answers(header + b"\0")) == []


def test_a_connection() -> None:
    def ends(source: str, target: str, sport: int, dport: int) -> bytes:
        addresses = nested(1, attribute(1, bytes.fromhex(source)), attribute(2, bytes.fromhex(target)))
        ports = (attribute(kind, port.to_bytes(2, "big")) for kind, port in ((2, sport), (3, dport)))
        return addresses + nested(2, attribute(1, b"\6"), *ports)

    original, reply = ends("0a080001", "0a080064", 4000, 80), ends("0a090001", "0a080001", 8080, 4000)
    state = nested(4, nested(1, attribute(1, b"\3")))
    body = nested(1, original) + nested(2, reply) + u32(3, 0x2A) + state
    found = conntrack.translated(body)
    assert found is not None
    assert found.asked == (bytes.fromhex("0a080064"), 80)
    assert found.server == (bytes.fromhex("0a090001"), 8080)
    assert (found.protocol, found.active, found.identity) == (6, True, nested(1, original))
    assert conntrack.translated(body.replace(u32(3, 0x2A), u32(3, 0x0A))) is None


@given(st.binary(max_size=200))
def test_anything_may_come(data: bytes) -> None:
    for answer in answers(data):
        attributes(answer.body)
    attributes(data)
    list(nftables.elements(data))
    list(nftables.elements(nested(3, nested(1, data))))
    conntrack.translated(data)
    conntrack.translated(u32(3, 0x20) + nested(1, data) + nested(2, data) + nested(4, data))
