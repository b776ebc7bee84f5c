"""The shared stick table: what it keeps, for how long, who has to leave, and what other processes see."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evener.engine.table import Entry, Table, set_status_classes
from evener.haproxy.columns import Event

pytestmark = pytest.mark.timeout(30)
#: Cells: 0 connections, 1..3 their rate, 4 how many now, 5 errors, 6 failures, 7 bytes, 8..10 their rate.
EVENTS = [(0, 1, 10_000), (-1, -1, 0), (-1, -1, 0), (5, -1, 0), (6, -1, 0), (7, 8, 10_000)]


def counting(size: int = 100, expire: int = 0, divisor: int = 1) -> Table:
    return Table(size, 32, 11, expire, False, EVENTS, 4, divisor)


def must(entry: Entry | None) -> Entry:
    assert entry is not None
    return entry


def eventually(true: Callable[[], object]) -> None:
    end = time.monotonic() + 15
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def in_child(work: Callable[[], None]) -> int:
    """The wait status of a process that does the work."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1]


def keys(table: Table) -> set[bytes]:
    return {entry.key for entry in table.walk()}


# -- values --------------------------------------------------------------------------------------------


def test_numbers() -> None:
    entry = must(counting().obtain(b"k"))
    assert entry.get(5) == 0
    assert entry.set(5, 7) == 0 and entry.get(5) == 7
    assert entry.set(5, -1) == 7 and entry.get(5) == -1
    assert entry.add(0, -1, 0, 5) == 5
    assert entry.add(0, -1, 0, 0xFFFFFFFF) == 4, "counters have 32 bits"
    assert entry.get(4) == 0


def test_a_counter_and_its_rate() -> None:
    entry = must(counting().obtain(b"k"))
    assert entry.add(0, 1, 60_000) == 1 and entry.add(0, 1, 60_000, 4) == 5
    assert entry.rate(1, 60_000) == 5
    assert entry.add(-1, 1, 60_000) == 6, "without a counter the rate is the result"
    entry.set_rate(1, 55)
    assert entry.rate(1, 60_000) == 55
    assert entry.rate(1, 0) == 0


def test_rates_slide() -> None:
    entry = must(counting().obtain(b"k"))
    entry.set_rate(1, 1_000_000)
    seen = []
    eventually(lambda: seen.append(entry.rate(1, 40)) or seen[-1] == 0)  # type: ignore[func-returns-value]
    assert sorted(seen, reverse=True) == seen and any(0 < rate < 1_000_000 for rate in seen)
    entry.set_rate(1, 1)
    seen.clear()
    eventually(lambda: seen.append(entry.rate(1, 40)) or seen[-1] == 0)  # type: ignore[func-returns-value]
    assert set(seen) == {0, 1}


def test_text() -> None:
    entry = must(counting().obtain(b"k"))
    assert entry.text(5, 3) == b""
    entry.set_text(5, 3, b"srv1")
    assert entry.text(5, 3) == b"srv1"
    entry.set_text(5, 3, b"x" * 100)
    assert entry.text(5, 3) == b"x" * 16


def test_events() -> None:
    table = counting(divisor=4)
    entry = must(table.track(b"k"))
    assert (entry.get(0), entry.rate(1, 10_000), entry.get(4)) == (1, 1, 1)
    for event, count in (
        (Event.ERROR, 2),
        (Event.INPUT, 5_000_000_000),
        (Event.GLITCH, 1),
        (Event.OUTPUT, 9),
    ):
        entry.tell_event(event, count)
    assert entry.get(5) == 2
    assert entry.get(7) == 5_000_000_000, "bytes have 64 bits"
    assert entry.rate(8, 10_000) == 1_250_000_000, "and their rates are divided"
    with pytest.raises(IndexError):
        entry.tell_event(8)


def test_statuses() -> None:
    entry = must(counting().obtain(b"k"))
    for status in (200, 404, 500, 501, 505, 599, 600, 0, -1, 70_000):
        entry.tell_status(status)
    assert (entry.get(5), entry.get(6)) == (1, 2)
    try:
        set_status_classes({220}, {404})
        entry.tell_status(404)
        entry.tell_status(220)
        assert (entry.get(5), entry.get(6)) == (2, 3)
    finally:
        set_status_classes(range(400, 500), set(range(500, 600)) - {501, 505})


# -- entries -------------------------------------------------------------------------------------------


