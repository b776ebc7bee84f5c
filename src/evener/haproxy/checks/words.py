"""A cursor over the words of a check rule, and the ways a word is read as a number, bytes or a regex.

A word that cannot be used raises ``CheckSyntax`` with the sentence to show; the caller knows the line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from evener.text.record import dataclass

NUMBER = re.compile(r"\d{1,9}\Z", re.ASCII)


class CheckSyntax(Exception):
    """The words do not make a rule."""


def number_of(word: str, what: str) -> int:
    if not NUMBER.match(word):
        raise CheckSyntax(f"'{what}' expects an integer as argument, got '{word}'.")
    return int(word)


def regex_of(word: str) -> re.Pattern[bytes]:
    try:
        return re.compile(word.encode())
    except re.error as error:
        raise CheckSyntax(f"regex '{word}' is invalid (error={error})") from None


def hex_of(word: str) -> bytes:
    if len(word) % 2 or not re.match(r"[0-9A-Fa-f]*\Z", word):
        raise CheckSyntax(f"'binary' expects an even string of hexadecimal digits, got '{word}'.")
    return bytes.fromhex(word)


@dataclass(slots=True)
class Words:
    """A cursor over the words of one rule."""

    words: Sequence[str]
    at: int = 0

    def more(self) -> bool:
        return self.at < len(self.words)

    def peek(self) -> str:
        return self.words[self.at] if self.more() else ""

    def take(self, what: str) -> str:
        if not self.more():
            raise CheckSyntax(f"'{what}' expects an argument.")
        self.at += 1
        return self.words[self.at - 1]
