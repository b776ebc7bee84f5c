"""How what a log line shows is written under its flags (``%{+Q,+X,+E}``), manual sections 8.2.6 and 8.6.

Decides quoting, escaping, encodings and what stands for nothing at all. Knows no alias and no sample:
a value is whatever a function of the transaction gives.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from evener.text.record import dataclass

Value = Callable[[Any], Any]
Write = Callable[[Any], bytes]


def _hash_map(special: bytes) -> list[bytes]:
    """``#XX`` for everything outside 32..126 and for the special characters."""
    return [bytes((i,)) if 32 <= i < 127 and i not in special else b"#%02X" % i for i in range(256)]


_URL_MAP: Final = _hash_map(b'"#')
_HEADER_MAP: Final = _hash_map(b'{|}"#')
_URL_UNSAFE: Final = re.compile(rb"[^ !\x24-\x7e]")
_HEADER_UNSAFE: Final = re.compile(rb"[^ !\x24-z~]")
_HTTP_UNSAFE: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_RFC5424_UNSAFE: Final = re.compile(rb'["\\\]]')


def encode_url(value: bytes) -> bytes:
    """For request lines and parts of URIs in logs."""
    return _URL_UNSAFE.sub(lambda m: _URL_MAP[m[0][0]], value) if _URL_UNSAFE.search(value) else value


def encode_header(value: bytes) -> bytes:
    """For captured headers in logs."""
    return (
        _HEADER_UNSAFE.sub(lambda m: _HEADER_MAP[m[0][0]], value) if _HEADER_UNSAFE.search(value) else value
    )


def encode_http(value: bytes) -> bytes:
    """For header values: control characters become ``%XX``."""
    return _HTTP_UNSAFE.sub(lambda m: b"%%%02X" % m[0][0], value)


def escape_5424(value: bytes) -> bytes:
    """Flag E: RFC 5424 section 6.3.3."""
    return _RFC5424_UNSAFE.sub(lambda m: b"\\" + m[0], value)


@dataclass(frozen=True, slots=True)
class Style:
    """The flags in force for one item. ``missing`` is what stands for nothing at all."""

    quote: bool = False
    hexadecimal: bool = False
    escape: bool = False
    missing: bytes = b""
    encoding: str = ""  #: json or cbor
    binary: bool = False

    def changed(self, flag: str, on: bool) -> Style:
        if flag == "Q":
            return replace(self, quote=on)
        if flag == "X":
            return replace(self, hexadecimal=on)
        if flag == "E":
            return replace(self, escape=on)
        if flag in ("json", "cbor"):
            return replace(self, encoding=flag if on else "")
        return replace(self, binary=on) if flag == "bin" else self

    def mandatory(self) -> Style:
        """As in log lines: something must stand in each place."""
        return replace(self, missing=b"-")

    def text(self, value: Value) -> Write:
        """Text: quoted and escaped as asked, never encoded."""
        missing = b'""' if self.quote else self.missing
        if self.escape:
            value = _then(value, escape_5424)
        if self.quote:
            return lambda txn: b'"%b"' % got if (got := value(txn)) else missing
        return lambda txn: value(txn) or missing

    def header(self, value: Value) -> Write:
        """A header value: safe to put on the wire, never quoted."""
        missing, unsafe = self.missing, _HTTP_UNSAFE.search
        if self.escape:
            value = _then(value, escape_5424)

        def write(txn: Any) -> bytes:
            found: bytes | None = value(txn)
            if not found:
                return missing
            return encode_http(found) if unsafe(found) else found

        return write

    def plain(self, value: Value) -> Write:
        """A number or an address where nothing can be unsafe and nothing is quoted."""
        missing = self.missing
        return lambda txn: value(txn) or missing


def until_nul(value: Value) -> Value:
    """A NUL ends a text where it is written as it is."""

    def run(txn: Any) -> bytes | None:
        found: bytes | None = value(txn)
        return found.partition(b"\0")[0] if found and b"\0" in found else found

    return run


def _then(value: Value, function: Callable[[bytes], bytes]) -> Value:
    def run(txn: Any) -> bytes | None:
        found = value(txn)
        return None if found is None else function(found)

    return run
