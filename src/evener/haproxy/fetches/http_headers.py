"""Fetches of header lines and header values, of requests and responses (manual section 7.3.6).

The same factories serve both directions: ``_declare`` makes the pair. ``hdr`` alone looks at whichever
message the rule is about.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from evener.haproxy.cast import small_int, text_to_address, to_bytes
from evener.haproxy.messages import occurrence, values_of, varint
from evener.haproxy.sample import Many, Source, Type, fetch
from evener.haproxy.scope import CompileEnv

Run = Callable[[Any], Any]
Lines = Callable[[Any], list[bytes]]
_BOTH: Final = Source.REQUEST_HEADERS | Source.RESPONSE_HEADERS


def _lines(name: str, response: bool) -> Lines:
    """The lines of that name; those of every name for an empty one."""
    key = to_bytes(name).lower()
    if not key:
        return lambda txn: [value for _, value in (txn.res if response else txn.req).items()]
    if response:
        return lambda txn: txn.res.all(key)
    return lambda txn: txn.req.all(key)


def _values(name: str, occ: int, response: bool) -> Many:
    lines = _lines(name, response)
    if occ:
        return Many(
            lambda txn: occurrence(values_of(lines(txn)), occ),
            lambda txn: [v for v in (occurrence(values_of(lines(txn)), occ),) if v is not None],
        )

    def last(txn: Any) -> bytes | None:
        found = lines(txn)
        if not found:
            return None
        value = found[-1]
        return values_of([value])[-1] if b"," in value else value

    return Many(last, lambda txn: values_of(lines(txn)))


#: Without any argument there is no value.
_NONE: Final = Many(lambda txn: None, lambda txn: [])


def _whole(name: str, occ: int, response: bool) -> Many:
    lines = _lines(name, response)
    return Many(
        lambda txn: occurrence(lines(txn), occ),
        lines if not occ else lambda txn: [v for v in (occurrence(lines(txn), occ),) if v is not None],
    )


def _mapped(inner: Many, function: Callable[[bytes], Any]) -> Many:
    def run(txn: Any) -> Any:
        value = inner.run(txn)
        return None if value is None else function(value)

    return Many(run, lambda txn: [r for v in inner.each(txn) if (r := function(v)) is not None])


def address_with_port(value: bytes) -> bytes | None:
    """An address: IPv4 possibly followed by a port, IPv6 possibly in brackets."""
    if value.startswith(b"[") and value.endswith(b"]"):
        return text_to_address(value[1:-1])
    address = text_to_address(value)
    if address is None and value.count(b":") == 1:
        return text_to_address(value.partition(b":")[0])
    return address


def _all_lines(response: bool) -> Run:
    def run(txn: Any) -> bytes:
        message = txn.res if response else txn.req
        return b"".join(b"%b: %b\r\n" % line for line in message.items()) + b"\r\n"

    return run


def _all_binary(response: bool) -> Run:
    def run(txn: Any) -> bytes:
        message = txn.res if response else txn.req
        parts = [varint(len(text)) + text for line in message.items() for text in line]
        return b"".join(parts) + b"\0\0"

    return run


def _declare(prefix: str, aliases: dict[str, str], source: Source, response: bool) -> None:
    """The family of one direction; ``aliases`` maps the dotted word to its short form."""

    def also(word: str) -> list[str]:
        return [aliases[word]] if word in aliases else []

    def examples(word: str) -> dict[str, Any]:
        return {
            "ok": [f"{prefix}{word}(host)", f"{prefix}{word}(host,-1)"],
            "bad": [f"{prefix}{word}(host,x)"],
        }

    @fetch(f"{prefix}hdr", Type.STR, source, aliases=also("hdr") if response else [], **examples("hdr"))
    def hdr(name: str | None = None, occ: int = 0) -> Many:
        """A value of the header: the last one, or the ``occ``-th (from the end when negative).

        Values are separated by commas. ACLs look at all of them. An empty name stands for any, but only with
        an ``occ``.
        """
        return _NONE if name is None else _values(name, occ, response)

    @fetch(f"{prefix}fhdr", Type.STR, source, **examples("fhdr"))
    def fhdr(name: str | None = None, occ: int = 0) -> Many:
        """As ``hdr``, but whole lines: commas mean nothing."""
        return _NONE if name is None else _whole(name, occ, response)

    @fetch(f"{prefix}hdr_ip", Type.ADDR, source, aliases=also("hdr_ip"), **examples("hdr_ip"))
    def hdr_ip(name: str | None = None, occ: int = 0) -> Many:
        """As ``hdr``, as an address; a port behind it is ignored."""
        return _NONE if name is None else _mapped(_values(name, occ, response), address_with_port)

    @fetch(f"{prefix}hdr_val", Type.SINT, source, aliases=also("hdr_val"), **examples("hdr_val"))
    def hdr_val(name: str | None = None, occ: int = 0) -> Many:
        """As ``hdr``, as an integer."""
        return _NONE if name is None else _mapped(_values(name, occ, response), small_int)

    @fetch(
        f"{prefix}hdr_cnt",
        Type.SINT,
        source,
        aliases=also("hdr_cnt"),
        ok=[f"{prefix}hdr_cnt", f"{prefix}hdr_cnt(host)"],
    )
    def hdr_cnt(name: str = "") -> Run:
        """How many values the header has over all its lines."""
        lines = _lines(name, response)
        return lambda txn: len(values_of(lines(txn)))

    @fetch(f"{prefix}fhdr_cnt", Type.SINT, source, ok=[f"{prefix}fhdr_cnt", f"{prefix}fhdr_cnt(host)"])
    def fhdr_cnt(name: str = "") -> Run:
        """How many lines of that name there are."""
        lines = _lines(name, response)
        return lambda txn: len(lines(txn))

    @fetch(f"{prefix}hdr_names", Type.STR, source, ok=[f"{prefix}hdr_names", f"{prefix}hdr_names(;)"])
    def hdr_names(delim: str = ",") -> Run:
        """The names of all header lines in order, separated by a delimiter (a comma)."""
        between = to_bytes(delim or ",")
        return lambda txn: between.join(name for name, _ in (txn.res if response else txn.req).items())

    @fetch(f"{prefix}hdrs", Type.BIN, source)
    def hdrs() -> Run:
        """The whole header block as text, with the empty line that ends it."""
        return _all_lines(response)

    @fetch(f"{prefix}hdrs_bin", Type.BIN, source)
    def hdrs_bin() -> Run:
        """The whole header block in a binary form: varint-prefixed names and values, two empty ones last."""
        return _all_binary(response)


_declare(
    "req.", {"hdr_ip": "hdr_ip", "hdr_val": "hdr_val", "hdr_cnt": "hdr_cnt"}, Source.REQUEST_HEADERS, False
)
_declare(
    "res.",
    {"hdr": "shdr", "hdr_ip": "shdr_ip", "hdr_val": "shdr_val", "hdr_cnt": "shdr_cnt"},
    Source.RESPONSE_HEADERS,
    True,
)


@fetch("hdr", Type.STR, _BOTH, ok=["hdr(host)", "hdr(host,1)"], bad=["hdr(host,x)"])
def hdr(name: str | None = None, occ: int = 0, *, env: CompileEnv) -> Many:
    """A header value of the message the rule is about: the request, or in response rules the response."""
    return _NONE if name is None else _values(name, occ, env.response)


__all__: Sequence[str] = ["address_with_port", "hdr"]
