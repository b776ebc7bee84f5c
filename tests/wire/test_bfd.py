"""BFD control packets: the RFC's bytes, the laws of a codec, and every defect."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evener.wire.bfd import PACKET_BYTES, Defect, Diagnostic, Packet, State, decode, encode

U32 = st.integers(0, (1 << 32) - 1)
UP = Packet(State.UP, 0x11223344, 0x55667788, 50_000, 60_000, 3, poll=True)

# By hand, from RFC 5880 section 4.1.
REAL = bytes.fromhex("20e0031811223344556677880000c3500000ea6000000000")

PACKETS = st.builds(
    Packet,
    state=st.sampled_from(State),
    mine=st.integers(1, (1 << 32) - 1),
    yours=st.integers(1, (1 << 32) - 1),
    min_tx_us=U32,
    min_rx_us=U32,
    multiplier=st.integers(1, 255),
    diagnostic=st.sampled_from(Diagnostic),
    poll=st.just(False),
    final=st.booleans(),
    demand=st.booleans(),
)


def test_the_layout_is_that_of_the_rfc() -> None:
    assert encode(UP) == REAL
    assert decode(REAL) == UP


@given(PACKETS)
def test_what_is_encoded_is_decoded(packet: Packet) -> None:
    assert decode(encode(packet)) == packet


@given(st.binary(max_size=64))
def test_anything_is_a_packet_or_a_defect(data: bytes) -> None:
    assert isinstance(decode(data), Packet | Defect)


@pytest.mark.parametrize("size", range(PACKET_BYTES))
def test_half_a_packet_is_none(size: int) -> None:
    assert decode(REAL[:size]) is Defect.SHORT


def test_trailing_bytes_are_no_part_of_it() -> None:
    assert decode(REAL + b"\0") is Defect.LENGTH


@pytest.mark.parametrize(
    ("offset", "value", "defect"),
    [
        (0, 0x40, Defect.VERSION),
        (0, 0x29, Defect.DIAGNOSTIC),
        (1, 0xE1, Defect.MULTIPOINT),
        (1, 0xE4, Defect.AUTHENTICATED),
        (1, 0xF0, Defect.POLL_AND_FINAL),
        (2, 0, Defect.MULTIPLIER),
        (3, 23, Defect.LENGTH),
    ],
)
def test_each_defect(offset: int, value: int, defect: Defect) -> None:
    broken = bytearray(REAL)
    broken[offset] = value
    assert decode(bytes(broken)) is defect


def test_discriminators_must_be_there() -> None:
    assert decode(REAL[:4] + bytes(4) + REAL[8:]) is Defect.NO_DISCRIMINATOR
    assert decode(REAL[:8] + bytes(4) + REAL[12:]) is Defect.NOT_YOURS
