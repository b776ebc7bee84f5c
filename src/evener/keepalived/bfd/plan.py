"""What the BFD process executes. Intervals are microseconds; addresses are packed."""

from __future__ import annotations

import socket
from dataclasses import field

from evener.keepalived.described import Lines
from evener.keepalived.vrrp.plan import Family, Scheduling
from evener.text.record import dataclass

DEFAULT_INTERVAL_US = 10_000
DEFAULT_IDLE_US = 1_000_000
DEFAULT_MULTIPLIER = 5

ANY_HOPS = 255
"""As ``max_hops``: the TTL of what arrives is not looked at."""


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """A bfd_instance, with the defaults of keepalived 2.4.

    A packet that comes with a TTL below ``ttl - max_hops`` has made too long a way (RFC 5881 section 5).
    ``tell_vrrp`` and ``tell_checker``: who hears of the session's state.
    """

    name: str
    neighbour: bytes
    source: bytes | None = None
    min_rx_us: int = DEFAULT_INTERVAL_US
    min_tx_us: int = DEFAULT_INTERVAL_US
    idle_tx_us: int = DEFAULT_IDLE_US
    multiplier: int = DEFAULT_MULTIPLIER
    passive: bool = False
    ttl: int = 255
    max_hops: int = 0
    multihop: bool = False
    tell_vrrp: bool = True
    tell_checker: bool = True
    for_vrrp: bool = field(default=True, compare=False)
    """Whom it is configured for, whether he tracks it or not."""
    for_checker: bool = field(default=True, compare=False)

    @property
    def family(self) -> Family:
        return Family.INET if len(self.neighbour) == 4 else Family.INET6

    @property
    def identity(self) -> tuple[bytes, bytes | None, bool, int]:
        """What makes it the same session after a reload."""
        return self.neighbour, self.source, self.multihop, self.ttl

    @property
    def neighbour_text(self) -> str:
        return socket.inet_ntop(self.family, self.neighbour)


@dataclass(frozen=True, slots=True)
class BfdPlan:
    """Names are unique."""

    sessions: tuple[SessionConfig, ...] = ()
    scheduling: Scheduling = Scheduling()
    process_name: str | None = None
    described: Lines = ()
    """Lines of global_defs for keepalived_bfd.data."""
