"""Formatting real configurations: what they mean stays, comments stay, and formatting again changes nothing.

``EVENER_CORPUS`` names a directory with ``haproxy`` and ``keepalived`` configurations.
"""

import os
from pathlib import Path

import pytest

from evener.desk.fmt import Unformattable, read
from evener.desk.fmt_haproxy import format_haproxy
from evener.desk.fmt_keepalived import format_keepalived
from evener.haproxy.print import print_configuration
from evener.haproxy.reader import ReadOptions
from evener.haproxy.resolve import load
from evener.keepalived import resolve as keepalived
from evener.text.diagnostic import Diagnostics, FatalConfiguration

CORPUS = os.environ.get("EVENER_CORPUS", "")


def files(product: str) -> list[Path]:
    return sorted(path for path in Path(CORPUS, product).iterdir() if path.is_file()) if CORPUS else []


HAPROXY, KEEPALIVED = files("haproxy"), files("keepalived")


def comments(text: str, marks: str) -> list[str]:
    """Lines that are nothing but a comment."""
    stripped = (line.strip(" \t\v\f\r") for line in text.split("\n"))
    return [line for line in stripped if line and line[0] in marks]


def haproxy_meaning(path: Path) -> tuple[str, list[tuple[str, str]]]:
    """The canonical configuration, and what is said about it without the lines."""
    found = Diagnostics()
    try:
        made = load([str(path)], found, ReadOptions(), lambda host, family: "127.0.0.1")
    except FatalConfiguration:
        return "", codes(found)
    return print_configuration(made), codes(found)


def codes(found: Diagnostics) -> list[tuple[str, str]]:
    return [(entry.severity.name, entry.code) for entry in found]


def keepalived_meaning(path: Path) -> tuple[object, list[tuple[str, str]]]:
    found = Diagnostics()
    try:
        return keepalived.load(str(path), found), codes(found)
    except FatalConfiguration:
        return None, codes(found)


@pytest.mark.parametrize("path", HAPROXY, ids=lambda path: path.name)
@pytest.mark.timeout(20)
def test_haproxy(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = read(path)
    try:
        once = format_haproxy(text)
    except Unformattable:
        assert haproxy_meaning(path)[1]
        return
    assert format_haproxy(once) == once
    assert comments(once, "#") == comments(text, "#")
    monkeypatch.chdir(tmp_path)
    before, after = tmp_path / "before", tmp_path / "after"
    for place, content in ((before, text), (after, once)):
        place.mkdir()
        (place / "F").write_text(content, encoding="utf-8", errors="surrogateescape", newline="")
    monkeypatch.chdir(before)
    meant = haproxy_meaning(Path("F"))
    if ("ALERT", "missing-final-newline") in meant[1]:
        return  # a last line that is a comment is given its end: there is more to read
    monkeypatch.chdir(after)
    assert haproxy_meaning(Path("F")) == meant


@pytest.mark.parametrize("path", KEEPALIVED, ids=lambda path: path.name)
@pytest.mark.timeout(20)
def test_keepalived(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = read(path)
    try:
        once = format_keepalived(text)
    except Unformattable:
        return
    assert format_keepalived(once) == once
    assert comments(once, "!#") == comments(text, "!#")
    before, after = tmp_path / "before", tmp_path / "after"
    for place, content in ((before, text), (after, once)):
        place.mkdir()
        (place / "F").write_text(content, encoding="utf-8", errors="surrogateescape", newline="")
    monkeypatch.chdir(before)
    meant = keepalived_meaning(Path("F"))
    monkeypatch.chdir(after)
    assert keepalived_meaning(Path("F")) == meant


def test_most_files_can_be_formatted() -> None:
    if not CORPUS:
        pytest.skip("EVENER_CORPUS does not name a directory of configurations")
    made = 0
    for path in HAPROXY:
        try:
            format_haproxy(read(path))
        except Unformattable:
            continue
        made += 1
    assert made >= 0.9 * len(HAPROXY) > 0
