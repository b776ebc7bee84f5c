"""The terminals of sample expressions: names, parentheses, arguments with a quoting of their own.

Inside parentheses the "second level" of manual section 2.2 holds: arguments are separated by commas,
may be quoted, and a backslash protects quotes, blanks and itself. Knows no name's meaning.
"""

from __future__ import annotations

import re
from typing import Final

#: Names may contain what no other word does, because of ``base32+src`` and ``capture-req``.
NAME: Final = re.compile(r"[A-Za-z0-9_.:+\-]*")
_PLAIN: Final = re.compile(r"[^,)'\"\\]+")
_ESCAPES: Final = {"\\": "\\", "'": "'", '"': '"', " ": " ", "t": "\t", "n": "\n", "r": "\r"}

Token = tuple[str, str, int]  #: kind, text, column where it ends


def tokenise(text: str) -> list[Token]:
    """The terminals of an expression; whatever does not fit ends the list as one JUNK."""
    tokens: list[Token] = []
    position, end = 0, len(text)
    while True:
        match = NAME.match(text, position)
        assert match is not None
        position = match.end()
        tokens.append(("NAME", match[0], position))
        if position < end and text[position] == "(":
            position = _arguments(text, position + 1, tokens)
        if position >= end:
            return tokens
        if text[position] != ",":
            tokens.append(("JUNK", text[position:], position))
            return tokens
        while position < end and text[position] == ",":
            position += 1
        if position >= end:
            return tokens
        tokens.append(("COMMA", ",", position))


def _arguments(text: str, position: int, tokens: list[Token]) -> int:
    """Terminals of what stands in parentheses; the position after them."""
    tokens.append(("OPEN", "(", position))
    while True:
        word, position = _argument(text, position)
        tokens.append(("ARGUMENT", word, position))
        if position >= len(text):
            return position
        closing = text[position] == ")"
        position += 1
        tokens.append(("CLOSE", ")", position) if closing else ("COMMA", ",", position))
        if closing:
            return position


def _argument(text: str, position: int) -> tuple[str, int]:
    """One argument, unquoted, and where it ended: at a comma, a parenthesis or the end of the text."""
    parts: list[str] = []
    quote = ""
    while position < len(text):
        char = text[position]
        if quote == "'":
            close = text.find("'", position)
            close = len(text) if close < 0 else close
            parts.append(text[position:close])
            position, quote = close + 1, ""
        elif char == "\\" and position + 1 < len(text):
            meant = _ESCAPES.get(text[position + 1])
            parts.append(meant or char)  # before anything else it stands for itself: a comma still ends here
            position += 2 if meant else 1
        elif quote:
            if char == quote:
                quote = ""
            else:
                parts.append(char)
            position += 1
        elif char in "'\"":
            quote = char
            position += 1
        elif char in ",)":
            break
        else:
            match = _PLAIN.match(text, position)
            chunk = match[0] if match else char
            parts.append(chunk)
            position += len(chunk)
    return "".join(parts), min(position, len(text))
