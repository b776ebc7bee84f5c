"""What may happen to a BFD session, and what it asks for. As in ``vrrp/messages``."""

from __future__ import annotations

from evener.text.record import dataclass
from evener.wire.bfd import Packet


class Event:
    __slots__ = ()


@dataclass(frozen=True, slots=True)
class SourceOpened(Event):
    """There is a socket to send from: the session can begin."""


@dataclass(frozen=True, slots=True)
class SourceFailed(Event):
    """There is none (the source address is not ours, say): the session is administratively down."""


@dataclass(frozen=True, slots=True)
class PacketReceived(Event):
    """A packet that is for this session, and good."""

    packet: Packet


@dataclass(frozen=True, slots=True)
class TimerExpired(Event):
    """``next_timer()`` is due. Harmless when it is not."""


class Command:
    __slots__ = ()


@dataclass(frozen=True, slots=True)
class SendPacket(Command):
    packet: Packet


@dataclass(frozen=True, slots=True)
class OpenSource(Command):
    """Try to open the socket to send from, and tell how that went."""


@dataclass(frozen=True, slots=True)
class TellState(Command):
    """Those who track the session shall know that it is up or not."""

    up: bool


@dataclass(frozen=True, slots=True)
class Log(Command):
    """A line for the log. ``detail``: only with --log-detail."""

    message: str
    detail: bool = False
