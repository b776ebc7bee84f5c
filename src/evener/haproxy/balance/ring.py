"""Where hashes meet servers: the table of the map-based method, and the ring of the consistent one.

Both must agree with HAProxy bit by bit, so that the two may serve the same clients, and so that a client
finds its server after one has replaced the other. The *table* has a slot for each unit of weight and is
laid out again when servers come and go; the *ring* has sixteen points for each unit of weight, whose places
depend on nothing but the server, so that only the keys of a server that left move.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Sequence
from typing import Final

from evener.haproxy.balance.hashing import MASK, avalanche
from evener.haproxy.converters.xxhash import hash32
from evener.haproxy.line import word_bytes
from evener.haproxy.plan import ServerPlan

SCALE: Final = 16  #: points of a ring for each unit of weight
RANGE: Final = 4096  #: of points that a server may have


def table(shares: Sequence[tuple[int, int]], total: int) -> list[int]:
    """(index, share) of the usable servers -> index by slot, of which there are ``total``.

    Before each slot every server gains its share; a score is worth the number of whole tables in it,
    and the first among the worthiest is taken and pays a table.
    """
    if total <= 1:
        return [index for index, _ in shares[:total]]
    if total == len(shares) and all(share == 1 for _, share in shares):
        return [index for index, _ in shares]
    scores, slots = [0] * len(shares), []
    for _ in range(total):
        best, most = -1, 0
        for at, (_, share) in enumerate(shares):
            scores[at] += share
            worth = (scores[at] + total) // total
            if best < 0 or worth > most:
                best, most = at, worth
        scores[best] -= total
        slots.append(shares[best][0])
    return slots


def share(weight: int, unit: int) -> int:
    """Slots of a server, where a slot is worth as much weight as divides all that are configured."""
    return -(-weight // unit)


def place(server: ServerPlan) -> int:
    """The number from which the points of a server follow, by its ``hash-key``."""
    key = server.ir.options.hash_key
    address = _packed(server.address) if server.family else b""
    if key in ("addr", "addr-port") and address:
        start = avalanche(server.port & MASK) if key == "addr-port" else 0
        if len(address) == 4:
            return avalanche((start + int.from_bytes(address, "little")) & MASK)
        return hash32(address, start)
    if key == "guid" and server.ir.options.guid:
        return hash32(word_bytes(server.ir.options.guid), 0)
    if key == "id32":
        return avalanche(int.from_bytes(server.id.to_bytes(4, "big"), "little"))
    return server.id * RANGE & MASK


def _packed(address: str) -> bytes:
    try:
        return ipaddress.ip_address(address).packed
    except ValueError:
        return b""


@functools.cache
def points(start: int, count: int) -> tuple[int, ...]:
    """The points of a server: the first ``count`` of them."""
    return tuple(avalanche((start + number) & MASK) for number in range(count))


def ring(servers: Sequence[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """(index, place, points) of each server -> (point, index), in order. Among equal points, the first
    server's comes first."""
    return sorted((point, index) for index, start, count in servers for point in points(start, count))
