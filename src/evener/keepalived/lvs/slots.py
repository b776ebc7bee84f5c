"""Schedulers as tables: which destination has which slot, for engines that choose by a number modulo a size.

A number that counts up (round robin) or a hash of the client picks the slot. The tables are made as IPVS
makes its own: ``wrr`` interleaves as net/netfilter/ipvs/ip_vs_wrr.c does, ``mh`` fills a table of prime
size as Maglev (Eisenbud et al., NSDI 2016, 3.4). Schedulers that look at the connections of a destination
(``lc`` and its kin) cannot be tables.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from enum import Enum
from functools import reduce
from math import gcd

from evener.keepalived.lvs.ipvs import Destination
from evener.text.record import dataclass

MOST_SLOTS = 4096
"""Of one service; destinations that find no room in them are left out."""

MOST_PARTS = 1024
"""Weights whose sum in smallest terms is more are rounded to so many parts."""

MAGLEV_SIZE, LARGE_MAGLEV_SIZE, MANY = 509, 4093, 50
"""Primes; the larger one for services with many destinations. They differ so much because a table of another
size moves every client."""


class Chosen(Enum):
    """What the number of a slot is made from."""

    COUNT = "each connection takes the next one"
    SOURCE = "hash of the client's address"
    TARGET = "hash of the address that was asked for"


CHOSEN = {
    "rr": Chosen.COUNT,
    "wrr": Chosen.COUNT,
    "fo": Chosen.COUNT,
    "sh": Chosen.SOURCE,
    "mh": Chosen.SOURCE,
    "dh": Chosen.TARGET,
}


@dataclass(frozen=True, slots=True)
class Slots:
    chosen: Chosen
    destinations: tuple[Destination, ...]
    """By slot; empty: nobody takes new connections."""


def slots(scheduler: str, destinations: Sequence[Destination]) -> Slots:
    """The table of a service. A destination without weight has no slot."""
    able = [destination for destination in destinations if destination.weight > 0][:MOST_SLOTS]
    chosen = CHOSEN[scheduler]
    if chosen is not Chosen.COUNT:
        # Two directors must agree on the table, whatever happened to their servers in the meantime.
        able.sort(key=lambda destination: (destination.key.address, destination.key.port))
    return Slots(chosen, tuple(_filled(scheduler, able)[:MOST_SLOTS]) if able else ())


def _filled(scheduler: str, able: list[Destination]) -> Sequence[Destination]:
    match scheduler:
        case "wrr" | "sh":
            return interleaved(able)
        case "mh":
            return maglev(able)
        case "fo":
            return [max(able, key=lambda destination: destination.weight)]
        case _:
            return able


def shares(weights: Sequence[int]) -> list[int]:
    """The weights in their smallest terms, and rounded when they are more than MOST_PARTS in sum."""
    divisor = reduce(gcd, weights)
    smallest = [weight // divisor for weight in weights]
    total = sum(smallest)
    if total <= MOST_PARTS:
        return smallest
    return [max(1, round(weight * MOST_PARTS / total)) for weight in smallest]


def interleaved(able: Sequence[Destination]) -> list[Destination]:
    """A round of weighted round robin: the level sinks from the highest weight to one, and who reaches it
    has a turn."""
    parts = shares([destination.weight for destination in able])
    return [
        destination
        for level in range(max(parts), 0, -1)
        for destination, part in zip(able, parts, strict=True)
        if part >= level
    ]


def maglev(able: Sequence[Destination]) -> list[Destination]:
    size = MAGLEV_SIZE if len(able) <= MANY else LARGE_MAGLEV_SIZE
    able = able[:size]
    parts = shares([destination.weight for destination in able])
    walks = [_walk(destination, size) for destination in able]
    places: list[int | None] = [None] * size
    position, credit = [0] * len(able), [0] * len(able)
    highest = max(parts)
    taken = 0
    while taken < size:
        for who, (offset, step) in enumerate(walks):
            credit[who] += parts[who]
            if credit[who] < highest or taken == size:
                continue
            credit[who] -= highest
            while places[place := (offset + position[who] * step) % size] is not None:
                position[who] += 1
            places[place] = who
            taken += 1
    return [able[who] for who in places if who is not None]


def _walk(destination: Destination, size: int) -> tuple[int, int]:
    """Where a destination starts and by which step it goes on; a step and a prime have no common factor."""
    name = destination.key.address + destination.key.port.to_bytes(2, "big")
    return zlib.crc32(name) % size, zlib.crc32(name, 0x9E3779B9) % (size - 1) + 1
