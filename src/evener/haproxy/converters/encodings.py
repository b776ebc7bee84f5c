"""Converters between bytes and their notations: base64, hexadecimal, decimal, binary digits, URLs.

A text that is not in the notation gives no sample, never half of one.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.arguments import ArgumentError
from evener.haproxy.cast import to_bytes
from evener.haproxy.sample import Type, converter

Run = Callable[..., Any]
STR: Final = Type.STR
BIN: Final = Type.BIN


@converter("base64", BIN, STR)
def base64() -> Run:
    """Base64 (RFC 4648 section 4), with padding."""
    return lambda value: b2a_base64(value, newline=False)


def from_base64(value: bytes) -> bytes | None:
    """Strict: only the alphabet, padded to a multiple of four; leftover bits do not matter."""
    try:
        return a2b_base64(value, strict_mode=True)
    except Error:
        return None


@converter("b64dec", STR, BIN)
def b64dec() -> Run:
    """What a base64 text stands for; nothing when it has other characters or no full padding."""
    return from_base64


_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
#: Maps the plain alphabet's own two characters to one that no variant has.
_FROM_URL: Final = bytes.maketrans(b"-_+/", b"+/!!")


@converter("ub64enc", BIN, STR)
def ub64enc() -> Run:
    """Base64 in the alphabet for URLs and file names (RFC 4648 section 5), without padding."""
    return lambda value: b2a_base64(value, newline=False).rstrip(b"=").translate(_TO_URL)


def from_base64url(value: bytes) -> bytes | None:
    text = value.translate(_FROM_URL)
    return from_base64(text + b"=" * (-len(text) % 4))


@converter("ub64dec", STR, BIN)
def ub64dec() -> Run:
    """What a base64url text stands for, without padding; nothing when it has other characters.

    An equals sign counts as the last character of the alphabet, as in the original.
    """
    return lambda value: from_base64url(value.replace(b"=", b"_"))


@converter("hex", BIN, STR)
def hex_() -> Run:
    """Two upper-case hexadecimal digits for each byte."""
    return lambda value: value.hex().upper().encode("ascii")


_HEX: Final = re.compile(rb"[0-9A-Fa-f]*\Z")


@converter("hex2i", STR, Type.SINT)
def hex2i() -> Run:
    """The integer that hexadecimal digits stand for, of which the last 16 count; 0 for none at all.

    Any other character gives no sample.
    """

    def run(value: bytes) -> int | None:
        if not _HEX.match(value):
            return None
        number = int(value[-16:] or b"0", 16)
        return number - (1 << 64) if number >> 63 else number

    return run


@converter("base2", BIN, STR)
def base2() -> Run:
    """Eight binary digits for each byte, so that prefixes of addresses become prefixes of texts."""
    digits = tuple(f"{code:08b}".encode("ascii") for code in range(256))
    return lambda value: b"".join([digits[code] for code in value])


@converter("htonl", Type.SINT, BIN)
def htonl() -> Run:
    """The low 32 bits of an integer as four bytes in network order."""
    return lambda value: (value & 0xFFFFFFFF).to_bytes(4, "big")


def _check_truncate(truncate: int) -> None:
    if truncate not in (0, 1):
        raise ArgumentError(f"Unsupported truncate value ({truncate})")


def _check_decimal(separator: str, chunk_size: int | None = None, truncate: int | None = None) -> None:
    size = chunk_size or 0
    if not 1 <= size <= 8:
        raise ArgumentError(f"chunk_size out of [1..8] range ({size})")
    _check_truncate(truncate or 0)


def _chunks(size: int, truncate: int) -> Callable[[bytes], range]:
    """Where each chunk begins; the last one may be short unless that is cut off."""
    missing = size - 1 if truncate else 0
    return lambda value: range(0, len(value) - missing, size)


def _decimal(separator: str, size: int, truncate: int, order: Any) -> Run:
    between, starts = to_bytes(separator), _chunks(size, truncate)

    def run(value: bytes) -> bytes:
        numbers = [int.from_bytes(value[at : at + size], order) for at in starts(value)]
        return between.join([b"%d" % number for number in numbers])

    return run


@converter(
    "be2dec",
    BIN,
    STR,
    check=_check_decimal,
    ok=["be2dec(:,2)", "be2dec(-,2,1)"],
    bad=["be2dec(.,9)", "be2dec(.)", "be2dec(.,1,2)"],
)
def be2dec(separator: str, chunk_size: int = 0, truncate: int = 0) -> Run:
    """Unsigned big-endian integers of ``chunk_size`` bytes (1 to 8) as decimal numbers.

    They are joined by the separator; ``truncate`` 1 leaves out a last chunk that is too short.
    """
    return _decimal(separator, chunk_size, truncate, "big")


@converter(
    "le2dec",
    BIN,
    STR,
    check=_check_decimal,
    ok=["le2dec(:,2)", "le2dec(-,2,1)"],
    bad=["le2dec(.,9)", "le2dec(.)", "le2dec(.,1,2)"],
)
def le2dec(separator: str, chunk_size: int = 0, truncate: int = 0) -> Run:
    """As ``be2dec`` for little-endian integers."""
    return _decimal(separator, chunk_size, truncate, "little")


def _check_be2hex(separator: str, chunk_size: int | None = None, truncate: int | None = None) -> None:
    if separator and (chunk_size or 0) <= 0:
        raise ArgumentError(f"chunk_size needs to be positive ({chunk_size or 0})")
    _check_truncate(truncate or 0)


@converter(
    "be2hex",
    BIN,
    STR,
    check=_check_be2hex,
    ok=["be2hex", "be2hex(:,2)", "be2hex(--,2,1)"],
    bad=["be2hex(:)", "be2hex(:,0)", "be2hex(:,1,2)"],
)
def be2hex(separator: str, chunk_size: int = 0, truncate: int = 0) -> Run:
    """Two hexadecimal digits for each byte, with a separator between chunks of ``chunk_size`` bytes.

    ``truncate`` 1 leaves out a last chunk that is too short.
    """
    if chunk_size <= 0:
        return lambda value: value.hex().upper().encode("ascii")
    between, starts = to_bytes(separator), _chunks(chunk_size, truncate)

    def run(value: bytes) -> bytes:
        chunks = [value[at : at + chunk_size].hex() for at in starts(value)]
        return between.join([chunk.upper().encode("ascii") for chunk in chunks])

    return run


_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})?")


def _decode(value: bytes) -> bytes | None:
    """Every ``%HH`` replaced; None when a percent sign is followed by anything else."""
    if b"%" not in value:
        return value
    try:
        return _ESCAPE.sub(lambda match: bytes((int(match[1], 16),)), value)
    except TypeError:  # a percent sign alone: the group is None
        return None


@converter("url_dec", STR, STR, ok=["url_dec", "url_dec(1)"], bad=["url_dec(a)"])
def url_dec(in_form: int = 0) -> Run:
    """The text with ``%HH`` decoded; nothing when a percent sign is not followed by two hex digits.

    A plus sign becomes a blank after the first question mark, and everywhere in a form (``in_form`` 1).
    """
    if in_form:
        return lambda value: _decode(value.replace(b"+", b" "))

    def run(value: bytes) -> bytes | None:
        if b"+" in value:
            path, mark, query = value.partition(b"?")
            value = path + mark + query.replace(b"+", b" ")
        return _decode(value)

    return run


def _check_encoding(enc_type: str) -> None:
    if enc_type and enc_type != "query":
        raise ArgumentError("Unexpected encode type. Allowed value is 'query'")


@converter(
    "url_enc", STR, STR, check=_check_encoding, ok=["url_enc", "url_enc(query)"], bad=["url_enc(path)"]
)
def url_enc(enc_type: str) -> Run:
    """The text with everything but letters, digits and ``-._~`` written as ``%HH``."""
    unsafe = re.compile(rb"[^A-Za-z0-9._~-]").sub
    return lambda value: unsafe(lambda match: b"%%%02X" % match[0][0], value)
