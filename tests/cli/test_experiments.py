"""Every experiment of ``fixtures/haproxy/experiments``: the answer is HAProxy's, or explained.

The command runs in this process: an interpreter for each would take longer than everything it does.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from experiments import FIXTURES, Answer, Experiment, normalized, parse, render

from evener.cli.haproxy import main

TEXTS = [fixture.read_text(encoding="utf-8") for fixture in FIXTURES]
EXPERIMENTS = [one for text in TEXTS for one in parse(text)]


@pytest.fixture
def answer(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
    request: object,
) -> Answer:
    one: Experiment = request.param
    one.write_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["/usr/sbin/haproxy"])
    for name, value in one.variables.items():
        monkeypatch.setenv(name, value)
    code = main(one.words)
    said = capfdbinary.readouterr()
    out, err = (stream.decode("utf-8", "surrogateescape") for stream in said)
    return Answer(code, normalized(out), normalized(err))


@pytest.mark.parametrize(
    ("answer", "one"),
    [(one, one) for one in EXPERIMENTS],
    ids=[one.title for one in EXPERIMENTS],
    indirect=["answer"],
)
def test_experiment(answer: Answer, one: Experiment) -> None:
    assert answer == one.ours


@pytest.mark.parametrize("one", [one for one in EXPERIMENTS if one.differs], ids=lambda one: one.title)
def test_differences_are_explained(one: Experiment) -> None:
    assert one.differs != "no reason is given"
    assert one.ours != one.theirs, "listed as a difference, and there is none any more"


def test_the_fixture_is_as_written() -> None:
    assert len(EXPERIMENTS) >= 1900
    assert len({one.title for one in EXPERIMENTS}) == len(EXPERIMENTS)
    assert [render(parse(text)) for text in TEXTS] == TEXTS
