"""Gratuitous ARP, byte by byte."""

import socket

from evener.wire import arp


def test_frame() -> None:
    frame = arp.gratuitous(bytes.fromhex("020000000001"), socket.inet_aton("10.0.0.100"))
    assert frame.hex() == (
        "ffffffffffff" "020000000001" "0806"
        "0001" "0800" "06" "04" "0001"
        "020000000001" "0a000064"
        "ffffffffffff" "0a000064"
    )  # fmt: skip
    assert len(frame) == 42
