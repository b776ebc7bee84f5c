"""What needs no network: buffers, and adverts that are built once."""

import os
import socket

import pytest

from evener.host.vrrp_socket import AdvertSender, AdvertSocket, Place, buffer_size
from evener.keepalived.vrrp.plan import Family, GlobalOptions, Instance, Peer, VirtualAddress
from evener.keepalived.vrrp.plan_machine import RxPolicy
from evener.wire import vrrp

SOURCE = socket.inet_aton("10.0.0.1")
VIP = VirtualAddress(socket.inet_aton("10.0.0.100"), 24, "eth0")


@pytest.mark.parametrize(
    ("policy", "own", "size"),
    [
        (RxPolicy(), None, 0),
        (RxPolicy(), 40000, 80000),
        (RxPolicy(size=30000), None, 60000),
        (RxPolicy("MTU", 10), None, 30000),
        (RxPolicy("ADVERT", 2), None, 2 * 2 * 40),
    ],
)
def test_receive_buffers(policy: RxPolicy, own: int | None, size: int) -> None:
    """Of two instances of version 2 with one address."""
    config = Instance("VI", 51, "eth0", addresses=(VIP,), rx_buffer=own)
    assert buffer_size([config, config], policy, 1500) == size


@pytest.mark.skipif(os.geteuid() != 0, reason="raw sockets need root")
def test_the_kernel_is_told() -> None:
    made = AdvertSocket(Place("lo", Family.INET, None), 1, GlobalOptions())
    try:
        with socket.socket(fileno=os.dup(made.fileno())) as view:
            before = view.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
            made.set_buffer(0)
            assert view.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == before
            made.set_buffer(30000)
            assert view.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 60000, "it doubles what it is told"
    finally:
        made.close()


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
