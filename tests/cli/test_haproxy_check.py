"""``haproxy -c``: what is printed about a configuration that was read, and the exit code.

The vocabulary is a toy of four words, so that only the command itself is tested: ``bind``, ``warn``,
``advise``, ``wrong`` (an error of that line), ``abort`` (nothing more is read), ``late`` (an error found
after reading).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from evener.cli.haproxy import main
from evener.haproxy.reader import SECTIONS, ReadOptions, read
from evener.text.diagnostic import Diagnostic, Diagnostics, Severity


def load(paths: Sequence[str], diagnostics: Diagnostics, options: ReadOptions) -> SimpleNamespace:
    binds, late = [], []
    for line in read(paths, options, diagnostics):
        word = line.words[0]
        if word == "bind":
            binds.append(line)
        elif word == "late":
            late.append(line)
        elif word == "warn":
            diagnostics.warning("w", "a warning.", line.whole)
        elif word == "advise":
            diagnostics.add(Diagnostic("a", Severity.DIAG, "advice.", line.whole))
        elif word == "abort":
            raise diagnostics.abort("x", "no more.", line.whole)
        elif word not in SECTIONS:
            diagnostics.alert("x", f"unknown keyword '{word}'", line.whole)
    if not diagnostics.has_errors:
        for line in late:
            diagnostics.alert("l", "found late.", line.whole, lead="")
    settings = SimpleNamespace(zero_warning=False, server_state_file=None, stats_file=None)
    return SimpleNamespace(proxies=[SimpleNamespace()] * bool(binds), other=(), global_=settings)


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module = ModuleType("evener.haproxy.resolve")
    module.__dict__["load"] = load
    monkeypatch.setitem(sys.modules, "evener.haproxy.resolve", module)
    monkeypatch.chdir(tmp_path)


VALID = "Configuration file is valid\n"
FOUND = "Warnings were found.\n"
IDLE = "Configuration file has no error but will not start (no listener) => exit(2).\n"
WARNING = "[WARNING]  config : parsing [t.cfg:2] : a warning."
ERRORS = "[ALERT]    config : Error(s) found in configuration file : t.cfg"
FATAL = "[ALERT]    config : Fatal errors found in configuration."


@pytest.mark.parametrize(
    ("text", "words", "code", "out", "err"),
    [
        ("listen f\nbind\n", "-c", 0, "", []),
        ("listen f\nbind\n", "-c -V", 0, VALID, []),
        ("listen f\nbind\n", "-c -q", 0, "", []),
        ("listen f\nbind\n", "-W -c", 0, "", []),
        ("listen f\nwarn\nbind\n", "-c", 0, FOUND, [WARNING]),
        ("listen f\nwarn\nbind\n", "-c -V", 0, FOUND + VALID, [WARNING]),
        ("listen f\nwarn\nbind\n", "-c -q", 0, "", []),
        (
            "listen f\nwarn\nbind\n",
            "-c -dW",
            1,
            "",
            [WARNING, "[ALERT]    Some warnings were found and 'zero-warning' is set. Aborting."],
        ),
        ("listen f\nadvise\nbind\n", "-c", 0, "", []),
        (
            "listen f\nadvise\nbind\n",
            "-c -dD -dW",
            0,
            FOUND,
            ["[DIAG]     config : parsing [t.cfg:2] : advice."],
        ),
        ("", "-c", 2, IDLE, []),
        ("global\n", "-c -q", 2, "", []),
        (
            "listen f\nwrong\nbind\nworse\n",
            "-c",
            1,
            "",
            [
                "[ALERT]    config : parsing [t.cfg:2] : unknown keyword 'wrong'",
                "[ALERT]    config : parsing [t.cfg:4] : unknown keyword 'worse'",
                ERRORS,
                FATAL,
            ],
        ),
        ("wrong\n", "-c -q", 1, "", []),
        (
            "listen f\nabort\nwrong\n",
            "-c",
            1,
            "",
            ["[ALERT]    config : parsing [t.cfg:2] : no more.", ERRORS],
        ),
        (".alert x\n", "-c", 1, "", ["[ALERT]    config : parsing [t.cfg:1]: 'x'.", ERRORS]),
        ("listen f\nlate\n", "-c", 1, "", ["[ALERT]    found late."]),
        (".notice hi\nlisten f\nbind\n", "-c", 0, "", ["[NOTICE]   config : parsing [t.cfg:1]: 'hi'."]),
    ],
)
def test_check(
    text: str, words: str, code: int, out: str, err: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    Path("t.cfg").write_text(text)
    assert main([*words.split(), "-f", "t.cfg"]) == code
    captured = capfd.readouterr()
    assert captured.out == out
    lines = [re.sub(r"\([0-9]+\) : ", "", line) for line in captured.err.splitlines()]
    introduction = sum("haproxy version is" in line or "path to executable" in line for line in lines)
    assert introduction == (2 if any(not line.startswith("[NOTICE]") for line in err) else 0)
    assert [line for line in lines if "haproxy version" not in line and "path to" not in line] == err


def test_each_file_has_its_own_conclusion(capfd: pytest.CaptureFixture[str]) -> None:
    Path("a.cfg").write_text("bad\n")
    Path("b.cfg").write_text("global\n")
    Path("c.cfg").write_text("worse\n")
    assert main(["-c", "--", "a.cfg", "b.cfg", "c.cfg"]) == 1
    lines = [line.split(" : ", 2)[-1] for line in capfd.readouterr().err.splitlines()[2:]]
    assert lines == [
        "parsing [a.cfg:1] : unknown keyword 'bad'",
        "Error(s) found in configuration file : a.cfg",
        "parsing [c.cfg:1] : unknown keyword 'worse'",
        "Error(s) found in configuration file : c.cfg",
        "Fatal errors found in configuration.",
    ]


def test_bytes_of_the_file_are_printed_as_they_are(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    Path("t.cfg").write_bytes(b"listen f\n caf\xe9\n")
    assert main(["-c", "-f", "t.cfg"]) == 1
    assert b"unknown keyword 'caf\xe9'" in capfdbinary.readouterr().err