def test_find_obtain_remove() -> None:
    table = counting()
    assert table.find(b"k") is None and table.used == 0
    entry = must(table.obtain(b"k"))
    assert must(table.find(b"k")).key == b"k" and table.used == 1
    entry.set(5, 9)
    assert must(table.obtain(b"k")).get(5) == 9
    assert must(table.at(entry.address)).key == b"k"
    assert table.at(entry.address + 1) is None and table.at(0) is None and table.at(2**64 - 1) is None
    assert entry.remove() and not entry.alive and table.used == 0
    assert table.at(entry.address) is None


def test_a_stale_handle_does_nothing() -> None:
    table = counting()
    old = must(table.obtain(b"k"))
    old.remove()
    fresh = must(table.obtain(b"other"))
    assert fresh.address == old.address, "the place is used again"
    old.set(5, 9)
    old.add(0, 1, 1000)
    old.set_rate(1, 5)
    old.set_text(5, 3, b"x")
    old.tell_event(Event.ERROR)
    old.touch()
    old.release()
    assert old.remove()
    assert (old.get(5), old.rate(1, 1000), old.text(5, 3), old.key, old.trackers, old.idle) == (
        0,
        0,
        b"",
        b"",
        0,
        0,
    )
    assert fresh.alive and fresh.get(5) == 0 and fresh.get(0) == 0


def test_tracking_keeps_an_entry() -> None:
    table = counting(size=2, expire=1)
    first, second = must(table.track(b"k")), must(table.track(b"k"))
    assert first.trackers == 2 and first.get(4) == 2 and first.get(0) == 2
    assert not first.remove() and first.alive
    for number in range(10):
        table.obtain(b"%d" % number)
    assert first.alive
    first.release()
    first.release()
    assert second.trackers == 1 and second.get(4) == 1
    del second
    eventually(lambda: table.find(b"k") is None)


def test_expiry() -> None:
    table = counting(expire=30)
    entry = must(table.obtain(b"k"))
    eventually(lambda: table.find(b"k") is None)
    assert table.used == 0 and not entry.alive and keys(table) == set()
    assert must(table.obtain(b"k")).get(0) == 0, "the next one begins anew"


def test_looking_does_not_refresh() -> None:
    table = counting(expire=60_000)
    entry = must(table.obtain(b"k"))
    eventually(lambda: entry.idle > 2)
    assert must(table.find(b"k")).idle > 2
    assert must(table.obtain(b"k")).idle < entry.idle + 3
    entry.touch()


def test_without_expiry_nothing_expires() -> None:
    table = counting()
    entry = must(table.obtain(b"k"))
    eventually(lambda: entry.idle > 10)
    assert table.find(b"k") is not None and table.used == 1


# -- full ----------------------------------------------------------------------------------------------


def test_the_oldest_leaves() -> None:
    table = Table(3, 8, 1)
    for key in (b"a", b"b", b"c"):
        table.obtain(key)
    table.obtain(b"a")
    table.obtain(b"d")
    assert keys(table) == {b"a", b"c", b"d"}
    must(table.find(b"c")).touch()
    table.obtain(b"e")
    assert keys(table) == {b"c", b"d", b"e"}


def test_nopurge_refuses() -> None:
    table = Table(2, 8, 1, 0, True)
    assert table.obtain(b"a") and table.obtain(b"b")
    assert table.obtain(b"c") is None and table.track(b"c") is None
    assert keys(table) == {b"a", b"b"}
    must(table.find(b"a")).remove()
    assert table.obtain(b"c")


def test_nopurge_takes_what_expired() -> None:
    table = Table(1, 8, 1, 5, True)
    table.obtain(b"a")
    eventually(lambda: table.obtain(b"b") is not None)


def test_full_of_tracked_entries() -> None:
    table = Table(2, 8, 1)
    held = [must(table.track(b"a")), must(table.track(b"b"))]
    assert table.track(b"c") is None and table.obtain(b"c") is None
    held.pop().release()
    assert table.track(b"c") is not None


def test_a_large_table_is_bounded() -> None:
    table = Table(5000, 8, 1)
    for number in range(20_000):
        assert table.obtain(b"%d" % number) is not None
    assert table.used == 5000 and len(keys(table)) == 5000
    refusing = Table(5000, 8, 1, 0, True)
    made = sum(refusing.obtain(b"%d" % number) is not None for number in range(6000))
    assert made == refusing.used <= 5000


# -- hostile -------------------------------------------------------------------------------------------


