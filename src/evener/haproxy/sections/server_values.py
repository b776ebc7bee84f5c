"""Arguments that only server lines have: delays of checks, address methods."""

from __future__ import annotations

import re
from typing import ClassVar

from evener.haproxy.addresses import Address, literal_address
from evener.haproxy.sections.timeouts import SMALL
from evener.haproxy.sections.values import AddressText, Loose, OneOf, Time
from evener.vocab.arguments import Argument, BadArgument, Cursor, decimal

_DELAY = "unexpected character '{char}' in '{name}' argument of server {server}."
_OVERFLOW = (
    "timer overflow in argument <{got}> to <{name}> of server {server}, "
    "maximum value is 2147483647 ms (~24.8 days)."
)


class Delay(Time):
    """A delay on a server line; ``called``: by which name the original complains, where that is another."""

    def __init__(self, least: int = 0, called: str = "{name}") -> None:
        super().__init__(_DELAY.replace("{name}", called), _OVERFLOW, least=least)

    def read(self, cursor: Cursor) -> int:
        try:
            value = super().read(cursor)
        except BadArgument as error:
            error.message = error.message.replace("{server}", cursor.context.item)
            raise
        text, place = cursor.words[cursor.index - 1], cursor.context
        if self.least and value < SMALL and decimal(text) is not None:
            place.warning(
                "suspiciously-small-time",
                f"'{cursor.name} {value}' in server '{place.item}' is suspiciously small for a value in "
                f"milliseconds. Please use an explicit unit ('{value}ms') if that was the intent{place.tail}",
                cursor.span(),
            )
        return value


class Number(Loose):
    """A loose number that may even be missing at the end of the line: then it is 0."""

    def read(self, cursor: Cursor) -> int:
        return super().read(cursor) if cursor.more else 0


class Port(Loose):
    """A port, which must be there; what it is nobody looks at."""

    def read(self, cursor: Cursor) -> int:
        if not cursor.more:
            cursor.index += 1
            message = f"'{cursor.name}' expects a port number as argument."
            raise cursor.bad("missing-argument", message, whole=True)
        return super().read(cursor)


class Count(Loose):
    """A count that must be positive: ``'{name}' has to be > 0.``"""

    def __init__(self, sentence: str = "'{name}' has to be > 0.") -> None:
        super().__init__(1)
        self.sentence = sentence

    def read(self, cursor: Cursor) -> int:
        name = cursor.name
        if not cursor.more:
            raise cursor.bad("missing-argument", f"'{name}' expects an integer argument.", whole=True)
        index = cursor.index
        value = loose(cursor)
        if value < 1:
            cursor.index = index + 1
            raise cursor.bad("out-of-range", self.sentence.replace("{name}", name), whole=True)
        return value


_any = Loose()


def loose(cursor: Cursor) -> int:
    return _any.read(cursor)


class Weight(Argument[int]):
    """How much of the traffic, 0 to 256."""

    usage = "<weight>"
    taken = 1

    def read(self, cursor: Cursor) -> int:
        if not cursor.more:
            return 0
        value = loose(cursor)
        if not 0 <= value <= 256:
            message = f"weight of server {cursor.context.item} is not within 0 and 256 ({value})."
            raise cursor.bad("out-of-range", message, whole=True)
        return value


class Observe(OneOf):
    """What is observed; answers of HTTP can only be where HTTP is spoken, elsewhere nothing is observed."""

    taken: ClassVar[int | None] = None  # what is made of the word depends on the proxy

    def __init__(self) -> None:
        super().__init__("none", "layer4", "layer7")

    def read(self, cursor: Cursor) -> str:
        mode = super().read(cursor)
        place = cursor.context
        if mode == "layer7" and place.scope is not None and not place.scope.http:
            message = f"'layer7' can only be used in http proxies.{place.tail}"
            place.alert("needs-http", message, cursor.span(), fatal=False)
            return "none"
        return mode


class SocksAddress(AddressText):
    """An address that must have a port."""

    def read(self, cursor: Cursor) -> Address:
        text = cursor.peek()
        if text is not None and ":" not in text:
            cursor.index += 1
            message = f"'{cursor.name} {text}' : missing port specification in '{text}'"
            raise cursor.bad("missing-port", message, whole=True)
        return super().read(cursor)


class InitAddr(Argument[tuple[str, ...]]):
    """How a server's address is found at start: methods in order of preference, or an address."""

    usage = "{ last | libc | none | <ip> },[...]*"

    def read(self, cursor: Cursor) -> tuple[str, ...]:
        methods = tuple(cursor.take().split(",") if cursor.more else ())
        for method in methods:
            known = method in ("last", "libc", "none", "")
            if not known and (not re.search(r"[.:]", method) or literal_address(method) is None):
                message = (
                    f"'init-addr' : unknown init-addr method '{method}', "
                    "supported methods are 'libc', 'last', 'none'."
                )
                raise cursor.bad("unknown-value", message, whole=True)
        return methods

    def words(self, value: tuple[str, ...]) -> list[str]:
        return [",".join(value)]


class ServerId(Argument[int]):
    usage = "<id>"

    def read(self, cursor: Cursor) -> int:
        if not cursor.more:
            cursor.index += 1
            raise cursor.bad("missing-argument", "'id' : expects an integer argument", whole=True)
        value = loose(cursor)
        if not 1 <= value <= 4294967295:
            message = "'id' : custom id has to be between 1 and 4294967295."
            raise cursor.bad("out-of-range", message, whole=True)
        return value


class Guid(Argument[str]):
    """A name without blanks that other tools know the server by."""

    usage = "<string>"

    def read(self, cursor: Cursor) -> str:
        text = cursor.take("an identifier")
        wrong = next((c for c in text if not (c.isascii() and (c.isalnum() or c in "-_.:"))), None)
        if wrong is not None:
            raise cursor.bad("bad-name", f"'guid': invalid character '{wrong}'", whole=True)
        return text
