"""Reading rules 1 to 10: what remains of the text when the parser sees it."""

from __future__ import annotations

import pytest
from kadtext import read, said

import evener.keepalived.reader
from evener.keepalived.comments import uncomment
from evener.keepalived.files import Disk, Memory, Problem, alternatives
from evener.keepalived.include import ALL_CHECKS, Check
from evener.keepalived.line import UnmatchedQuote, split
from evener.keepalived.reader import MAX_DEPTH, Options, Reader
from evener.text.diagnostic import Diagnostics, FatalConfiguration


def lines(text: str | bytes, config_id: str = "node", **texts: str) -> list[str]:
    content = text if isinstance(text, bytes) else text.encode()
    files = Memory({"dir/k.conf": content, **{f"dir/{n}.inc": t.encode() for n, t in texts.items()}})
    reader = Reader(Options(config_id, {"HOME": "/home/me"}, files), Diagnostics())
    return [line.text for line in reader.lines("dir/k.conf")]


@pytest.mark.parametrize(
    ("raw", "left"),
    [
        ("  priority 1 # c", "priority 1"),
        ("a#b", "a"),
        ("a!b", "a"),
        (r"a\#b", "a#b"),
        (r"a\!b", "a!b"),
        (r"a\ b", r"a\ b"),
        ('r "a#b" ! c', 'r "a#b"'),
        ("# all", ""),
        ("a\r", "a"),
    ],
)
def test_comments(raw: str, left: str) -> None:
    assert uncomment(raw).text == left


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a  b\tc", ["a", "b", "c"]),
        ('a "b c" d', ["a", "b c", "d"]),
        ('a"b c"d', ["a", "b c", "d"]),
        ("x 'a b'", ["x", "'a", "b'"]),
        ('x "" y', ["x", "", "y"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert [word.text for word in split(text)] == words


def test_a_quote_that_does_not_end_keeps_the_words_before_it() -> None:
    with pytest.raises(UnmatchedQuote) as caught:
        split('a b "c')
    assert [word.text for word in caught.value.words] == ["a", "b"]


def test_words_know_their_columns() -> None:
    assert [(w.start, w.end) for w in split(' a "b c"')] == [(1, 2), (3, 8)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a { b }", ["a {", "b", "}"]),
        ("a{b}c", ["a{", "b", "}", "c"]),
        ('a "{" b', ['a "{" b']),
        ("a\n{\nb\n}\n", ["a", "{", "b", "}"]),
    ],
)
def test_braces_end_lines(text: str, expected: list[str]) -> None:
    assert lines(text) == expected


@pytest.mark.parametrize(
    ("text", "config_id", "expected"),
    [
        ("@node a", "node", ["a"]),
        ("@other a", "node", []),
        ("@^other a", "node", ["a"]),
        ("@^node a", "node", []),
        ("@node @^other a", "node", ["a"]),
        ("@ node\nb", "node", ["b"]),
        ("@node\nb", "node", ["b"]),
        ("$C=@node\n$C a", "node", ["@node a"]),
    ],
)
def test_conditions(text: str, config_id: str, expected: list[str]) -> None:
    assert lines(text, config_id) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$A=1\nx $A", ["x 1"]),
        ("$A=1\n$A=2\nx $A", ["x 2"]),
        ("x $A\n$A=1", ["x $A"]),
        ("$A=10.0.0\nx $A.9 ${A}.9", ["x $A.9 10.0.0.9"]),
        ("$A=${B}.1\n$B=2\nx $A", ["x 2.1"]),
        ("$A=\nx${A}y", ["xy"]),
        ("$P =7\nx $P", ["$P =7", "x $P"]),
        ("$1=2", ["$1=2"]),
        ("$I= \\\na ${N} { \\\n b \\\n}\n$N=3\n$I\n$N=4\n$I", ["a 3 {", "b", "}", "a 4 {", "b", "}"]),
        ("$IN= \\\nb $N \\\n$N=9\n$X= \\\na \\\n$IN \\\nc\n$N=1\n$X\nx $N", ["a", "b 1", "c", "x 9"]),
        ("$H=\\#\n$H gone\nkept", ["kept"]),
        ("x ${_PWD} $_INSTANCE ${_ENV HOME} ${_RANDOM 5 5}", ["x dir node /home/me 5"]),
        ('x "${_HASH}1${_BANG}"', ['x "#1!"']),
    ],
)
def test_parameters(text: str, expected: list[str]) -> None:
    assert lines(text) == expected


