"""Which known word was perhaps meant: words are alike when they share letters and pairs of letters.

A word is taken as the set of its characters and the collection of its adjacent pairs, its beginning and
its end included; the distance of two words is the sum of the differences. Case does not count,
all digits count as one and so do all separators. A word is only suggested when the distance is at most
twice its length, so that short words are not found alike to everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable
from functools import lru_cache


@lru_cache(maxsize=4096)
def features(word: str) -> Counter[str]:
    """Single characters count once, pairs as often as they occur."""
    letters = "".join("0" if c.isdigit() else c if c.isalnum() else "-" for c in word.lower())
    bounded = f"-{letters}-"
    counted = Counter(bounded[i : i + 2] for i in range(len(bounded) - 1))
    counted.update(set(letters))
    return counted


def distance(one: str, other: str) -> int:
    a, b = features(one), features(other)
    return sum(abs(a[feature] - b[feature]) for feature in a.keys() | b.keys())


def closest(word: str, known: Iterable[str], begun: Container[str] = ()) -> str | None:
    """The known word most like ``word``, or None when even that is not like it; of equals, the longest.

    More is forgiven of words that ``word`` may only begin with (``begun``).
    """
    best = min(known, key=lambda candidate: (distance(word, candidate), -len(candidate)), default=None)
    if best is None or distance(word, best) > (3 if best in begun else 2) * min(len(word), len(best)):
        return None
    return best
