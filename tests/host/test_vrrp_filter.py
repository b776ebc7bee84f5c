"""The kernel's filter for floods: every advert of ours passes it, and rubbish does not, but for samples."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import replace

import pytest

from evener.host.vrrp_filter import MOST_INSTRUCTIONS, NETWORK, RANDOM, SAMPLE, advert_filter
from evener.host.vrrp_socket import AdvertSender, AdvertSocket, Place
from evener.keepalived.vrrp.plan import (
    Auth,
    Family,
    GlobalOptions,
    HmacAuth,
    HmacKey,
    Instance,
    Peer,
    VirtualAddress,
)
from evener.wire import ah, vrrp, vrrp_hmac

OPTIONS = GlobalOptions()
SOURCES = {Family.INET: socket.inet_aton("10.0.0.1"), Family.INET6: socket.inet_pton(10, "fe80::1")}


def runs(program: Sequence[tuple[int, int, int, int]], data: bytes, network: bytes, dice: int = 1) -> bool:
    """Whether a classic BPF program accepts a packet; ``network`` is where its network header begins."""
    a = x = at = 0
    memory: dict[int, int] = {}

    def load(offset: int, size: int) -> int:
        if offset == RANDOM:
            return dice
        source, start = (network, offset - NETWORK) if offset >= NETWORK else (data, offset)
        if start + size > len(source):
            raise IndexError
        return int.from_bytes(source[start : start + size], "big")

    for _ in range(len(program)):
        code, true, false, k = program[at]
        at += 1
        match code:
            case 0x20 | 0x28 | 0x30:
                a = load(k, {0x20: 4, 0x28: 2, 0x30: 1}[code])
            case 0x40:
                a = load(x + k, 4)
            case 0x80:
                a = len(data)
            case 0x60:
                a = memory[k]
            case 0x61:
                x = memory[k]
            case 0x01:
                x = k
            case 0x02:
                memory[k] = a
            case 0x04:
                a += k
            case 0x0C:
                a += x
            case 0x14:
                a -= k
            case 0x54:
                a &= k
            case 0x64:
                a <<= k
            case 0x74:
                a >>= k
            case 0x07:
                x = a
            case 0x87:
                a = x
            case 0x05:
                at += k
            case 0x15:
                at += true if a == k else false
            case 0x1D:
                at += true if a == x else false
            case 0x06:
                return k != 0
            case _:
                raise AssertionError(f"unknown instruction {code:#x}")
        a &= 0xFFFFFFFF
    raise AssertionError("the program does not end")


def accepts(program: Sequence[tuple[int, int, int, int]], data: bytes, network: bytes, dice: int = 1) -> bool:
    try:
        return runs(program, data, network, dice)
    except IndexError:
        return False  # the kernel ends a program that looks beyond the packet, with 0


def addresses(family: Family, count: int) -> tuple[VirtualAddress, ...]:
    if family is Family.INET:
        return tuple(VirtualAddress(bytes((10, 0, 1, n)), 24, "eth0") for n in range(count))
    return tuple(
        VirtualAddress(bytes((0xFE, 0x80)) + bytes(13) + bytes((n,)), 64, "eth0") for n in range(count)
    )


def made(version: int, family: Family = Family.INET, count: int = 1, **more: object) -> Instance:
    found = Instance("VI", 51, "eth0", version=version, family=family, addresses=addresses(family, count))
    return replace(found, **more)  # type: ignore[arg-type]


PEERS = (Peer(socket.inet_aton("10.0.0.9")), Peer(SOURCES[Family.INET]))
PEERS6 = (Peer(socket.inet_pton(10, "fe80::9")), Peer(SOURCES[Family.INET6]))
HMAC = HmacAuth((HmacKey(1, b"0123456789abcdef"),))
CASES = {
    "v2": made(2),
    "v2-pass": made(2, count=3, auth=Auth.PASS, password=b"secret"),
    "v2-ah": made(2, auth=Auth.AH, password=b"secret"),
    "v2-hmac": made(2, hmac=HMAC),
    "v3": made(3, advert_cs=10),
    "v3-many": made(3, count=20),
    "v3-as-v2": made(3, v3_checksum_as_v2=True),
    "v3-hmac": made(3, hmac=HMAC),
    "v3-unicast": made(3, unicast=True, peers=PEERS, unicast_ttl=64),
    "v3-unicast-checked": made(3, unicast=True, peers=PEERS, check_unicast_src=True),
    "v3-unicast-old-checksum": made(3, unicast=True, peers=PEERS, old_checksum=True),
    "v3-inet6": made(3, Family.INET6, 2),
    "v3-inet6-hmac": made(3, Family.INET6, 2, hmac=HMAC),
    "v3-inet6-unicast-checked": made(3, Family.INET6, unicast=True, peers=PEERS6, check_unicast_src=True),
}


def sent(config: Instance, priority: int = 100, source: bytes = b"") -> tuple[bytearray, bytes]:
    """An advert as the filter's socket shows it, and the network header of an IPv6 one."""
    source = source or SOURCES[config.family]
    sender = AdvertSender(config, OPTIONS)
    copy = sender.copies(priority, source)[0]
    if config.hmac is not None:
        sender._sign([copy], source, 5)
    if config.auth is Auth.AH:
        ah.sign(copy.packet, config.password, 1, unicast=config.unicast)
    hops = 255 if not config.unicast else 64
    network = bytes((0x60, 0, 0, 0, 0, len(copy.packet), 112, hops)) + source + copy.destination
    return bytearray(copy.packet), network


@pytest.mark.parametrize("name", CASES)
def test_our_own_adverts_pass(name: str) -> None:
    config = CASES[name]
    program = advert_filter([config], OPTIONS)
    for priority in (0, 1, 100, 255):
        packet, network = sent(config, priority)
        assert accepts(program, bytes(packet), network)
    if config.hmac is not None:
        packet, network = sent(replace(config, hmac=None))
        assert accepts(program, bytes(packet), network), "admission says that the trailer is missing"


