"""BFD control packets (RFC 5880 section 4.1): values to bytes, and bytes to values or a ``Defect``.

Only the mandatory section: authentication is not spoken (keepalived does not either), so a packet with the A
bit is a defect. What is checked is what section 6.8.6 has checked before a session is looked up, and the two
things that keepalived checks beside it: P and F together, and a diagnostic that does not exist.
"""

from __future__ import annotations

import struct
from enum import Enum, IntEnum
from typing import NamedTuple

VERSION = 1
PACKET_BYTES = 24

SINGLE_HOP_PORT = 3784
"""RFC 5881 section 4."""
MULTI_HOP_PORT = 4784
"""RFC 5883 section 5."""
SOURCE_PORTS = range(49152, 65536)
"""RFC 5881 section 4: what packets are sent from."""

POLL, FINAL, CONTROL_PLANE, AUTHENTICATED, DEMAND, MULTIPOINT = 0x20, 0x10, 0x08, 0x04, 0x02, 0x01

LAYOUT = struct.Struct("!BBBBIIIII")


class State(IntEnum):
    """Of a session; the numbers are those of the wire."""

    ADMIN_DOWN = 0
    DOWN = 1
    INIT = 2
    UP = 3


class Diagnostic(IntEnum):
    """Why a session left UP."""

    NONE = 0
    EXPIRED = 1
    ECHO_FAILED = 2
    NEIGHBOUR_DOWN = 3
    FORWARDING_RESET = 4
    PATH_DOWN = 5
    CONCATENATED_DOWN = 6
    ADMIN_DOWN = 7
    REVERSE_CONCATENATED_DOWN = 8


class Defect(Enum):
    """Why a packet is none, in the words of the log."""

    SHORT = "too small"
    LENGTH = "length field does not match"
    VERSION = "unsupported version"
    MULTIPLIER = "detection multiplier is zero"
    MULTIPOINT = "multipoint flag"
    NO_DISCRIMINATOR = "my discriminator is zero"
    NOT_YOURS = "your discriminator is zero, but the state is not Down or AdminDown"
    POLL_AND_FINAL = "both poll and final"
    DIAGNOSTIC = "invalid diagnostic"
    AUTHENTICATED = "authentication is not in use"


class Packet(NamedTuple):
    """Discriminators are numbers, intervals microseconds. ``yours`` 0: the sender does not know it yet."""

    state: State
    mine: int
    yours: int
    min_tx_us: int
    min_rx_us: int
    multiplier: int
    diagnostic: Diagnostic = Diagnostic.NONE
    poll: bool = False
    final: bool = False
    demand: bool = False


def encode(packet: Packet) -> bytes:
    flags = (POLL if packet.poll else 0) | (FINAL if packet.final else 0) | (DEMAND if packet.demand else 0)
    return LAYOUT.pack(
        VERSION << 5 | packet.diagnostic,
        packet.state << 6 | flags,
        packet.multiplier,
        PACKET_BYTES,
        packet.mine,
        packet.yours,
        packet.min_tx_us,
        packet.min_rx_us,
        0,  # we do not echo
    )


def decode(data: bytes) -> Packet | Defect:
    """A datagram's payload. Never raises."""
    if len(data) < PACKET_BYTES:
        return Defect.SHORT
    first, second, multiplier, length, mine, yours, min_tx, min_rx, _ = LAYOUT.unpack_from(data)
    state = State(second >> 6)
    defect = _defect(first, second, multiplier, mine, yours)
    if length != len(data) and not second & AUTHENTICATED:
        return Defect.LENGTH
    if defect is not None:
        return defect
    return Packet(
        state=state,
        mine=mine,
        yours=yours,
        min_tx_us=min_tx,
        min_rx_us=min_rx,
        multiplier=multiplier,
        diagnostic=Diagnostic(first & 0x1F),
        poll=bool(second & POLL),
        final=bool(second & FINAL),
        demand=bool(second & DEMAND),
    )


def _defect(first: int, second: int, multiplier: int, mine: int, yours: int) -> Defect | None:
    """In the order of RFC 5880 section 6.8.6."""
    if first >> 5 != VERSION:
        return Defect.VERSION
    if multiplier == 0:
        return Defect.MULTIPLIER
    if second & MULTIPOINT:
        return Defect.MULTIPOINT
    if mine == 0:
        return Defect.NO_DISCRIMINATOR
    if yours == 0 and second >> 6 not in (State.DOWN, State.ADMIN_DOWN):
        return Defect.NOT_YOURS
    if second & AUTHENTICATED:
        return Defect.AUTHENTICATED
    if second & POLL and second & FINAL:
        return Defect.POLL_AND_FINAL
    return Defect.DIAGNOSTIC if first & 0x1F > max(Diagnostic) else None