def test_a_comment_and_an_empty_line_end_a_definition() -> None:
    assert lines("$X= \\\na \\\n\nb\n$X") == ["b", "a"]
    assert lines("$X= \\\na \\\n# c \\\nb\n$X") == ["b", "a"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("~SEQ(N,1,3) x${N}", ["x1", "x2", "x3"]),
        ("~SEQ(N,2) x${N}", ["x1", "x2"]),
        ("~SEQ(N,6,-2,2) x${N}", ["x6", "x4", "x2"]),
        ("~SEQx(N,10,2,14) x${N}", ["xa", "xc", "xe"]),
        ("~SEQx(N,0x90,0x10,0xb0) x${N}", ["x90", "xa0", "xb0"]),
        ("~SEQ(A,1,2) ~SEQ(B,1,2) ${A}.${B}", ["1.1", "1.2", "2.1", "2.2"]),
        ("~LST(N,1,4) x${N}", ["x1", "x4"]),
        ("~LST({A,B},{1,2},{3}) ${A}.${B}", ["1.2", "3."]),
        ("$E=2\n~SEQ(N,1,$E) x${N}", ["x1", "x2"]),
        ("~FOO(1) x", ["~FOO(1) x"]),
    ],
)
def test_sequences(text: str, expected: list[str]) -> None:
    assert lines(text) == expected


@pytest.mark.parametrize("text", ["~SEQ(N,1,0,5) x", "~SEQ(N 1,5) x", "~SEQ(N,5,1,2) x", "~SEQ(N,1_0) x"])
def test_bad_sequences_are_reported(text: str) -> None:
    assert f"(Line 1) Invalid ~SEQ specification '{text}'" in said(text)


def test_a_list_with_too_many_values() -> None:
    text = "~LST({A,B},{1,2,3}) x"
    assert said(text)[0] == f"(Line 1) ~LST specification has too many values '{text}'"


@pytest.mark.parametrize(
    "text",
    [
        "$A=$A\nx $A",
        "$A=${B}\n$B=${A}\nx ${A}",
        "$A= \\\n$A \\\n$A\n$A",
        "$A=${B}${B}\n$B=${C}${C}\n$C=" + "y" * 900 + "${A}\nx ${A}",
    ],
)
def test_endless_expansions_end(text: str) -> None:
    configuration, found = read(text)
    assert configuration is None
    assert {d.code for d in found} & {"parameter-loop", "too-many-lines"}


def test_includes_are_relative_to_their_file() -> None:
    files = Memory({"a/k.conf": b"x\ninclude b/*.inc\ny\n", "a/b/1.inc": b"include 2.c\n", "a/b/2.c": b"z\n"})
    reader = Reader(Options(files=files), Diagnostics())
    assert [(line.text, line.source.name) for line in reader.lines("a/k.conf")] == [
        ("x", "a/k.conf"),
        ("z", "2.c"),
        ("y", "a/k.conf"),
    ]


def test_a_huge_sequence_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evener.keepalived.reader, "MAX_LINES", 1000)
    _, found = read("~SEQ(N,1,999999999999) ~SEQ(M,1,2) @no x")
    assert [d.code for d in found] == ["too-many-lines"]


def test_replacing_without_end_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evener.keepalived.reader, "MAX_WORK", 10_000)
    _, found = read("$A=" + "x" * 500 + "\n" + "$A\n" * 100)
    assert [d.code for d in found if d.code != "unknown-keyword"] == ["parameter-loop"]


def test_a_file_that_includes_itself_ends() -> None:
    found = Diagnostics()
    reader = Reader(Options(files=Memory({"k.conf": b"a\ninclude k.conf\n"})), found)
    with pytest.raises(FatalConfiguration):
        list(reader.lines("k.conf"))
    assert [d.code for d in found] == ["include-loop"]
    assert reader.files == MAX_DEPTH + 1


