"""The haproxy command from outside: what it prints where, and how it ends."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from evener.cli.haproxy import main

VERSION = "3.5-dev5-evener"
FAILED = "Failed to evaluate condition: "


@dataclass
class Outcome:
    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """The lines of stderr without pids and without the introduction."""
        lines = [re.sub(r"\([0-9]+\) : ", "", line) for line in self.err.splitlines()]
        return [
            line for line in lines if "haproxy version is" not in line and "path to executable" not in line
        ]


Run = Callable[..., Outcome]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)

    def go(*words: str, text: str | bytes | None = None) -> Outcome:
        if text is not None:
            Path("t.cfg").write_bytes(text.encode() if isinstance(text, str) else text)
        code = main(words)
        captured = capfd.readouterr()
        return Outcome(code, captured.out, captured.err)

    return go


def test_version(run: Run) -> None:
    outcome = run("-v")
    assert outcome.code == 0 and outcome.err == ""
    first, *_, last = outcome.out.splitlines()
    assert re.fullmatch(r"HAProxy version 3\.5-dev5-evener[0-9.]+ \d{4}/\d\d/\d\d - https://.*", first)
    assert last.startswith("Running on: Linux ")


def test_short_versions(run: Run) -> None:
    assert run("-vq").out.startswith(VERSION)
    assert run("-vqs").out == run("-vqb").out == "3.5\n"


def test_build_report(run: Run) -> None:
    out = run("-vv").out
    # how HAProxy's own test runner reads it
    named = [line for line in out.splitlines() if "HAProxy version" in line]
    assert named[0].split(" ")[2].startswith("3.5")
    assert re.search(r"^  TARGET  = linux-glibc$", out, re.M)
    assert re.search(r"^Feature list : .*\+EPOLL.*-OPENSSL", out, re.M)
    assert "evener" in out


@pytest.mark.parametrize("words", [(), ("-c",), ("-Z",), ("-q",), ("--",), ("-cc",), ("-f",), ("word",)])
def test_usage(run: Run, words: Sequence[str]) -> None:
    outcome = run(*words)
    assert outcome.code == 1
    assert outcome.out.startswith("HAProxy version ")
    assert "[-f <cfgfile|cfgdir>]*" in outcome.err


@pytest.mark.parametrize(
    ("condition", "code", "errors"),
    [
        ("1", 0, []),
        ("0", 1, []),
        ("", 1, []),
        ("version_atleast(2.4)", 0, []),
        ("-1000 && 200", 0, []),
        ('streq("a b",a\\ b)', 0, []),
        ("feature(QUIC)", 1, []),
        ("foo", 2, ["Failed to evaluate condition: unparsable conditional expression 'foo'"]),
        (
            "200rrr",
            2,
            [f"{FAILED}unexpected character 'r' at the end of conditional expression '200rrr'"],
        ),
        (
            "1 #",
            2,
            [f"{FAILED}unexpected character '#' at the end of conditional expression '1 #'"],
        ),
        ('streq(a,"a)', 2, ["Syntax Error in condition: Unmatched quote."]),
        ("\\x4", 2, ["Syntax Error in condition: Truncated or invalid hexadecimal sequence."]),
    ],
)
def test_condition(run: Run, condition: str, code: int, errors: list[str]) -> None:
    outcome = run("-cc", condition)
    assert (outcome.code, outcome.out) == (code, "")
    assert outcome.errors == ["[ALERT]    " + error for error in errors]
    assert run("-dM", "-dI", "-dW", "-q", "-cc", condition).errors == []


def test_condition_reads_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENER_TEST_A", "x y")
    assert run("-cc", 'defined(EVENER_TEST_A) && streq("$EVENER_TEST_A","x y")').code == 0
    assert run("-dS", "-dR", "-cc", "enabled(SPLICE) || enabled(REUSEPORT)").code == 1
    assert run("-dV", "-cc", "enabled(SERVER-SSL-VERIFY-NONE)").code == 0


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (
            ("-c", "-f", "nope.cfg"),
            "config : Cannot open configuration file/directory nope.cfg : No such file or directory",
        ),
        (("-C", "nope", "-f", "x"), "Could not change to directory nope : No such file or directory"),
        (("-sf", "abc"), "-sf option: some bytes unconsumed in PID list {abc}"),
        (
            ("-S", "sock", "-f", "t.cfg"),
            "a master CLI socket was defined, but master-worker mode (-W) is not enabled.",
        ),
    ],
)
def test_refused(run: Run, words: Sequence[str], error: str) -> None:
    outcome = run(*words, text="global\n")
    assert outcome.code == 1
    assert outcome.errors == ["[ALERT]    " + error]
    introduction = [re.sub(r"\([0-9]+\)", "(pid)", line) for line in outcome.err.splitlines()[:2]]
    assert introduction[0].startswith(f"[NOTICE]   (pid) : haproxy version is {VERSION}")
    assert introduction[1].startswith("[NOTICE]   (pid) : path to executable is /")


def test_an_empty_directory_is_no_configuration(run: Run, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    assert "Usage" in run("-c", "-f", "d").err


def test_dump_of_lines(run: Run) -> None:
    text = 'global#c\n .if 0\n maxconn   "1"0 # x\nfrontend  f\n acl a path \\# \'\\x41\' "$NOPE-x"\n'
    once = "global \n\t.if 0 \n\tmaxconn 10 \nfrontend f \n\tacl a path # \\x41 -x \n"
    outcome = run("-dC", "-f", "t.cfg", text=text)
    assert (outcome.code, outcome.out, outcome.err) == (0, once * 2, "")
    assert run("-dC,line", "-f", "t.cfg").out.startswith("1\tglobal \n2\t\t.if 0 \n3\t\tmaxconn 10 \n")


def test_dump_with_a_key_hides_names(run: Run) -> None:
    out = run("-dC1234", "-f", "t.cfg", text="frontend secret\n bind :80\nbackend secret\n").out
    assert "secret" not in out
    first, second, third = out.splitlines()[:3]
    assert second == "\tbind :80 "
    assert first.split()[1] == third.split()[1]


def test_dump_of_a_broken_file(run: Run) -> None:
    outcome = run("-dC", "-f", "t.cfg", text='global\n x "y\n')
    assert outcome.code == 1
    assert outcome.errors == [
        "[ALERT]    config : parsing [t.cfg:2]: unmatched quote at position 4:",
        '  x "y',
        "    ^",
        "[ALERT]    config : Error(s) found in configuration file : t.cfg",
        "[ALERT]    config : Fatal errors found in configuration.",
    ]


HEAVY = {"lark", "rich", "scapy", "pyroute2", "asyncio", "argparse", "cython", "json", "socketserver"}


@pytest.mark.parametrize("words", [("-v",), ("-vv",), ("-cc", "version_atleast(2.4)")])
def test_quick_commands_import_little(words: Sequence[str]) -> None:
    script = (
        "import sys; from evener.cli.haproxy import main; main(sys.argv[1:]);"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "evener" in loaded
    assert not loaded & HEAVY
