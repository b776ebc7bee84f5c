"""Values of words that stand in tables: what the original does not accept is refused here, in its words.

A word of a table (TLS, tuning) is kept as it is written, because nothing here acts on it, but a file must not
be called valid when the original would refuse it. A ``Check`` looks at the arguments of one word: it returns
a sentence, or "" when all is well. Sentences: ``{name}`` the word, ``{got}`` its first argument.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from evener.haproxy.sections.tables import Check
from evener.haproxy.sections.values import read_size, read_time
from evener.vocab.arguments import signed

if TYPE_CHECKING:
    from evener.haproxy.sections.reading import Place

Arguments = tuple[str, ...]

EXPERIMENTAL: Final = "'{name}' directive is experimental, must be allowed via a global "
EXPERIMENTAL_TAIL: Final = "'expose-experimental-directives'"


def one_of(sentence: str, *values: str) -> Check:
    return lambda arguments, _: "" if arguments[:1] and arguments[0] in values else sentence


def on_or_off(arguments: Arguments, _: Place) -> str:
    known = arguments[:1] in (("on",), ("off",))
    return "" if known else "'{name}' expects either 'on' or 'off' but got '{got}'."


def between(low: int, high: int, sentence: str) -> Check:
    """A number read as C reads it: what is none counts as 0."""

    def check(arguments: Arguments, _: Place) -> str:
        digits = arguments[0][: len(arguments[0]) - len(arguments[0].lstrip("-+0123456789"))]
        return "" if low <= (signed(digits) or 0) <= high else sentence

    return check


def delay(sentence: str, least: int = 0, most: int = 2147483647) -> Check:
    """A time; ``{char}`` is the first character that does not belong to it."""

    def check(arguments: Arguments, _: Place) -> str:
        found = read_time(arguments[0])
        if found.wrong or not least <= found.milliseconds <= most:
            return sentence.replace("{char}", found.wrong)
        return ""

    return check


def size(sentence: str) -> Check:
    def check(arguments: Arguments, _: Place) -> str:
        value, wrong = read_size(arguments[0])
        return "" if value is not None else sentence.replace("{char}", wrong)

    return check


def listed(sentence: str, *values: str) -> Check:
    """A list with commas, of some of the values."""
    return lambda arguments, _: "" if set(arguments[0].split(",")) <= set(values) else sentence


def readable(sentence: str) -> Check:
    """A file that can be opened; ``{reason}`` is why it cannot."""

    def check(arguments: Arguments, _: Place) -> str:
        reason = unreadable(arguments[0])
        return sentence.replace("{reason}", reason) if reason else ""

    return check


def unreadable(path: str) -> str:
    """Why there is nothing at ``path``; "" when there is."""
    try:
        os.stat(path)
    except (OSError, ValueError) as error:
        return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    return ""


def experimental(arguments: Arguments, place: Place) -> str:
    return "" if place.experimental else EXPERIMENTAL + EXPERIMENTAL_TAIL
