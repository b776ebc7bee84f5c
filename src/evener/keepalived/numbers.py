"""Numbers as keepalived.conf writes them: what a word is worth, and what is to be said of it.

The sentences are the original's. It reads numbers with the C library, so that blanks and a sign may stand
before the digits; a whole number that is not one is refused, while a decimal number keeps what
stands before its first wrong character, if that is in its range.
"""

from __future__ import annotations

import re

from evener.keepalived.line import BLANKS

UINT_MAX = 2**32 - 1
INT_MAX = 2**31 - 1
ULONG_MAX = 2**64 - 1
LONGEST = 40
"""Digits that are looked at; a longer number is beyond every range."""

WHOLE = re.compile(r"([-+]?)([0-9]+)", re.ASCII)
BEGINNING = re.compile(r"[ \t\n\v\f\r]*([-+]?)([0-9]*)", re.ASCII)


def whole(text: str, low: int, high: int, signed: bool | None = None) -> tuple[str, str, int]:
    """Code and message of what is wrong with a whole number (empty when nothing is), and the number.

    ``signed``: whether the original keeps it in an int; the default is what ``low`` suggests.
    """
    signed = low < 0 if signed is None else signed
    bare = text.lstrip(BLANKS)
    if bare[:1] == "-" and not signed:
        return "bad-number", f"negative number '{text}'", 0
    found = WHOLE.fullmatch(bare)
    if found is None and (bare or not low <= 0 <= high):
        return "bad-number", f"invalid number '{text}'" if bare else _outside(text, low, high), 0
    digits = found[2] if found is not None else "0"
    number = int(digits[-LONGEST:]) if len(digits) <= LONGEST else ULONG_MAX + 1
    number = -number if found is not None and found[1] == "-" else number
    least, most, kind = _limits(signed, high)
    if not least <= number <= most:
        return "bad-number", f"number '{text}' outside {kind} range", 0
    if not low <= number <= high:
        return "out-of-range", _outside(text, low, high), number
    return "", "", number


def _limits(signed: bool, high: int) -> tuple[int, int, str]:
    if signed:
        return -INT_MAX - 1, INT_MAX, "integer"
    return (0, ULONG_MAX, "unsigned 64 bit") if high > UINT_MAX else (0, UINT_MAX, "unsigned integer")


def _outside(text: str, low: int, high: int) -> str:
    return f"number '{text}' outside range [{low}, {high}]"


def fraction(
    text: str, low: int, high: int, places: int, lenient: bool = True
) -> tuple[tuple[tuple[str, str], ...], int | None]:
    """What is to be said of a decimal number (code and message), and its value in units of 10^-places.

    None: it is refused, for the last reason. ``lenient``: what stands before a wrong character may do.
    """
    if text.startswith("-"):
        return (("bad-number", f"negative number '{text}'"),), None
    head, _, part = text.partition(".")
    said: list[tuple[str, str]] = []
    up = len(part) > places and part[places] >= "5"
    if len(part) > places:
        said.append(("too-many-decimals", f"number '{text}' has too many decimal places"))
    joined = head + part[:places].ljust(places, "0")
    found = BEGINNING.match(joined)
    assert found is not None
    digits = found[2]
    number = (int(digits or "0") if len(digits) <= LONGEST else ULONG_MAX + 1) + up
    if found[1] == "-":  # behind a blank; the C library counts down from the largest number
        number = max(ULONG_MAX + 1 - number, 0)
    in_range = low <= number <= high
    if found.end() < len(joined):
        said.append(("bad-number", f"invalid number '{text}'"))
        return tuple(said), number if lenient and in_range else None
    if number > ULONG_MAX:
        said.append(("bad-number", f"number '{text}' outside unsigned decimal range"))
    elif not in_range:
        limits = f"[{_shown(low, places)}, {_shown(high, places)}]"
        said.append(("out-of-range", f"number '{text}' outside range {limits}"))
    return tuple(said), number if in_range else None


def _shown(units: int, places: int) -> str:
    """A limit as the original prints it."""
    integer, part = divmod(units, 10**places)
    return f"{integer}.{part:0{places}d}" if places else f"{integer}."


def decimal_text(units: int, places: int) -> str:
    """A decimal number without zeros that say nothing."""
    return _shown(units, places).rstrip("0").rstrip(".") if places else str(units)
