"""What the VRRP process is told about sockets, files and tables of its machine; no decision depends on it."""

from __future__ import annotations

from evener.text.record import dataclass


@dataclass(frozen=True, slots=True)
class RxPolicy:
    """The receive buffer of a socket for adverts: ``size`` bytes, or so many packets for each instance.

    A packet is as large as the interface's MTU, or as an advert; "" leaves it to the kernel.
    """

    unit: str = ""
    multiplier: int = 3
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Buffer:
    """A receive buffer; ``force``: beyond the system's limit. 0: the default."""

    size: int = 0
    force: bool = False


@dataclass(frozen=True, slots=True)
class Buffers:
    command: Buffer = Buffer()
    monitor: Buffer = Buffer()
    process: Buffer = Buffer()


@dataclass(frozen=True, slots=True)
class DumpFiles:
    """Where the signals' files go; None is the default, with ``suffix`` in its name."""

    state: str | None = None
    stats: str | None = None
    json: str | None = None
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class FirewallOptions:
    """Of the nftables rules: the table's name, where its chains stand, how interfaces are named in them."""

    table: str = "keepalived"
    priority: int = -1
    by_index: bool = False
    counters: bool = False


@dataclass(frozen=True, slots=True)
class BusOptions:
    """The DBus interface: its name on the bus, and what is part of the objects' paths."""

    service: str = "org.keepalived.Vrrp1"
    no_interface: str = "none"
    """Stands for the interface of an instance that has none."""
    namespace: str | None = None
