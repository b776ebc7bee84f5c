"""Virtual servers that are written plainly, found in a file as whole passages.

Files with thousands of virtual servers are written by programs: the blocks differ in addresses and ports
only. What is found here is a block of the outermost level that can be looked at as one text, because nothing
in it depends on what stands around it: no quotes, escapes, parameters, conditions, sequences or includes, and
braces only at the ends of lines. Decides nothing about its meaning: ``alike`` does, and whoever does not care
takes its lines (``Passage.lines``) one by one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from evener.text.span import Source, Span

if TYPE_CHECKING:
    from evener.keepalived.line import Line

_WORDS = rb'[^{}"#!$~@\\\0\r\f\v\n]*+'
_END = rb"(?:[#!][^\n]*+)?+\n"
_PLAIN = _WORDS + _END
_OPEN = _WORDS + rb"\{[ \t]*+" + _END
_CLOSE = rb"[ \t]*+\}[ \t]*+" + _END
_DEPTH = 4
"""Of blocks inside a virtual server: real server, check, url; and one to spare."""


def _pattern() -> re.Pattern[bytes]:
    body = _PLAIN
    for _ in range(_DEPTH):
        body = rb"(?:" + _PLAIN + rb"|" + _OPEN + rb"(?:" + body + rb")*+" + _CLOSE + rb")"
    return re.compile(rb"^virtual_server[ \t]" + _OPEN + rb"(?:" + body + rb")*+" + _CLOSE, re.MULTILINE)


BLOCK = _pattern()
CANNOT = re.compile(rb"\binclude[armwb]?[ \t]|[^\n]{1000}")
"""A line that reads another file, or that does not fit into the original's buffer."""
SHORT = re.compile(rb"(?:[^\n]{0,999}+\n)*+[^\n]{0,999}+")
"""A text of lines that do."""


class Passage(NamedTuple):
    """A block: its text, with comments, and the number of its first line."""

    text: str
    source: Source
    number: int
    unfold: Callable[[Passage], Iterator[Line]]

    def lines(self) -> Iterator[Line]:
        """What the reader makes of it line by line."""
        return self.unfold(self)

    def span(self) -> Span:
        """Of its first line."""
        first = self.text.partition("{")[0]
        return Span(self.source, self.number, 0, len(first) + 1)


class Found(NamedTuple):
    """Where a block begins and ends in the bytes of a file."""

    start: int
    end: int


def passages(content: bytes) -> Iterator[Found]:
    """The blocks of a file that can be looked at as a whole, in order."""
    able = b"include" not in content and SHORT.fullmatch(content) is not None
    for match in BLOCK.finditer(content):
        start, end = match.span()
        if able or CANNOT.search(content, start, end) is None:
            yield Found(start, end)
