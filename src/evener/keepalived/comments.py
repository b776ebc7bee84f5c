"""What is left of a physical line: comments cut off, blanks trimmed.

``!`` and ``#`` begin a comment anywhere outside ``"..."``; ``\\#`` and ``\\!`` are the characters
themselves; any other backslash keeps the character after it from meaning anything and stays. The
original does the same before anything else is looked at.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from evener.keepalived.line import BLANKS


class Uncommented(NamedTuple):
    """``column`` is None when an escape was removed; ``open_quote``: a ``"`` was never closed; ``end``:
    where the comment begins in the physical line."""

    text: str
    column: int | None
    open_quote: bool
    end: int


SPECIAL = re.compile(r'[\\"#!]')


def uncomment(raw: str) -> Uncommented:
    lead = len(raw) - len(raw.lstrip(BLANKS))
    if SPECIAL.search(raw) is None:  # most lines
        return Uncommented(raw.strip(BLANKS), lead, False, len(raw))
    kept: list[str] = []
    inside, at, moved = False, lead, False
    while at < len(raw):
        character = raw[at]
        if character == "\\" and at + 1 < len(raw):
            following = raw[at + 1]
            if following in "#!" and not inside:
                kept.append(following)
                moved = True
            else:
                kept.append(character + following)
            at += 2
            continue
        if character == '"':
            inside = not inside
        elif character in "#!" and not inside:
            break
        kept.append(character)
        at += 1
    text = "".join(kept).rstrip(BLANKS)
    if text.endswith("\\"):  # the mark of a line that goes on; elsewhere it becomes part of the last word
        text = text[:-1].rstrip(BLANKS) + "\\"
    return Uncommented(text, None if moved else lead, inside, at)
