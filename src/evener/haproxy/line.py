"""One logical line of haproxy.cfg after tokenising: its words, and where each one stood.

Words and their columns are parallel lists instead of objects, because a large configuration has
hundreds of thousands of them and most are never pointed at; a ``Span`` is made when one is.
"""

from __future__ import annotations

from dataclasses import dataclass

from evener.text.span import Source, Span


@dataclass(slots=True)
class Line:
    """``words[i]`` began at ``starts[i]`` and ended before ``ends[i]`` (0-based columns of the raw line)."""

    source: Source
    number: int
    words: list[str]
    starts: list[int]
    ends: list[int]

    def span(self, index: int) -> Span:
        """Where word ``index`` stands; past the last word, the end of the line."""
        if index < len(self.words):
            return Span(self.source, self.number, self.starts[index], self.ends[index])
        end = self.ends[-1] if self.ends else 0
        return Span(self.source, self.number, end, end)

    @property
    def whole(self) -> Span:
        """From the first to the last word."""
        if not self.words:
            return Span(self.source, self.number)
        return Span(self.source, self.number, self.starts[0], self.ends[-1])
