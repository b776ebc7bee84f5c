"""The arguments that several keywords of haproxy.cfg share: times, sizes, loose numbers, addresses.

Each is an ``Argument`` of the vocabulary, with the sentences the original uses when it is wrong. The
context of the cursor is the ``Place`` being read.
"""

from __future__ import annotations

from typing import ClassVar

from evener.haproxy.addresses import Address, BadAddress, parse_address
from evener.haproxy.sections.reading import NOT_EXECUTED, Place
from evener.text.record import dataclass
from evener.vocab.arguments import Argument, BadArgument, Cursor, decimal, signed
from evener.wire import tcp_md5

LONGEST = 2147483647
_UNITS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
SUPPORTED = "only (us=microseconds,ms=milliseconds,s=seconds,m=minutes,h=hours,d=days) are supported"


@dataclass(frozen=True, slots=True)
class TimeText:
    """What a text says as a time: milliseconds, and the first character that is not part of it."""

    milliseconds: int
    wrong: str = ""
    after: str = ""


def read_time(text: str, unit: int = 1) -> TimeText:
    """Digits and at most one of us, ms, s, m, h, d; ``unit`` is what a bare number means, in ms.

    ``wrong`` is the character that makes the text no time at all; ``after`` one that follows a complete
    time (the original only warns of those). Microseconds round up, so that 1us is not "never".
    """
    digits = len(text) - len(text.lstrip("0123456789"))
    count = decimal(text[:digits])
    tail = text[digits:]
    if count is None:
        return TimeText(0, wrong=text[:1])
    if not tail:
        return TimeText(count * unit)
    if tail.startswith("ms"):
        return TimeText(count, after=tail[2:3])
    if tail.startswith("us"):
        return TimeText(-(-count // 1000), after=tail[2:3])
    if tail[0] in _UNITS:
        return TimeText(count * _UNITS[tail[0]], after=tail[1:2])
    return TimeText(0, wrong=tail[0])


def time_words(milliseconds: int) -> str:
    """The shortest way to write a time with an explicit unit."""
    for unit in ("d", "h", "m", "s"):
        if milliseconds and milliseconds % _UNITS[unit] == 0:
            return f"{milliseconds // _UNITS[unit]}{unit}"
    return f"{milliseconds}ms" if milliseconds else "0"


class Time(Argument[int]):
    """A delay, in milliseconds. ``unexpected`` and ``overflow`` are the sentences; {name}, {got}, {char}."""

    usage = "<time>"
    taken = 1

    def __init__(
        self,
        unexpected: str = "unexpected character '{char}' in '{name}'",
        overflow: str = "timer overflow in argument '{got}' to '{name}' "
        "(maximum value is 2147483647 ms or ~24.8 days)",
        unit: int = 1,
        least: int = 0,
    ) -> None:
        self.unexpected = unexpected
        self.overflow = overflow
        self.unit = unit
        self.least = least

    def read(self, cursor: Cursor) -> int:
        text = cursor.take("<time> as argument")
        found = read_time(text, self.unit)
        name = cursor.name
        if found.wrong:
            raise cursor.bad("bad-time", _fill(self.unexpected, name, text, found.wrong), whole=True)
        if found.milliseconds > LONGEST:
            raise cursor.bad("bad-time", _fill(self.overflow, name, text), whole=True)
        if found.milliseconds < self.least:
            raise cursor.bad(
                "out-of-range",
                f"invalid value {text} for argument '{name}' of server {cursor.context.item}.",
                whole=True,
            )
        if found.after:
            warn_after(cursor, text, found.after)
        return found.milliseconds

    def words(self, value: int) -> list[str]:
        return [time_words(value)]


def warn_after(cursor: Cursor, text: str, character: str) -> None:
    place: Place = cursor.context
    place.diagnostics.warning(
        "time-with-tail",
        f"{place.where}unexpected character '{character}' after the timer value '{text}', {SUPPORTED}. "
        "This will be reported as an error in next versions.",
        cursor.span(),
        lead=place.lead if place.where else "config : ",
    )


def _fill(sentence: str, name: str, text: str, character: str = "") -> str:
    return sentence.replace("{char}", character).replace("{name}", name).replace("{got}", text)


_SIZES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


class Size(Argument[int]):
    """A number of bytes or entries with an optional k, m or g; at most 32 bits."""

    usage = "<size>"
    at_most = 1

    def __init__(self, unexpected: str = "unexpected '{rest}' after size passed to '{name}'") -> None:
        self.unexpected = unexpected

    def read(self, cursor: Cursor) -> int:
        text = cursor.take("a size")
        value, wrong = read_size(text)
        if value is None:
            message = self.unexpected.replace("{rest}", wrong)
            raise cursor.bad("bad-size", _fill(message, cursor.name, text, wrong[:1]), whole=True)
        return value

    def words(self, value: int) -> list[str]:
        for unit, factor in (("g", 1 << 30), ("m", 1 << 20), ("k", 1 << 10)):
            if value and value % factor == 0:
                return [f"{value // factor}{unit}"]
        return [str(value)]


class PositiveSize(Size):
    """The same, but not 0."""

    def read(self, cursor: Cursor) -> int:
        value = super().read(cursor)
        if value == 0:
            message = f"'{cursor.name}' expects a positive integer argument."
            raise cursor.bad("out-of-range", message, whole=True)
        return value


def read_size(text: str) -> tuple[int | None, str]:
    """(value, "") or (None, the rest of the text from where it stops being a size of 32 bits)."""
    digits = len(text) - len(text.lstrip("0123456789"))
    count, unit = decimal(text[:digits]), text[digits:].lower()
    if count is None:
        return None, text
    if count >= 1 << 32:
        fitting = next(length for length in range(1, digits) if int(text[: length + 1]) >= 1 << 32)
        return None, text[fitting:]
    if unit not in _SIZES:
        return None, text[digits + 1 :] if unit[0] in _SIZES else text[digits:]
    if count * _SIZES[unit] >= 1 << 32:
        return None, text[-1]
    return count * _SIZES[unit], ""


class Loose(Argument[int]):
    """A number read the way C's atol does: what is not a number is 0, and that is told in a notice."""

    usage = "<number>"
    taken = 1
    at_most = 1

    def __init__(self, low: int | None = None, high: int | None = None, usage: str = "<number>") -> None:
        self.low = low
        self.high = high
        self.usage = usage

    def read(self, cursor: Cursor) -> int:
        text = cursor.take("an integer argument")
        value = as_c_int(loose_number(text))
        if signed(text) is None:
            place: Place = cursor.context
            place.diagnostics.notice(
                "not-a-number", f"evener: '{text}' after '{cursor.name}' counts as {value}.", cursor.span()
            )
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            raise cursor.bad("out-of-range", f"'{text}' is out of range")
        return value


def as_c_int(number: int) -> int:
    """A number that C reads into a long and keeps in an int."""
    return (max(-(1 << 63), min(number, (1 << 63) - 1)) + (1 << 31)) % (1 << 32) - (1 << 31)


def loose_number(text: str) -> int:
    sign = text[:1] if text[:1] in ("-", "+") else ""
    body = text[len(sign) :]
    value = decimal(body[: len(body) - len(body.lstrip("0123456789"))]) or 0
    return -value if sign == "-" else value


class Octal(Argument[int]):
    """A file mode."""

    usage = "<mode>"

    def read(self, cursor: Cursor) -> int:
        text = cursor.take("an octal mode")
        if not text or any(c not in "01234567" for c in text):
            raise cursor.bad("not-a-number", f"invalid mode '{text}'")
        return int(text, 8)

    def words(self, value: int) -> list[str]:
        return [f"{value:o}"]


class Password(Argument[str]):
    """The key of ``tcp-md5sig``."""

    usage = "<password>"

    def read(self, cursor: Cursor) -> str:
        if not cursor.more:
            message = "'tcp-md5sig' : missing TCP MD5 signature password"
            raise cursor.bad("missing-argument", message, whole=True)
        text = cursor.take()
        if len(text.encode()) > tcp_md5.LONGEST_KEY:
            most = f"at most {tcp_md5.LONGEST_KEY} characters expected"
            raise cursor.bad("too-long", f"'tcp-md5sig' : password too long ({most})", whole=True)
        return text


class AddressText(Argument[Address]):
    """One address; {error} in ``wrong`` is what is wrong with it."""

    usage = "<address>"

    def __init__(self, allow: int, wrong: str = "'{name}' : {error}") -> None:
        self.allow = allow
        self.wrong = wrong

    def read(self, cursor: Cursor) -> Address:
        text = cursor.take("an address")
        place: Place = cursor.context
        try:
            return parse_address(text, self.allow, place.resolve)
        except BadAddress as error:
            message = _fill(self.wrong, cursor.name, text).replace("{error}", str(error))
            raise cursor.bad("bad-address", message, whole=True) from None

    def words(self, value: Address) -> list[str]:
        return [value.text]


class Sentence(Argument[str]):
    """All remaining words, joined by blanks (descriptions)."""

    usage = "<text>"

    def __init__(self, least: int = 1) -> None:
        self.least = least

    def read(self, cursor: Cursor) -> str:
        words = cursor.rest()
        if len(words) < self.least:
            raise cursor.missing("a string argument")
        return " ".join(words)

    def words(self, value: str) -> list[str]:
        return value.split(" ") if value else []


class OneOf(Argument[str]):
    """One word of a closed set, kept as it is written."""

    taken: ClassVar[int | None] = 1

    def __init__(self, *choices: str) -> None:
        self.choices = choices
        self.usage = "{ " + " | ".join(choices) + " }"

    def read(self, cursor: Cursor) -> str:
        text = cursor.take("one of " + ", ".join(f"'{choice}'" for choice in self.choices))
        if text not in self.choices:
            raise cursor.bad("unknown-value", f"does not know '{text}'")
        return text


def wrong_word(cursor: Cursor, code: str, message: str) -> BadArgument:
    """A whole sentence about the word taken last."""
    return cursor.bad(code, message, whole=True)


__all__ = [
    "NOT_EXECUTED",
    "AddressText",
    "Loose",
    "Octal",
    "OneOf",
    "PositiveSize",
    "Sentence",
    "Size",
    "Time",
    "TimeText",
    "read_size",
    "read_time",
    "time_words",
    "wrong_word",
]
