"""The Lark grammars of keepalived.conf, built when the first line needs them.

``statement`` turns the tokens of one outermost entry into a ``Statement`` tree (config.lark);
``value`` takes apart one word that has inner structure (value.lark): ``10.0.0.1/24``, ``80-90``,
``5/0xff``. Neither knows a keyword. Lark is imported here only: programs that read no keepalived.conf
do not pay for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

from evener.keepalived.line import Statement
from evener.keepalived.shape import Kind, Token

if TYPE_CHECKING:
    from lark import Lark


def _text(name: str) -> str:
    return (resources.files("evener") / "grammars" / "keepalived" / name).read_text("utf-8")


@cache
def _config() -> Lark:
    import lark

    class Lexer(lark.lexer.Lexer):
        """Passes on tokens that are already made."""

        def __init__(self, conf: Any) -> None:
            del conf

        def lex(self, lexer_state: Any, parser_state: Any = None) -> Iterator[lark.Token]:
            names = {kind.value[0]: kind.value for kind in Kind}
            for place, letter in enumerate(lexer_state):
                made = lark.Token(names[letter], "")
                made.value = place
                yield made

    class Builder(lark.Transformer[Any, Shape]):
        """Shapes straight from the parser's stack; no tree is kept."""

        def leaf(self, children: list[Any]) -> Shape:
            return Shape(children[0].value, children[-1].value)

        def block(self, children: list[Any]) -> Shape:
            body = tuple(child for child in children if isinstance(child, Shape))
            line = next(child.value for child in children if getattr(child, "type", "") == Kind.OPEN.value)
            return Shape(children[0].value, line, body, children[-1].value)

    return lark.Lark(_text("config.lark"), parser="lalr", lexer=Lexer, transformer=Builder())


class Shape(NamedTuple):
    """A statement whose words and lines are places in a list of tokens: words from ``first`` to ``line``."""

    first: int
    line: int
    body: tuple[Shape, ...] | None = None
    end: int = 0


@lru_cache(maxsize=512)
def _shape(letters: str) -> Shape:
    """Of tokens of these kinds; entries often look alike, and the parser is the slow part."""
    made: Any = _config().parse(letters)
    assert isinstance(made, Shape)
    return made


def _filled(shape: Shape, values: list[Any]) -> Statement:
    words, line = tuple(values[shape.first : shape.line]), values[shape.line]
    if shape.body is None:
        return Statement(line, words)
    return Statement(line, words, tuple(_filled(inner, values) for inner in shape.body), values[shape.end])


def statement(tokens: list[Token]) -> Statement:
    """The statement that the tokens of one outermost entry make."""
    shape = _shape("".join(token.kind.value[0] for token in tokens))
    return _filled(shape, [token.value for token in tokens])


@cache
def _value() -> Lark:
    import lark

    return lark.Lark(
        _text("value.lark"), parser="lalr", start=["network", "range", "masked"], maybe_placeholders=True
    )


@lru_cache(maxsize=1024)
def value(kind: str, text: str) -> tuple[str | None, ...] | None:
    """The parts of ``text`` (``network``, ``range`` or ``masked``); None when it has not this shape.

    A part that may be left out and is, is None.
    """
    import lark

    try:
        tree: Any = _value().parse(text, start=kind)
    except lark.exceptions.UnexpectedInput:
        return None
    return tuple(None if child is None else str(child) for child in tree.children)
