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
