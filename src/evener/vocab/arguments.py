"""The types of arguments a keyword may take: words in, a Python value out, and back again.

Decides whether one argument is well formed and what value it stands for. Knows no keyword and neither
product: an ``Argument`` reads from a ``Cursor`` over the words of one statement and raises
``BadArgument``, which the reader of the product turns into a diagnostic with the product's wording.
``words`` is the inverse of ``read`` and is what printing a configuration uses.

``int()`` and ``str.isdigit()`` accept signs, blanks, underscores and other alphabets, so numbers are
read here by ``decimal`` only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from evener.text.span import Span

T = TypeVar("T")
E = TypeVar("E", bound=Enum)


class Statement(Protocol):
    """What both products' tokenised lines are: words, and where each one stood."""

    @property
    def words(self) -> Sequence[str]: ...

    def span(self, index: int, /) -> Span: ...


class BadArgument(Exception):
    """Word ``index`` of the statement is missing, wrong or too much; ``code`` names the defect.

    ``message`` goes on where the keyword's name left off, unless it is the ``whole`` sentence.
    """

    def __init__(
        self, code: str, message: str, index: int, hint: str | None = None, *, whole: bool = False
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.index = index
        self.hint = hint
        self.whole = whole


class Cursor:
    """The words of a statement, taken from left to right.

    ``name`` is the keyword whose arguments are read, for messages; ``context`` is the product's own.
    """

    __slots__ = ("context", "index", "line", "name", "words")

    def __init__(self, line: Statement, index: int, context: Any = None, name: str = "") -> None:
        self.line = line
        self.words = line.words
        self.index = index
        self.context = context
        self.name = name

    @property
    def more(self) -> bool:
        return self.index < len(self.words)

    def peek(self) -> str | None:
        return self.words[self.index] if self.index < len(self.words) else None

    def take(self, what: str = "an argument") -> str:
        """The next word; raises BadArgument (``missing-argument``) when there is none."""
        if self.index >= len(self.words):
            raise self.missing(what)
        self.index += 1
        return self.words[self.index - 1]

    def missing(self, what: str) -> BadArgument:
        return BadArgument("missing-argument", f"expects {what}", self.index)

    def accept(self, word: str) -> bool:
        """Take the next word if it is ``word``."""
        if self.peek() == word:
            self.index += 1
            return True
        return False

    def rest(self) -> tuple[str, ...]:
        words = tuple(self.words[self.index :])
        self.index = len(self.words)
        return words

    def bad(self, code: str, message: str, *, hint: str | None = None, whole: bool = False) -> BadArgument:
        """An error about the word that was taken last; the caller raises it."""
        return BadArgument(code, message, self.index - 1, hint, whole=whole)

    def span(self) -> Span:
        """Where the word that was taken last stands."""
        return self.line.span(self.index - 1)


def decimal(text: str) -> int | None:
    """The value of ``text`` if it is nothing but ASCII digits."""
    return int(text) if text.isascii() and text.isdigit() else None


def signed(text: str) -> int | None:
    """Like ``decimal`` with an optional leading ``-`` or ``+``."""
    if text[:1] in ("-", "+"):
        value = decimal(text[1:])
        return None if value is None else (-value if text[0] == "-" else value)
    return decimal(text)


class Argument(Generic[T]):
    """Base: ``usage`` is how the manual shows the argument."""

    usage = "<value>"
    taken: ClassVar[int | None] = None
    """How many words it takes, if they alone make the value: then what they stood for may be remembered."""
    at_most: ClassVar[int | None] = None
    """How many words it takes, if that may be counted before any of them is looked at."""

    def read(self, cursor: Cursor, /) -> T:
        raise TypeError(f"{type(self).__name__} does not say how it is read")

    def words(self, value: T, /) -> list[str]:
        return [str(value)]

    def statement(self, name: Sequence[str], value: T, /) -> list[str]:
        """The whole statement: the keyword, which may be more than its name, and its arguments."""
        return [*name, *self.words(value)]


class Flag(Argument[bool]):
    """No argument: the keyword itself says yes."""

    usage = ""
    taken = 0

    def read(self, cursor: Cursor) -> bool:
        return True

    def words(self, value: bool) -> list[str]:
        return []


class Text(Argument[str]):
    """One word, taken as it is."""

    def __init__(self, usage: str = "<string>") -> None:
        self.usage = usage

    def read(self, cursor: Cursor) -> str:
        return cursor.take(f"{self.usage} as argument")


class Words(Argument[tuple[str, ...]]):
    """All remaining words, at least ``least`` and at most ``most`` of them."""

    def __init__(self, least: int = 0, most: int | None = None, usage: str = "<word>*") -> None:
        self.least = least
        self.most = most
        self.usage = usage

    def read(self, cursor: Cursor) -> tuple[str, ...]:
        start = cursor.index
        words = cursor.rest()
        if len(words) < self.least:
            raise cursor.missing(f"{self.usage} as argument")
        if self.most is not None and len(words) > self.most:
            extra = words[self.most]
            raise BadArgument("unexpected-argument", f"unexpected argument '{extra}'", start + self.most)
        return words

    def words(self, value: tuple[str, ...]) -> list[str]:
        return list(value)


class Integer(Argument[int]):
    """A whole number between ``low`` and ``high`` inclusive; a sign is allowed where ``low`` is negative."""

    def __init__(self, low: int = 0, high: int | None = None, usage: str = "<number>") -> None:
        self.low = low
        self.high = high
        self.usage = usage

    def read(self, cursor: Cursor) -> int:
        text = cursor.take("an integer argument")
        value = signed(text) if self.low < 0 else decimal(text)
        if value is None:
            raise cursor.bad("not-a-number", f"'{text}' is not a number")
        if value < self.low or (self.high is not None and value > self.high):
            high = "" if self.high is None else str(self.high)
            raise cursor.bad("out-of-range", f"'{text}' is out of range ({self.low}..{high})")
        return value


class Fraction(Argument[float]):
    """A decimal number with an optional fractional part, between ``low`` and ``high`` inclusive."""

    def __init__(self, low: float = 0.0, high: float | None = None, usage: str = "<number>") -> None:
        self.low = low
        self.high = high
        self.usage = usage

    def read(self, cursor: Cursor) -> float:
        text = cursor.take("a number")
        body = text[1:] if self.low < 0 and text[:1] in ("-", "+") else text
        whole, dot, part = body.partition(".")
        if not (whole or part) or any(x and decimal(x) is None for x in (whole, part)) or (dot and not part):
            raise cursor.bad("not-a-number", f"'{text}' is not a number")
        value = float(text)
        if value < self.low or (self.high is not None and value > self.high):
            high = "" if self.high is None else f"{self.high:g}"
            raise cursor.bad("out-of-range", f"'{text}' is out of range ({self.low:g}..{high})")
        return value

    def words(self, value: float) -> list[str]:
        return [f"{value:.9f}".rstrip("0").rstrip(".")]


class Choice(Argument[T]):
    """One of a closed set of words, each standing for a value."""

    def __init__(self, choices: Mapping[str, T], usage: str | None = None) -> None:
        self.choices = dict(choices)
        self.spelling = {value: word for word, value in reversed(self.choices.items())}
        self.usage = usage or "{ " + " | ".join(self.choices) + " }"

    def read(self, cursor: Cursor) -> T:
        text = cursor.take(f"{self.listing()} as argument")
        if text not in self.choices:
            raise cursor.bad("unknown-value", f"'{text}' is not one of {self.listing()}")
        return self.choices[text]

    def listing(self) -> str:
        words = [f"'{word}'" for word in self.choices]
        return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]

    def words(self, value: T) -> list[str]:
        return [self.spelling[value]]


