"""Logical lines in, tokens out: what belongs to which block, and every complaint about braces.

In this language the braces alone do not give the structure: the body of an unknown block is read as if
it stood in the block around it, a block keyword without ``{`` opens its block all the same, and a ``{``
after a word that opens nothing is dropped. So the words are looked up while the tokens are made, as a C
lexer looks up type names; the grammar sees only what is well formed. ``Outline`` is all this
module knows of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from itertools import chain
from typing import NamedTuple, Protocol

from evener.keepalived.line import Line, UnmatchedQuote, Word, split
from evener.keepalived.passages import Passage
from evener.text.diagnostic import Diagnostic, Diagnostics, Severity


class Form(Enum):
    """What a keyword is followed by."""

    LEAF = "leaf"  #: words
    VALUES = "values"  #: words, then a block whose lines are values
    BLOCK = "block"  #: words, then a block whose lines begin with keywords


class Outline(Protocol):
    """The keywords of one kind of block."""

    def form(self, keyword: str) -> Form | None:
        """None: there is no such keyword here."""

    def inside(self, keyword: str) -> Outline:
        """The outline of the block that ``keyword`` opens."""


class Kind(Enum):
    """The tokens of grammars/keepalived/config.lark."""

    WORD = "WORD"
    END = "END"
    OPEN = "OPEN"
    CLOSE = "CLOSE"


class Token(NamedTuple):
    kind: Kind
    value: Word | Line


class Shaper:
    """Makes the tokens of one configuration, one outermost entry after the other."""

    def __init__(
        self,
        root: Outline,
        lines: Iterator[Line | Passage],
        missing: Callable[[], int],
        found: Diagnostics,
        take: Callable[[Passage], bool] = lambda passage: False,
    ) -> None:
        self._root = root
        self._lines = lines
        self._missing = missing
        self._diagnostics = found
        self._take = take
        self._waiting: Line | Passage | None = None
        # None stands for a block of values.
        self._stack: list[Outline | None] = [root]
        self._opened: Line | None = None
        """Where the outermost block that is open begins."""

    def entries(self) -> Iterator[list[Token]]:
        """The tokens of each outermost entry."""
        tokens: list[Token] = []
        last: Line | None = None
        while (line := self._next()) is not None:
            if isinstance(line, Passage):
                if len(self._stack) > 1 or not self._take(line):
                    self._lines = chain(line.lines(), self._lines)
                continue
            last = line
            tokens += self._line(line)
            if tokens and len(self._stack) == 1:
                yield tokens
                tokens = []
        missing = self._missing()
        if missing:
            message = f"There are {missing} missing '}}'s or extra '{{'s"
            opened = f"the block opened in line {self._opened.number} is not closed" if self._opened else ""
            details = (opened,) if opened and len(self._stack) > 1 else ()
            self._diagnostics.add(Diagnostic("missing-brace", Severity.ALERT, message, details=details))
        if tokens and last is not None:
            yield tokens + [Token(Kind.CLOSE, last)] * (len(self._stack) - 1)

    def _next(self) -> Line | Passage | None:
        line, self._waiting = self._waiting, None
        return next(self._lines, None) if line is None else line

    def _line(self, line: Line) -> list[Token]:
        if line.text == "}":
            return self._close(line)
        opened = line.text.endswith("{") and not line.text.endswith('"')
        head = line.cut(0, len(line.text) - 1) if opened else line
        words = self._words(head)
        if not words:
            if opened:
                self._unexpected(line)
            return []
        outline = self._stack[-1]
        form = Form.LEAF if outline is None else outline.form(words[0].text)
        if form is None:
            message = f"Unknown keyword '{words[0].text}'"
            self._diagnostics.alert("unknown-keyword", message, line.span(words[0].start, words[0].end))
        if form is None or form is Form.LEAF:
            if opened:
                self._unexpected(line)
            return [] if form is None else [*_tokens(words), Token(Kind.END, head)]
        if not opened and not self._open(line) and form is Form.BLOCK:
            # As in the original: what follows is read in the block around.
            place = (self._waiting or line).span()
            message = "Missing '{' at beginning of configuration block"
            self._diagnostics.alert("missing-open-brace", message, place)
            return []
        assert outline is not None
        if len(self._stack) == 1:
            self._opened = line
        self._stack.append(outline.inside(words[0].text) if form is Form.BLOCK else None)
        return [*_tokens(words), Token(Kind.OPEN, head)]

    def _close(self, line: Line) -> list[Token]:
        if len(self._stack) == 1:
            self._diagnostics.alert("unknown-keyword", "Unknown keyword '}'", line.span())
            return []
        self._stack.pop()
        return [Token(Kind.CLOSE, line)]

    def _open(self, line: Line) -> bool:
        """A block keyword without its brace: it has to be the next line (values may do without)."""
        self._waiting = self._next()
        if self._waiting is not None and self._waiting.text == "{":
            self._waiting = None
            return True
        return False

    def _words(self, line: Line) -> list[Word]:
        try:
            return split(line.text)
        except UnmatchedQuote as error:
            self._diagnostics.alert("unmatched-quote", f"Unmatched quote: '{line.text}'", line.span())
            return error.words

    def _unexpected(self, line: Line) -> None:
        brace = line.span(len(line.text) - 1)
        self._diagnostics.alert("unexpected-brace", "Unexpected '{' - ignoring", brace)


def _tokens(words: list[Word]) -> list[Token]:
    return [Token(Kind.WORD, word) for word in words]
