"""One logical line of haproxy.cfg after tokenising: its words, and where each one stood.

Words and their columns are parallel lists instead of objects, because a large configuration has
hundreds of thousands of them and most are never pointed at; a ``Span`` is made when one is, and the
columns of a line that nobody points into are never computed.

Words are text decoded as UTF-8 with ``surrogateescape``, the way the interpreter itself decodes file
names: ``word_bytes`` gives back exactly the bytes of the file (or of ``\\xNN``).
"""

from __future__ import annotations

from collections.abc import Callable

from evener.text.span import Source, Span, whole_line

Columns = tuple[list[int], list[int]]


def word_bytes(word: str) -> bytes:
    """The bytes a word stands for."""
    return word.encode("utf-8", "surrogateescape")


class Line:
    """``words[i]`` began at ``starts[i]`` and ended before ``ends[i]`` (0-based columns of the raw line)."""

    __slots__ = ("_columns", "_find", "number", "place", "source", "words")

    def __init__(
        self,
        source: Source,
        number: int,
        words: list[str],
        starts: list[int] | None = None,
        ends: list[int] | None = None,
        find: Callable[[str], Columns] | None = None,
    ) -> None:
        """Give the columns, or ``find``, which computes them from the raw line when they are asked for."""
        self.source = source
        self.number = number
        self.words = words
        self.place = whole_line(source, number)
        """The line as a whole, without its columns."""
        self._columns: Columns | None = None if starts is None or ends is None else (starts, ends)
        self._find = find

    @property
    def columns(self) -> Columns:
        if self._columns is None:
            if self._find is None:
                self._columns = ([0] * len(self.words), [0] * len(self.words))
            else:
                self._columns = self._find(self.source.line(self.number))
        return self._columns

    @property
    def starts(self) -> list[int]:
        return self.columns[0]

    @property
    def ends(self) -> list[int]:
        return self.columns[1]

    def span(self, index: int) -> Span:
        """Where word ``index`` stands; past the last word, the end of the line."""
        starts, ends = self.columns
        if index < len(starts):
            return Span(self.source, self.number, starts[index], ends[index])
        end = ends[-1] if ends else 0
        return Span(self.source, self.number, end, end)

    @property
    def whole(self) -> Span:
        """From the first to the last word."""
        starts, ends = self.columns
        if not starts:
            return Span(self.source, self.number)
        return Span(self.source, self.number, starts[0], ends[-1])

    def __repr__(self) -> str:
        return f"Line({self.source.name}:{self.number} {self.words})"
