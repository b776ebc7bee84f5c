"""auth_hmac: sequence numbers, and which adverts pass."""

from __future__ import annotations

import socket
from dataclasses import replace
from itertools import pairwise

import pytest

from evener.keepalived.vrrp.admission import Admission, Received
from evener.keepalived.vrrp.hmac_keys import key_bytes
from evener.keepalived.vrrp.plan import GlobalOptions, HmacAuth, HmacKey, Instance, Peer, VirtualAddress
from evener.keepalived.vrrp.sequence import BITS, MOST_SENDERS, Replays, Sequence, after, moment
from evener.wire import vrrp, vrrp_hmac

SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND
KEY, OTHER = bytes(32), bytes(range(32))
AUTH = HmacAuth((HmacKey(1, KEY), HmacKey(2, OTHER)))
SOURCE, GROUP = socket.inet_aton("10.0.0.1"), socket.inet_aton("224.0.0.18")
VIP = VirtualAddress(socket.inet_aton("10.0.0.100"), 24, "eth0")
CONFIG = Instance("V", 51, "eth0", version=3, addresses=(VIP,), hmac=AUTH)


def advert(sequence: int | None, *, key: int = 1, secret: bytes = KEY, change: bytes = b"") -> Received:
    pdu = vrrp.encode(vrrp.Advert(3, 51, 150, 100, (VIP.packed,)), SOURCE, GROUP)
    if sequence is not None:
        pdu += change or vrrp_hmac.build(key, secret, sequence, pdu, SOURCE)
    return Received(SOURCE, GROUP, 255, pdu, len(pdu))


def admission(config: Instance = CONFIG, now: int = NOW) -> Admission:
    made = Admission(config, GlobalOptions())
    made.wall_ns = lambda: now
    return made


def test_a_signed_advert_passes_once() -> None:
    gate = admission()
    packet = advert(moment(NOW))
    assert gate.admit(packet) is not None
    assert gate.admit(packet) is None
    assert gate.stats.auth_ext_replay == 1
    assert gate.logs[-1].message == "(V) replayed authentication trailer from 10.0.0.1"
    assert gate.admit(advert(moment(NOW) + 1, key=2, secret=OTHER)) is not None, "either key will do"


@pytest.mark.parametrize(
    ("packet", "counter"),
    [
        (advert(None), "auth_ext_missing"),
        (advert(moment(NOW), change=b"\x02" + bytes(27)), "auth_ext_malformed"),
        (advert(moment(NOW), change=b"\x01\x01\x00\x01" + bytes(24)), "auth_ext_malformed"),
        (advert(moment(NOW), key=9), "auth_ext_unknown_key"),
        (advert(moment(NOW), secret=OTHER), "auth_ext_invalid_hmac"),
        (advert(moment(NOW - 6 * SECOND)), "auth_ext_stale"),
        (advert(moment(NOW + 6 * SECOND)), "auth_ext_stale"),
        (advert(0), "auth_ext_stale"),
    ],
)
def test_others_are_counted_and_dropped(packet: Received, counter: str) -> None:
    gate = admission()
    assert gate.admit(packet) is None
    assert getattr(gate.stats, counter) == 1
    assert gate.admit(advert(moment(NOW))) is not None, "nothing was learned from it"


def test_a_trailer_that_is_cut_is_a_wrong_length() -> None:
    whole = advert(moment(NOW))
    for size in range(len(whole.pdu) - 1, len(whole.pdu) - vrrp_hmac.TRAILER_BYTES, -1):
        gate = admission()
        assert gate.admit(whole._replace(pdu=whole.pdu[:size], length=size)) is None
        assert gate.stats.packet_len_err == 1


def test_migration_lets_unsigned_adverts_pass() -> None:
    gate = admission(replace(CONFIG, hmac=replace(AUTH, insists=False)))
    assert gate.admit(advert(None)) is not None
    assert gate.admit(advert(moment(NOW), secret=OTHER)) is None, "but not wrongly signed ones"


def test_a_clock_that_drifts_is_said() -> None:
    gate = admission()
    assert gate.admit(advert(moment(NOW - 3 * SECOND))) is not None
    message = "(V) authentication clock skew 3 sec from 10.0.0.1 approaching window 5 sec"
    assert [log.message for log in gate.logs] == [message]


def test_unicast_senders_are_peers() -> None:
    config = replace(CONFIG, unicast=True, peers=(Peer(socket.inet_aton("10.0.0.7")),))
    packet = advert(moment(NOW))._replace(destination=socket.inet_aton("10.0.0.9"))
    assert admission(config).admit(packet) is None


def test_a_reload_remembers_what_was_heard() -> None:
    gate, later = admission(), admission()
    assert gate.admit(advert(moment(NOW))) is not None
    later.remember(gate)
    assert later.admit(advert(moment(NOW))) is None


def test_numbers_only_grow() -> None:
    sequence = Sequence(replace(AUTH, timed=False))
    numbers = [sequence.next(now) for now in (NOW, NOW, NOW + SECOND, NOW - 100 * SECOND)]
    assert all(after(b, a) for a, b in pairwise(numbers))


def test_a_clock_that_was_set_back_is_followed_in_time_mode() -> None:
    sequence = Sequence(AUTH)
    assert sequence.next(NOW) == moment(NOW)
    assert sequence.next(NOW - 2 * SECOND) == moment(NOW) + 1, "within the window the number grows"
    assert sequence.next(NOW - 100 * SECOND) == moment(NOW - 100 * SECOND)


def test_numbers_survive_their_end() -> None:
    assert after(0, BITS - 1) and not after(BITS - 1, 0) and not after(5, 5)
    replays = Replays(replace(AUTH, timed=False))
    assert replays.accept(NOW, SOURCE, BITS - 1) and replays.accept(NOW, SOURCE, 3)
    assert not replays.accept(NOW, SOURCE, BITS - 1)


def test_senders_beyond_the_limit_are_forgotten_in_order() -> None:
    replays = Replays(AUTH)
    for number in range(MOST_SENDERS + 1):
        assert replays.accept(NOW, bytes((10, 0, 0, number)), moment(NOW))
    assert replays.accept(NOW, bytes((10, 0, 0, 0)), moment(NOW)), "the first was forgotten"
    assert not replays.accept(NOW, bytes((10, 0, 0, MOST_SENDERS)), moment(NOW))


@pytest.mark.parametrize(
    ("text", "size"), [("x" * 32, 32), ("hex:" + "ab" * 64, 64), ("x" * 31, None), ("hex:" + "a" * 65, None),
                       ("hex:" + "zz" * 32, None), ("x" * 65, None)],
)  # fmt: skip
def test_keys(text: str, size: int | None) -> None:
    data = key_bytes(text)
    assert (None if data is None else len(data)) == size
