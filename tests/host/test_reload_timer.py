"""The parent's clockwork: a reload at the time that a file names, and copies of the configuration."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from evener.host.config_copies import ConfigCopies
from evener.host.reload_timer import ReloadTimer, first_line
from evener.keepalived.plan import ReloadTime, SavedText


class Later:
    """A reactor of which only the next call is remembered."""

    def __init__(self) -> None:
        self.waiting: Any = None

    def later(self, seconds: float, callback: Any) -> Later:
        assert 0 < seconds <= 5
        self.waiting = callback
        return self

    def cancel(self) -> None:
        self.waiting = None

    def tick(self) -> None:
        callback, self.waiting = self.waiting, None
        callback()


class Clockwork:
    def __init__(self, path: Path, repeat: bool = False) -> None:
        self.now, self.reloads, self.said = 1_000_000.0, 0, [""]
        self.reactor = Later()
        reactor: Any = self.reactor
        self.timer = ReloadTimer(reactor, self.reload, self.said.append, lambda: self.now)
        self.timer.use(ReloadTime(str(path), repeat))

    def reload(self) -> None:
        self.reloads += 1

    def at(self, now: float) -> int:
        self.now = now
        self.reactor.tick()
        return self.reloads


DAY = 86_400
MIDNIGHT = 1_036_800.0
"""1970-01-13."""


def test_once_at_a_date(tmp_path: Path) -> None:
    path = tmp_path / "when"
    made = Clockwork(path)
    assert made.at(1_000_001) == 0
    path.write_text("1970-01-13 00:00:00Z\n")
    assert made.at(MIDNIGHT - 1) == 0
    assert "Scheduling reload" in made.said[-1]
    assert made.at(MIDNIGHT) == 1
    assert not path.exists()
    assert made.at(MIDNIGHT + DAY) == 1


def test_every_day(tmp_path: Path) -> None:
    path = tmp_path / "when"
    path.write_text("00:00:00Z")
    made = Clockwork(path, repeat=True)
    assert [made.at(MIDNIGHT - 1), made.at(MIDNIGHT), made.at(MIDNIGHT + 1)] == [0, 1, 1]
    assert path.exists()
    assert [made.at(MIDNIGHT + DAY - 1), made.at(MIDNIGHT + DAY)] == [1, 2]


def test_changed_and_cancelled(tmp_path: Path) -> None:
    path = tmp_path / "when"
    path.write_text("1970-01-13 00:00:00Z")
    made = Clockwork(path)
    path.write_text("1970-01-13 00:00:10Z")
    assert made.at(MIDNIGHT) == 0
    assert "Rescheduling" in made.said[-1]
    path.unlink()
    assert made.at(MIDNIGHT + 20) == 0
    assert "Cancelling" in made.said[-1]
    path.write_text("nonsense")
    assert made.at(MIDNIGHT + 30) == 0
    assert "format is incorrect" in made.said[-1]
    made.timer.use(None)
    assert made.reactor.waiting is None


@pytest.mark.parametrize("content", [b"", b"\0" * 1000, b"\xff\xfe\n", b"1" * 100_000])
def test_hostile_files(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "when"
    path.write_bytes(content)
    made = Clockwork(path)
    assert made.at(MIDNIGHT) == 0
    line = first_line(str(path))
    assert line is not None and len(line) <= 64


def test_a_fifo_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert first_line(str(tmp_path / "fifo")) == ""
    assert first_line(str(tmp_path / "none")) is None
    assert first_line("a\0b") is None


def test_copies(tmp_path: Path) -> None:
    said: list[str] = []
    copies = ConfigCopies(said.append)
    copies.keep(None)
    copies.keep(SavedText(str(tmp_path / "kept"), "one\n"))
    copies.keep(SavedText(str(tmp_path / "kept"), "two\n"))
    names = sorted((tmp_path / "kept").iterdir())
    assert [name.name for name in names] == [f"keepalived.conf.{os.getpid()}.{n}" for n in (0, 1)]
    assert [name.read_text() for name in names] == ["one\n", "two\n"]
    assert {stat.S_IMODE(name.stat().st_mode) for name in names} == {0o600}
    copies.keep(SavedText(str(tmp_path / "not" / "there"), "x"))
    assert len(said) == 1
