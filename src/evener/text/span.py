"""Where a piece of configuration stands: a source and a range of columns on one line.

A ``Source`` is one file (or stdin, or a command-line argument) together with the place that included
it, so that a diagnostic can show the whole chain. Columns are 0-based offsets into the line as it was
read (before any expansion); renderers turn them into what each product prints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import NamedTuple

from evener.text.record import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A text that was read: its name as the user wrote it, its lines, and who included it."""

    name: str
    lines: Sequence[str] = field(default=(), repr=False)
    included_from: Span | None = None

    def line(self, number: int) -> str:
        """Line ``number`` (1-based) without its end of line; empty outside the file."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def chain(self) -> tuple[Span, ...]:
        """The include directives that led here, innermost first."""
        spans: list[Span] = []
        source = self
        while source.included_from is not None:
            spans.append(source.included_from)
            source = source.included_from.source
        return tuple(spans)


class Span(NamedTuple):
    """Columns ``start`` to ``end`` (0-based, end exclusive) of line ``line`` (1-based) of ``source``."""

    source: Source
    line: int
    start: int = 0
    end: int = 0

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}"


_new = tuple.__new__


def whole_line(source: Source, number: int) -> Span:
    """The span of a line whose columns nobody has asked for, made without the detour of a named tuple."""
    return _new(Span, (source, number, 0, 0))
