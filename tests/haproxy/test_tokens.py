"""Words of a line: every row of the quoting rules, what the environment adds, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evener.haproxy import tokens
from evener.haproxy.excerpt import excerpt
from evener.haproxy.tokens import BrokenLine, columns, tokenize, words_and_columns

ENVIRONMENT = {
    "HOME": "/home",
    "EMPTY": "",
    "LIST": "1 2 3",
    "LOOSE": "  1   2  ",
    ".FILE": "t.cfg",
    ".LINE": "7",
    ".SECTION": "web",
}


def words(text: str) -> list[str]:
    return tokenize(text, ENVIRONMENT.get)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("global#comment", ["global"]),
        ("a#b", ["a"]),
        ("a\tb \v c\fd  ", ["a", "b", "c", "d"]),
        (r"a\ b", ["a b"]),
        (r"a\\b \# \' \"", ["a\\b", "#", "'", '"']),
        (r"a\tb\nc\rd", ["a\tb\nc\rd"]),
        (r"\x41\x7a", ["Az"]),
        (r"\1 \d+ \, \$x $x", ["\\1", "\\d+", "\\,", "\\$x", "$x"]),
        (r'"\1 \d+ \, \$x"', ["\\1 \\d+ \\, $x"]),
        (r"'\x41 \t $HOME # \\'", [r"\x41 \t $HOME # \\"]),
        (r'''"a'b" 'a"b' "a # b"''', ["a'b", 'a"b', "a # b"]),
        (r'"a\"b\\" "\#\ \t"', ['a"b\\', "# \t"]),
        (r"""pre"$HOME"post 'sq'"dq"un""", ["pre/homepost", "sqdqun"]),
        ("a\\", ["a\\"]),
        ("a\\\tb", ["a\\", "b"]),
        ('"" x', ["", "x"]),
        ('x"" y', ["x", "y"]),
        ("caf\u00e9 x", ["caf\u00e9", "x"]),
        ("a\u00a0b", ["a\u00a0b"]),
        (r"\xc3\xa9", ["\u00e9"]),
        (r"\xff", ["\udcff"]),
        (r"a\x00b \x00c", ["a", ""]),
        ("a b\r", ["a", "b"]),
        ("a \rb", ["a", "b"]),
        ("a\rb", ["a"]),
        ("", []),
        ("   # only a comment", []),
    ],
)
def test_quoting(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$HOME ${HOME} '$HOME'", ["$HOME", "${HOME}", "$HOME"]),
        ('"$HOME" "${HOME}/x" "$HOME/x"', ["/home", "/home/x", "/home/x"]),
        ('"$UNSET" "${EMPTY}"', ["", ""]),
        ('"${UNSET-a b}" "${EMPTY-x}" "${HOME-x}" "${UNSET-}"', ["a b", "", "/home", ""]),
        ('"${UNSET-${HOME}}"', ["${HOME}"[:-1] + "}"]),
        (r'"${UNSET-x"y}" "${UNSET-x\}"', ['x"y', "x\\"]),
        ('"${LIST[*]}" x', ["1", "2", "3", "x"]),
        ('"a${LIST[*]}c"', ["a1", "2", "3c"]),
        ('"${LIST[*]}${LIST[*]}"', ["1", "2", "31", "2", "3"]),
        ('"q${LOOSE[*]}z"', ["q", "1", "2", "z"]),
        ('"${UNSET[*]}" x "a${UNSET[*]}" "${EMPTY[*]}"', ["x", "a"]),
        ('"${UNSET[*]-d e}"', ["d", "e"]),
        ('"$LIST" "$LIST[*]"', ["1 2 3", "1 2 3[*]"]),
        ('"${.FILE}:$.LINE" "${.SECTION}"', ["t.cfg:7", "web"]),
    ],
)
def test_environment(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "code", "column"),
    [
        ('frontend "f', "unmatched-quote", 9),
        ("a 'b", "unmatched-quote", 2),
        ('"a" "b', "unmatched-quote", 4),
        ('"a\\', "unmatched-quote", 0),
        ('"a\rb"', "unmatched-quote", 0),
        ("'a\rb'", "unmatched-quote", 0),
        (r"frontend f\xZZ", "bad-hexadecimal", 10),
        (r'  "\x4g" "x', "bad-hexadecimal", 3),
        (r"\x4", "bad-hexadecimal", 0),
        ('frontend "${f"', "unmatched-brace", 11),
        ('"${a:-x}"', "unmatched-brace", 2),
        ('"${a b}"', "unmatched-brace", 2),
        ('"${a[*]"', "unmatched-brace", 2),
        ('frontend "$1f"', "bad-variable-name", 11),
        ('"$"', "bad-variable-name", 2),
        ('"${}"', "bad-variable-name", 3),
        ('"${1a}"', "bad-variable-name", 3),
        ('"${.FOO}"', "bad-variable-name", 3),
        ('"$.LINEx"', "bad-variable-name", 2),
        ('  x "${B[0]}"', "bad-word-expansion", 8),
        ('"$1" \\xzz "', "bad-variable-name", 2),
    ],
)
def test_broken_lines(text: str, code: str, column: int) -> None:
    with pytest.raises(BrokenLine) as caught:
        words(text)
    assert (caught.value.code, caught.value.column) == (code, column)
    with pytest.raises(BrokenLine) as again:
        words_and_columns(text, ENVIRONMENT.get)
    assert again.value.column == column


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("  a  bc # d", ["a", "bc"]),
        (r"  a\ b  'c d'e # f", [r"a\ b", "'c d'e"]),
        ('\tx "caf\u00e9 y"  z', ["x", '"caf\u00e9 y"', "z"]),
        (r"a \x41b\t c", ["a", r"\x41b\t", "c"]),
    ],
)
def test_columns(text: str, spans: list[str]) -> None:
    starts, ends = columns(text)
    assert [text[a:b] for a, b in zip(starts, ends, strict=True)] == spans
    assert (starts, ends) == words_and_columns(text, ENVIRONMENT.get)[1]


def test_columns_of_expanded_words() -> None:
    found, (starts, ends) = words_and_columns('  a "${LIST[*]}x" b', ENVIRONMENT.get)
    assert found == ["a", "1", "2", "3x", "b"]
    assert starts == [2, 4, 4, 4, 18]
    assert ends == [3, 17, 17, 17, 19]


def test_a_known_shape_is_filled_with_the_new_text() -> None:
    assert words('log "a b" \\x41x # c') == ["log", "a b", "Ax"]
    known = len(tokens._templates)
    assert words('bind "cd  e" \\x41yz # other words') == ["bind", "cd  e", "Ayz"]
    assert words("bind 'cd'") == ["bind", "cd"]
    assert len(tokens._templates) <= known + 2


NASTY = st.text(alphabet=st.sampled_from("ab1 \t\"'\\#$\r{}[]*-.x:,()\u00e9\u00a0\x85\x1c"), max_size=40)


@given(NASTY)
def test_any_line_has_words_or_is_broken(text: str) -> None:
    try:
        found = words(text)
    except BrokenLine as error:
        assert 0 <= error.column <= len(text)
        return
    again, (starts, ends) = words_and_columns(text, ENVIRONMENT.get)
    assert again == found
    assert len(starts) == len(ends) == len(found)
    assert all(0 <= a <= b <= len(text) for a, b in zip(starts, ends, strict=True))


@given(NASTY)
def test_the_memo_changes_nothing(text: str) -> None:
    def outcome() -> object:
        try:
            return words(text)
        except BrokenLine as error:
            return (error.code, error.column)

    before = outcome()
    tokens._templates.clear()
    assert outcome() == before


def test_excerpt_cuts_long_lines_around_the_place() -> None:
    assert excerpt('  a "', 4) == ('  a "', "    ^")
    line, caret = excerpt("a" * 80 + '"' + "b" * 100, 80)
    assert line == "  ..." + "a" * 37 + '"' + "b" * 36 + "..."
    assert caret == " " * 42 + "^"
    assert excerpt("a" * 10 + '"' + "b" * 100, 10)[0] == "  " + "a" * 10 + '"' + "b" * 69
    assert excerpt('\u00e9\x01\t"', 3) == ('  ??? "', "      ^")
