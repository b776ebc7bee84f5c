"""The piece of a line that is printed under a message, with a caret below the place it speaks of.

Positions are counted in bytes from 1, as the original counts them; columns are characters from 0.
"""

from __future__ import annotations

WIDTH = 80
_ELLIPSIS = "..."


def position(text: str, column: int) -> int:
    """The 1-based byte position of ``column`` in ``text``."""
    return len(text[:column].encode("utf-8", "surrogateescape")) + 1


def excerpt(text: str, column: int, lead: str = "") -> tuple[str, str]:
    """The line (or 80 bytes of it) and a line with a caret, both indented by two.

    Leading blanks are dropped. When the place is too far to the right the line is cut on both sides
    around it. ``lead`` is printed before the text, as a directive before its condition.
    """
    body = text.lstrip(" \t\v\f\r")
    data = body.encode("utf-8", "surrogateescape")
    at = max(0, position(text, column) - position(text, len(text) - len(body)))
    width = WIDTH - len(lead)
    if at >= width:
        kept = width // 2 - len(_ELLIPSIS)
        shown = _ELLIPSIS + printable(data[at - kept : at + kept]) + _ELLIPSIS
        at = width // 2
    else:
        shown = printable(data[:width])
    return f"  {lead}{shown}", " " * (2 + len(lead) + at) + "^"


def printable(data: bytes) -> str:
    """ASCII text of the same length: blanks become spaces, what cannot be printed a question mark."""
    return "".join(" " if b in b" \t\v\f\r\n" else chr(b) if 32 <= b < 127 else "?" for b in data)
