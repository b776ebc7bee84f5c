"""The smaller blocks of the outermost level: track_group, garp_group and SSL."""

from __future__ import annotations

from evener.keepalived.arguments import UINT_MAX, Decimal, String, Strings
from evener.keepalived.declare import Block, Values, block, collected, planned
from evener.text.record import dataclass
from evener.vocab.registry import Status

INTERVAL = Decimal(0, UINT_MAX)


@block("track_group")
@dataclass(frozen=True, slots=True)
class TrackGroup(Block):
    """Instances that go to fault when a static address, route or rule is lost."""

    group: tuple[tuple[str, ...], ...] = collected(Values(Strings(good="VI_1")), "Names of the instances.")

    @property
    def members(self) -> tuple[str, ...]:
        return tuple(name for line in self.group for name in line)


@block("garp_group")
@dataclass(frozen=True, slots=True)
class GarpGroup(Block):
    """Interfaces that share one pace of gratuitous ARPs."""

    garp_interval: int | None = planned(INTERVAL, "Seconds between gratuitous ARPs.")
    gna_interval: int | None = planned(INTERVAL, "Seconds between unsolicited NAs.")
    interface: str | None = planned(String("<IFNAME>"), "The interface.")
    interfaces: tuple[tuple[str, ...], ...] = collected(
        Values(Strings(good="eth0")), "Interfaces on one switch.", status=Status.PLANNED
    )


@block("SSL")
@dataclass(frozen=True, slots=True)
class Ssl(Block):
    """The client certificate of SSL_GET."""

    password: str | None = planned(String(), "Password of the key.")
    ca: str | None = planned(String("<PATH>"), "Certificates that are trusted.")
    certificate: str | None = planned(String("<PATH>"), "Our certificate.")
    key: str | None = planned(String("<PATH>"), "Its key.")
