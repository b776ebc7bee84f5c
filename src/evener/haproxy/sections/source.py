"""``source``: the address that connections to servers come from, on server lines and in proxies."""

from __future__ import annotations

from evener.haproxy.addresses import SOURCE, Address, BadAddress, parse_address
from evener.haproxy.sections.reading import Place
from evener.text.record import dataclass
from evener.vocab.arguments import Argument, Cursor

_USESRC = "'usesrc' expects <addr>[:<port>], 'client', 'clientip', or 'hdr_ip(name,#)' as argument."


@dataclass(frozen=True, slots=True)
class SourceAddress:
    """``usesrc`` is an address, ``client``, ``clientip`` or ``hdr_ip(...)`` as written."""

    address: Address
    usesrc: str | None = None
    interface: str | None = None


class SourceArgument(Argument[SourceAddress]):
    usage = "<addr>[:<port>[-<port>]] [usesrc { <addr2>[:<port2>] | client | clientip }] [interface <name>]"

    def __init__(self, expected: str, wrong: str = "{error}") -> None:
        self.expected = expected
        self.wrong = wrong

    def read(self, cursor: Cursor) -> SourceAddress:
        place: Place = cursor.context
        if not cursor.more:
            raise cursor.bad("missing-argument", self.expected, whole=True)
        text = cursor.take()
        try:
            address = parse_address(text, SOURCE, place.resolve)
        except BadAddress as error:
            message = self.wrong.replace("{error}", str(error)).replace("{got}", text)
            raise cursor.bad("bad-address", message, whole=True) from None
        found: dict[str, str] = {}
        while cursor.peek() in ("usesrc", "interface"):
            word = cursor.take()
            if cursor.peek() is None:
                message = _USESRC if word == "usesrc" else "'interface' : missing interface name"
                raise cursor.bad("missing-argument", message, whole=True)
            found[word] = cursor.take()
        if "usesrc" in found:
            place.not_executed("source ... usesrc", cursor.span())
        return SourceAddress(address, found.get("usesrc"), found.get("interface"))

    def words(self, value: SourceAddress) -> list[str]:
        words = [value.address.text]
        if value.usesrc is not None:
            words += ["usesrc", value.usesrc]
        if value.interface is not None:
            words += ["interface", value.interface]
        return words
