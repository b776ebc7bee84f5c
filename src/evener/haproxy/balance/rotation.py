"""How weights become the order in which servers are taken."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import Final

#: Work (slots x servers) beyond which weights are coarsened, so that a rebuild stays in milliseconds.
LIMIT: Final = 400_000


def coarsen(weights: list[int]) -> list[int]:
    """The same proportions with the smallest possible sum that can be laid out quickly."""
    divisor = gcd(*weights)
    weights = [weight // divisor for weight in weights]
    while sum(weights) * len(weights) > LIMIT and max(weights) > 1:
        weights = [max(1, weight // 2) for weight in weights]
    return weights


def smooth(servers: Sequence[tuple[int, int]]) -> list[int]:
    """Order of (index, weight) pairs in which each server's turns are spread as evenly as can be.

    Before each turn every server gains its weight; the richest one, the first among equals, is taken
    and pays the total. Servers of weight 0 are left out.
    """
    usable = [(index, weight) for index, weight in servers if weight > 0]
    if not usable:
        return []
    indexes = [index for index, _ in usable]
    weights = coarsen([weight for _, weight in usable])
    if max(weights) == 1:
        return indexes
    total, score, order = sum(weights), [0] * len(weights), []
    for _ in range(total):
        score = [have + weight for have, weight in zip(score, weights, strict=True)]
        best = max(range(len(score)), key=score.__getitem__)
        score[best] -= total
        order.append(indexes[best])
    return order
