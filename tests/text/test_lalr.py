"""The parse tables: fresh, and giving the trees that Lark gives, for right and wrong input alike."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken
from lark.lexer import Lexer

from evener.haproxy.grammar_tables import TABLES
from evener.keepalived.grammar_tables import TABLES as KEEPALIVED
from evener.text import lalr
from evener.text.lalr import Leaf, Node, Parser, SyntaxFault
from evener.text.lalr_tables import MODULES, ROOT, tables

FIRST = MODULES["haproxy/grammar_tables.py"][1]


class Given(Lexer):
    """Passes on terminals that are already made."""

    def __init__(self, conf: Any) -> None:
        del conf

    def lex(self, lexer_state: Any, parser_state: Any = None) -> Any:
        for index, kind in enumerate(lexer_state):
            yield Token(kind, kind, start_pos=index, end_pos=index + 1)


def lark(name: str) -> Lark:
    text = (ROOT / "grammars" / "haproxy" / f"{name}.lark").read_text("utf-8")
    more: Any = {"lexer": Given} if "%declare" in text else {}
    return Lark(text, start=FIRST[name], parser="lalr", propagate_positions=True, **more)


def picture(node: Any) -> Any:
    """A tree of either kind as plain values."""
    if isinstance(node, Tree):
        meta = node.meta
        ends = (None, None) if meta.empty else (meta.start_pos, meta.end_pos)
        return (node.data, *ends, [picture(child) for child in node.children])
    if isinstance(node, Node):
        return (node.data, node.start, node.end, [picture(child) for child in node.children])
    if isinstance(node, Token):
        return (node.type, str(node), node.start_pos)
    return (node.kind, node.text, node.start) if isinstance(node, Leaf) else node


@pytest.mark.parametrize("module", MODULES)
def test_not_stale(module: str) -> None:
    assert (ROOT / module).read_text("utf-8") == tables(module), "run 'python -m evener.text.lalr_tables'"


@pytest.mark.parametrize("name", ["acl", "expr", "logformat"])
def test_terminals_that_are_given(name: str) -> None:
    reference, parser = lark(name), Parser(TABLES[name])
    kinds = sorted({kind for row in TABLES[name]["states"] for kind in row if kind[0].isupper()})

    @settings(max_examples=150, deadline=None)
    @given(st.lists(st.sampled_from(kinds), max_size=12))
    def compare(sequence: list[str]) -> None:
        try:
            tree: Any = reference.parse(sequence)  # type: ignore[arg-type]
            wanted = picture_of_indexes(tree)
        except UnexpectedToken as error:
            last = error.token.type == "$END"
            wanted = len(sequence) if last else error.token.start_pos
        try:
            found = picture(parser.kinds(sequence))
        except SyntaxFault as fault:
            found = fault.at
        assert found == wanted

    compare()


def picture_of_indexes(tree: Any) -> Any:
    if isinstance(tree, Token):
        return tree.start_pos
    meta = tree.meta
    ends = (None, None) if meta.empty else (meta.start_pos, meta.end_pos)
    return (tree.data, *ends, [picture_of_indexes(child) for child in tree.children])


PIECES = [
    "a",
    "\\",
    "\\x4",
    "\\x41",
    "\\n",
    "'",
    '"',
    "$",
    "${",
    "}",
    "$a",
    "${a[*]}",
    "${a-b}",
    "#",
    " ",
    "\t",
    "\r",
]


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.text(max_size=12)))
def test_lines(text: str) -> None:
    line = text.lstrip(" \t\v\f\r").replace("\n", "") + "\n"
    wanted = picture(REFERENCE.parse(line))
    assert picture(Parser(TABLES["config"]).text(line)) == wanted


REFERENCE = lark("config")


def test_a_text_that_fits_nowhere() -> None:
    with pytest.raises(SyntaxFault) as caught:
        Parser(TABLES["config"]).text("a\n\n")
    assert caught.value.at == 2
    with pytest.raises(UnexpectedInput):
        REFERENCE.parse("a\n\n")


def test_a_repetition_grows_one_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copying it at each step made long blocks cost the square of their length."""
    lists: list[list[Any]] = []
    whole = lalr.Node

    def noted(name: str, children: list[Any], *places: int | None) -> Node:
        if not any(children is known for known in lists):
            lists.append(children)
        return whole(name, children, *places)

    monkeypatch.setattr(lalr, "Node", noted)
    several = 50
    Parser(KEEPALIVED["config"]).kinds(["WORD", "OPEN", *["WORD", "END"] * several, "CLOSE"])
    long = [found for found in lists if len(found) > several // 2]
    assert len(long) <= 2
