"""rtnetlink bodies: as the kernel lays them out, and whatever may arrive."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evener.wire import rtnetlink
from evener.wire.nfnetlink import attribute, attributes
from evener.wire.rtnetlink import Fra, Ifa, Ifla, Info, Rta, Rtax, group, string, u8, u32

VIP = socket.inet_aton("10.9.0.100")


def test_an_address() -> None:
    body = rtnetlink.address_body(2, 24, 253, 3, attribute(Ifa.LOCAL, VIP), string(Ifa.LABEL, "eth0:1"))
    assert body == b"\2\x18\0\xfd\3\0\0\0\x08\0\2\0\x0a\x09\0\x64\x0b\0\3\0eth0:1\0\0"
    found = rtnetlink.address(body)
    assert found is not None
    assert (found.family, found.prefix, found.ifindex, found.packed) == (2, 24, 3, VIP)


def test_long_flags_of_an_address_count() -> None:
    found = rtnetlink.address(rtnetlink.address_body(10, 64, 0, 3, u32(Ifa.FLAGS, 0x240)))
    assert found is not None and found.flags == 0x240
    assert found.packed is None


def test_a_link() -> None:
    info = group(Ifla.LINKINFO, string(Info.KIND, "vrf"), group(Info.DATA, u32(rtnetlink.VRF_TABLE, 77)))
    found = rtnetlink.link(rtnetlink.link_body(7, 0x41, 1, string(Ifla.IFNAME, "red"), info))
    assert found is not None
    assert (found.name, found.ifindex, found.flags) == ("red", 7, 0x41)
    assert rtnetlink.text(found.info[Info.KIND]) == "vrf"
    table = attributes(found.info[Info.DATA])[rtnetlink.VRF_TABLE]
    assert rtnetlink.number(table) == 77


def test_a_route() -> None:
    hops = rtnetlink.hop_body(4, 1, 9, attribute(Rta.GATEWAY, VIP))
    inner = (attribute(Rta.DST, VIP), group(Rta.METRICS, u32(Rtax.MTU, 1400)), group(Rta.MULTIPATH, hops))
    body = rtnetlink.route_body(2, (32, 0), 0x10, 254, 18, 253, 1, 4, *inner)
    assert body[:12] == bytes((2, 32, 0, 0x10, 254, 18, 253, 1, 4, 0, 0, 0))
    assert hops == b"\x10\0\4\1\x09\0\0\0\x08\0\5\0" + VIP
    found = rtnetlink.headed(body)
    assert found is not None
    assert (found.family, found.destination_bits, found.table) == (2, 32, 254)
    assert found.attributes[Rta.MULTIPATH] == hops


def test_a_rule() -> None:
    body = rtnetlink.rule_body(2, (0, 8), 0, 77, 1, 2, u32(Fra.PRIORITY, 600), u8(Fra.PROTOCOL, 18))
    assert body[:12] == bytes((2, 0, 8, 0, 77, 0, 0, 1, 2, 0, 0, 0))
    found = rtnetlink.headed(body)
    assert found is not None
    assert (found.source_bits, found.table) == (8, 77)
    assert rtnetlink.number(found.attributes[Fra.PRIORITY]) == 600


def test_messages_are_found_in_a_datagram() -> None:
    data = rtnetlink.request(16, 1, 5, b"abc") + b"\0" + rtnetlink.request(20, 1, 6, b"")
    assert list(rtnetlink.messages(data)) == [(16, b"abc"), (20, b"")]
    assert list(rtnetlink.messages(data[:-1])) == [(16, b"abc")]


@given(st.binary(max_size=80))
def test_anything_may_arrive(data: bytes) -> None:
    for _, body in rtnetlink.messages(data):
        assert len(body) <= len(data)
    for read in (rtnetlink.link, rtnetlink.address, rtnetlink.headed):
        found = read(data)
        assert found is None or isinstance(found.attributes, dict)
    link = rtnetlink.link(data)
    if link is not None:
        assert isinstance(link.name, str) and isinstance(link.info, dict)


@pytest.mark.parametrize("value", [0, 1, 0xFFFFFFFF, -1])
def test_numbers(value: int) -> None:
    assert rtnetlink.number(attributes(u32(3, value))[3]) == value & 0xFFFFFFFF
    assert rtnetlink.number(None, 5) == 5