def choice_of(members: Iterable[E]) -> Choice[E]:
    """The choice between the members of an enum, spelt as their values."""
    return Choice({str(member.value): member for member in members})


class Measure(Argument[int]):
    """A whole number followed by a unit; the value is in the smallest thing counted (``1`` below).

    ``units`` maps each suffix to (multiplier, divisor); the empty suffix is the unit meant when none is
    given. A division rounds up, so that a small positive measure never becomes zero. The character
    that is not understood is named in the error, as is a value above ``high``.
    """

    def __init__(self, units: Mapping[str, tuple[int, int]], high: int, usage: str, low: int = 0) -> None:
        self.units = dict(units)
        self.low = low
        self.high = high
        self.usage = usage

    def read(self, cursor: Cursor) -> int:
        text = cursor.take(f"{self.usage} as argument")
        value = self.value(text, cursor)
        if value > self.high:
            raise cursor.bad("overflow", f"'{text}' is more than {self.high}")
        if value < self.low:
            raise cursor.bad("out-of-range", f"'{text}' is less than {self.low}")
        return value

    def value(self, text: str, cursor: Cursor) -> int:
        number = text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
        count = decimal(number)
        if count is None or text[len(number) :] not in self.units:
            raise cursor.bad("unexpected-character", f"unexpected character '{self.unexpected(text)}'")
        multiplier, divisor = self.units[text[len(number) :]]
        return -(-count * multiplier // divisor)

    def unexpected(self, text: str) -> str:
        """The first character at which ``text`` stops being a measure."""
        for i, character in enumerate(text):
            if not ("0" <= character <= "9"):
                known = any(unit and i and text.startswith(unit, i) for unit in self.units)
                return text[i + 1 : i + 2] if known and len(text) > i + 1 else character
        return text[-1:]


class Record(Argument[tuple[Any, ...]]):
    """Several arguments one after the other."""

    def __init__(self, *arguments: Argument[Any]) -> None:
        self.arguments = arguments
        self.usage = " ".join(argument.usage for argument in arguments)

    def read(self, cursor: Cursor) -> tuple[Any, ...]:
        return tuple(argument.read(cursor) for argument in self.arguments)

    def words(self, value: tuple[Any, ...]) -> list[str]:
        pairs = zip(self.arguments, value, strict=True)
        return [word for argument, part in pairs for word in argument.words(part)]