@pytest.mark.parametrize(
    ("line", "check", "code"),
    [
        ("include nope", Check.NONE, "include-not-found"),
        ("includer nope", Check.NONE, "include-not-found"),
        ("includem nope", Check.NONE, "include-missing"),
        ("includew nope", Check.NONE, "include-not-found"),
        ("includew n*", Check.NONE, "include-missing"),
        ("includea nope", Check.NONE, "include-missing"),
        ("include nope", ALL_CHECKS, "include-missing"),
        ("global_defs {\ninclude_check\n}\ninclude nope", Check.NONE, "include-missing"),
        ("global_defs {\ninclude_check -match +read\n}\ninclude nope", ALL_CHECKS, "include-not-found"),
    ],
)
def test_missing_includes(line: str, check: Check, code: str) -> None:
    _, found = read(line, check=check)
    assert [d.code for d in found] == [code]


def test_messages_name_the_file_when_there_are_several() -> None:
    assert said("include b.inc\n", files={"b.inc": "\nbogus\n"}) == [
        "(b.inc: Line 2) Unknown keyword 'bogus'"
    ]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("a", ["a"]), ("{a,b}c", ["ac", "bc"]), ("x{a,{b,c}}", ["xa", "xb", "xc"]), ("{a", ["{a"])],
)
def test_braces_in_includes(pattern: str, expected: list[str]) -> None:
    assert alternatives(pattern) == expected


def test_many_alternatives_end() -> None:
    assert len(alternatives("{a,b}" * 40)) <= 1000


def test_the_disk_refuses_what_is_no_configuration(tmp_path: object) -> None:
    from pathlib import Path

    base = Path(str(tmp_path))
    (base / "x").write_text("a")
    (base / "x").chmod(0o755)
    (base / "d").mkdir()
    assert Disk().read(str(base / "x")) is Problem.UNSUITABLE
    assert Disk().read(str(base / "d")) is Problem.DIRECTORY
    assert Disk().read(str(base / "no")) is Problem.MISSING
    assert Disk().matches(str(base / "*")) == [str(base / "d") + "/", str(base / "x")]


def test_long_lines_and_nuls() -> None:
    assert said(b"x\0y\n") == ["(Line 1) configuration appears to have embedded NULs - ignoring line"]
    found = said(b"global_defs {\n router_id " + b"x" * 1100 + b"\n}\n")
    assert found[0] == "(Line 2) line too long - ignoring"
    assert found[1].startswith("(Line 2) Unknown keyword 'xxx")
    assert said(b"global_defs {\n router_id " + b"x" * 1000 + b"\n}\n") == []


def test_crlf_and_no_final_newline() -> None:
    assert lines("a\r\nb") == ["a", "b"]


def test_unterminated_quote() -> None:
    assert said('global_defs {\nrouter_id "abc\n}\n') == [
        "(Line 2) Unterminated quote 'router_id \"abc'",
        "(Line 2) Unmatched quote: 'router_id \"abc'",
        "(Line 2) routerid name missing - ignoring",
    ]


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("$A=$B=5\n$A\n$B\n", ["$B=5", "$B"]),
        ("$A=@zz foo\n$A\n", ["@zz foo"]),
        ("$A=~SEQ(x, 2) foo$x\n$A\n", ["~SEQ(x, 2) foo$x"]),
        ("$A= \\\n$B=5 \\\n$C=6\n$A\nb $B\nc $C\n", ["$B=5", "b $B", "c 6"]),
        ("$A=2\n~SEQ(x, $A) foo $x\n", ["foo 1", "foo 2"]),
        ("~SEQ(x, 2) $V=$x\nq $V\n", ["q 2"]),
    ],
)
def test_what_a_parameter_makes_is_words(text: str, made: list[str]) -> None:
    """As keepalived 2.4.3 was seen to read it: no definition, condition or sequence comes out of a value,
    but for the further lines of a definition of several."""
    assert lines(text) == made
