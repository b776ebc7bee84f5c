"""Converters of Ethernet frames (``fc_saved_syn`` with ``tcp-ss 2``).

Frames are cut by offsets and may be shorter than a header: what is not there gives no sample.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.sample import Type, converter

Run = Callable[..., Any]
BIN: Final = Type.BIN
SINT: Final = Type.SINT

_VLAN: Final = b"\x81\x00"


def _ethernet_size(frame: bytes) -> int:
    """Length of the header with its VLAN tags, 0 when the frame is too short."""
    at = 12
    while frame[at : at + 2] == _VLAN:
        at += 4
    return at + 2 if len(frame) >= at + 2 else 0


@converter("eth.data", BIN, BIN)
def eth_data() -> Run:
    """What follows the Ethernet header of a frame and its VLAN tags: usually an IP packet."""

    def run(frame: bytes) -> bytes | None:
        size = _ethernet_size(frame)
        return frame[size:] if size else None

    return run


@converter("eth.hdr", BIN, BIN)
def eth_hdr() -> Run:
    """The Ethernet header of a frame with its VLAN tags."""

    def run(frame: bytes) -> bytes | None:
        size = _ethernet_size(frame)
        return frame[:size] if size else None

    return run


@converter("eth.dst", BIN, BIN)
def eth_dst() -> Run:
    """The destination address of an Ethernet frame, 6 bytes."""
    return lambda frame: frame[:6] if len(frame) >= 6 else None


@converter("eth.src", BIN, BIN)
def eth_src() -> Run:
    """The source address of an Ethernet frame, 6 bytes."""
    return lambda frame: frame[6:12] if len(frame) >= 12 else None


@converter("eth.proto", BIN, SINT)
def eth_proto() -> Run:
    """The protocol (EtherType) inside an Ethernet frame: 0x800 for IPv4, 0x86dd for IPv6."""

    def run(frame: bytes) -> int | None:
        size = _ethernet_size(frame)
        return int.from_bytes(frame[size - 2 : size], "big") if size else None

    return run


@converter("eth.vlan", BIN, SINT)
def eth_vlan() -> Run:
    """The last VLAN of an Ethernet frame; nothing when it has none."""

    def run(frame: bytes) -> int | None:
        size = _ethernet_size(frame)
        return int.from_bytes(frame[size - 4 : size - 2], "big") & 0xFFF if size > 14 else None

    return run
