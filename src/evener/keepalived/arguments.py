"""The types of keepalived.conf's arguments that are not special to one block.

Each says in the original's words what is wrong with a word (``number '256' outside range [1, 255]``); the
keyword adds its own sentence (``Complaint``). An empty message means that the keyword's sentence says
it all. ``good`` and ``bad`` are words for the examples of keywords that give none of their own.

Times are whole microseconds, addresses are ``ipaddress`` objects, numbers are read digit by digit
(``numbers``).
"""

from __future__ import annotations

import ipaddress
from typing import Any

from evener.keepalived.grammar import value
from evener.keepalived.line import quoted
from evener.keepalived.numbers import UINT_MAX, ULONG_MAX, decimal_text, fraction, whole
from evener.vocab.arguments import Argument, Choice, Cursor

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

SECOND = 1_000_000
SAID = "said"
"""Code of an argument that is refused when everything about it has been said."""

BOOLEANS = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}


class Value(Argument[Any]):
    """Base of the argument types of this product."""

    usage = "<STRING>"
    good: tuple[str, ...] = ("a",)
    bad: tuple[str, ...] = ()

    def words(self, value: Any) -> list[str]:
        return [quoted(str(value))]


class Flag(Value):
    """The keyword alone; the original ignores words after it."""

    usage = ""
    good: tuple[str, ...] = ("",)

    def read(self, cursor: Cursor) -> bool:
        cursor.rest()
        return True

    def words(self, value: bool) -> list[str]:
        return []


class String(Value):
    """One word. ``least`` is how long it has to be."""

    bad: tuple[str, ...] = ("",)

    def __init__(self, usage: str = "<STRING>", longest: int | None = None) -> None:
        self.usage = usage
        self.longest = longest

    def read(self, cursor: Cursor) -> str:
        word = cursor.take()
        if self.longest is not None and len(word) > self.longest:
            raise cursor.bad("too-long", "")
        return word


class OnlyName(String):
    """The name of a block that refuses other words beside it."""

    def read(self, cursor: Cursor) -> str:
        name = cursor.take()
        if cursor.more:
            raise cursor.missing("nothing else")
        return name


class NonEmpty(OnlyName):
    """A word that is not empty, alone."""

    def read(self, cursor: Cursor) -> str:
        text = super().read(cursor)
        if not text:
            raise cursor.missing("a word")
        return text


class OptionalString(String):
    """One word or none; none is the empty string."""

    good: tuple[str, ...] = ("", "a")
    bad: tuple[str, ...] = ()

    def read(self, cursor: Cursor) -> str:
        return cursor.take() if cursor.more else ""

    def words(self, value: str) -> list[str]:
        return [quoted(value)] if value else []


class Strings(Value):
    """All the words that follow, at least ``least``."""

    usage = "<STRING>..."
    bad: tuple[str, ...] = ("",)

    def __init__(self, usage: str = "<STRING>...", least: int = 1, good: str = "a b") -> None:
        self.usage = usage
        self.least = least
        self.good = (good,)
        self.bad = ("",) if least else ()

    def read(self, cursor: Cursor) -> tuple[str, ...]:
        words = cursor.rest()
        if len(words) < self.least:
            raise cursor.missing("a word")
        return words

    def words(self, value: tuple[str, ...]) -> list[str]:
        return [quoted(word) for word in value]


class Number(Value):
    """A whole number in decimal between ``low`` and ``high``."""

    def __init__(self, low: int = 0, high: int = UINT_MAX, usage: str = "<NUMBER>") -> None:
        self.low = low
        self.high = high
        self.usage = usage
        self.good = (str(low), str(high))
        self.bad = ("", "x", str(high + 1))

    def read(self, cursor: Cursor) -> int:
        text = cursor.take()
        code, message, number = whole(text, self.low, self.high)
        if code:
            raise cursor.bad(code, message)
        return number

    def words(self, value: int) -> list[str]:
        return [str(value)]


class OnlyNumber(Number):
    """A number that refuses other words beside it."""

    def read(self, cursor: Cursor) -> int:
        if len(cursor.words) - cursor.index > 1:
            raise cursor.missing("nothing else")
        return super().read(cursor)


class SignedNumber(Number):
    """A number that the original keeps in an int, whatever its range."""

    def read(self, cursor: Cursor) -> int:
        code, message, number = whole(cursor.take(), self.low, self.high, signed=True)
        if code:
            raise cursor.bad(code, message)
        return number


class OptionalNumber(Number):
    """A number, or nothing for ``default``."""

    def __init__(self, low: int, high: int, default: int, usage: str = "[<NUMBER>]") -> None:
        super().__init__(low, high, usage)
        self.default = default
        self.good = ("", str(low))
        self.bad = ("x", str(high + 1))

    def read(self, cursor: Cursor) -> int:
        return super().read(cursor) if cursor.more else self.default


