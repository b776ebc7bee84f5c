"""Every reason to drop a packet: counted, logged once, and without effect."""

import socket
from dataclasses import replace

import pytest

from evener.keepalived.vrrp.admission import Admission, Received
from evener.keepalived.vrrp.messages import AdvertReceived
from evener.keepalived.vrrp.plan import Auth, Family, GlobalOptions, Instance, Peer, VirtualAddress
from evener.wire import vrrp

SOURCE, OTHER, GROUP = (socket.inet_aton(a) for a in ("10.0.0.1", "10.0.0.2", "224.0.0.18"))
VIP = VirtualAddress(socket.inet_aton("10.0.0.100"), 24, "eth0")
V2 = Instance("VI", 51, "eth0", addresses=(VIP,), auth=Auth.PASS, password=b"secret")
V3 = Instance("VI", 51, "eth0", version=3, advert_cs=10, addresses=(VIP,))
UNICAST = replace(V3, unicast=True, peers=(Peer(SOURCE),))


def packet(config: Instance, **changes: object) -> Received:
    """A good packet for ``config``, but for what is said in ``changes``."""
    destination = OTHER if config.unicast else GROUP
    advert = vrrp.Advert(
        config.version, config.vrid, 120, config.advert_cs, tuple(a.packed for a in config.advertised),
        int(config.auth), config.password,
    )  # fmt: skip
    fields = {key: changes.pop(key) for key in list(changes) if key in advert.__slots__}
    pdu = vrrp.encode(replace(advert, **fields), SOURCE, destination)
    return Received(SOURCE, destination, 255, pdu, len(pdu))._replace(**changes)


@pytest.mark.parametrize("config", [V2, V3, UNICAST])
def test_a_good_advert(config: Instance) -> None:
    admission = Admission(config, GlobalOptions())
    expected = AdvertReceived(120, config.advert_us, SOURCE)
    assert admission.admit(packet(config)) == expected
    assert admission.admit(packet(config)) == expected  # from memory
    assert admission.stats.advert_rcvd == 2
    assert admission.logs == []


def damaged(config: Instance) -> Received:
    good = packet(config)
    return good._replace(pdu=good.pdu[:6] + b"\x12\x34" + good.pdu[8:])


REASONS = [
    (V3, packet(V3, pdu=b"\x31"), "packet_len_err", "too short"),
    (V3, packet(V3, pdu=packet(V3).pdu + b"\0\0\0\0", length=20), "packet_len_err", "too long"),
    (V3, packet(V3, length=99), "packet_len_err", "length 12"),
    (V3, packet(V3, ttl=254), "ip_ttl_err", "Received 254 and expect 255"),
    (V3, packet(V2), "version_err", "wrong VRRP version from 10.0.0.1. Received 2 and expect 3"),
    (V2, packet(V2, auth_type=9), "invalid_authtype", "Invalid auth type"),
    (V2, packet(V2, auth_type=0), "authtype_mismatch", "received a 0 auth from 10.0.0.1, expecting 1!"),
    (V2, packet(V2, auth_data=b"guess"), "auth_failure", "invalid passwd"),
    (V2, packet(V2, interval_cs=300), "advert_interval_err", "mine=1 sec rcv'd=3 sec"),
    (V3, packet(V3, pdu=b"\x32" + packet(V3).pdu[1:]), "invalid_type_rcvd", "Invalid packet type"),
    (V3, damaged(V3), "checksum_err", "Invalid VRRPv3 checksum"),
    (V2, damaged(V2), "checksum_err", "Invalid VRRPv2 checksum"),
    (V3, packet(UNICAST), "addr_list_err", "Expected multicast packet but received unicast"),
    (UNICAST, packet(V3), "addr_list_err", "Expected unicast packet but received multicast"),
]


@pytest.mark.parametrize(("config", "bad", "counter", "text"), REASONS)
def test_dropped_and_counted(config: Instance, bad: Received, counter: str, text: str) -> None:
    admission = Admission(config, GlobalOptions())
    assert admission.admit(bad) is None
    assert admission.admit(bad) is None
    assert getattr(admission.stats, counter) == 2
    assert admission.stats.advert_rcvd == 0
    assert len(admission.logs) == 1, "a complaint is made once"
    assert text in admission.logs[0].message
    admission.forgive()
    admission.admit(bad)
    assert len(admission.logs) == 2


def test_a_good_advert_between_bad_ones() -> None:
    admission = Admission(V3, GlobalOptions())
    assert admission.admit(packet(V3)) is not None
    assert admission.admit(damaged(V3)) is None
    assert admission.admit(packet(V3)) is not None


def test_unicast_source_is_checked_only_when_asked_for() -> None:
    stranger = replace(UNICAST, peers=(Peer(OTHER),))
    assert Admission(stranger, GlobalOptions()).admit(packet(UNICAST)) is not None
    assert Admission(stranger, GlobalOptions(check_unicast_src=True)).admit(packet(UNICAST)) is None
    admission = Admission(replace(stranger, check_unicast_src=True), GlobalOptions())
    assert admission.admit(packet(UNICAST)) is None
    assert "10.0.0.1 not a unicast peer" in admission.logs[0].message


def test_peer_ttl_range() -> None:
    config = replace(UNICAST, peers=(Peer(SOURCE, 250, 254),))
    for ttl, good in ((249, False), (250, True), (254, True), (255, False), (None, True)):
        got = Admission(config, GlobalOptions()).admit(packet(UNICAST, ttl=ttl))
        assert (got is not None) is good


def test_other_addresses_are_mentioned_but_accepted() -> None:
    admission = Admission(V3, GlobalOptions())
    more = tuple(socket.inet_aton(f"10.0.0.{n}") for n in (100, 101))
    assert admission.admit(packet(V3, addresses=more)) is not None
    assert admission.admit(packet(V3, addresses=more[1:])) is not None
    assert [log.message for log in admission.logs] == [
        "(VI) expected 1 VIPs but received 2",
        "(VI) ip address associated with VRID 51 not present in advert from 10.0.0.1: 10.0.0.100",
    ]


def test_version_3_accepts_another_interval() -> None:
    admission = Admission(V3, GlobalOptions())
    event = admission.admit(packet(V3, interval_cs=50))
    assert event is not None
    assert event.interval_us == 500_000
    assert "ours = 10 centi-sec rcv'd=50 centi-sec" in admission.logs[0].message


def test_ipv6_checksum_needs_no_length() -> None:
    source, group = (socket.inet_pton(socket.AF_INET6, a) for a in ("fe80::1", "ff02::12"))
    vip = VirtualAddress(socket.inet_pton(socket.AF_INET6, "fe80::100"), 64, "eth0")
    config = replace(V3, family=Family.INET6, addresses=(vip,))
    pdu = vrrp.encode(vrrp.Advert(3, 51, 120, 10, (vip.packed,)), source, group)
    admission = Admission(config, GlobalOptions())
    assert admission.admit(Received(source, group, 255, pdu)) is not None
    assert admission.admit(Received(source, group, 64, pdu)) is None
    assert admission.admit(Received(group, group, 255, pdu)) is None


def test_strict_owner_listens_to_nobody() -> None:
    owner = replace(V3, strict=True, priority=255)
    assert Admission(owner, GlobalOptions()).admit(packet(owner)) is None
