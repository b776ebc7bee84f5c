"""When checks are made, and how often they have to fail: each keyword, for every kind that has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from keyword_lab import BODIES, KeywordLab, Trial, opened, shows, trial

pytestmark = [pytest.mark.netns, pytest.mark.timeout(60)]

ALL = (*BODIES, "MISC_CHECK")
KINDS = pytest.mark.parametrize("kind", ALL)
BRISK = {"delay_loop": "0.05", "delay_before_retry": "0.01", "connect_timeout": "0.6"}


@pytest.fixture(scope="module")
def lab() -> Iterator[KeywordLab]:
    yield from opened()


def of_all(keyword: str) -> tuple[str, ...]:
    return tuple(f"{kind} {keyword}" for kind in ALL)


class Programs:
    """A program notes that it was run in one file, and fails while there is another."""

    def __init__(self, folder: Path) -> None:
        self._ran, self._bad = folder / "ran", folder / "bad"
        self.body = f"misc_path \"/bin/sh -c 'echo >>{self._ran}; test ! -e {self._bad}'\"\nmisc_timeout 30"

    def visits(self, made: Trial, wanted: int) -> int:
        made.until(lambda: self._count() >= wanted)
        return self._count()

    def _count(self) -> int:
        return len(self._ran.read_bytes()) if self._ran.exists() else 0

    def turn_bad(self) -> None:
        self._bad.touch()


class Timed:
    """A trial of any kind."""

    def __init__(self, made: Trial, programs: Programs | None) -> None:
        self.made, self._programs = made, programs

    def visits(self, wanted: int) -> int:
        return self._programs.visits(self.made, wanted) if self._programs else len(self.made.visits(wanted))

    def fails(self) -> None:
        """It was good, is bad, and counts as failed in the end."""
        assert self.made.reports()[0].up
        (self._programs or self.made).turn_bad()
        assert not self.made.reports(2)[1].up


@contextmanager
def timed(lab: KeywordLab, kind: str, folder: Path, words: str, **more: Any) -> Iterator[Timed]:
    programs = Programs(folder) if kind == "MISC_CHECK" else None
    with trial(lab, kind, words, body=programs.body if programs else None, **more) as made:
        yield Timed(made, programs)


@KINDS
@shows(*of_all("delay_loop"))
def test_delay_loop(lab: KeywordLab, kind: str, tmp_path: Path) -> None:
    with timed(lab, kind, tmp_path, "delay_loop 0.05") as made:
        assert made.visits(3) >= 3


@KINDS
@shows(*of_all("retry"))
def test_retry(lab: KeywordLab, kind: str, tmp_path: Path) -> None:
    """Three attempts fail; SMTP_CHECK does not say so in the end."""
    with timed(lab, kind, tmp_path, "retry 2\nlog_all_failures", **BRISK) as made:
        made.fails()
        lines = made.made.lines
        if kind.startswith("SMTP"):
            assert len([line for line in lines if line.startswith("SMTP_CHECK Bad")]) == 3
        else:
            assert "after 2 retries" in "\n".join(lines)


@KINDS
@shows(*of_all("delay_before_retry"))
def test_delay_before_retry(lab: KeywordLab, kind: str, tmp_path: Path) -> None:
    usual = {**BRISK, "delay_before_retry": "3600", "retry": "1"}
    with timed(lab, kind, tmp_path, "delay_before_retry 0.02", **usual) as made:
        made.fails()


@KINDS
@shows(*of_all("warmup"))
def test_warmup(lab: KeywordLab, kind: str, tmp_path: Path) -> None:
    with timed(lab, kind, tmp_path, "warmup 0.05", chance=1.0, warmup="3600") as made:
        assert made.visits(1) == 1


@KINDS
@shows(*of_all("alpha"))
def test_alpha(lab: KeywordLab, kind: str, tmp_path: Path) -> None:
    for words, up in (("", True), ("alpha", False)):
        with timed(lab, kind, tmp_path, words) as made:
            assert made.made.up == [up]
            assert made.made.reports()[0].up


@KINDS
@shows(*of_all("log_all_failures"))
def test_log_all_failures(lab: KeywordLab, kind: str, tmp_path: Path) -> None:
    said = []
    for words in ("", "log_all_failures"):
        folder = tmp_path / f"f{len(said)}"
        folder.mkdir()
        with timed(lab, kind, folder, words, retry="1", **BRISK) as made:
            made.fails()
            said.append(len(made.made.lines))
    assert said[1] > said[0]


@shows("HTTP_GET nb_get_retry", "SSL_GET nb_get_retry")
@pytest.mark.parametrize("kind", ["HTTP_GET", "SSL_GET"])
def test_nb_get_retry(lab: KeywordLab, kind: str, tmp_path: Path) -> None:
    """An old name of retry."""
    with timed(lab, kind, tmp_path, "nb_get_retry 2", **BRISK) as made:
        made.fails()
        assert any("failed after 2 retries" in line for line in made.made.lines)
