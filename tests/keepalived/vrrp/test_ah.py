"""AH: adverts that are numbered and signed, and which of them pass."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from evener.host.vrrp_socket import AdvertSender
from evener.keepalived.vrrp.admission import Admission, Received
from evener.keepalived.vrrp.plan import Auth, GlobalOptions, Instance, Peer, VirtualAddress
from evener.keepalived.vrrp.sequence import Count
from evener.wire import ah, vrrp

SOURCE, PEER = socket.inet_aton("10.0.0.1"), socket.inet_aton("10.0.0.2")
VIP = VirtualAddress(socket.inet_aton("10.0.0.100"), 24, "eth0")
KEY = b"secret\0\0"
MULTICAST = Instance("V", 51, "eth0", addresses=(VIP,), auth=Auth.AH, password=KEY)
UNICAST = replace(MULTICAST, unicast=True, peers=(Peer(PEER),), unicast_ttl=64)


def signed(config: Instance, number: int = 1, key: bytes = KEY) -> bytearray:
    packet = AdvertSender(config, GlobalOptions()).copies(150, SOURCE)[0].packet
    vrrp.stamp(packet, 7)
    ah.sign(packet, key, number, unicast=config.unicast)
    return packet


def received(packet: bytes | bytearray) -> Received:
    """As ``AdvertSocket`` reads it."""
    parts = vrrp.split_ipv4(bytes(packet))
    assert parts is not None and parts.protocol == ah.PROTOCOL
    size = ah.HEADER_BYTES
    guard = bytes(packet[: vrrp.IPV4_HEADER_BYTES + size])
    return Received(
        parts.source, parts.destination, parts.ttl, parts.payload[size:], parts.length - size, guard
    )


@pytest.mark.parametrize("config", [MULTICAST, UNICAST], ids=["multicast", "unicast"])
def test_a_signed_advert_passes_once(config: Instance) -> None:
    gate = Admission(replace(config, peers=(Peer(SOURCE),)), GlobalOptions())
    packet = received(signed(config))
    assert gate.admit(packet) is not None
    assert gate.admit(packet) is None
    assert gate.stats.auth_failure == 1
    assert gate.logs[-1].message == (
        "(V) IPSEC-AH : sequence number 1 already processed. Packet dropped. Local(1)"
    )
    assert gate.admit(received(signed(config, 2))) is not None


def test_the_header() -> None:
    """Next header, length in words less two, the sender as SPI; tests/netns plays it against the original."""
    packet = signed(MULTICAST, 3)
    assert packet[20:22] == bytes((vrrp.PROTOCOL, 4))
    assert packet[24:28] == SOURCE and packet[28:32] == bytes((0, 0, 0, 3))
    assert len(packet) == int.from_bytes(packet[2:4], "big") == 20 + 24 + 20


@pytest.mark.parametrize(
    ("at", "problem"),
    [(8, None), (32, "HMAC-MD5"), (20, "HMAC-MD5"), (25, "HMAC-MD5"), (5, "HMAC-MD5"), (46, "HMAC-MD5")],
)
def test_what_was_changed_on_the_way(at: int, problem: str | None) -> None:
    """A router counts TTL down; nothing else may change."""
    config = replace(UNICAST, peers=(Peer(SOURCE),))
    packet = signed(UNICAST)
    packet[at] ^= 1
    gate = Admission(config, GlobalOptions())
    assert (gate.admit(received(packet)) is None) == (problem is not None)
    assert gate.stats.auth_failure == (problem is not None)
    assert not problem or problem in gate.logs[-1].message


def test_a_wrong_key_a_borrowed_name_and_no_header() -> None:
    gate = Admission(MULTICAST, GlobalOptions())
    assert gate.admit(received(signed(MULTICAST, key=b"guess\0\0\0"))) is None
    assert gate.admit(received(signed(MULTICAST))._replace(guard=b"")) is None
    packet = signed(MULTICAST)
    packet[24:28] = PEER
    ah.sign(packet, KEY, 1, unicast=False)
    gate.forgive()
    assert gate.admit(received(packet)) is None
    assert "invalid IPSEC SPI value" in gate.logs[-1].message
    assert gate.stats.auth_failure == 3
    assert ah.parse(bytes(23)) is None


def test_one_count_for_both_directions() -> None:
    count = Count()
    assert count.accept(40)
    assert count.next() == 41
    assert not count.accept(41)
    count.last = ah.SEQUENCE_MAX
    assert count.next() == ah.SEQUENCE_MAX
