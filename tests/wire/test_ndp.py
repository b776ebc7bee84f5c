"""Unsolicited neighbour advertisements, byte by byte."""

import socket

from evener.wire import ndp

MAC = bytes.fromhex("020000000001")
ADDRESS = socket.inet_pton(socket.AF_INET6, "fd00::100")


def test_frame() -> None:
    frame = ndp.unsolicited(MAC, ADDRESS)
    assert frame[:14].hex() == "333300000001" "020000000001" "86dd"  # fmt: skip
    header, message = frame[14:54], frame[54:]
    assert header[6:8] == b"\x3a\xff"  # ICMPv6, hop limit 255
    assert header[8:24] == ADDRESS
    assert header[24:40] == socket.inet_pton(socket.AF_INET6, "ff02::1")
    assert message[:2] == b"\x88\0"
    assert message[4:8].hex() == "20000000"  # override only
    assert message[8:24] == ADDRESS
    assert message[24:] == b"\x02\x01" + MAC


def test_router_flag() -> None:
    assert ndp.unsolicited(MAC, ADDRESS, router=True)[58:62].hex() == "a0000000"
