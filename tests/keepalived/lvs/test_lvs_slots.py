"""Schedulers as tables of slots."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evener.keepalived.lvs.ipvs import Destination, DestinationKey
from evener.keepalived.lvs.slots import CHOSEN, MOST_PARTS, MOST_SLOTS, slots
from evener.keepalived.vrrp.plan import Family


def destination(number: int, weight: int = 1) -> Destination:
    return Destination(DestinationKey(Family.INET, number.to_bytes(4, "big"), 80), weight=weight)


def shown(scheduler: str, *weights: int) -> str:
    """Servers are a, b, c... in the order in which they were added."""
    made = slots(scheduler, [destination(number, weight) for number, weight in enumerate(weights)])
    return "".join(chr(ord("a") + int.from_bytes(one.key.address, "big")) for one in made.destinations)


@pytest.mark.parametrize(
    ("scheduler", "weights", "expected"),
    [
        ("rr", (5, 1, 3), "abc"),
        ("rr", (5, 0, 3), "ac"),
        ("wrr", (4, 3, 2), "aababcabc"),
        ("wrr", (40, 30, 20), "aababcabc"),
        ("wrr", (1, 0, 1), "ac"),
        ("wrr", (7,), "a"),
        ("sh", (2, 1), "aab"),
        ("dh", (2, 1), "ab"),
        ("fo", (2, 5, 5), "b"),
        ("fo", (2, 0), "a"),
        ("rr", (0, 0), ""),
        ("mh", (), ""),
    ],
)
def test_tables(scheduler: str, weights: tuple[int, ...], expected: str) -> None:
    assert shown(scheduler, *weights) == expected


def test_hashes_do_not_depend_on_the_order_in_which_servers_came() -> None:
    servers = [destination(number) for number in range(5)]
    for scheduler in ("sh", "mh", "dh"):
        assert slots(scheduler, servers) == slots(scheduler, servers[::-1])
    assert slots("rr", servers) != slots("rr", servers[::-1])


def test_maglev_is_even_and_stable() -> None:
    servers = [destination(number) for number in range(8)]
    before = slots("mh", servers).destinations
    assert len(before) == 509 and max(Counter(before).values()) - min(Counter(before).values()) <= 1
    after = slots("mh", servers[1:]).destinations
    moved = sum(one != other for one, other in zip(before, after, strict=True) if one != servers[0])
    assert moved < len(before) / 10


def test_maglev_follows_weights() -> None:
    counted = Counter(slots("mh", [destination(0, 30), destination(1, 10)]).destinations)
    assert abs(counted[destination(0, 30)] - 3 * counted[destination(1, 10)]) <= 4


@given(st.sampled_from(sorted(CHOSEN)), st.lists(st.integers(0, 65535), max_size=60))
def test_any_weights(scheduler: str, weights: list[int]) -> None:
    servers = [destination(number, weight) for number, weight in enumerate(weights)]
    made = slots(scheduler, servers).destinations
    assert len(made) <= MOST_SLOTS
    assert all(one.weight > 0 for one in made)
    if scheduler in ("wrr", "sh", "rr"):
        assert {one.key for one in made} == {one.key for one in servers if one.weight > 0}
        assert len(made) <= MOST_PARTS + len(servers)


def test_more_servers_than_slots() -> None:
    servers = [destination(number, 1 + number % 7) for number in range(10_000)]
    for scheduler in CHOSEN:
        made = slots(scheduler, servers).destinations
        assert 0 < len(made) <= MOST_SLOTS
