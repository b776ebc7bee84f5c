"""``source``: the address that connections to servers come from, on server lines and in proxies."""

from __future__ import annotations

from evener.haproxy.addresses import SOURCE, Address, Allow, BadAddress, parse_address
from evener.haproxy.sections.reading import REPORTED, Place
from evener.text.record import dataclass
from evener.vocab.arguments import Argument, Cursor

_PLAIN = frozenset({"client", "clientip"})
_USESRC = "'usesrc' expects <addr>[:<port>], 'client', 'clientip', or 'hdr_ip(name,#)' as argument."

_PROXY_USESRC = "'usesrc' expects <addr>[:<port>], 'client', or 'clientip' as argument."


@dataclass(frozen=True, slots=True)
class SourceAddress:
    """``usesrc`` is an address, ``client``, ``clientip`` or ``hdr_ip(...)`` as written."""

    address: Address
    usesrc: str | None = None
    interface: str | None = None


class SourceArgument(Argument[SourceAddress]):
    usage = "<addr>[:<port>[-<port>]] [usesrc { <addr2>[:<port2>] | client | clientip }] [interface <name>]"

    def __init__(self, expected: str, wrong: str, allow: int = SOURCE) -> None:
        self.expected = expected
        self.wrong = wrong
        self.allow = allow

    def read(self, cursor: Cursor) -> SourceAddress:
        place: Place = cursor.context
        if not cursor.more:
            raise cursor.bad("missing-argument", self.expected, whole=True)
        text = cursor.take()
        try:
            address = parse_address(text, self.allow, place.resolve)
        except BadAddress as error:
            message = self.wrong.replace("{error}", str(error)).replace("{got}", text)
            raise cursor.bad("bad-address", message, whole=True) from None
        found: dict[str, str] = {}
        if not place.where and cursor.peek() not in (None, "usesrc", "interface"):
            message = f"'{cursor.name}' only supports optional keywords 'interface' and 'usesrc'."
            raise cursor.bad("unexpected-argument", message, whole=True)
        while cursor.peek() in ("usesrc", "interface"):
            word = cursor.take()
            if cursor.peek() is None:
                message = _missing(word, place)
                raise cursor.bad("missing-argument", message, whole=True)
            found[word] = cursor.take()
            if word == "usesrc" and found[word] not in _PLAIN and not found[word].startswith("hdr_ip("):
                _second(found[word], cursor, place)
        return SourceAddress(address, found.get("usesrc"), found.get("interface"))

    def words(self, value: SourceAddress) -> list[str]:
        words = [value.address.text]
        if value.usesrc is not None:
            words += ["usesrc", value.usesrc]
        if value.interface is not None:
            words += ["interface", value.interface]
        return words


def _missing(word: str, place: Place) -> str:
    if word == "usesrc":
        return _USESRC if place.where else _PROXY_USESRC
    return "'interface' : missing interface name" if place.where else "'source' : missing interface name."


def _second(text: str, cursor: Cursor, place: Place) -> None:
    """The address after ``usesrc``."""
    try:
        parse_address(text, SOURCE & ~Allow.RANGE, place.resolve)
    except BadAddress as error:
        message = f"'usesrc {text}' : {error}"
        if not place.where:
            raise cursor.bad("bad-address", message, whole=True) from None
        place.alert("bad-address", message, cursor.span())
        place.diagnostics.alert(
            "bad-address", "error encountered while processing 'usesrc'.", lead="config : "
        )
        raise cursor.bad(REPORTED, message, whole=True) from None
