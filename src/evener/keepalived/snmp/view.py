"""What the tables of VRRP are read from: the router, and what it does not know of the machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from enum import IntEnum

from evener.keepalived.snmp.plan import GlobalFacts
from evener.keepalived.vrrp.plan import Instance
from evener.keepalived.vrrp.plan_tracked import TrackedProcess
from evener.keepalived.vrrp.router import Member, Router
from evener.text.record import dataclass


class MasterReason(IntEnum):
    """vrrpv3StatisticsMasterReason (RFC 6527)."""

    NOT_MASTER = 0
    PRIORITY = 1
    PREEMPTED = 2
    NO_RESPONSE = 3


class ProtocolFault(IntEnum):
    """vrrpv3StatisticsProtoErrReason."""

    NONE = 0
    TTL = 1
    VERSION = 2
    CHECKSUM = 3
    VRID = 4


@dataclass(slots=True)
class View:
    """``hardware``, ``first_address``: of an interface, by its name (and family)."""

    facts: GlobalFacts
    router: Router
    index_of: Callable[[str], int | None]
    hardware: Callable[[str], bytes]
    first_address: Callable[[str, int], bytes]
    running: Callable[[TrackedProcess], int]
    now: Callable[[], int]
    set_priority: Callable[[str, int], None]
    set_preempt: Callable[[str, bool], None]
    started: int = 0
    reasons: dict[str, MasterReason] = field(default_factory=dict)
    faults: dict[str, ProtocolFault] = field(default_factory=dict)

    @property
    def members(self) -> tuple[Member, ...]:
        return tuple(self.router.members.values())

    def number(self, name: str | None) -> int | None:
        return None if name is None else self.index_of(name)

    def base_index(self, config: Instance) -> int:
        """Of the interface below a macvlan; 0: there is none."""
        return self.number(config.interface) or 0


def carrier(config: Instance) -> str | None:
    """The interface of an instance; with use_vmac the one that it makes."""
    return config.virtual.name if config.virtual is not None else config.interface
