"""Sections that are known word by word: every example is read or refused, and unknown words are."""

from pathlib import Path

import pytest
from config_text import messages, read

from evener.haproxy.sections.listed import LISTED, UNNAMED
from evener.text.diagnostic import Severity

WORDS = [(section, word) for section, words in LISTED.items() for word in words]


def text(section: str, line: str) -> str:
    name = "" if section == "traces" else " x"
    return f"{section}{name}\n  {line}\n"


@pytest.mark.parametrize(("section", "word"), WORDS, ids=lambda value: getattr(value, "name", value))
def test_examples(section: str, word: object, tmp_path: Path) -> None:
    for line in word.ok:  # type: ignore[attr-defined]
        _, found = read(text(section, line), tmp_path)
        assert messages(found, Severity.ALERT) == [], line
    for line in word.bad:  # type: ignore[attr-defined]
        _, found = read(text(section, line), tmp_path)
        assert found.has_errors, line


@pytest.mark.parametrize("section", LISTED)
def test_unknown_words(section: str, tmp_path: Path) -> None:
    _, found = read(text(section, "no-such-word 1"), tmp_path)
    (said,) = messages(found, Severity.ALERT)
    assert said.startswith(f"unknown keyword 'no-such-word' in '{section}' section")


@pytest.mark.parametrize("section", UNNAMED)
def test_missing_names_end_the_reading(section: str, tmp_path: Path) -> None:
    _, found = read(f"{section}\n  no-such-word\n", tmp_path)
    assert messages(found, Severity.ALERT) == [UNNAMED[section]]
    assert found.aborted


def test_lines_are_kept(tmp_path: Path) -> None:
    made, _ = read("resolvers dns\n  nameserver a 127.0.0.1:53\n  hold valid 10s\n", tmp_path)
    assert made.other[0].lines == (("nameserver", "a", "127.0.0.1:53"), ("hold", "valid", "10s"))
