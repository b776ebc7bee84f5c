"""Weights, reverse, faults, and the rise and fall of scripts."""

import pytest

from evener.keepalived.vrrp.plan import Program, Script, Track, TrackKind
from evener.keepalived.vrrp.tracking import ScriptRecord, Standing, standing

SCRIPT, INTERFACE = TrackKind.SCRIPT, TrackKind.INTERFACE


def script(weight: int = 0, reverse: bool = False) -> Track:
    return Track(SCRIPT, "s", weight, reverse)


@pytest.mark.parametrize(
    ("track", "up", "expected"),
    [
        (script(), True, Standing(False, False, 100)),
        (script(), False, Standing(False, True, 100)),
        (script(reverse=True), True, Standing(False, True, 100)),
        (script(reverse=True), False, Standing(False, False, 100)),
        (script(20), True, Standing(False, False, 120)),
        (script(20), False, Standing(False, False, 100)),
        (script(-20), True, Standing(False, False, 100)),
        (script(-20), False, Standing(False, False, 80)),
        (script(20, reverse=True), True, Standing(False, False, 80)),
        (script(20, reverse=True), False, Standing(False, False, 100)),
        (script(-20, reverse=True), True, Standing(False, False, 100)),
        (script(-20, reverse=True), False, Standing(False, False, 120)),
        (script(253), True, Standing(False, False, 254)),
        (script(-253), False, Standing(False, False, 1)),
    ],
)
def test_one_track(track: Track, up: bool, expected: Standing) -> None:
    assert standing(100, [track], {(SCRIPT, "s"): up}) == expected


def test_unknown_scripts_are_waited_for_only_when_decisive() -> None:
    assert standing(100, [script()], {}) == Standing(True, False, 100)
    assert standing(100, [script(20)], {}) == Standing(False, False, 100)
    assert standing(100, [Track(INTERFACE, "eth1")], {}) == Standing(False, False, 100)


def test_sums_are_clamped_once_not_step_by_step() -> None:
    tracks = [Track(SCRIPT, "a", -200), Track(SCRIPT, "b", 150)]
    assert standing(100, tracks, {(SCRIPT, "a"): False, (SCRIPT, "b"): True}).priority == 50


def test_an_owner_keeps_its_priority() -> None:
    assert standing(255, [script(-100)], {(SCRIPT, "s"): False}).priority == 255


def record(rise: int, fall: int, *, init_fail: bool = False) -> ScriptRecord:
    return ScriptRecord(Script("s", Program(("/bin/true",)), rise=rise, fall=fall, init_fail=init_fail))


def history(of: ScriptRecord, results: str) -> list[bool | None]:
    states = []
    for result in results:
        before = of.up
        changed = of.record(result == "+")
        assert changed == (before != of.up)
        states.append(of.up)
    return states


def test_the_first_result_decides() -> None:
    assert history(record(3, 3), "+") == [True]
    assert history(record(3, 3), "-") == [False]


def test_rise_and_fall() -> None:
    assert history(record(2, 3), "+--+---") == [True, True, True, True, True, True, False]
    assert history(record(2, 3), "-+-++") == [False, False, False, False, True]


def test_init_fail_needs_the_full_rise() -> None:
    of = record(2, 1, init_fail=True)
    assert of.up is False
    assert history(of, "++-") == [False, True, False]


FILE, PROCESS, BFD = TrackKind.FILE, TrackKind.PROCESS, TrackKind.BFD


@pytest.mark.parametrize(
    ("weight", "reverse", "value", "expected"),
    [
        (0, False, 0, Standing(False, False, 100)),
        (0, False, -7, Standing(False, True, 100)),  # the priority stays what it is
        (0, True, 0, Standing(False, True, 100)),
        (0, True, 5, Standing(False, False, 100)),
        (1, False, 20, Standing(False, False, 120)),
        (2, False, -20, Standing(False, False, 60)),
        (2, True, -20, Standing(False, False, 140)),
        (1, False, -253, Standing(False, False, 1)),
        (1, False, -254, Standing(False, True, 100)),
        (1, False, 2**31, Standing(False, False, 254)),
        (254, False, -1, Standing(False, True, 100)),
    ],
)
def test_a_file_counts_times_its_weight(weight: int, reverse: bool, value: int, expected: Standing) -> None:
    assert standing(100, [Track(FILE, "f", weight, reverse)], {(FILE, "f"): value}) == expected


def test_what_is_assumed_of_things_nobody_has_looked_at() -> None:
    assert standing(100, [Track(FILE, "f")], {}).pending
    assert standing(100, [Track(PROCESS, "p")], {}).pending
    assert standing(100, [Track(BFD, "b")], {}).faulty
    assert standing(100, [Track(PROCESS, "p", 30)], {}) == Standing(False, False, 100)
    assert standing(255, [Track(FILE, "f", 5)], {(FILE, "f"): -3}).priority == 255
