"""The smaller blocks of the outermost level: track_group, garp_group and SSL."""

from __future__ import annotations

from typing import Any

from evener.keepalived.arguments import Decimal, String, Strings
from evener.keepalived.blocks.common import overwriting
from evener.keepalived.declare import Block, Values, block, collected, word
from evener.keepalived.numbers import UINT_MAX
from evener.text.record import dataclass

INTERVAL = Decimal(0, UINT_MAX)


@block("track_group")
@dataclass(frozen=True, slots=True)
class TrackGroup(Block):
    """Instances that go to fault when a static address, route or rule is lost."""

    group: tuple[tuple[str, ...], ...] = collected(Values(Strings(good="VI_1")), "Names of the instances.")

    @property
    def members(self) -> tuple[str, ...]:
        return tuple(name for line in self.group for name in line)


def once(reading: Any, builder: Any, value: str, span: Any, shown: str | None = None) -> str | None:
    """An interface exists, and is in one garp_group only."""
    if reading.misses(value):
        message = f"WARNING - interface {value} specified for garp_group doesn't exist"
        reading.warn("unknown-interface", message, span)
        return None
    if value in reading.garp_grouped:
        message = f"garp_group already specified for {shown or value} - ignoring"
        reading.warn("grouped-twice", message, span)
        return None
    reading.garp_grouped.add(value)
    return value


def each_once(
    reading: Any, builder: Any, value: tuple[tuple[str, ...], ...], span: Any
) -> tuple[tuple[str, ...], ...]:
    """Every word is an interface. A repeated one is called by the name of the second, as in the original."""
    reading.garp_groups += 1
    words = [word for line in value for word in line]
    second = words[1] if len(words) > 1 else None
    return tuple((word,) for word in words if once(reading, builder, word, span, second))


@block("garp_group")
@dataclass(frozen=True, slots=True)
class GarpGroup(Block):
    """Interfaces that share one pace of gratuitous ARPs."""

    garp_interval: int | None = word(
        INTERVAL, "Seconds between gratuitous ARPs.", complaint="garp_group garp_interval '{word}' invalid"
    )
    gna_interval: int | None = word(
        INTERVAL, "Seconds between unsolicited NAs.", complaint="garp_group gna_interval '{word}' invalid"
    )
    interface: str | None = word(String("<IFNAME>"), "The interface.", check=once)
    interfaces: tuple[tuple[str, ...], ...] = collected(
        Values(Strings(good="eth0")), "Interfaces on one switch.", check_all=each_once
    )

    @property
    def members(self) -> tuple[str, ...]:
        return (*([self.interface] if self.interface else []), *(line[0] for line in self.interfaces))


@block("SSL")
@dataclass(frozen=True, slots=True)
class Ssl(Block):
    """The client certificate of SSL_GET."""

    password: str | None = word(
        String(), "Password of the key.", missing="SSL password missing", check=overwriting("password", "SSL")
    )
    ca: str | None = word(
        String("<PATH>"),
        "Certificates that are trusted. With it a server whose certificate they do not vouch for is down; the"
        " original reads the file and verifies nothing.",
        missing="SSL cafile missing",
        check=overwriting("ca", "SSL"),
    )
    certificate: str | None = word(
        String("<PATH>"),
        "Our certificate.",
        missing="SSL certfile missing",
        check=overwriting("certificate", "SSL"),
    )
    key: str | None = word(
        String("<PATH>"), "Its key.", missing="SSL keyfile missing", check=overwriting("key", "SSL")
    )
