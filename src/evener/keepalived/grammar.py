"""The grammars of keepalived.conf, by the tables that Lark has made of them (``text.lalr_tables``).

``statement`` turns the tokens of one outermost entry into a ``Statement`` tree (config.lark);
``value`` takes apart one word that has inner structure: ``10.0.0.1/24`` and ``5/0xff`` (network.lark),
``80-90`` (range.lark). None knows a keyword.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any, NamedTuple

from evener.keepalived.grammar_tables import TABLES
from evener.keepalived.line import Statement
from evener.keepalived.shape import Kind, Token
from evener.text.lalr import Leaf, Node, Parser, SyntaxFault

NAMES = {kind.value[0]: kind.value for kind in Kind}
GRAMMARS = {"network": "network", "masked": "network", "range": "range"}


@cache
def _parser(grammar: str) -> Parser:
    return Parser(TABLES[grammar])


class Shape(NamedTuple):
    """A statement whose words and lines are places in a list of tokens: words from ``first`` to ``line``."""

    first: int
    line: int
    body: tuple[Shape, ...] | None = None
    end: int = 0


@lru_cache(maxsize=512)
def _shape(letters: str) -> Shape:
    """Of tokens of these kinds; entries often look alike, and the parser is the slow part."""
    tree = _parser("config").kinds([NAMES[letter] for letter in letters])
    return _shape_of(tree.children[0])


def _shape_of(node: Node) -> Shape:
    """Terminals are places; a block has its entries between that of its brace and that of the other one."""
    children = node.children
    if node.data == "leaf":
        return Shape(children[0], children[-1])
    body = tuple(_shape_of(child) for child in children if isinstance(child, Node))
    line = children[-len(body) - 2]
    return Shape(children[0], line, body, children[-1])


def _filled(shape: Shape, values: list[Any]) -> Statement:
    words, line = tuple(values[shape.first : shape.line]), values[shape.line]
    if shape.body is None:
        return Statement(line, words)
    return Statement(line, words, tuple(_filled(inner, values) for inner in shape.body), values[shape.end])


def statement(tokens: list[Token]) -> Statement:
    """The statement that the tokens of one outermost entry make."""
    shape = _shape("".join(token.kind.value[0] for token in tokens))
    return _filled(shape, [token.value for token in tokens])


@lru_cache(maxsize=1024)
def value(kind: str, text: str) -> tuple[str | None, ...] | None:
    """The parts of ``text`` (``network``, ``range`` or ``masked``); None when it has not this shape.

    The second part may be left out, and is None then.
    """
    try:
        tree = _parser(GRAMMARS[kind]).text(text)
    except SyntaxFault:
        return None
    parts = [child.text for child in tree.children if isinstance(child, Leaf)]
    return parts[0], parts[1] if len(parts) > 1 else None
