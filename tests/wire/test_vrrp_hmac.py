"""The trailer of auth_hmac, byte by byte."""

import hashlib
import hmac
import socket
import struct

import pytest

from evener.wire import vrrp, vrrp_hmac

KEY = bytes(range(32))
SOURCE, GROUP = socket.inet_aton("10.0.0.1"), socket.inet_aton("224.0.0.18")
PDU = vrrp.encode(vrrp.Advert(3, 51, 150, 100, (socket.inet_aton("10.0.0.100"),)), SOURCE, GROUP)
SEQUENCE = 0x65000000_8000_0007


def test_the_layout() -> None:
    data = vrrp_hmac.build(2, KEY, SEQUENCE, PDU, SOURCE)
    assert len(data) == vrrp_hmac.TRAILER_BYTES
    assert data[:12] == struct.pack("!BBHIHH", 1, 2, 0, 0x65000000, 0x8000, 7)
    head = bytes((4, 3, 51, 0)) + SOURCE + bytes(12)
    message = head + PDU[:6] + b"\0\0" + PDU[8:] + data[:12] + bytes(16)
    assert data[12:] == hmac.new(KEY, message, hashlib.sha256).digest()[:16]
    assert vrrp_hmac.parse(data) == vrrp_hmac.Trailer(1, 2, 0, SEQUENCE, data[12:])


def test_the_checksum_is_not_covered_and_everything_else_is() -> None:
    data = vrrp_hmac.build(1, KEY, SEQUENCE, PDU, SOURCE)
    trailer = vrrp_hmac.parse(data)
    assert vrrp_hmac.genuine(trailer, data, KEY, PDU[:6] + b"\xff\xff" + PDU[8:], SOURCE)
    assert not vrrp_hmac.genuine(trailer, data, KEY, PDU, socket.inet_aton("10.0.0.2"))
    assert not vrrp_hmac.genuine(trailer, data, KEY[::-1], PDU, SOURCE)
    for place in (*range(6), *range(8, len(PDU))):
        changed = bytearray(PDU)
        changed[place] ^= 1
        assert not vrrp_hmac.genuine(trailer, data, KEY, bytes(changed), SOURCE), place


@pytest.mark.parametrize("place", range(12))
def test_the_numbers_are_covered(place: int) -> None:
    data = bytearray(vrrp_hmac.build(1, KEY, SEQUENCE, PDU, SOURCE))
    data[place] ^= 1
    assert not vrrp_hmac.genuine(vrrp_hmac.parse(bytes(data)), bytes(data), KEY, PDU, SOURCE)
