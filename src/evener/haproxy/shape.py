"""The shape memo: Lark parses each distinct sequence of terminals once.

Configurations repeat a few hundred shapes tens of thousands of times. So readers tokenise (they know
the quoting), and ask here for the tree of the *kinds* of their tokens; leaves of that tree are indexes
into the caller's token list. Lark is imported the first time a shape is not yet known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lark import Lark, Tree

Kinds = tuple[str, ...]


class ShapeError(Exception):
    """The terminals do not fit the grammar; ``index`` is the first one that does not (or their number)."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


class Shapes:
    """The shapes of one grammar file of ``grammars/haproxy``."""

    def __init__(self, grammar: str, start: str) -> None:
        self._grammar = grammar
        self._start = start
        self._parser: Lark | None = None
        self._known: dict[Kinds, Tree[int] | ShapeError] = {}

    def tree(self, kinds: Kinds) -> Tree[int]:
        """The tree of that sequence of terminals, with indexes as leaves; raises ShapeError."""
        known = self._known.get(kinds)
        if known is None:
            known = self._known[kinds] = self._parse(kinds)
        if isinstance(known, ShapeError):
            raise known
        return known

    def _parse(self, kinds: Kinds) -> Tree[int] | ShapeError:
        from lark.exceptions import UnexpectedInput, UnexpectedToken

        parser = self._parser = self._parser or self._load()
        try:
            tree: Any = parser.parse(kinds)
        except UnexpectedToken as error:
            at = error.token.start_pos
            return ShapeError(len(kinds) if at is None or error.token.type == "$END" else at)
        except UnexpectedInput:
            return ShapeError(len(kinds))
        for node in tree.iter_subtrees():
            node.children = [c.start_pos if hasattr(c, "start_pos") else c for c in node.children]
        return tree  # type: ignore[no-any-return]

    def _load(self) -> Lark:
        from importlib import resources

        from lark import Lark, Token
        from lark.lexer import Lexer

        class Given(Lexer):
            """The tokens are given; nothing is left to find."""

            def __init__(self, lexer_conf: Any) -> None:
                del lexer_conf

            def lex(self, lexer_state: Any, parser_state: Any = None) -> Iterator[Any]:
                for index, kind in enumerate(lexer_state):
                    yield Token(kind, kind, start_pos=index)

        text = (resources.files("evener") / "grammars" / "haproxy" / self._grammar).read_text("utf-8")
        return Lark(text, start=self._start, parser="lalr", lexer=Given)


def kinds(tokens: Sequence[tuple[str, Any]]) -> Kinds:
    """The kinds of tokens written as pairs (kind, anything)."""
    return tuple(token[0] for token in tokens)
