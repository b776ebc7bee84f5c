"""Logical lines in, tokens out: what belongs to which block, and every complaint about braces.

In this language the braces alone do not give the structure: the body of an unknown block is read as if
it stood in the block around it, a block keyword without ``{`` opens its block all the same, and a ``{``
after a word that opens nothing is dropped. So the words are looked up while the tokens are made, as a C
lexer looks up type names; the grammar sees only what is well formed. ``Outline`` is all this
module knows of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from itertools import chain
from typing import NamedTuple, Protocol

from evener.keepalived.line import Line, UnmatchedQuote, Word, split
from evener.keepalived.passages import Passage
from evener.text.diagnostic import Diagnostic, Diagnostics, Severity
from evener.text.render_keepalived import SharedDiagnostic
from evener.text.span import Span


class Form(Enum):
    """What a keyword is followed by."""

    LEAF = "leaf"  #: words
    VALUES = "values"  #: words, then a block whose lines are values
    BLOCK = "block"  #: words, then a block whose lines begin with keywords


class Outline(Protocol):
    """The keywords of one kind of block."""

    def form(self, keyword: str) -> Form | None:
        """None: there is no such keyword here."""

    def passed_over(self, words: Sequence[str]) -> bool:
        """Whether a block is not read, as these words before it are wrong."""

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
        self._others: _Bystander | None = None
        self._ended = False
        self.braceless: set[tuple[int, int]] = set()  #: sources and lines of blocks without their brace
        self.parted = ""  #: the keyword of the outermost block after which the others see other blocks
        self.hidden = False  #: whether the others do not see the entry that was handed out last
        self._said: set[tuple[int, str]] = set()

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
            if self._others is not None:
                if len(self._stack) == 1:
                    self.hidden = self._others.inside
                self._others.line(line)
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
        opened = _opens(line)
        head = line.cut(0, len(line.text) - 1) if opened else line
        words = self._words(head)
        if not words:
            if opened and self._stack[-1] is None:
                return self._brace(line, len(line.text))
            if opened:
                self._unexpected(line)
            return []
        outline = self._stack[-1]
        if outline is None and opened:
            # In a block of values the brace is one more value.
            end = len(line.text)
            return [*_tokens(words), Token(Kind.END, head), *self._brace(line, end)]
        form = Form.LEAF if outline is None else outline.form(words[0].text)
        if form is None:
            message = f"Unknown keyword '{words[0].text}'"
            self._say("unknown-keyword", message, line.span(words[0].start, words[0].end))
        if form is None or form is Form.LEAF:
            if opened:
                self._unexpected(line)
            return [] if form is None else [*_tokens(words), Token(Kind.END, head)]
        assert outline is not None
        there = opened or self._open(line)
        if there and form is Form.BLOCK and outline.passed_over([word.text for word in words]):
            last = self._past(line)
            return [*_tokens(words), Token(Kind.OPEN, head), Token(Kind.CLOSE, last)]
        if not there:
            # The process that owns the block reads on in it; the others know blocks by their braces.
            if form is Form.BLOCK:
                place = (self._waiting or line).span()
                message = "Missing '{' at beginning of configuration block"
                self._diagnostics.alert("missing-open-brace", message, place)
            self.braceless.add((id(line.source), line.number))
            self._part(len(self._stack) - 1)
        if len(self._stack) == 1:
            self._opened = line
        self._stack.append(outline.inside(words[0].text) if form is Form.BLOCK else None)
        return [*_tokens(words), Token(Kind.OPEN, head)]

    def _past(self, line: Line) -> Line:
        """The last line of a block that is passed over by its braces."""
        depth = 1
        while depth and (more := self._next()) is not None:
            if isinstance(more, Passage):
                self._lines = chain(more.lines(), self._lines)
                continue
            line = more
            if self._others is not None:
                self._others.line(line)
            depth += _change(line)
        return line

    def _part(self, depth: int) -> None:
        """From here on other processes see other blocks than the one that owns the open one."""
        if self._others is None:
            self.parted = (self._opened.text.rstrip("{").split(None, 1) or [""])[0] if self._opened else ""
            self._others = _Bystander(self._root, depth, self._diagnostics, self._said)

    def _close(self, line: Line) -> list[Token]:
        if len(self._stack) == 1:
            self._say("unknown-keyword", "Unknown keyword '}'", line.span())
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

    def _brace(self, line: Line, end: int) -> list[Token]:
        """A ``{`` as a value."""
        return [Token(Kind.WORD, Word("{", end - 1, end)), Token(Kind.END, line)]

    def _unexpected(self, line: Line) -> None:
        brace = line.span(len(line.text) - 1)
        self._say("unexpected-brace", "Unexpected '{' - ignoring", brace)
        if len(self._stack) > 1:
            self._part(len(self._stack))

    def ended(self) -> None:
        """The reader of an irregular block has ended: what is outside of blocks is as the others see it."""
        self._ended = self._others is not None

    def _say(self, code: str, message: str, span: Span) -> None:
        """What stands outside all blocks is read by every process; global_defs belong to the parent."""
        parent = self._opened is not None and self._opened.text.startswith("global_defs")
        if self._ended and len(self._stack) == 1:
            return
        kind = SharedDiagnostic if len(self._stack) == 1 or parent else Diagnostic
        self._said.add((span.line, message))
        self._diagnostics.add(kind(code, Severity.ALERT, message, span))


class _Bystander:
    """What processes say that do not own an irregular block: they pass blocks over by their braces."""

    def __init__(self, root: Outline, depth: int, found: Diagnostics, said: set[tuple[int, str]]) -> None:
        self._root, self._depth, self._found, self._told = root, depth, found, said
        self._waiting = depth == 0  #: for the brace of a block at the outermost level

    @property
    def inside(self) -> bool:
        """Whether a block is being passed over."""
        return self._depth > 0

    def line(self, line: Line) -> None:
        waiting, self._waiting = self._waiting, False
        opened = _opens(line)
        if self._depth:
            self._depth += _change(line)
        elif not (waiting and line.text == "{"):
            self._outside(line, opened)
        else:
            self._depth = 1

    def _outside(self, line: Line, opened: bool) -> None:
        name = line.text.rstrip("{").split()[:1]
        known = self._root.form(name[0]) if name else None
        if known is None:
            if name:
                message = f"Unknown keyword '{name[0]}'"
                self._say("unknown-keyword", message, line.span(0, len(name[0])))
            if opened:
                self._say("unexpected-brace", "Unexpected '{' - ignoring", line.span(len(line.text) - 1))
        elif known is not Form.LEAF:
            self._depth, self._waiting = int(opened), not opened

    def _say(self, code: str, message: str, span: Span) -> None:
        if (span.line, message) not in self._told:
            self._told.add((span.line, message))
            self._found.add(SharedDiagnostic(code, Severity.ALERT, message, span))


def _opens(line: Line) -> bool:
    return line.text.endswith("{") and not line.text.endswith('"')


def _change(line: Line) -> int:
    """What a line does to the depth of braces."""
    return _opens(line) - (line.text == "}")


def _tokens(words: list[Word]) -> list[Token]:
    return [Token(Kind.WORD, word) for word in words]
