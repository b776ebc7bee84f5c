"""Conditions of ``.if``, ``.elif`` and ``haproxy -cc``.

    or    := and ("||" or)?
    and   := term ("&&" and)?
    term  := "!" term | "(" or ")" | integer | predicate ("(" arguments ")")?

A condition is parsed in full before any of it is evaluated, and evaluated from the left only as far as
its result needs: a predicate whose argument makes no sense is an error only when it is reached. An empty
condition is false. Blanks belong to the arguments: ``streq(a, a)`` is false.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, NoReturn

from evener.haproxy.build import CHECKED, ENABLED, PRESENT, THIS, parse_version
from evener.text.record import dataclass

Term = Callable[[], bool]


class ConditionError(Exception):
    """``message`` is the original's; ``column`` (from 0) is where in the condition it stands."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.message = message
        self.column = column


@dataclass(frozen=True, slots=True)
class World:
    """What conditions can ask about: the environment and the run-time options that are on."""

    variable: Callable[[str], str | None]
    enabled: frozenset[str] = ENABLED
    checking: bool = False  #: what is only read and checked counts as present, and
    assumed: Callable[[str], None] = lambda feature: None  #: is told when it does


def evaluate(text: str, world: World) -> bool:
    """Whether the condition holds; raises ConditionError."""
    if not text.strip(_BLANK):
        return False
    return _Parser(text, world).whole()()


_BLANK = " \t"
_INTEGER = re.compile(r"[+-]?(0[xX][0-9a-fA-F]+|0[0-7]*|[0-9]+)")
_NAME = re.compile(r"[a-z_0-9]*")
_OPENSSL_VERSION = re.compile(r"([0-9]+)\.([0-9]+)\.([0-9]+)([a-z]?).*")
_ESCAPES: Final = {"t": "\t", "n": "\n", "r": "\r", " ": " ", "\\": "\\", "'": "'", '"': '"'}


class _Impossible(Exception):
    """The argument of a predicate cannot be evaluated."""


def _feature(world: World, args: Sequence[str]) -> bool:
    name = args[0]
    if name in PRESENT or not (world.checking and name in CHECKED):
        return name in PRESENT
    world.assumed(name)
    return True


def _openssl(atleast: bool) -> Callable[[World, Sequence[str]], bool]:
    """Without a TLS library the answer is no, but it must be a version that is asked about."""

    def compare(world: World, args: Sequence[str]) -> bool:
        asked = _OPENSSL_VERSION.fullmatch(args[0])
        if asked is None:
            raise _Impossible
        if not world.checking:
            return False
        world.assumed("OPENSSL")
        *numbers, letter = asked.groups()
        wanted = (*(int(number[:9]) for number in numbers), ord(letter) - ord("a") + 1 if letter else 0)
        return (wanted <= _installed()) is atleast

    return compare


def _installed() -> tuple[int, ...]:
    """The version of the machine's library, by which TLS words are checked."""
    from evener.haproxy.libcrypto import version

    return version()


def _library(world: World, args: Sequence[str]) -> bool:
    if world.checking:
        world.assumed("OPENSSL")
    return world.checking and "OpenSSL".startswith(args[0])


def _awslc(world: World, args: Sequence[str]) -> bool:
    raise _Impossible


_PREDICATES: Final[dict[str, tuple[int, Callable[[World, Sequence[str]], bool]]]] = {
    "awslc_api_atleast": (1, _awslc),
    "awslc_api_before": (1, _awslc),
    "defined": (1, lambda world, args: world.variable(args[0]) is not None),
    "enabled": (1, lambda world, args: args[0] in world.enabled),
    "feature": (1, _feature),
    "fips_mode": (0, lambda world, args: False),
    "openssl_version_atleast": (1, _openssl(True)),
    "openssl_version_before": (1, _openssl(False)),
    "ssllib_name_startswith": (1, _library),
    "streq": (2, lambda world, args: args[0] == args[1]),
    "strneq": (2, lambda world, args: args[0] != args[1]),
    "strstr": (2, lambda world, args: args[1] in args[0]),
    "version_atleast": (1, lambda world, args: parse_version(args[0]) <= THIS),
    "version_before": (1, lambda world, args: parse_version(args[0]) > THIS),
}
PREDICATES: Final = tuple(_PREDICATES)


