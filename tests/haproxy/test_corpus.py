"""Real configurations: each is read or refused with a diagnostic, none crashes, none hangs.

``EVENER_CORPUS`` names a directory with a ``haproxy`` directory of ``*.cfg`` files.
"""

import os
from pathlib import Path

import pytest

from evener.haproxy.ir import Configuration
from evener.haproxy.print import print_configuration
from evener.haproxy.reader import ReadOptions
from evener.haproxy.resolve import load
from evener.text.diagnostic import Diagnostics, FatalConfiguration
from evener.text.render import haproxy

CORPUS = os.environ.get("EVENER_CORPUS", "")
FILES = sorted(Path(CORPUS, "haproxy").glob("*.cfg")) if CORPUS else []


def resolver(host: str, family: int) -> str | None:
    """Every name resolves: the network has no say in these tests."""
    return "127.0.0.1"


def read(path: Path) -> tuple[Configuration | None, Diagnostics]:
    found = Diagnostics()
    try:
        return load([str(path)], found, ReadOptions(), resolver), found
    except FatalConfiguration:
        return None, found


def test_a_corpus_is_named() -> None:
    if not CORPUS:
        pytest.skip("EVENER_CORPUS does not name a directory of configurations")
    assert FILES, f"no haproxy/*.cfg in {CORPUS}"


def meaning(made: Configuration) -> tuple[object, ...]:
    """All values of a configuration, without the places where they were said."""
    blocks = [(other.words, other.block) for other in made.other]
    return made.global_, made.defaults, made.proxies, made.http_errors, blocks


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
@pytest.mark.timeout(20)
def test_read_or_refused(path: Path, tmp_path: Path) -> None:
    """Printing what was read gives a text that is printed the same again.

    Also for a file with errors: what is printed then is what remains of it, without the lines that are wrong
    (so that HAProxy may well accept the printed file, and the original not).
    """
    made, found = read(path)
    assert all(haproxy(entry, 1) for entry in found)
    if made is None or found.has_errors:
        assert len(found) > 0
    if made is None:
        return
    printed = print_configuration(made)
    again = tmp_path / path.name
    again.write_text(printed, encoding="utf-8", errors="surrogateescape")
    reread, errors = read(again)
    assert reread is not None and print_configuration(reread) == printed
    if not found.has_errors:
        assert not errors.has_errors
        assert meaning(reread) == meaning(made)
