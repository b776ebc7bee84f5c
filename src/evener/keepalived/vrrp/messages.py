"""The vocabulary of the VRRP state machines: what may happen to an instance, and what it asks for.

Events are in the past tense and come from the machine room; commands are imperative and go there.
Neither holds a kernel object, so a script of both is a complete test of an election.
"""

from __future__ import annotations

from enum import Enum

from evener.keepalived.vrrp.plan import VirtualAddress
from evener.keepalived.vrrp.plan_routes import Route, Rule
from evener.text.record import dataclass


class Event:
    """Something that happened to one instance."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Started(Event):
    """The process is up. ``faulty``/``pending`` as in tracking.Standing."""

    faulty: bool = False
    pending: bool = False


@dataclass(frozen=True, slots=True)
class AdvertReceived(Event):
    """An advert that passed admission; ``source`` is its sender's packed address (ties are broken by it)."""

    priority: int
    interval_us: int
    source: bytes = b""


@dataclass(frozen=True, slots=True)
class TimerExpired(Event):
    """``next_timer()`` is due. Harmless when it is not."""


@dataclass(frozen=True, slots=True)
class FaultRaised(Event):
    """Something decisive went down, or the instance's sync group went to fault."""


@dataclass(frozen=True, slots=True)
class FaultCleared(Event):
    """Nothing decisive is down or unknown any more, in the whole sync group."""


@dataclass(frozen=True, slots=True)
class PriorityChanged(Event):
    """Tracks with weights changed the effective priority."""

    priority: int


@dataclass(frozen=True, slots=True)
class Promoted(Event):
    """All members of the sync group are ready: become master with them."""


@dataclass(frozen=True, slots=True)
class Demoted(Event):
    """The sync group goes to backup."""


@dataclass(frozen=True, slots=True)
class RivalSeen(Event):
    """Another member of the sync group met a lower-priority master: refresh the neighbours too."""


@dataclass(frozen=True, slots=True)
class Stopped(Event):
    """The process ends, or a reload removed the instance (``deleted``)."""

    deleted: bool = False


class Told(Enum):
    """What notifications name: the last but one word of a notify script, and of a FIFO line."""

    MASTER = "MASTER"
    BACKUP = "BACKUP"
    FAULT = "FAULT"
    STOP = "STOP"
    DELETED = "DELETED"
    MASTER_RX_LOWER_PRI = "MASTER_RX_LOWER_PRI"
    MASTER_PRIORITY = "MASTER_PRIORITY"
    BACKUP_PRIORITY = "BACKUP_PRIORITY"


class Command:
    """Something the machine room shall do for an instance (or a sync group), in the order given."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class SendAdvert(Command):
    priority: int


@dataclass(frozen=True, slots=True)
class AddAddresses(Command):
    addresses: tuple[VirtualAddress, ...]


@dataclass(frozen=True, slots=True)
class RemoveAddresses(Command):
    addresses: tuple[VirtualAddress, ...]


@dataclass(frozen=True, slots=True)
class AddRoutes(Command):
    routes: tuple[Route, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class RemoveRoutes(Command):
    routes: tuple[Route, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class SendGarp(Command):
    """Announce all addresses (``extra``: those on other interfaces) ``repeat`` times."""

    repeat: int
    extra: bool = False


@dataclass(frozen=True, slots=True)
class CancelGarp(Command):
    """Announcements that still wait for their interval must not be sent any more."""


@dataclass(frozen=True, slots=True)
class Notify(Command):
    told: Told
    priority: int
    group: bool = False


@dataclass(frozen=True, slots=True)
class Log(Command):
    """A line for the log. ``detail``: only with --log-detail."""

    message: str
    detail: bool = False
