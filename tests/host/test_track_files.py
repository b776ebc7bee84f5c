"""Tracked files: what a number is, and that every kind of change is seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from evener.host.reactor import Reactor
from evener.host.track_files import FileWatch, number_in, read_number
from evener.keepalived.vrrp.plan_tracked import TrackedFile


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"12\n", 12), (b" -7 up", -7), (b"+3", 3), (b"0x10", 16), (b"010", 8), (b"", 0), (b"many", 0),
        (b"1_0", 1), (b"99999999999", 0), (b"\xd9\xa3", 0), (b"-", 0), (b"0x", 0), (b"5%", 5),
    ],
)  # fmt: skip
def test_number_in(text: bytes, value: int) -> None:
    assert number_in(text) == value


def test_a_file_that_cannot_be_read_is_zero(tmp_path: Path) -> None:
    assert read_number(str(tmp_path)) == read_number("/nowhere/x") == read_number("a\0b") == 0


def seen_after(
    reactor: Reactor, act: Callable[[], object], got: list[tuple[str, int]]
) -> list[tuple[str, int]]:
    got.clear()
    act()
    for _ in range(50):
        reactor.turn(0.02)
        if got:
            break
    return list(got)


def test_changes_are_reported_once_each(tmp_path: Path) -> None:
    path = tmp_path / "later" / "number"
    reactor, got, said = Reactor(), [], []  # type: ignore[var-annotated]
    watch = FileWatch(reactor, lambda name, value: got.append((name, value)), said.append)
    watch.watch([TrackedFile("n", str(path))])
    assert got == [("n", 0)]
    path.parent.mkdir()
    path.write_text("5\n")
    reactor.turn(0)
    for _ in range(150):
        reactor.turn(0.02)
        if len(got) > 1:
            break
    assert got[1:] == [("n", 5)], "the directory that came later is found within a second or so"
    other = tmp_path / "later" / "new"
    other.write_text("-4")
    assert seen_after(reactor, lambda: other.rename(path), got) == [("n", -4)]
    assert seen_after(reactor, lambda: path.write_text("-254\n"), got) == [("n", -254)], "and never 0"
    assert seen_after(reactor, path.unlink, got) == [("n", 0)]
    assert said == []


def test_initial_values(tmp_path: Path) -> None:
    there, fresh, kept = tmp_path / "there", tmp_path / "fresh", tmp_path / "kept"
    there.write_text("1")
    kept.write_text("2")
    got: dict[str, int] = {}
    said: list[str] = []
    watch = FileWatch(Reactor(), got.__setitem__, said.append)
    watch.watch(
        [
            TrackedFile("there", str(there), 9, overwrite=True),
            TrackedFile("fresh", str(fresh), 8),
            TrackedFile("kept", str(kept), 7),
            TrackedFile("impossible", "/nowhere/x", 7),
        ]
    )
    assert got == {"there": 9, "fresh": 8, "kept": 2, "impossible": 0}
    assert "Unable to initialise track file /nowhere/x" in said[0]
