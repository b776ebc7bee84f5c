"""Values of words that stand in tables: what the original does not accept is refused here, in its words.

A word of a table (TLS, tuning) is kept as it is written, because nothing here acts on it, but a file must not
be called valid when the original would refuse it. A ``Check`` looks at the arguments of one word: it returns
a sentence, or "" when all is well. Where there is no argument it looks at an empty one, as the original does.
Sentences: ``{name}`` the word, ``{got}`` its first argument, ``{place}`` file and line, ``{char}`` where a
time or size stops being one.
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
MOST: Final = 0x7FFFFFFF


def one_of(sentence: str, *values: str) -> Check:
    return lambda arguments, _: "" if arguments[:1] and arguments[0] in values else sentence


def as_c_long(text: str) -> int:
    """A number as C reads it: what is none counts as 0."""
    digits = text[: len(text) - len(text.lstrip("-+0123456789"))]
    return max(-(1 << 63), min(signed(digits) or 0, (1 << 63) - 1))


def as_c_int(text: str) -> int:
    """The same where it ends up in an int, and the upper half of a long is lost."""
    return (as_c_long(text) + (1 << 31)) % (1 << 32) - (1 << 31)


def between(low: int, high: int, sentence: str, long: bool = False, stated: bool = False) -> Check:
    """A number read as C reads it; ``long``: into a wider number; ``stated``: it may not be left out."""
    number = as_c_long if long else as_c_int
    return lambda arguments, _: (
        "" if low <= number(arguments[0]) <= high and not (stated and not arguments[0]) else sentence
    )


def delay(sentence: str, least: int = 0, most: int = MOST, over: str = "", outside: str = "") -> Check:
    """A time; ``over`` is said of one that is no number of milliseconds any more, ``outside`` of one beyond
    the limits."""

    def check(arguments: Arguments, _: Place) -> str:
        found = read_time(arguments[0])
        if found.wrong or not arguments[0]:
            return sentence.replace("{char}", found.wrong)
        if found.milliseconds > MOST:
            return over or outside or sentence
        return "" if least <= found.milliseconds <= most else outside or over or sentence

    return check


def size(sentence: str, zero: str = "") -> Check:
    """A number of bytes; ``zero`` is what is said of none."""

    def check(arguments: Arguments, _: Place) -> str:
        value, wrong = read_size(arguments[0])
        if value is None:
            return sentence.replace("{char}", wrong[:1]).replace("{rest}", wrong)
        return "" if value else zero

    return check


def listed(sentence: str, *values: str) -> Check:
    """A list with commas, of some of the values; ``{first}`` is the first of what was listed."""

    def check(arguments: Arguments, _: Place) -> str:
        given = arguments[0].split(",")
        return "" if set(given) <= set(values) else sentence.replace("{first}", given[0])

    return check


def unreadable(path: str) -> str:
    """Why there is nothing at ``path``; "" when there is."""
    try:
        os.stat(path)
    except (OSError, ValueError) as error:
        return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    return ""


def experimental(arguments: Arguments, place: Place) -> str:
    return "" if place.experiments.allow() else EXPERIMENTAL + EXPERIMENTAL_TAIL


def experimentally(check: Check) -> Check:
    """A word that must have been allowed before its arguments are looked at."""
    return lambda arguments, place: experimental(arguments, place) or check(arguments, place)


def deprecated(sentence: str, check: Check) -> Check:
    """A word that is warned about before its arguments are looked at."""

    def warned(arguments: Arguments, place: Place) -> str:
        place.diagnostics.warning("deprecated-word", sentence, place.at, lead="config : parsing [{place}]: ")
        return check(arguments, place)

    return warned
