"""The shape memo: each distinct sequence of terminals is parsed once.

Configurations repeat a few hundred shapes tens of thousands of times. So readers tokenise (they know
the quoting), and ask here for the tree of the *kinds* of their tokens; leaves of that tree are indexes
into the caller's token list. The grammars are Lark's, in ``grammars/haproxy``; what runs is their tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from evener.haproxy.grammar_tables import TABLES
from evener.text.lalr import Node, Parser, SyntaxFault

Kinds = tuple[str, ...]


class ShapeError(Exception):
    """The terminals do not fit the grammar; ``index`` is the first one that does not (or their number)."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


class Shapes:
    """The shapes of one grammar file of ``grammars/haproxy``."""

    def __init__(self, grammar: str) -> None:
        self._grammar = grammar
        self._known: dict[Kinds, Node | ShapeError] = {}

    def tree(self, kinds: Kinds) -> Node:
        """The tree of that sequence of terminals, with indexes as leaves; raises ShapeError."""
        known = self._known.get(kinds)
        if known is None:
            known = self._known[kinds] = self._parse(kinds)
        if isinstance(known, ShapeError):
            raise known
        return known

    def _parse(self, kinds: Kinds) -> Node | ShapeError:
        try:
            return parser(self._grammar).kinds(kinds)
        except SyntaxFault as fault:
            return ShapeError(fault.at)


@cache
def parser(grammar: str) -> Parser:
    """The parser of a grammar of ``grammars/haproxy``."""
    return Parser(TABLES[grammar])


def kinds(tokens: Sequence[tuple[str, Any]]) -> Kinds:
    """The kinds of tokens written as pairs (kind, anything)."""
    return tuple(token[0] for token in tokens)
