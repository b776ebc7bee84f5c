"""What an LVS engine is told: services and destinations as IPVS knows them, and changes of them.

Addresses are packed (4 or 16 bytes), ports and marks are numbers, times are seconds. An engine carries
out a batch of changes in order and reports those that failed; the rest is carried out all the same.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from enum import IntFlag, StrEnum
from typing import Protocol

from evener.keepalived.vrrp.plan import Family
from evener.text.record import dataclass

PROTOCOLS = {socket.IPPROTO_TCP: "tcp", socket.IPPROTO_UDP: "udp", socket.IPPROTO_SCTP: "sctp"}
FULL_MASK = {Family.INET: 32, Family.INET6: 128}


class Method(StrEnum):
    """How packets reach a destination."""

    NAT = "NAT"
    DR = "DR"
    TUN = "TUN"


class TunnelType(StrEnum):
    IPIP = "ipip"
    GUE = "gue"
    GRE = "gre"


class TunnelChecksum(StrEnum):
    NONE = "nocsum"
    CHECKSUM = "csum"
    REMOTE = "remcsum"


class ServiceFlags(IntFlag):
    """include/uapi/linux/ip_vs.h, IP_VS_SVC_F_*."""

    PERSISTENT = 0x1
    HASHED = 0x2
    ONE_PACKET = 0x4
    SCHED1 = 0x8
    SCHED2 = 0x10
    SCHED3 = 0x20


@dataclass(frozen=True, slots=True)
class Forwarding:
    method: Method = Method.NAT
    tunnel: TunnelType = TunnelType.IPIP
    tunnel_port: int = 0
    tunnel_checksum: TunnelChecksum = TunnelChecksum.NONE


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """A mark (then ``protocol``, ``port`` are 0 and ``address`` is empty) or protocol, address and port."""

    family: Family
    protocol: int
    """IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP."""
    address: bytes
    port: int
    fwmark: int = 0

    def __str__(self) -> str:
        """As messages show it: ``[10.0.0.5]:tcp:80``, ``FWM 7``."""
        if self.fwmark:
            return f"FWM {self.fwmark}"
        protocol = PROTOCOLS.get(self.protocol, str(self.protocol))
        return f"[{socket.inet_ntop(self.family, self.address)}]:{protocol}:{self.port}"


@dataclass(frozen=True, slots=True)
class Service:
    key: ServiceKey
    scheduler: str = "wlc"
    flags: ServiceFlags = ServiceFlags(0)
    timeout_s: int = 0
    """Of persistence; 0: none."""
    prefix: int = 32
    """persistence_granularity as a prefix length: 32 or 128 for single clients."""
    engine: str = ""
    """persistence_engine (``sip``)."""
    mask: bytes = b""
    """A netmask that is not that of a prefix; it counts instead of ``prefix`` (IPv4)."""


@dataclass(frozen=True, slots=True)
class DestinationKey:
    family: Family
    address: bytes
    port: int

    def __str__(self) -> str:
        return f"[{socket.inet_ntop(self.family, self.address)}]:{self.port}"


@dataclass(frozen=True, slots=True)
class Destination:
    key: DestinationKey
    forwarding: Forwarding = Forwarding()
    weight: int = 1
    upper: int = 0
    lower: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """One of those below."""


@dataclass(frozen=True, slots=True)
class AddService(Change):
    service: Service


@dataclass(frozen=True, slots=True)
class SetService(Change):
    service: Service


@dataclass(frozen=True, slots=True)
class DeleteService(Change):
    key: ServiceKey


@dataclass(frozen=True, slots=True)
class AddDestination(Change):
    service: ServiceKey
    destination: Destination


@dataclass(frozen=True, slots=True)
class SetDestination(Change):
    service: ServiceKey
    destination: Destination


@dataclass(frozen=True, slots=True)
class DeleteDestination(Change):
    service: ServiceKey
    destination: DestinationKey


@dataclass(frozen=True, slots=True)
class Load(Change):
    """``AddService``, and ``AddDestination`` for each destination; failures are of these."""

    service: Service
    destinations: Mapping[DestinationKey, Destination]


def singly(changes: Iterable[Change]) -> Iterator[Change]:
    """The same changes, one after the other."""
    for change in changes:
        if isinstance(change, Load):
            yield AddService(change.service)
            for destination in change.destinations.values():
                yield AddDestination(change.service.key, destination)
        else:
            yield change


@dataclass(frozen=True, slots=True)
class Failure:
    """A change that the engine could not make, and why, for the log."""

    change: Change
    errno: int
    text: str


@dataclass(frozen=True, slots=True)
class Traffic:
    """Counters of a service or a destination since it was added."""

    connections: int = 0
    packets_in: int = 0
    packets_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    active: int = 0
    inactive: int = 0


@dataclass(frozen=True, slots=True)
class Rates:
    """Of the last seconds, as the kernel estimates them: per second."""

    connections: int = 0
    packets_in: int = 0
    packets_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0


@dataclass(frozen=True, slots=True)
class Measured:
    """All that is counted of a service or a destination. ``persistent``: clients that are remembered."""

    traffic: Traffic = Traffic()
    rates: Rates = Rates()
    persistent: int = 0

    def __add__(self, other: Measured) -> Measured:
        traffic = (getattr(self.traffic, f.name) + getattr(other.traffic, f.name) for f in fields(Traffic))
        rates = (getattr(self.rates, f.name) + getattr(other.rates, f.name) for f in fields(Rates))
        return Measured(Traffic(*traffic), Rates(*rates), self.persistent + other.persistent)


class Engine(Protocol):
    """What executes services. One process uses it; it may wait for the kernel, never for the network."""

    name: str

    def apply(self, changes: Sequence[Change]) -> list[Failure]:
        """Carry out the changes in order; those that fail are skipped and returned."""

    def flush(self) -> None:
        """Remove every service of the engine (lvs_flush)."""

    def traffic(self) -> dict[tuple[ServiceKey, DestinationKey | None], Traffic]:
        """Counters; destination None: of the whole service."""

    def close(self) -> None:
        """Release descriptors; what is loaded stays loaded."""
