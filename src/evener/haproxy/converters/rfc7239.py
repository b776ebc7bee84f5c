"""Converters of the Forwarded header (RFC 7239): its fields, its nodes, and the parts of nodes.

Only one element is understood (no list), without blanks, with names and schemes in lower case, as the
original does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.cast import address_to_text, text_to_ipv4, text_to_ipv6, to_bytes
from evener.haproxy.sample import Sample, Type, converter

Run = Callable[..., Any]
STR: Final = Type.STR

_PARAMETER: Final = re.compile(
    rb'(proto|host|for|by)=(?:"([^"]*)"|([!#$%&\'*+\-.^_`|~0-9A-Za-z]+))(;(?=.)|\Z)', re.S
)
_OBFUSCATED: Final = re.compile(rb"[A-Za-z0-9._\-]+\Z")
_NODE: Final = re.compile(
    rb"(\[[0-9A-Fa-f:.]+\]|unknown|_[A-Za-z0-9._\-]+|[0-9.]+)(?::(\w*|_[A-Za-z0-9._\-]+))?(.*)", re.S
)
_PORT: Final = re.compile(rb"[0-9]{1,5}|_[A-Za-z0-9._\-]+")
_HOST: Final = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=%]*)(?::[0-9]{1,5})?\Z")


def _parameters(value: bytes) -> dict[bytes, bytes] | None:
    """Name to value without quotes, None when the syntax is wrong or a name comes twice."""
    found: dict[bytes, bytes] = {}
    position = 0
    while position < len(value):
        match = _PARAMETER.match(value, position)
        if match is None or match[1] in found:
            return None
        found[match[1]] = match[3] if match[2] is None else match[2]
        position = match.end()
    return found


def _name(text: bytes) -> Sample | None:
    """The name of a node: an address, or the word that stands for one."""
    if text.startswith(b"["):
        six = text_to_ipv6(text[1:-1])
        return None if six is None else Sample(Type.IPV6, six)
    if text[:1] in (b"_", b"u"):
        return Sample(STR, text)
    four = text_to_ipv4(text)
    return None if four is None else Sample(Type.IPV4, four)


def _node(value: bytes) -> tuple[Sample, bytes | None] | None:
    """Name and what follows its colon (not yet known to be a port)."""
    match = _NODE.match(value)
    name = None if match is None else _name(match[1])
    if match is None or name is None:
        return None
    rest = value[match.end(1) :]
    if rest and not rest.startswith(b":"):
        return None
    return name, rest[1:] if rest else None


def _port(text: bytes | None) -> Sample | None:
    match = None if text is None else _PORT.match(text)
    if match is None or text is None or match.end() != len(text):
        return None
    if text.startswith(b"_"):
        return Sample(STR, text)
    return Sample(Type.SINT, int(text)) if int(text) <= 65535 else None


def _valid_node(value: bytes) -> bool:
    node = _node(value)
    return node is not None and (node[1] is None or _port(node[1]) is not None)


_VALID: Final[dict[bytes, Callable[[bytes], bool]]] = {
    b"proto": lambda value: value in (b"http", b"https"),
    b"host": lambda value: _HOST.match(value) is not None,
    b"for": _valid_node,
    b"by": _valid_node,
}


@converter("rfc7239_is_valid", STR, Type.BOOL)
def rfc7239_is_valid() -> Run:
    """Whether the text is one valid element of a Forwarded header."""

    def run(value: bytes) -> bool:
        parameters = _parameters(value)
        return bool(parameters) and all(_VALID[name](text) for name, text in (parameters or {}).items())

    return run


@converter(
    "rfc7239_field",
    STR,
    STR,
    ok=["rfc7239_field(for)", "rfc7239_field(proto)"],
    bad=["rfc7239_field(for,1)"],
)
def rfc7239_field(field: str) -> Run:
    """One field (``proto``, ``host``, ``for`` or ``by``) of an element of a Forwarded header, unquoted."""
    wanted = to_bytes(field)
    valid = _VALID.get(wanted)

    def run(value: bytes) -> bytes | None:
        found = (_parameters(value) or {}).get(wanted)
        return found if found is not None and valid is not None and valid(found) else None

    return run


@converter("rfc7239_n2nn", STR, Type.ANY)
def rfc7239_n2nn() -> Run:
    """The name of a node: its address, or ``unknown``, or an obfuscated identifier as text."""

    def run(value: bytes) -> Sample | None:
        node = _node(value)
        return None if node is None else node[0]

    return run


@converter("rfc7239_n2np", STR, Type.ANY)
def rfc7239_n2np() -> Run:
    """The port of a node: an integer, or an obfuscated identifier as text."""

    def run(value: bytes) -> Sample | None:
        node = _node(value)
        return None if node is None else _port(node[1])

    return run


def _as_text(sample: Sample) -> bytes | None:
    if sample.type in (Type.SINT, Type.BOOL):
        return b"%d" % sample.value
    if sample.type in (Type.ADDR, Type.IPV4, Type.IPV6):
        return address_to_text(sample.value)
    return bytes(sample.value)


@converter("rfc7239_nn", Type.ANY, STR)
def rfc7239_nn() -> Run:
    """The name of a node as the header writes it: IPv6 in brackets, any text as obfuscated identifier.

    An empty text becomes ``unknown``; one with characters that are not allowed gives nothing.
    """

    def run(sample: Sample) -> bytes | None:
        text = _as_text(sample)
        if sample.type in (Type.ADDR, Type.IPV4, Type.IPV6):
            return b"[%b]" % text if text is not None and len(sample.value) == 16 else text
        if not text:
            return b"unknown"
        return b"_" + text if _OBFUSCATED.match(text) else None

    return run


@converter("rfc7239_np", Type.ANY, STR)
def rfc7239_np() -> Run:
    """The port of a node as the header writes it: an integer, or any text as obfuscated identifier.

    An empty text, or one with characters that are not allowed, gives nothing.
    """

    def run(sample: Sample) -> bytes | None:
        if sample.type is Type.SINT:
            return b"%d" % (sample.value & 0xFFFFFFFF)
        text = _as_text(sample)
        return b"_" + text if text and _OBFUSCATED.match(text) else None

    return run
