"""Arguments of server options that shape the PROXY protocol header: ``proxy-v2-options`` and own fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field, replace
from typing import Final

from evener.haproxy.logformat import Format, parse_logformat
from evener.haproxy.sample import Place as Evaluated
from evener.haproxy.sections.reading import Place
from evener.haproxy.sections.rule_words import Reported, scope_of
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.arguments import Argument, Cursor

_KNOWN: Final = ("authority", "crc32c", "unique-id")
_TLS: Final = ("ssl", "cert-cn", "cert-key", "cert-sig", "ssl-cipher")


class ProxyOptions(Argument[tuple[str, ...]]):
    usage = "<option>[,<option>]*"

    def read(self, cursor: Cursor) -> tuple[str, ...]:
        options = tuple(word for word in cursor.take().split(",") if word) if cursor.more else ("",)
        place: Place = cursor.context
        for option in options:
            if option in _TLS:
                place.not_executed(f"proxy-v2-options {option}", cursor.span())
            elif option not in _KNOWN:
                message = f"'{option}' : proxy v2 option not implemented"
                raise cursor.bad("unknown-value", message, whole=True)
        return options

    def words(self, value: tuple[str, ...]) -> list[str]:
        return [",".join(value)]


@dataclass(frozen=True, slots=True)
class ProxyField:
    """``format`` None: an empty value."""

    kind: int
    format: Format | None = None
    span: Span | None = field(default=None, compare=False)


class ProxyFieldArgument(Argument[ProxyField]):
    """The number stands in parentheses behind the keyword, and the next word is the value."""

    usage = "<fmt>"

    def read(self, cursor: Cursor) -> ProxyField:
        word = cursor.words[cursor.index - 1]
        kind = self.kind(cursor, word)
        if not cursor.more:
            return ProxyField(kind)
        text = cursor.take()
        places = Evaluated.BE_SERVER.bit | Evaluated.SERVER_SOURCE.bit
        format = parse_logformat(text, cursor.span(), replace(scope_of(cursor), places=places))
        if format is None:
            raise Reported
        return ProxyField(kind, format)

    def kind(self, cursor: Cursor, word: str) -> int:
        inside = word.partition("(")[2]
        digits = inside[:-1].lower()
        base = 16 if digits.startswith("0x") else 8 if digits.startswith("0") and digits != "0" else 10
        allowed = "0123456789abcdef"[:base]
        number = digits[2:] if base == 16 else digits
        if not number or len(number) > 9 or any(digit not in allowed for digit in number):
            if "(" not in word:
                return 0
            raise cursor.bad("bad-number", f"'{word}' : could not convert TLV ID", whole=True)
        if not inside.endswith(")"):
            raise cursor.bad("bad-number", f"'{word}' : expects set-proxy-v2-tlv(<TLV ID>)", whole=True)
        kind = int(number, base)
        if kind > 0xFF:
            raise cursor.bad("out-of-range", f"'{word}' : the maximum allowed TLV ID is 255", whole=True)
        return kind

    def words(self, value: ProxyField) -> list[str]:
        return [value.format.text] if value.format is not None else []

    def statement(self, name: Sequence[str], value: ProxyField) -> list[str]:
        return [f"{name[0]}(0x{value.kind:02x})", *self.words(value)]
