"""Objects in shared memory: found when whole, bounded, gone by age, kept while read, seen by all."""

from __future__ import annotations

import os
import random
import signal

import pytest

pytest.importorskip("evener.engine.arena")

from evener.engine.arena import Arena, Reading

LATER = 1 << 40


def key(number: int) -> bytes:
    return number.to_bytes(4, "little") * 5


def put(arena: Arena, number: int, size: int, hints: bytes = b"", variant: int = 0) -> bool:
    return arena.store(key(number), variant, LATER, b"meta%d" % number, hints, [bytes([number % 256]) * size])


def whole(reading: Reading) -> bytes:
    return b"".join(iter(lambda: reading.read(700), b""))


def body(arena: Arena, number: int) -> bytes | None:
    for place, generation, _, _, _, meta in arena.find(key(number)):
        assert meta == b"meta%d" % number
        reading = arena.open(place, generation)
        if reading is not None:
            return whole(reading)
    return None


def test_what_is_stored_is_found() -> None:
    arena = Arena(64)
    for number, size in enumerate((1, 700, 1018, 1019, 1024, 1025, 5000)):
        assert put(arena, number, size)
        assert body(arena, number) == bytes([number]) * size
    assert arena.find(key(99)) == []
    assert sum(entry[4] for entry in arena.dump()) == 64 - arena.free


@pytest.mark.parametrize("parts", [[], [b""], [b"", b"ab", b"", b"c" * 3000, b"d"]])
def test_parts_lie_behind_each_other(parts: list[bytes]) -> None:
    arena = Arena(16, 16)
    assert arena.store(key(1), 0, LATER, b"m", b"hints", parts)
    ((place, generation, _, _, stripped, meta),) = arena.find(key(1))
    assert meta == b"m" and arena.hints(place, generation) == b"hints"
    reading = arena.open(place, generation)
    assert (reading is None) == (not parts) == stripped
    if reading is not None:
        assert len(reading) == sum(map(len, parts))
        assert reading.read(100_000) == b"".join(parts)
        assert reading.read(1) == b""


def test_the_oldest_goes_first() -> None:
    arena = Arena(10)
    for number in range(3):
        assert put(arena, number, 3000)
    assert body(arena, 0) is not None, "used: now the youngest"
    assert put(arena, 3, 3000)
    assert [body(arena, n) is not None for n in range(4)] == [True, False, True, True]
    assert not put(arena, 4, 10 * 1024), "with its meta it cannot fit"
    assert not arena.store(key(5), 0, LATER, b"", b"", []), "nothing"


def test_what_is_read_stays() -> None:
    arena = Arena(10)
    assert put(arena, 0, 5000)
    ((place, generation, *_),) = arena.find(key(0))
    reading: Reading | None = arena.open(place, generation)
    assert reading is not None
    assert not put(arena, 1, 6000), "no room beside it"
    assert arena.drop(key(0)) == 1
    assert arena.find(key(0)) == [] and arena.open(place, generation) is None
    assert reading.read(9999) == bytes(5000), "its reader still has it"
    assert put(arena, 1, 100)
    del reading
    assert arena.free == 9
    assert put(arena, 2, 6000)


def test_variants_of_one_key() -> None:
    arena = Arena(64)
    for variant in (0, 7, 2**64 - 1):
        assert put(arena, 1, 10, variant=variant)
    assert {entry[2] for entry in arena.find(key(1))} == {0, 7, 2**64 - 1}
    assert arena.drop(key(1), 7) == 1 and arena.drop(key(1), 7) == 0
    assert arena.drop(key(1)) == 2 and arena.free == 64


def test_hints_survive_a_while() -> None:
    arena = Arena(20, 2)
    for number in range(6):
        assert put(arena, number, 9000, b"hint")
    stripped = [entry for entry in arena.dump() if entry[7]]
    full = [entry for entry in arena.dump() if not entry[7]]
    assert {entry[1] for entry in stripped} == {key(2), key(3)}, "the last two that had to go"
    assert {entry[1] for entry in full} == {key(4), key(5)}
    assert all(entry[4] == 1 for entry in stripped)
    ((place, generation, _, _, is_stripped, _),) = arena.find(key(3))
    assert is_stripped and arena.hints(place, generation) == b"hint"
    assert arena.open(place, generation) is None


@pytest.mark.parametrize("bad", [(0, 0), (-1, 0), (1 << 40, 0), (5, 6), (5, -1)])
def test_dimensions(bad: tuple[int, int]) -> None:
    with pytest.raises((ValueError, OverflowError)):
        Arena(*bad)


def test_strangers_are_turned_away() -> None:
    arena = Arena(4)
    for call in (lambda: arena.find(b"short"), lambda: arena.store(b"x" * 21, 0, 0, b"", b"", [b"a"])):
        with pytest.raises(ValueError, match="20 bytes"):
            call()
    assert put(arena, 1, 1)
    for place in (0, 5, 4_000_000_000):
        assert arena.open(place, 1) is None and arena.hints(place, 1) == b""
        arena.forget(place, 1)
    ((place, generation, *_),) = arena.find(key(1))
    arena.forget(place, generation + 1)
    assert body(arena, 1) is not None


def test_processes_share_it() -> None:
    arena = Arena(200, 20)
    children = []
    for child in range(2):
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                chance = random.Random(child)
                for _ in range(3000):
                    number = chance.randrange(20)
                    if chance.random() < 0.5:
                        put(arena, number, number * 900, b"h" * chance.randrange(30), chance.randrange(3))
                    elif chance.random() < 0.1:
                        arena.drop(key(number))
                    else:
                        found = body(arena, number)
                        assert found is None or found == bytes([number]) * (number * 900)
                status = 0
            finally:
                os._exit(status)
        children.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0, 0]
    entries = arena.dump()
    assert entries and all(entry[5] == 0 for entry in entries), "nothing is left pinned"
    assert sum(entry[4] for entry in entries) + arena.free == 200, "no block is lost"


def test_a_killed_process_leaves_a_usable_memory() -> None:
    arena = Arena(50)
    pid = os.fork()
    if pid == 0:
        number = 0
        while True:
            number += 1
            put(arena, number % 9, 3000)
    for _ in range(50):
        body(arena, 3)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert put(arena, 100, 3000)
    assert body(arena, 100) == bytes([100]) * 3000
