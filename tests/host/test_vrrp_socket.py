"""What needs no network: the kernel's filter, and adverts that are built once."""

import socket
from collections.abc import Sequence

import pytest

from evener.host.vrrp_socket import AdvertSender, advert_filter
from evener.keepalived.vrrp.plan import Family, GlobalOptions, Instance, Peer, VirtualAddress
from evener.wire import vrrp

SOURCE = socket.inet_aton("10.0.0.1")
VIP = VirtualAddress(socket.inet_aton("10.0.0.100"), 24, "eth0")


def accepts(program: Sequence[tuple[int, int, int, int]], packet: bytes) -> bool:
    """Run a classic BPF program as the kernel would."""
    a = x = at = 0
    for _ in range(len(program)):
        code, jump_true, jump_false, k = program[at]
        at += 1
        if code == 0xB1:
            x = 4 * (packet[k] & 15)
        elif code == 0x01:
            x = k
        elif code == 0x30:
            a = packet[k]
        elif code == 0x05:
            at += k
        elif code == 0x50:
            a = packet[x + k]
        elif code == 0x15:
            at += jump_true if a == k else jump_false
        else:
            assert code == 0x06
            return k != 0
    raise AssertionError("the program does not end")


@pytest.mark.parametrize("vrids", [[51], [1, 51, 255], list(range(1, 256))])
def test_filter_accepts_exactly_our_adverts(vrids: list[int]) -> None:
    kinds = [(first, vrid) for first in (0x21, 0x31) for vrid in vrids]
    for with_header, prefix in ((True, b"\x45" + bytes(19)), (True, b"\x46" + bytes(23)), (False, b"")):
        program = advert_filter(kinds, with_ip_header=with_header)
        for first in (0x11, 0x21, 0x31, 0x32):
            for vrid in range(256):
                packet = prefix + bytes([first, vrid]) + bytes(10)
                assert accepts(program, packet) == ((first, vrid) in kinds)


@pytest.mark.parametrize(("ttl", "accepted"), [(255, True), (254, False)])
def test_filter_looks_at_ttl_and_behind_another_header(ttl: int, accepted: bool) -> None:
    program = advert_filter([(0x21, 51)], with_ip_header=True, before=24, ttl=255)
    packet = b"\x45" + bytes(7) + bytes((ttl,)) + bytes(11) + bytes(24) + bytes([0x21, 51]) + bytes(18)
    assert accepts(program, packet) == accepted


def test_adverts_are_built_once_per_priority() -> None:
    config = Instance("VI", 51, "eth0", version=3, addresses=(VIP,), advert_cs=10)
    sender = AdvertSender(config, GlobalOptions())
    first = sender.copies(100, SOURCE)
    assert sender.copies(100, SOURCE) is first
    assert sender.copies(0, SOURCE) is not first
    datagram = vrrp.split_ipv4(bytes(first[0].packet))
    assert datagram is not None
    assert datagram.destination == socket.inet_aton("224.0.0.18")
    assert vrrp.intact(datagram.payload, SOURCE, datagram.destination)


def test_unicast_has_a_copy_per_peer() -> None:
    peers = tuple(Peer(socket.inet_aton(f"10.0.0.{n}")) for n in (2, 3))
    config = Instance("VI", 51, "eth0", addresses=(VIP,), unicast=True, peers=peers, unicast_ttl=9)
    copies = AdvertSender(config, GlobalOptions()).copies(100, SOURCE)
    assert [copy.destination for copy in copies] == [peer.packed for peer in peers]
    assert {copy.packet[8] for copy in copies} == {9}


def test_ipv6_copies_have_no_header_of_ours() -> None:
    vip = VirtualAddress(socket.inet_pton(socket.AF_INET6, "fe80::100"), 64, "eth0")
    config = Instance("VI", 51, "eth0", version=3, family=Family.INET6, addresses=(vip,))
    source = socket.inet_pton(socket.AF_INET6, "fe80::1")
    copy = AdvertSender(config, GlobalOptions()).copies(100, source)[0]
    assert copy.packet[0] == 0x31
    assert vrrp.intact(bytes(copy.packet), source, copy.destination)
