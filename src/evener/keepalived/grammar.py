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
from typing import TYPE_CHECKING, Any

from evener.keepalived.line import Statement
from evener.keepalived.shape import Token

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
            for token in lexer_state:
                made = lark.Token(token.kind.value, "")
                made.value = token.value
                yield made

    class Builder(lark.Transformer[Any, Statement]):
        """Statements straight from the parser's stack; no tree is kept."""

        def leaf(self, children: list[Any]) -> Statement:
            *words, end = (child.value for child in children)
            return Statement(end, tuple(words))

        def block(self, children: list[Any]) -> Statement:
            *parts, close = children
            body = tuple(child for child in parts if isinstance(child, Statement))
            *words, line = (child.value for child in parts if not isinstance(child, Statement))
            return Statement(line, tuple(words), body, close.value)

    return lark.Lark(_text("config.lark"), parser="lalr", lexer=Lexer, transformer=Builder())


def statement(tokens: list[Token]) -> Statement:
    """The statement that the tokens of one outermost entry make."""
    made: Any = _config().parse(tokens)
    assert isinstance(made, Statement)
    return made


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
