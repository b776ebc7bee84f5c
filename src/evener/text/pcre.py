"""Regular expressions of the configuration (PCRE) as Python's.

The two dialects agree on nearly everything configurations use; what differs in spelling is rewritten
here (possessive and atomic groups exist in both since Python 3.11; ``\\h``, ``\\R``, ``\\Q..\\E``, ``\\z``
and POSIX classes do not). Matching is on bytes, and ``$`` and ``.`` mean what they mean to PCRE.
Errors are told in PCRE's words as far as they are known.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final


class RegexError(Exception):
    """A pattern cannot be compiled; the message is a sentence."""


_POSIX: Final = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": " \\t",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "\\x21-\\x7e",
    "lower": "a-z",
    "print": "\\x20-\\x7e",
    "punct": "!-/:-@\\[-`{-~",
    "space": "\\s",
    "upper": "A-Z",
    "word": "\\w",
    "xdigit": "0-9A-Fa-f",
}
_POSIX_CLASS: Final = re.compile(r"\[:([a-z]+):\]")
_SPELLINGS: Final = {"z": "\\Z", "Z": "(?=\\n?\\Z)", "h": "[ \\t]", "R": "(?:\\r\\n|\\n|\\r)", "K": ""}
_PIECES: Final = re.compile(
    r"\\Q(.*?)(?:\\E|\Z)|\\(.)|(\[\^?\]?(?:\[:[a-z]+:\]|\\.|[^\]\\])*\])|\(\?<([A-Za-z_])", re.S
)

_WORDS: Final = (
    ("missing ), unterminated subpattern", "missing closing parenthesis"),
    ("unbalanced parenthesis", "unmatched closing parenthesis"),
    ("unterminated character set", "missing terminating ] for character class"),
    ("nothing to repeat", "quantifier does not follow a repeatable item"),
    ("multiple repeat", "quantifier does not follow a repeatable item"),
    ("min repeat greater than max repeat", "numbers out of order in {} quantifier"),
    ("bad escape (end of pattern)", "\\ at end of pattern"),
    ("bad character range", "range out of order in character class"),
)


def _respell(match: re.Match[str]) -> str:
    literal, escaped, in_class, group = match.groups()
    if literal is not None:
        return re.escape(literal)
    if escaped is not None:
        return _SPELLINGS.get(escaped, match[0] if not _unknown(escaped) else re.escape(escaped))
    if in_class is not None:
        return (
            _POSIX_CLASS.sub(lambda m: _POSIX.get(m[1], m[0]), in_class)
            .replace("[", "\\[")
            .replace("\\[", "[", 1)
        )
    return f"(?P<{group}"


def _unknown(letter: str) -> bool:
    """Letters Python refuses after a backslash; PCRE takes most of them literally."""
    return letter.isascii() and letter.isalpha() and letter not in "AbBdDsSwWZaefnrtvxuUNgkpPX"


_TOKENS: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?([imsx]+)\)|\(|\)|\||[^\\\[()|]+|.", re.S)


def _scoped_flags(text: str) -> str:
    """``a(?i)b`` as ``a(?i:b)``: flags hold to the end of their group, in later alternatives too."""
    if "(?" not in text:
        return text
    out: list[str] = []
    opened: list[list[str]] = [[]]
    for match in _TOKENS.finditer(text):
        token = match[0]
        if match[1]:
            opened[-1].append(match[1])
            out.append(f"(?{match[1]}:")
            continue
        if token == "(":
            opened.append([])
        elif token == ")" and len(opened) > 1:
            token = ")" * len(opened.pop()) + token
        elif token == "|":
            token = ")" * len(opened[-1]) + token + "".join(f"(?{flags}:" for flags in opened[-1])
        out.append(token)
    return "".join(out) + ")" * sum(map(len, opened))


@lru_cache(maxsize=4096)
def translate(text: str, ignore_case: bool = False, flags: int = 0) -> re.Pattern[bytes]:
    """The compiled pattern for a PCRE text, ``flags`` as for re.compile; raises RegexError."""
    spelled = _scoped_flags(_PIECES.sub(_respell, text))
    try:
        return re.compile(
            spelled.encode("utf-8", "surrogateescape"), flags | (re.IGNORECASE if ignore_case else 0)
        )
    except (re.error, OverflowError, RecursionError) as error:
        reason, offset = _explain(error, text)
        raise RegexError(f"regex '{text}' is invalid (error={reason}, erroffset={offset})") from error


def _explain(error: Exception, text: str) -> tuple[str, int]:
    message = error.msg if isinstance(error, re.error) else str(error)
    position = (error.pos or 0) if isinstance(error, re.error) else 0
    for ours, theirs in _WORDS:
        if message.startswith(ours):
            at_end = ours.startswith(("missing", "unterminated"))
            return theirs, len(text) if at_end else position
    return message, position