class _Parser:
    def __init__(self, text: str, world: World) -> None:
        self.text = text
        self.world = world
        self.at = 0
        self.depth = 0

    def whole(self) -> Term:
        result = self.either()
        self.skip()
        if self.at < len(self.text):
            what = self.text[self.at]
            self.fail(f"unexpected character '{what}' at the end of conditional expression '{self.text}'")
        return result

    def skip(self) -> None:
        while self.text[self.at : self.at + 1] in (" ", "\t"):
            self.at += 1

    def fail(self, message: str, column: int | None = None) -> NoReturn:
        raise ConditionError(message, self.at if column is None else column)

    def unparsable(self, column: int) -> NoReturn:
        self.fail(f"unparsable conditional expression '{self.text[column:]}'", column)

    def either(self) -> Term:
        if self.at:
            self.skip()
        start = self.at
        terms = [self.both()]
        sign = self.at
        while self.operator("||"):
            if self.at == len(self.text):
                self.fail(f"unparsable conditional expression '{self.text[start:]}'", sign)
            terms.append(self.both())
        return terms[0] if len(terms) == 1 else lambda: any(term() for term in terms)

    def both(self) -> Term:
        terms = [self.term()]
        first: int | None = None
        while self.operator("&&"):
            first = self.at - 2 if first is None else first
            self.skip()
            if self.at == len(self.text):
                self.unparsable(self.text.rindex("&&", 0, first + 2))
            terms.append(self.term())
        return terms[0] if len(terms) == 1 else lambda: all(term() for term in terms)

    def operator(self, sign: str) -> bool:
        self.skip()
        if not self.text.startswith(sign, self.at):
            return False
        self.at += len(sign)
        if sign == "||":
            self.skip()
        return True

    def term(self) -> Term:
        start = self.at
        self.skip()
        start = start and self.at  # only the blanks before the very first term are shown
        negated = False
        while self.text.startswith("!", self.at):
            negated = not negated
            self.at += 1
            self.skip()
        inner = self.primary(start)
        return (lambda: not inner()) if negated else inner

    def primary(self, start: int) -> Term:
        text = self.text
        if text.startswith("(", self.at):
            return self.group(start)
        number = _INTEGER.match(text, self.at)
        if number:
            self.at = number.end()
            truth = number.group(1).strip("0xX") != ""
            return lambda: truth
        name = _NAME.match(text, self.at)
        word = name.group() if name else ""
        if word not in _PREDICATES:
            self.unparsable(start)
        self.at += len(word)
        return self.predicate(word)

    def group(self, start: int) -> Term:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            self.unparsable(start)
        self.at += 1
        inner = self.either()
        self.skip()
        if not self.text.startswith(")", self.at):
            self.fail(f"expected ')' after conditional expression '{self.text[start:]}'", start)
        self.at += 1
        self.depth -= 1
        return inner

    def predicate(self, name: str) -> Term:
        arity, function = _PREDICATES[name]
        args = self.arguments(name, arity)
        world = self.world
        end = len(self.text)

        def run() -> bool:
            try:
                return function(world, args)
            except _Impossible:
                shown = args[0] if args else ""
                message = f"invalid argument to conditional expression predicate '{name}': '{shown}'"
                raise ConditionError(message, end) from None

        return run

    def arguments(self, name: str, arity: int) -> list[str]:
        tail = f" in argument {min(arity, 1)} of predicate '{name}' used in conditional expression"
        missing = f"missing arguments (got 1/2), type 'string' expected{tail}"
        if not self.text.startswith("(", self.at):
            if arity > 1:
                self.fail(missing)
            return [""] * arity
        self.at += 1
        args: list[str] = []
        while len(args) < arity:
            args.append(self.argument(tail))
            if len(args) < arity:
                if not self.text.startswith(",", self.at):
                    self.fail(missing)
                self.at += 1
        if self.at >= len(self.text):
            self.fail(f"expected ')'{tail}")
        if self.text[self.at] != ")":
            self.fail(f"expected ')' before '{self.text[self.at :]}'{tail}")
        self.at += 1
        return args

    def argument(self, tail: str) -> str:
        """One argument up to a comma or parenthesis outside quotes; the second level of quoting."""
        text = self.text
        start = self.at
        out: list[str] = []
        quote = ""
        while self.at < len(text):
            char = text[self.at]
            if char == quote:
                quote = ""
            elif not quote and char in "'\"":
                quote = char
            elif not quote and char in ",)":
                break
            elif char == "\\" and quote != "'":
                following = text[self.at + 1 : self.at + 2]
                if not following:
                    after = text[start : self.at]
                    where = self.at - start + 1
                    self.fail(
                        f"failed to parse '\\' after '{after}' as type 'string' at position {where}{tail}"
                    )
                out.append(_ESCAPES.get(following, "\\" + following))
                # before a comma or a parenthesis it means itself and protects nothing
                self.at += 1 if following not in ",)" else 0
                if following in ",)":
                    out[-1] = "\\"
            else:
                out.append(char)
            self.at += 1
        if quote:
            self.fail(f"expected ')'{tail}")
        return "".join(out)


_MAX_DEPTH: Final = 100
