"""Routes and routing rules as they are handed to the kernel, in the terms of rtnetlink(7).

Numbers are the kernel's (tables, protocols, scopes and types were looked up when the file was read);
interfaces are names, since they may come and go. Addresses are packed.
"""

from __future__ import annotations

from evener.text.record import dataclass

RT_TABLE_MAIN = 254
RTN_UNICAST = 1
RTPROT_KEEPALIVED = 18
FR_ACT_TO_TBL, FR_ACT_GOTO, FR_ACT_NOP = 1, 2, 3
FR_ACT_BLACKHOLE, FR_ACT_UNREACHABLE, FR_ACT_PROHIBIT = 6, 7, 8


@dataclass(frozen=True, slots=True)
class Prefix:
    """A network; ``packed`` empty means everything (``default``)."""

    packed: bytes = b""
    length: int = 0


@dataclass(frozen=True, slots=True)
class Encapsulation:
    """A lightweight tunnel: enum lwtunnel_encap_types, and its attributes as (number, packed value)."""

    kind: int
    attributes: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class NextHop:
    """One way of several. ``weight`` 1 is the least."""

    via: bytes | None = None
    device: str | None = None
    weight: int = 1
    onlink: bool = False
    realms: int = 0
    encap: Encapsulation | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """A route. ``metrics`` are (RTAX name without its prefix, value); ``locked`` are such names."""

    family: int
    destination: Prefix
    kind: int = RTN_UNICAST
    via: bytes | None = None
    device: str | None = None
    preferred_source: bytes | None = None
    source: Prefix | None = None
    table: int = RT_TABLE_MAIN
    tos: int = 0
    protocol: int = RTPROT_KEEPALIVED
    scope: int | None = None
    metric: int | None = None
    onlink: bool = False
    metrics: tuple[tuple[str, int], ...] = ()
    locked: tuple[str, ...] = ()
    congestion_control: str | None = None
    realms: int = 0
    expires_s: int | None = None
    preference: int | None = None
    ttl_propagate: bool | None = None
    """Whether MPLS takes over the TTL."""
    encap: Encapsulation | None = None
    mode: str = "prepend"
    """``prepend`` before those that match, ``append`` after them, ``add`` only where there is none."""
    next_hops: tuple[NextHop, ...] = ()
    tracked: bool = True
    text: str = ""
    """As it was written, for the log."""

    @property
    def devices(self) -> frozenset[str]:
        return frozenset(d for d in (self.device, *(hop.device for hop in self.next_hops)) if d)


@dataclass(frozen=True, slots=True)
class Rule:
    """A routing rule. ``attributes`` are (FRA name without its prefix, value) that need no more than that."""

    family: int
    action: int
    table: int = 0
    source: Prefix | None = None
    destination: Prefix | None = None
    inverted: bool = False
    tos: int = 0
    input_device: str | None = None
    output_device: str | None = None
    attributes: tuple[tuple[str, int], ...] = ()
    ranges: tuple[tuple[str, int, int], ...] = ()
    """UID_RANGE, SPORT_RANGE and DPORT_RANGE, with first and last."""
    tracked: bool = True
    text: str = ""

    @property
    def devices(self) -> frozenset[str]:
        return frozenset(d for d in (self.input_device, self.output_device) if d)