def test_dimensions() -> None:
    for size, key, cells in (
        (0, 4, 1),
        (-1, 4, 1),
        (1 << 31, 4, 1),
        (1, 0, 1),
        (1, 1 << 17, 1),
        (1, 4, 5000),
    ):
        with pytest.raises(ValueError):
            Table(size, key, cells)
    for bad in ([(3, -1, 0)], [(0, 2, 5)], [(0, 0, 0)], [(-1, 1, 10)]):
        with pytest.raises(ValueError):
            Table(1, 4, 3, 0, False, bad)
    with pytest.raises(ValueError):
        Table(1, 4, 3, current=3)


def test_cells_and_keys_are_checked() -> None:
    table = Table(4, 4, 3)
    entry = must(table.obtain(b""))
    assert entry.key == b""
    for look in (table.find, table.obtain, table.track):
        with pytest.raises(ValueError):
            look(b"12345")
        with pytest.raises(TypeError):
            look("text")  # type: ignore[arg-type]
    for cell in (-1, 3, 1 << 30):
        for use in (
            lambda cell=cell: entry.get(cell),
            lambda cell=cell: entry.set(cell, 1),
            lambda cell=cell: entry.rate(cell, 10),
            lambda cell=cell: entry.set_rate(cell, 10),
            lambda cell=cell: entry.text(cell, 2),
            lambda cell=cell: entry.set_text(cell, 2, b"x"),
        ):
            with pytest.raises(IndexError):
                use()
    with pytest.raises(IndexError):
        entry.add(1, 1, 10)
    assert table.used == 1


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("otrdf"), st.integers(0, 7)), max_size=60), st.integers(1, 5))
def test_against_a_model(steps: list[tuple[str, int]], size: int) -> None:
    """Keys and trackers of a table without expiry, as a list in order of use would have them."""
    table = Table(size, 8, 2, current=1)
    order: list[bytes] = []
    held: dict[bytes, Entry] = {}
    for what, number in steps:
        key = b"%d" % number
        if what in "ot":
            if key not in order and len(order) >= size:
                loose = [one for one in order if one not in held]
                if loose:
                    order.remove(loose[0])
            if what == "t" and key in held:
                continue
            entry = table.track(key) if what == "t" else table.obtain(key)
            if key not in order and len(order) >= size:
                assert entry is None
                continue
            assert entry is not None
            order = [one for one in order if one != key] + [key]
            if what == "t":
                held[key] = entry
        elif what == "r" and key in held:
            held.pop(key).release()
            order = [one for one in order if one != key] + [key]
        elif what == "d" and (found := table.find(key)) is not None:
            assert found.remove() == (key not in held)
            if key not in held:
                order.remove(key)
        assert keys(table) == set(order) and table.used == len(order)
        assert all(entry.get(1) == 1 for entry in held.values())


# -- other processes -----------------------------------------------------------------------------------


def test_workers_share_it() -> None:
    table = counting(size=10_000)
    children = []
    for seed in range(2):
        child = os.fork()
        if child == 0:
            draw = random.Random(seed)
            for _ in range(3000):
                entry = table.track(b"%d" % draw.randrange(50))
                if entry is not None:
                    entry.tell_event(Event.ERROR)
                    entry.release()
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    entries = list(table.walk())
    assert sum(entry.get(0) for entry in entries) == sum(entry.get(5) for entry in entries) == 6000
    assert all(entry.trackers == entry.get(4) == 0 for entry in entries)


def test_a_worker_dies_holding_a_lock() -> None:
    for size in (10, 5000):
        table = counting(size=size)
        held = must(table.track(b"k"))
        assert os.waitstatus_to_exitcode(in_child(lambda table=table: table._die_holding(b"k"))) == 9  # type: ignore[misc]
        assert not held.alive, "what may be half written is given up"
        assert must(table.obtain(b"k")).get(0) == 0
        held.release()
        for number in range(3 * size):
            table.obtain(b"%d" % number)
        assert table.used == size


def test_a_worker_is_killed_in_the_middle() -> None:
    """Whatever it was doing, the others go on, and the table stays within its bounds."""
    table = counting(size=50)
    for _ in range(5):
        child = os.fork()
        if child == 0:
            number = 0
            while True:
                number += 1
                table.obtain(b"%d" % (number % 200))
        eventually(lambda: table.used == 50)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        for number in range(100):
            assert table.obtain(b"%d" % number) is not None
        assert table.used == len(keys(table)) == 50
