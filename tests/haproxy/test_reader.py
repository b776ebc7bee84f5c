"""Files to lines: what is yielded, what is reported and where, and what ends the reading."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evener.haproxy.environment import Environment
from evener.haproxy.line import Line
from evener.haproxy.reader import ReadOptions, read
from evener.text.diagnostic import Diagnostics, FatalConfiguration, Severity


class Reading:
    """What came out of one reading of files in the current directory."""

    def __init__(
        self, *names: str, peer: str | None = None, complain: bool = False, **variables: str
    ) -> None:
        self.diagnostics = Diagnostics()
        self.environment = Environment(variables)
        self.lines: list[Line] = []
        self.aborted = False
        self.directories: list[str] = []
        options = ReadOptions(self.environment, peer)
        try:
            for line in read(names or ("t.cfg",), options, self.diagnostics):
                self.lines.append(line)
                self.directories.append(os.getcwd())
                if complain:
                    self.diagnostics.alert("unknown", "unknown keyword", line.whole)
        except FatalConfiguration:
            self.aborted = True

    @property
    def words(self) -> list[str]:
        return [" ".join(line.words) for line in self.lines]

    @property
    def messages(self) -> list[str]:
        return [f"{d.span.line if d.span else 0}: {d.message}" for d in self.diagnostics]


Reader = Callable[..., Reading]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Reading]:
    monkeypatch.chdir(tmp_path)

    def run(text: str | bytes, **how: str) -> Reading:
        Path("t.cfg").write_bytes(text.encode() if isinstance(text, str) else text)
        return Reading(**how)  # type: ignore[arg-type]

    return run


def test_lines_have_places(config: Reader) -> None:
    reading = config('global\n\n  maxconn "10" # ten\nfrontend caf\u00e9\r\n')
    assert reading.words == ["global", "maxconn 10", "frontend caf\u00e9"]
    line = reading.lines[1]
    assert str(line.span(1)) == "t.cfg:3"
    assert line.source.line(3)[line.span(1).start : line.span(1).end] == '"10"'
    assert line.span(7).start == line.span(1).end
    assert reading.messages == []


@pytest.mark.parametrize(
    ("text", "messages", "aborted"),
    [
        ("", [], False),
        ("\n", [], False),
        (" ", ["1: Missing LF on last line, file might have been truncated at position 2."], False),
        ("a\nbc", ["2: Missing LF on last line, file might have been truncated at position 3."], False),
        (b"a #\0b\nc\n", ["1: Stray NUL character at position 4."], False),
        ('a "b\nc "\n', ["1: unmatched quote at position 3:", "2: unmatched quote at position 3:"], False),
        (".if 1\n", ["1: non-terminated '.if' block."], True),
        (".if 1\n\n\n", ["3: non-terminated '.if' block."], True),
        (".endif\n", ["1: lone '.endif' with no matching '.if'."], True),
        (".else\n", ["1: lone '.else' with no matching '.if'."], True),
        (".if 0\n.else\n.elif 1\n.endif\n", ["3: '.elif' after '.else' is not permitted."], True),
        (".if 0\n.else\n.else\n", ["3: '.else' after '.else' is not permitted."], True),
        (".endif x\n", ["1: Unexpected argument 'x' for '.endif'."], True),
        (
            ".if 0\n.else x\n",
            ["2: Unexpected argument 'x' for '.else'.", "2: non-terminated '.if' block."],
            True,
        ),
        (".if foo\n", ["1: unparsable conditional expression 'foo' in '.if' at position 1:"], True),
        (
            ".if 0\n.elif 1 x\n",
            [
                "2: unexpected character 'x' at the end of conditional expression '1 x'"
                " in '.elif' at position 3:"
            ],
            True,
        ),
        (".if 1\n" * 100, ["100: too many nested '.if', max is 100."], True),
        (".if 0\n" * 100, ["100: too many nested '.if', max is 100."], True),
        (".if 1\n" * 99 + ".endif\n" * 99, [], False),
        (".foo\n.IF 1\n", ["1: unknown directive '.foo'."], True),
        (
            ".notice hello world\n",
            [
                "1: Unexpected argument 'world' for '.notice'."
                " Use quotes if the message should contain spaces."
            ],
            False,
        ),
        (".diag d\n.notice n\n.warning w\n", ["1: 'd'.", "2: 'n'.", "3: 'w'."], False),
        (".notice\n.notice '' \"\" x\n", ["1: ''.", "2: ''."], False),
        ('.alert "stop here"\nbogus\n', ["1: 'stop here'."], True),
        ("[scope]\n[a.b] # x\n", [], False),
        ("[a]b\n", ["1: character 'b' is not permitted after scope declaration."], True),
        ("[]\n", ["1: empty scope name is forbidden."], True),
        ("[b c]\n", ["1: character ' ' is not permitted in a scope name."], True),
    ],
)
def test_what_is_reported(config: Reader, text: str | bytes, messages: list[str], aborted: bool) -> None:
    reading = config(text)
    assert reading.messages == messages
    assert reading.aborted is aborted


def test_excerpts(config: Reader) -> None:
    reading = config('  frontend "f\n')
    assert [d.excerpt for d in reading.diagnostics] == [('  frontend "f', "           ^")]
    reading = config("  .if 0 ||  foo bar\n")
    assert [d.excerpt for d in reading.diagnostics] == [("  .if 0 || foo bar", "           ^")]


def test_branches(config: Reader) -> None:
    reading = config(
        ".if 0\na\n.if foo(\nb\n.else\nc\n.endif\n.elif 1\nd\n.elif foo(\ne\n.else\nf\n.endif\n"
        ".if\ng\n.endif\nh\n"
    )
    assert reading.words == ["d", "h"]
    assert reading.messages == []


def test_skipped_lines_are_still_cut_into_words(config: Reader) -> None:
    assert config('.if 0\nfoo "bar\n.endif\n').messages == ["2: unmatched quote at position 5:"]
    assert config('.if 0\nfoo ""\n.notice a b\n.foo\nno bind\n.endif\n').messages == []


def test_errors_of_the_first_pass_keep_the_second_from_happening(config: Reader) -> None:
    reading = config('x\n.notice hello\nfoo "\n.if 1\n.endif\n')
    assert reading.words == []
    assert reading.messages == ["3: unmatched quote at position 5:"]


def test_too_many_words(config: Reader) -> None:
    assert config("  " + "w " * 64 + "\n").messages == []
    reading = config("  " + "w " * 65 + "\n")
    assert reading.messages == ["1: too many words, truncating after word 64, position 127: <w>."]
    reading = config('w "${LIST[*]}"\n', LIST="x " * 70)
    assert reading.messages == ["1: too many words, truncating after word 64, position 127: <x>."]


def test_empty_arguments(config: Reader) -> None:
    reading = config('a ""\nb "$UNSET"\nc x "${HOM}"\nd "$EMPTY"\n"" e\n', HOME="/", EMPTY="")
    assert reading.words == []
    where = " is empty and marks the end of the argument list:"
    assert reading.messages == [
        "1: argument number 1 at position 4" + where,
        "2: argument number 1 at position 5" + where,
        "3: argument number 2 at position 8" + where,
        "3: Hint: maybe you meant HOME instead ?",
        "4: argument number 1 at position 10" + where,
    ]
    assert config('a x"$U" b ""\n').messages == ["1: argument number 3 at position 6" + where]
    advice = [len(d.excerpt) for d in reading.diagnostics]
    assert advice == [3, 2, 2, 0, 2]


def test_negation(config: Reader) -> None:
    reading = config("no option x\ndefault log\nno bind :1\nno\ndefaults\nno no option\n")
    assert reading.words == []
    assert [m[:12] for m in reading.messages] == ["3: negation/", "4: negation/", "6: negation/"]
    assert config(".if 0\nno bind\n.endif\nno option x\ndefault log\n").words == [
        "no option x",
        "default log",
    ]


def test_fifty_errors_are_enough(config: Reader, tmp_path: Path) -> None:
    Path("t.cfg").write_text("x\n" * 60)
    reading = Reading(complain=True)
    assert len(reading.lines) == 50
    assert reading.messages[-1] == "51: too many fatal errors (50), stopping now."
    Path("t.cfg").write_text("x\n" * 50)
    assert len(Reading(complain=True).messages) == 50
    assert config('x "\n' * 60).messages[-1] == "51: too many fatal errors (50), stopping now."


def test_the_environment_changes_while_reading(config: Reader) -> None:
    reading = config(
        'global\n setenv A 1\n x "$A"\n unsetenv A\n x "${A-none}"\n presetenv B no\n x "$B"\n'
        'frontend f\n setenv C 1\n x "${C-none}"\n',
        B="yes",
    )
    assert [words for words in reading.words if words.startswith("x")] == ["x 1", "x none", "x yes", "x none"]
    assert "setenv A 1" in reading.words
    assert reading.environment.get("A") is None


def test_both_passes_obey_the_environment_keywords(config: Reader) -> None:
    reading = config("global\n.if defined(A)\n second\n.else\n setenv A 1\n.endif\n")
    assert reading.words == ["global", "second"]
    reading = config('global\n presetenv Y cfg\n x "${Y-unset}"\n resetenv HOME\n', Y="env", HOME="/")
    assert reading.words[2] == "x cfg"


def test_bad_environment_lines_end_the_first_pass(config: Reader) -> None:
    reading = config("global\n setenv A\nfrontend f\n")
    assert reading.words == []
    assert reading.messages == ["2: 'setenv' expects environment variable value for 'A'.\n."]


def test_pseudo_variables(config: Reader) -> None:
    reading = config(
        'x "${.FILE}:${.LINE}:${.SECTION}"\nglobal\nx "$.SECTION"\nlisten "l${.LINE}"\nx "$.SECTION"\n'
    )
    assert reading.messages == []
    assert reading.words == ["x t.cfg:1:", "global", "x global", "listen l4", "x l4"]


def test_local_peer(config: Reader) -> None:
    text = 'global\n localpeer zz\n x "$HAPROXY_LOCALPEER" "$HAPROXY_CFGFILES"\n'
    assert config(text).words[2] == "x zz t.cfg"
    assert config(text, peer="given").words[2] == "x given t.cfg"
    assert config('x "$HAPROXY_LOCALPEER"\n', peer="given").words == ["x given"]


def test_several_files_and_directories(config: Reader, tmp_path: Path) -> None:
    directory = tmp_path / "d"
    (directory / "sub.cfg").mkdir(parents=True)
    for name in ("a.cfg", "B.cfg", ".hidden.cfg", "10-x.cfg", "other.txt"):
        (directory / name).write_text(f'x "{name}" "${{.SECTION-}}y"\n')
    (tmp_path / "t.cfg").write_text("frontend f\n")
    reading = Reading("t.cfg", "d")
    assert reading.words == ["frontend f", "x 10-x.cfg y", "x B.cfg y", "x a.cfg y"]
    assert [line.source.name for line in reading.lines[1:]] == ["d/10-x.cfg", "d/B.cfg", "d/a.cfg"]


def test_an_unreadable_file_is_reported_and_nothing_is_read(config: Reader) -> None:
    Path("t.cfg").write_text("x\n")
    reading = Reading("t.cfg", "nope.cfg")
    assert reading.words == []
    what = "Cannot open configuration file/directory nope.cfg : No such file or directory"
    assert reading.messages == [f"0: {what}"]


def test_default_path(config: Reader, tmp_path: Path) -> None:
    (tmp_path / "d" / "e").mkdir(parents=True)
    (tmp_path / "d" / "e" / "f.cfg").write_text("x\n")
    for mode, expected in (
        ("current", tmp_path),
        ("config", tmp_path / "d" / "e"),
        ("parent", tmp_path / "d"),
        ("origin d", tmp_path / "d"),
    ):
        (tmp_path / "t.cfg").write_text(f"global\n default-path {mode}\n")
        reading = Reading("t.cfg", "d/e/f.cfg")
        assert reading.directories[-1] == str(expected), mode
        assert os.getcwd() == str(tmp_path)


@pytest.mark.parametrize(
    ("line", "start"),
    [
        ("default-path", "missing default-path mode '' for 'default-path', supported modes"),
        ("default-path foo", "unsupported default-path mode 'foo'"),
        ("default-path origin", "'default-path origin' expects a directory as an argument."),
        ("default-path origin /nope", "couldn't set 'default-path' to origin '/nope':"),
    ],
)
def test_bad_default_path(config: Reader, line: str, start: str) -> None:
    reading = config(f"global\n {line}\n")
    assert reading.words == ["global"]
    assert [d.message[: len(start)] for d in reading.diagnostics] == [start]
    assert os.getcwd() == str(Path("t.cfg").resolve().parent)


# fmt: off
PIECES = [
    b"global", b"frontend f", b".if ", b".elif ", b".else", b".endif", b"1", b"0", b"\n", b"\n", b" ", b'"',
    b"'", b"$", b"${A[*]}", b"\\", b"x41", b"#", b"\r", b"\0", b"\xff", b"\xc2\xa0", b"setenv A b",
    b"no ", b"[a]", b".notice ", b"streq(", b")", b"default-path config", b"resetenv", b"a" * 100,
]
# fmt: on


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_any_bytes_give_lines_or_diagnostics(config: Reader, pieces: list[bytes]) -> None:
    reading = config(b"".join(pieces))
    for line in reading.lines:
        assert all(line.words) and len(line.words) <= 64
        assert len(line.starts) == len(line.words)
    assert not reading.aborted or reading.diagnostics.count(Severity.ALERT)


def test_a_very_long_line(config: Reader) -> None:
    assert len(config("description " + "x" * 1_000_000 + "\n").lines[0].words[1]) == 1_000_000
    reading = config("x " + "'a' " * 250_000 + "\n")
    assert [message[:17] for message in reading.messages] == ["1: too many words"]
    assert config("x '" + "\\ " * 100_000 + "\n").diagnostics.has_errors
