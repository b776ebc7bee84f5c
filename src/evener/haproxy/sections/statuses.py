"""``http-err-codes`` and ``http-fail-codes``: which statuses count as errors and as failures; and
``tune.stick-counters``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from evener.vocab.arguments import Argument, Cursor, signed

_RANGE: Final = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")
ERRORS: Final = frozenset(range(400, 500))
FAILURES: Final = frozenset(range(500, 600)) - {501, 505}


class StatusRanges(Argument[tuple[str, ...]]):
    """Words as written, each checked."""

    usage = "[+-]<range>[,...] [...]"

    def read(self, cursor: Cursor) -> tuple[str, ...]:
        words = cursor.rest()
        if not words:
            message = f"Missing status codes range for '{cursor.name}'."
            raise cursor.bad("missing-argument", message, whole=True)
        for word in words:
            self.check(word, cursor)
        return tuple(words)

    def check(self, text: str, cursor: Cursor) -> None:
        at = 1 if text[:1] in ("+", "-") else 0
        told = f"Invalid status codes range '{text}' in '{cursor.name}'"
        while True:
            match = _RANGE.match(text, at)
            end = match.end() if match is not None else at
            if match is None or (end < len(text) and text[end] != ","):
                at = end + 1 if match is not None and text[end] == "-" else end
                raise cursor.bad(
                    "bad-status-range",
                    f"{told} at position {at}. Ranges must be in the form [+-]{{low[-{{high}}]}}[,...].",
                    whole=True,
                )
            low = int(match[1])
            if not 100 <= low <= int(match[2] or low) <= 599:
                raise cursor.bad(
                    "bad-status-range",
                    f"{told}.\n Codes must be between 100 and 599 and ranges in ascending order.",
                    whole=True,
                )
            if end == len(text):
                return
            at = end + 1

    def words(self, value: tuple[str, ...]) -> list[str]:
        return list(value)


def statuses(usual: Iterable[int], said: Sequence[tuple[str, ...]]) -> frozenset[int]:
    """What is left of the usual statuses after everything that was said about them."""
    chosen = set(usual)
    for words in said:
        for word in words:
            given = {
                status
                for low, high in _RANGE.findall(word)
                for status in range(int(low), int(high or low) + 1)
            }
            if word[0] == "-":
                chosen -= given
            else:
                chosen = chosen | given if word[0] == "+" else given
    return frozenset(chosen)


class Counters(Argument[int]):
    """How many numbers ``track-sc`` has: 0 to 100."""

    usage = "<number>"

    def read(self, cursor: Cursor) -> int:
        text = cursor.take() if cursor.more else "0"
        number = signed(text)
        if number is None:
            raise cursor.bad("not-a-number", f"{cursor.name}: '{text}' is an invalid number", whole=True)
        if not 0 <= number <= 100:
            message = f"{cursor.name}: the number of stick-counters must be between 1 and 100 (was {number})"
            raise cursor.bad("out-of-range", message, whole=True)
        return number
