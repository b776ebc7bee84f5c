"""Adverts, gratuitous ARPs and neighbour advertisements: the same bytes as Scapy's."""

from __future__ import annotations

import socket
import struct
from functools import lru_cache
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evener.wire import arp, ndp, vrrp

MAC = bytes.fromhex("020000000001")
V4, V6 = st.binary(min_size=4, max_size=4), st.binary(min_size=16, max_size=16)


patient = settings(deadline=None)  # the first example imports Scapy


@lru_cache(maxsize=1)
def scapy() -> tuple[ModuleType, ModuleType, ModuleType, ModuleType]:
    """Without the machine's routes, which it would read at import."""
    config = pytest.importorskip("scapy.config")
    config.conf.route_autoload = config.conf.route6_autoload = False
    from scapy.layers import inet, inet6, l2
    from scapy.layers import vrrp as vrrp_layer

    return inet, inet6, l2, vrrp_layer


def text(packed: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)


@patient
@given(st.integers(0, 255), st.integers(0, 255), st.lists(V4, max_size=4), st.binary(min_size=8, max_size=8))
def test_version_2(vrid: int, priority: int, addresses: list[bytes], auth: bytes) -> None:
    advert = vrrp.Advert(2, vrid, priority, 300, tuple(addresses), 1, auth)
    first, second = struct.unpack("!II", auth)
    theirs = scapy()[3].VRRP(
        version=2, vrid=vrid, priority=priority, ipcount=len(addresses), authtype=1, adv=3,
        addrlist=[text(address) for address in addresses], auth1=first, auth2=second,
    )  # fmt: skip
    assert vrrp.encode(advert, bytes(4), bytes(4)) == bytes(theirs)


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
@patient
@given(data=st.data(), cs=st.integers(1, 4095))
def test_version_3(family: int, data: st.DataObject, cs: int) -> None:
    inet, inet6, _, layer = scapy()
    one = V4 if family == socket.AF_INET else V6
    source, target = data.draw(one), data.draw(one)
    addresses = data.draw(st.lists(one, max_size=3))
    advert = vrrp.Advert(3, 51, 100, cs, tuple(addresses))
    below = inet.IP if family == socket.AF_INET else inet6.IPv6
    body = layer.VRRPv3(
        vrid=51, priority=100, ipcount=len(addresses), adv=cs, addrlist=[text(a) for a in addresses]
    )
    theirs = bytes(below(src=text(source), dst=text(target)) / body)[20 if family == socket.AF_INET else 40 :]
    assert vrrp.encode(advert, source, target) == theirs


@patient
@given(V4, V4, st.integers(1, 255))
def test_the_packet_around_it(source: bytes, target: bytes, ttl: int) -> None:
    head = scapy()[0].IP(
        src=text(source), dst=text(target), tos=0xC0, ttl=ttl, proto=112, id=1, flags=0, ihl=5, len=28
    )
    assert bytes(vrrp.ipv4_packet(bytes(8), source, target, ttl)) == bytes(head)[:20] + bytes(8)


@patient
@given(V4)
def test_gratuitous_arp(address: bytes) -> None:
    l2 = scapy()[2]
    where, everybody = MAC.hex(":"), arp.BROADCAST.hex(":")
    body = l2.ARP(op=1, hwsrc=where, psrc=text(address), hwdst=everybody, pdst=text(address))
    assert arp.gratuitous(MAC, address) == bytes(l2.Ether(dst=everybody, src=where, type=0x0806) / body)


@patient
@given(V6, st.booleans())
def test_neighbour_advertisement(address: bytes, router: bool) -> None:
    _, inet6, l2, _ = scapy()
    where = MAC.hex(":")
    theirs = (
        l2.Ether(dst="33:33:00:00:00:01", src=where, type=0x86DD)
        / inet6.IPv6(src=text(address), dst="ff02::1", hlim=255)
        / inet6.ICMPv6ND_NA(tgt=text(address), R=int(router), S=0, O=1)
        / inet6.ICMPv6NDOptDstLLAddr(lladdr=where)
    )
    assert ndp.unsolicited(MAC, address, router) == bytes(theirs)
