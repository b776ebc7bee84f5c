"""Any bytes as a haproxy.cfg: read, or refused with diagnostics that have a place; never a traceback.

Lines come from the examples of the vocabulary, are mixed and damaged with what has hurt parsers before
(NUL, other encodings, unmatched quotes and brackets, long numbers), and everything is also formatted.
"""

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evener.desk.fmt import Unformattable
from evener.desk.fmt_haproxy import format_haproxy
from evener.haproxy.action import ACTIONS
from evener.haproxy.reader import ReadOptions
from evener.haproxy.resolve import load, load_vocabulary
from evener.haproxy.sections.global_ import VOCABULARY as GLOBAL
from evener.haproxy.sections.proxy import VOCABULARY as PROXY
from evener.text.diagnostic import Diagnostics, FatalConfiguration
from evener.text.render import haproxy

load_vocabulary()
CASES = Path(__file__).parents[2] / "fixtures" / "fuzz"
"""What ``endless.py`` found."""
LINES = [
    example.encode()
    for words in (GLOBAL, PROXY)
    for word in words.registry
    for example in (*word.ok, *word.bad)
]
LINES += [f"{word.rulesets[0]} {example}".encode() for word in ACTIONS for example in (*word.ok, *word.bad)]
LINES += [
    b"global",
    b"frontend f",
    b"backend b",
    b"listen l",
    b"defaults",
    b"defaults d",
    b"resolvers r",
    b".if 1",
    b".endif",
]
JUNK = [
    b"\0",
    b"\xff",
    b"\xc2\xa0",
    b"\xa1\xa3",
    b"\r",
    b'"',
    b"'",
    b"\\",
    b"${",
    b"%[",
    b"%{",
    b"(",
    b")",
    b",",
    b"-",
]
JUNK += [
    b"9" * 30,
    b"{",
    b"}",
    b" ",
    b"#",
    b"$X",
    b"@",
    b":",
    b"/",
    b"[",
    b"]",
    b"if ",
    b"-m ",
    b"-f ",
    b"lua.x",
    b"!",
]


def survive(data: bytes, where: Path) -> None:
    path = where / "F"
    path.write_bytes(data)
    found = Diagnostics()
    try:
        load([str(path)], found, ReadOptions(), lambda host, family: None)
    except FatalConfiguration:
        assert found.has_errors
    for diagnostic in found:
        assert haproxy(diagnostic, 1)
    try:
        format_haproxy(data.decode("utf-8", "surrogateescape"))
    except Unformattable as error:
        assert error.line >= 1


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_any_bytes(tmp_path: Path, data: bytes) -> None:
    survive(data, tmp_path)


@pytest.mark.parametrize("seed", range(8))
def test_damaged_lines(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    for _ in range(40):
        lines = [damaged(line, chance) for line in chance.choices(LINES, k=chance.randint(1, 30))]
        head = [b"defaults", b" mode http", b"frontend f0", b" bind :80"] if chance.random() < 0.7 else []
        survive(b"\n".join([*head, *lines]) + b"\n", tmp_path)


@pytest.mark.parametrize("path", sorted(CASES.glob("*.cfg")), ids=lambda path: path.name)
def test_what_once_broke_it(path: Path, tmp_path: Path) -> None:
    survive(path.read_bytes(), tmp_path)


def damaged(line: bytes, chance: random.Random) -> bytes:
    """The line, with something wrong in it every other time."""
    at, kind = chance.randint(0, len(line)), chance.random()
    if kind < 0.25:
        return line[:at] + chance.choice(JUNK) + line[at:]
    if kind < 0.35:
        return line[:at] + line[at + chance.randint(1, 6) :]
    if kind < 0.45:
        words = line.split(b" ")
        chance.shuffle(words)
        return b" ".join(words)
    return line if kind < 0.9 else line + b" " + chance.choice(LINES)


@pytest.mark.parametrize(
    "data",
    [
        b".if 1\n" * 150,
        b"acl x " + b"a" * 1_000_000 + b"\n",
        b"a " * 500_000 + b"\n",
        b'log "' + b"${A}" * 20_000 + b'"\n',
        b"global\n setenv A ${A}${A}\n" + b' setenv A "${A}${A}"\n' * 15,
        b"frontend f\n http-request deny if " + b"( " * 3000 + b"\n",
        b"frontend f\n http-request set-header a %[" + b"src," * 3000 + b"\n",
    ],
    ids=[
        "deep .if",
        "long word",
        "many words",
        "many variables",
        "growing variable",
        "deep condition",
        "long expression",
    ],
)
@pytest.mark.timeout(30)
def test_large_things_end(data: bytes, tmp_path: Path) -> None:
    survive(data, tmp_path)
