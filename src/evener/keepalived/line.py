"""Lines and words of a keepalived.conf, with the columns they came from.

Decides how one line falls into words: blanks separate, ``"..."`` is one word, a ``"`` also ends an
unquoted word, ``'`` means nothing. The arguments of scripts have rules of their own (``scripts``).
Knows no keyword.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from evener.text.record import dataclass
from evener.text.span import Source, Span

BLANKS = " \t\f\n\r\v"


@dataclass(frozen=True, slots=True)
class Line:
    """A line as the parser sees it: comments, conditions and parameters are gone.

    ``column`` is where ``text`` begins in the physical line, or None when the text is not a plain
    piece of it (a parameter was replaced, an escape removed). ``order`` counts the lines read.
    """

    text: str
    source: Source
    number: int
    column: int | None = 0
    order: int = 0

    def span(self, start: int = 0, end: int | None = None) -> Span:
        """Where ``text[start:end]`` stands; the whole line when columns were lost."""
        if self.column is None:
            return Span(self.source, self.number)
        end = len(self.text) if end is None else end
        return Span(self.source, self.number, self.column + start, self.column + end)

    def cut(self, start: int, end: int) -> Line:
        """The piece ``text[start:end]`` without blanks around it."""
        if start == 0 and end == len(self.text) and self.text.strip(BLANKS) == self.text:
            return self
        piece = self.text[start:end]
        lead = len(piece) - len(piece.lstrip(BLANKS))
        column = None if self.column is None else self.column + start + lead
        return Line(piece.strip(BLANKS), self.source, self.number, column, self.order)


class Word(NamedTuple):
    """One word: its text without quotes, and its extent in the line."""

    text: str
    start: int
    end: int


class UnmatchedQuote(Exception):
    """A quoted word does not end; ``words`` are those before it."""

    def __init__(self, words: list[Word]) -> None:
        super().__init__("unmatched quote")
        self.words = words


WORDS = re.compile(rf'"([^"]*)"|[^{BLANKS}"]+|"')


def split(text: str) -> list[Word]:
    """The words of ``text``; raises UnmatchedQuote."""
    words: list[Word] = []
    for found in WORDS.finditer(text):
        word = found[0]
        if word[0] == '"':
            if len(word) == 1:
                raise UnmatchedQuote(words)
            word = found[1]
        words.append(Word(word, found.start(), found.end()))
    return words


@dataclass(frozen=True, slots=True)
class Statement:
    """A keyword and its arguments, or one entry of a value block.

    ``body`` is there when braces follow, up to ``end``.
    """

    line: Line
    parts: tuple[Word, ...]
    body: tuple[Statement, ...] | None = None
    end: Line | None = None

    @property
    def words(self) -> Sequence[str]:
        return [part.text for part in self.parts]

    def span(self, index: int) -> Span:
        """Where word ``index`` stands (the end of the statement for a word that is missing)."""
        if index < len(self.parts):
            part = self.parts[index]
            return self.line.span(part.start, part.end)
        end = self.parts[-1].end if self.parts else 0
        return self.line.span(end, end)

    def whole(self) -> Span:
        """Where the statement stands, without its braces."""
        if not self.parts:
            return self.line.span()
        return self.line.span(self.parts[0].start, self.parts[-1].end)


def quoted(word: str) -> str:
    """``word`` as it has to be written to be read as this one word."""
    plain = word and not any(c in BLANKS or c in '"{}#!' for c in word) and word[0] not in "@~$"
    return word if plain else f'"{word}"'