def start_of(config: Instance) -> int:
    guard = ah.HEADER_BYTES if config.auth is Auth.AH else 0
    return guard + (vrrp.IPV4_HEADER_BYTES if config.family is Family.INET else 0)


@pytest.mark.parametrize("name", CASES)
def test_rubbish_does_not(name: str) -> None:
    """Each bit that is wrong (of what is under the checksum), each length, and another VRID."""
    config = CASES[name]
    program = advert_filter([config], OPTIONS)
    packet, network = sent(config)
    start, end = start_of(config), len(packet)
    if config.hmac is not None and config.family is Family.INET:
        end -= vrrp_hmac.TRAILER_BYTES
    checked = {start, start + 1, start + 3} if config.old_checksum else set(range(start, end))
    for at in sorted(checked):
        for bit in (1, 2, 0x80):
            changed = bytes(packet[:at]) + bytes((packet[at] ^ bit,)) + bytes(packet[at + 1 :])
            assert not accepts(program, changed, network), f"byte {at - start}"
            assert accepts(program, changed, network, dice=SAMPLE * 3), "a sample"
    for length in range(start, len(packet)):
        cut = config.hmac is not None and length == len(packet) - vrrp_hmac.TRAILER_BYTES
        whole = cut and config.family is Family.INET
        assert accepts(program, bytes(packet[:length]), network) == whole
    assert not accepts(program, bytes(packet) + bytes(4), network)


def test_what_else_is_wrong() -> None:
    config = CASES["v3"]
    program = advert_filter([config], OPTIONS)
    packet, network = sent(config)
    assert not accepts(program, bytes(packet[:8]) + b"\x40" + bytes(packet[9:]), network), "hop limit"
    config = CASES["v3-inet6"]
    packet, network = sent(config)
    program = advert_filter([config], OPTIONS)
    assert not accepts(program, bytes(packet), network[:7] + b"\x40" + network[8:]), "hop limit"


def test_differences_that_admission_forgives_pass() -> None:
    """Other addresses and, in version 3, another interval are complained of and accepted."""
    ours, theirs = made(3, count=2, advert_cs=100), made(3, count=7, advert_cs=10)
    packet, network = sent(theirs)
    assert accepts(advert_filter([ours], OPTIONS), bytes(packet), network)


@pytest.mark.parametrize(
    "theirs",
    [made(2, advert_cs=200), made(2, auth=Auth.PASS, password=b"wrong"), made(2), made(3)],
    ids=["interval", "password", "type", "version"],
)
def test_what_version_2_refuses(theirs: Instance) -> None:
    ours = made(2, auth=Auth.PASS, password=b"right")
    packet, network = sent(theirs)
    assert not accepts(advert_filter([ours], OPTIONS), bytes(packet), network)


def test_strangers_are_refused_where_peers_are_checked() -> None:
    for name in ("v3-unicast-checked", "v3-inet6-unicast-checked"):
        config = CASES[name]
        packet, network = sent(config)
        alone = replace(config, peers=config.peers[:1])
        assert not accepts(advert_filter([alone], OPTIONS), bytes(packet), network)


def test_one_vrid_for_two_pairs_of_peers() -> None:
    one = made(3, unicast=True, peers=PEERS[1:], check_unicast_src=True)
    other = replace(one, name="VJ", peers=PEERS[:1], advert_cs=10)
    program = advert_filter([other, one], OPTIONS)
    for config in (one, other):
        packet, network = sent(config)
        assert accepts(program, bytes(packet), network)


@pytest.mark.parametrize("version", [2, 3])
def test_hundreds_of_instances_fit(version: int) -> None:
    secret = {"auth": Auth.PASS} if version == 2 else {}
    configs = [
        made(version, count=vrid % 20 + 1, vrid=vrid, password=b"%d" % vrid, **secret)
        for vrid in range(1, 256, 2)
    ]
    program = advert_filter(configs, OPTIONS)
    assert len(program) <= MOST_INSTRUCTIONS
    for config in (configs[0], configs[-1]):
        packet, network = sent(config)
        assert accepts(program, bytes(packet), network)
        assert not accepts(program, bytes(packet[:21]) + b"\2" + bytes(packet[22:]), network), "VRID 2"
        packet[32] ^= 1
        assert not accepts(program, bytes(packet), network)


@pytest.mark.skipif(os.geteuid() != 0, reason="raw sockets need root")
@pytest.mark.parametrize("name", CASES)
def test_the_kernel_takes_the_program(name: str) -> None:
    """And runs it: adverts that are sent to ourselves."""
    config = replace(CASES[name], interface="lo")
    family, guarded = config.family, config.auth is Auth.AH
    own = socket.inet_aton("127.0.0.1") if family is Family.INET else socket.inet_pton(10, "::1")
    unicast = replace(config, unicast=True, peers=(Peer(own),), unicast_ttl=255)
    ours = AdvertSocket(Place("lo", family, None, guarded), 1, OPTIONS)
    try:
        ours.shield([unicast], OPTIONS)
        packet = bytes(sent(unicast, source=own)[0])
        at = start_of(config)
        wrong = packet[: at + 1] + b"\x07" + packet[at + 2 :]
        for data in (*[wrong] * 20, packet):
            ours.send(data, own, own)
        heard = [arrival.vrid for arrival in ours.arrivals()]
        assert heard[-1] == 51 and heard.count(7) < 5
        ours.unshield()
        ours.send(wrong, own, own)
        assert [arrival.vrid for arrival in ours.arrivals()] == [7]
    finally:
        ours.close()
