"""The order in which servers are taken."""

from collections import Counter
from types import SimpleNamespace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evener.haproxy.balance import executed, method
from evener.haproxy.balance.hashing import HashType, sdbm
from evener.haproxy.balance.rotation import LIMIT, Rotation, Turns
from evener.haproxy.sections.balancing import Balance


def laid(*weights: int) -> list[int]:
    """The turns that are repeated."""
    order, lead = turn(Rotation(), 0, {index: 16 * weight for index, weight in enumerate(weights)})
    return order[lead:]


def turn(rotation: Rotation, taken: int, weights: dict[int, int]) -> tuple[list[int], int]:
    rotation.move(taken, weights)
    return rotation.turns.order()


def test_equal_weights_are_taken_in_order() -> None:
    assert laid(1, 1, 1) == [0, 1, 2]
    assert turn(Rotation(), 0, {4: 1600, 2: 1600}) == ([4, 2], 0)


@pytest.mark.parametrize(
    ("weights", "order"),
    [
        ((10, 20), [1, 1, 0]),
        ((10, 20, 30), [2, 1, 2, 0, 2, 1]),
        ((1, 1, 1, 5), [3, 3, 0, 3, 3, 1, 3, 2]),
        ((3, 1), [0, 0, 0, 1]),
    ],
)
def test_heavy_servers_are_spread(weights: tuple[int, ...], order: list[int]) -> None:
    """As seen with HAProxy 2.6 and 3.5."""
    assert laid(*weights) == order


def test_weight_zero_is_left_out() -> None:
    assert laid(0, 3) == [1]
    assert laid(0) == []


def test_a_server_that_leaves_and_comes_back() -> None:
    """Five equal servers; the first is disabled after 19 turns, enabled after 23."""
    every = dict.fromkeys(range(5), 16)
    rotation = Rotation()
    rotation.move(0, every)
    others = dict.fromkeys(range(1, 5), 16)
    assert turn(rotation, 19, others)[0][:4] == [4, 1, 2, 3]
    back, lead = turn(rotation, 23, every)
    assert sorted(back[lead:]) == [0, 1, 2, 3, 4]


def test_a_table_goes_on_where_it_was_left() -> None:
    rotation = Rotation()
    assert rotation.place(0, 6) == 0
    assert rotation.place(13, 5) == 1
    assert rotation.place(17, 6) == 5  # behind the last of the shorter table
    assert rotation.place(18, 3) == 0


@given(st.lists(st.integers(1, 256), min_size=2, max_size=6), st.integers(0, 500))
def test_turns_do_not_depend_on_when_they_are_laid_out(weights: list[int], taken: int) -> None:
    every = {index: 16 * weight for index, weight in enumerate(weights)}
    turns = Turns(every)
    later = turns.moved(taken, every)
    assert [turns.take() for _ in range(taken + 20)][taken:] == [later.take() for _ in range(20)]


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.integers(1, 20), min_size=2, max_size=6),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5), st.integers(0, 20)), max_size=6),
)
def test_turns_are_the_same_from_where_they_stand(
    weights: list[int], changes: list[tuple[int, int, int]]
) -> None:
    """Servers change weight, leave and come; what is told of the turns is enough to go on."""
    rotation, now, taken = Rotation(), dict(enumerate(weights)), 0
    rotation.move(0, now)
    for turns, index, weight in changes:
        taken += turns
        now[index % len(weights)] = weight
        rotation.move(taken, now)
        live = {index: weight for index, weight in now.items() if weight}
        assert Turns.at(rotation.turns.standing(), live).order() == rotation.turns.order()


@example([62, 155, 155])
@given(st.lists(st.integers(0, 256), min_size=1, max_size=12))
def test_turns_are_in_proportion(weights: list[int]) -> None:
    order = laid(*weights)
    turns = Counter(order)
    total = sum(weights)
    for index, weight in enumerate(weights):
        assert turns[index] * total == pytest.approx(weight * len(order), abs=len(order) * 0.02 * total)


def test_a_large_farm_is_laid_out_quickly() -> None:
    order = laid(*(1 + i % 256 for i in range(1000)))
    assert set(order) == set(range(1000))
    assert len(order) <= LIMIT


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


@pytest.mark.parametrize(
    ("before", "then", "expected"),
    [
        ({0: 1}, [{0: 1, 1: 2}], "011011"),
        ({0: 1}, [{0: 1, 1: 3}], "01110111"),
        ({0: 2, 2: 1}, [{0: 2, 1: 2, 2: 1}], "021010210102"),
        ({0: 2, 1: 1}, [{1: 1}, {0: 2, 1: 1}], "100100"),
        ({0: 1, 1: 1}, [{0: 1, 1: 2}], "110110"),
    ],
)
def test_who_comes_before_anybody_was_asked_comes_last(
    before: dict[int, int], then: list[dict[int, int]], expected: str
) -> None:
    """As both releases were seen to do."""
    rotation = Rotation()
    for weights in (before, *then):
        rotation.move(0, {index: 16 * weight for index, weight in weights.items()})
    turns = rotation.turns.copy()
    assert "".join(str(turns.take()) for _ in expected) == expected
