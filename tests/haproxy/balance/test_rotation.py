"""The order in which servers are taken."""

from collections import Counter
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evener.haproxy.balance import executed, method
from evener.haproxy.balance.hashing import HashType, sdbm
from evener.haproxy.balance.rotation import smooth
from evener.haproxy.sections.balancing import Balance


def test_equal_weights_are_taken_in_order() -> None:
    assert smooth([(0, 1), (1, 1), (2, 1)]) == [0, 1, 2]
    assert smooth([(4, 100), (2, 100)]) == [4, 2]


def test_heavy_servers_are_spread() -> None:
    assert smooth([(0, 5), (1, 1), (2, 1)]) == [0, 0, 1, 0, 2, 0, 0]


def test_weight_zero_is_left_out() -> None:
    assert smooth([(0, 0), (1, 3)]) == [1]
    assert smooth([(0, 0)]) == []


@given(st.lists(st.integers(0, 256), min_size=1, max_size=12))
def test_turns_are_in_proportion(weights: list[int]) -> None:
    order = smooth(list(enumerate(weights)))
    turns = Counter(order)
    total = sum(weights)
    for index, weight in enumerate(weights):
        assert turns[index] * total == pytest.approx(weight * len(order), abs=len(order) * 0.02 * total)


def test_a_large_farm_is_laid_out_quickly() -> None:
    order = smooth([(i, 1 + i % 256) for i in range(1000)])
    assert set(order) == set(range(1000))
    assert len(order) * 1000 < 10_000_000


def test_placement_of_uris() -> None:
    """Seen with HAProxy: four equal servers, /url1 to /url4 go to the 2nd, 3rd, 4th and 1st."""
    assert [sdbm(b"/url%d" % n) % 4 for n in (1, 2, 3, 4)] == [1, 2, 3, 0]


def test_addresses_fold_into_words() -> None:
    digest = HashType().of_address()
    assert digest(bytes([10, 0, 0, 1])) == 0x0A000001
    assert digest(bytes(12) + bytes([0, 0, 0, 7])) == 7


def test_algorithms_are_found_by_name() -> None:
    assert {
        "roundrobin",
        "static-rr",
        "leastconn",
        "first",
        "random",
        "source",
        "uri",
        "hdr",
        "url_param",
        "rdp-cookie",
        "hash",
    } <= set(executed())
    assert method(Balance("leastconn"), HashType()).least
    assert method(Balance("roundrobin"), HashType()).key is None


def test_uri_key_stops_where_it_is_told() -> None:
    def key(**options: object) -> int | None:
        run = method(Balance("uri", **options), HashType()).key  # type: ignore[arg-type]
        assert run is not None
        return run(SimpleNamespace(req=SimpleNamespace(uri=b"/a/b/c?q=1", path=b"/a/b/c", query=b"q=1")))  # type: ignore[arg-type]

    assert key() == sdbm(b"/a/b/c")
    assert key(whole=True) == sdbm(b"/a/b/c?q=1")
    assert key(length=4) == sdbm(b"/a/b")
    assert key(depth=1) == sdbm(b"/a")
