"""The advert codec against bytes that keepalived sent, and against damage."""

import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evener.wire import vrrp
from evener.wire.checksum import checksum

SOURCE, GROUP = socket.inet_aton("10.0.0.1"), socket.inet_aton("224.0.0.18")
SOURCE6, GROUP6 = socket.inet_pton(socket.AF_INET6, "fe80::1"), socket.inet_pton(socket.AF_INET6, "ff02::12")
VIPS = tuple(socket.inet_aton(f"10.0.0.{n}") for n in (100, 101))
V2 = vrrp.Advert(2, 51, 150, 100, VIPS, 1, b"secret\0\0")
V3 = vrrp.Advert(3, 51, 150, 10, VIPS)
V6 = vrrp.Advert(3, 51, 150, 4095, (socket.inet_pton(socket.AF_INET6, "fe80::100"),))


def test_version_2_bytes() -> None:
    pdu = vrrp.encode(V2, SOURCE, GROUP)
    assert pdu.hex() == "213396020101f6b30a0000640a0000657365637265740000"


def test_version_3_bytes_and_checksum_as_version_2() -> None:
    assert vrrp.encode(V3, SOURCE, GROUP).hex()[:12] == "31339602000a"
    plain = vrrp.encode(V3, SOURCE, GROUP, as_v2=True)
    assert checksum(plain) == 0
    assert vrrp.intact(plain, SOURCE, GROUP, as_v2=True)
    assert not vrrp.intact(plain, SOURCE, GROUP)


@pytest.mark.parametrize(
    ("advert", "source", "group"), [(V2, SOURCE, GROUP), (V3, SOURCE, GROUP), (V6, SOURCE6, GROUP6)]
)
def test_round_trip_and_single_bit_damage(advert: vrrp.Advert, source: bytes, group: bytes) -> None:
    family = socket.AF_INET if len(source) == 4 else socket.AF_INET6
    pdu = vrrp.encode(advert, source, group)
    assert vrrp.dissect(pdu, family) == advert
    assert vrrp.intact(pdu, source, group)
    for bit in range(len(pdu) * 8):
        damaged = bytearray(pdu)
        damaged[bit // 8] ^= 1 << bit % 8
        assert not vrrp.intact(bytes(damaged), source, group)


def test_pseudo_header_covers_the_addresses() -> None:
    pdu = vrrp.encode(V3, SOURCE, GROUP)
    assert not vrrp.intact(pdu, socket.inet_aton("10.0.0.2"), GROUP)


def test_ipv4_packet() -> None:
    packet = vrrp.ipv4_packet(vrrp.encode(V3, SOURCE, GROUP), SOURCE, GROUP)
    vrrp.stamp(packet, 0xFFFF)
    assert packet[:8].hex() == "45c00024ffff0000"
    assert packet[8:10] == b"\xff\x70"
    assert checksum(bytes(packet[:20])) == 0
    first = vrrp.split_ipv4(bytes(packet) + b"padding")
    assert first is not None
    assert (first.source, first.destination, first.ttl, first.length) == (SOURCE, GROUP, 255, 16)
    assert vrrp.dissect(first.payload, socket.AF_INET) == V3


def test_length_that_is_asked_for() -> None:
    head = vrrp.header(vrrp.encode(V2, SOURCE, GROUP))
    assert head is not None
    assert head.interval_cs == 100
    assert vrrp.expected_length(head, 4) == 8 + 8 + 8


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=64), st.sampled_from([socket.AF_INET, socket.AF_INET6]))
def test_any_bytes_are_an_advert_or_refused(data: bytes, family: int) -> None:
    try:
        advert = vrrp.dissect(data, family)
    except ValueError:
        return
    assert all(len(address) == (4 if family == socket.AF_INET else 16) for address in advert.addresses)


@given(st.binary(max_size=64))
def test_any_bytes_are_a_datagram_or_none(data: bytes) -> None:
    datagram = vrrp.split_ipv4(data)
    assert datagram is None or len(datagram.payload) <= len(data)