class Decimal(Value):
    """A decimal number with at most ``places`` decimals, kept as a whole number of 10^-places units.

    ``low`` and ``high`` are in these units; the default is seconds kept as microseconds.
    """

    most = UINT_MAX * SECOND  #: what is kept of a number beyond every use

    def __init__(
        self,
        low: int = 0,
        high: int = UINT_MAX,
        places: int = 6,
        usage: str = "<DECIMAL>",
        lenient: bool = True,
    ) -> None:
        self.low = low
        self.high = high
        self.lenient = lenient
        self.places = places
        self.usage = usage
        self.good = (decimal_text(max(low, 1), places), decimal_text(high, places))
        self.bad = ("", "x", decimal_text(high + 1, places), "0." + "1" * (places + 1))

    def read(self, cursor: Cursor) -> int:
        said, number = fraction(cursor.take(), self.low, self.high, self.places, self.lenient)
        for code, message in said if number is not None else said[:-1]:
            cursor.context.alert(code, message, cursor.span())
        if number is None:
            raise cursor.bad(*said[-1])
        return min(number, self.most)

    def words(self, value: int) -> list[str]:
        return [decimal_text(value, self.places)]


class Timer(Decimal):
    """Seconds, kept as microseconds."""

    def __init__(self, low: int = 0, high: int = ULONG_MAX - 1, usage: str = "<TIMER>") -> None:
        super().__init__(low, high, 6, usage)


class Bool(Value):
    """on/off, true/false, yes/no."""

    usage = "<BOOL>"
    good: tuple[str, ...] = ("on", "false")
    bad: tuple[str, ...] = ("", "maybe")

    def read(self, cursor: Cursor) -> bool:
        word = cursor.take()
        if word not in BOOLEANS:
            raise cursor.bad("bad-boolean", "")
        return BOOLEANS[word]

    def words(self, value: bool) -> list[str]:
        return ["on" if value else "off"]


class OptionalBool(Bool):
    """A boolean, or nothing for yes."""

    usage = "[<BOOL>]"
    good: tuple[str, ...] = ("", "yes", "off")
    bad: tuple[str, ...] = ("maybe",)

    def read(self, cursor: Cursor) -> bool:
        return super().read(cursor) if cursor.more else True


class IpAddress(Value):
    """An IPv4 or IPv6 address; ``version`` 4 or 6 when only one will do."""

    usage = "<IPADDR>"

    def __init__(self, version: int | None = None) -> None:
        self.version = version
        self.good = ("fd00::1",) if version == 6 else ("10.0.0.1",)
        self.bad = ("", "10.0.0.300")

    def read(self, cursor: Cursor) -> Address:
        made = address(bare(cursor.take()))
        if made is None or self.version not in (None, made.version):
            raise cursor.bad("bad-address", "")
        return made


def address(text: str) -> Address | None:
    """``text`` as an address; None when it is none. A zone (``%eth0``) is not part of an address."""
    if "%" in text or not text.isascii():
        return None
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def bare(text: str) -> str:
    """An address without the range or the prefix length behind it, which mean nothing."""
    return text.partition("-" if "-" in text else "/")[0]


class AddressAndPort(Value):
    """``IPADDR [PORT]`` as (address, port or 0)."""

    usage = "<IPADDR> [<PORT>]"
    good: tuple[str, ...] = ("10.0.0.1 80", "fd00::1")
    bad: tuple[str, ...] = ("", "10.0.0.300", "10.0.0.1 70000")

    def read(self, cursor: Cursor) -> tuple[Address, int]:
        made = address(bare(cursor.take()))
        if made is None:
            raise cursor.bad("bad-address", "")
        if not cursor.more:
            return made, 0
        port = cursor.take()
        code, message, number = whole(port, 0 if port == "0" else 1, 65535)
        if code:
            raise cursor.bad(code, message)
        return made, number

    def words(self, value: tuple[Address, int]) -> list[str]:
        return [str(value[0]), *([str(value[1])] if value[1] else [])]


class OneOf(Value):
    """One of the words of ``choices``, each standing for a value."""

    def __init__(self, *words: str, **choices: Any) -> None:
        self.choice = Choice({**{word: word for word in words}, **choices})
        self.usage = "|".join(self.choice.choices)
        self.good = tuple(self.choice.choices)
        self.bad = ("", "no-such-word")

    def read(self, cursor: Cursor) -> Any:
        word = cursor.take()
        if word not in self.choice.choices:
            raise cursor.bad("unknown-value", "")
        return self.choice.choices[word]

    def words(self, value: Any) -> list[str]:
        return self.choice.words(value)


def parts(kind: str, text: str) -> tuple[str | None, ...] | None:
    """``text`` taken apart by network.lark or range.lark."""
    return value(kind, text)
