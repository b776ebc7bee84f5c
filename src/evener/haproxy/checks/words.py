"""A cursor over the words of a check rule, and the ways a word is read as a number, bytes or a regex.

A word that cannot be used raises ``CheckSyntax`` with the sentence to show; the caller knows the line and
which rule it is, and puts both in front of the sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from evener.haproxy.line import word_bytes
from evener.haproxy.scope import CompileEnv
from evener.text.record import dataclass

NUMBER = re.compile(r"\d{1,9}\Z", re.ASCII)
STRING = "'{}' expects a string as argument"


class CheckSyntax(Exception):
    """The words do not make a rule."""


class NotExecuted(CheckSyntax):
    """The words make a rule that this version does not carry out; the rule is not wrong."""


def regex_of(word: str) -> re.Pattern[bytes]:
    try:
        return re.compile(word_bytes(word))
    except re.error as error:
        raise CheckSyntax(f"regex '{word}' is invalid (error={error})") from None


def hex_of(word: str) -> bytes:
    if len(word) % 2:
        raise CheckSyntax(f"an even number of hex digit is expected, got '{word}'")
    if not re.match(r"[0-9A-Fa-f]*\Z", word):
        raise CheckSyntax(f"an hex digit is expected, got '{word}'")
    return bytes.fromhex(word)


@dataclass(slots=True)
class Words:
    """A cursor over the words of one rule. ``env`` is what expressions are compiled with; without it they
    are only looked at, because what they name may not have been read yet."""

    words: Sequence[str]
    env: CompileEnv | None = None
    at: int = 0

    def more(self) -> bool:
        return self.at < len(self.words)

    def peek(self) -> str:
        return self.words[self.at] if self.more() else ""

    def next(self) -> str:
        """The next word; there is one."""
        self.at += 1
        return self.words[self.at - 1]

    def take(self, what: str, wanted: str = STRING) -> str:
        """The argument of the word ``what``."""
        if not self.more():
            raise CheckSyntax(wanted.replace("{}", what))
        return self.next()
