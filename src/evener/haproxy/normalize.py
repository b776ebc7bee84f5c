"""URI normalizers (manual, ``normalize-uri``): equivalent, simpler spellings of a request target.

Each takes a path, a query with its question mark, and whether its option was given, and returns both.
Percent-decoding is RFC 3986 section 6.2.2.2, dot segments section 6.2.2.3.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple


class NormalizeError(Exception):
    """The target is broken, and ``strict`` was asked for."""


Parts = tuple[bytes, bytes]


class Normalizer(NamedTuple):
    function: Callable[[bytes, bytes, bool], Parts]
    option: str = ""


def fragment_encode(path: bytes, query: bytes, option: bool) -> Parts:
    return path.replace(b"#", b"%23"), query.replace(b"#", b"%23")


def fragment_strip(path: bytes, query: bytes, option: bool) -> Parts:
    if b"#" in path:
        return path.partition(b"#")[0], b""
    return path, query.partition(b"#")[0]


def merge_slashes(path: bytes, query: bytes, option: bool) -> Parts:
    return re.sub(rb"/+", b"/", path), query


def strip_dot(path: bytes, query: bytes, option: bool) -> Parts:
    segments = path.split(b"/")
    last = segments[-1] == b"."
    kept = [segment for segment in segments if segment != b"."]
    return b"/".join([*kept, b""] if last else kept), query


def strip_dotdot(path: bytes, query: bytes, option: bool) -> Parts:
    """``option``: also remove the ``..`` at the beginning that have nothing to climb from."""
    out: list[bytes] = []
    segments = path.split(b"/")
    for position, segment in enumerate(segments[1:], 1):
        if segment != b"..":
            out.append(segment)
            continue
        if out and out[-1] != b"..":
            out.pop()
        elif not option:
            out.append(segment)
        if position == len(segments) - 1:
            out.append(b"")
    return b"/" + b"/".join(out) if path.startswith(b"/") else path, query


_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})|%")
_UNRESERVED: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def _escapes(text: bytes, strict: bool, change: Callable[[bytes], bytes]) -> bytes:
    def piece(match: re.Match[bytes]) -> bytes:
        if match[1] is None:
            if strict:
                raise NormalizeError(text)
            return match[0]
        return change(match[1])

    return _ESCAPE.sub(piece, text)


def percent_decode(path: bytes, query: bytes, option: bool) -> Parts:
    def change(digits: bytes) -> bytes:
        byte = int(digits, 16)
        return bytes((byte,)) if byte in _UNRESERVED else b"%" + digits

    return _escapes(path, option, change), _escapes(query, option, change)


def percent_upper(path: bytes, query: bytes, option: bool) -> Parts:
    def change(digits: bytes) -> bytes:
        return b"%" + digits.upper()

    return _escapes(path, option, change), _escapes(query, option, change)


def sort_query(path: bytes, query: bytes, option: bool) -> Parts:
    if not query:
        return path, query
    parameters = sorted(query[1:].split(b"&"), key=lambda parameter: parameter.partition(b"=")[0])
    return path, b"?" + b"&".join(parameters)


NORMALIZERS: Final = {
    "fragment-encode": Normalizer(fragment_encode),
    "fragment-strip": Normalizer(fragment_strip),
    "path-merge-slashes": Normalizer(merge_slashes),
    "path-strip-dot": Normalizer(strip_dot),
    "path-strip-dotdot": Normalizer(strip_dotdot, "full"),
    "percent-decode-unreserved": Normalizer(percent_decode, "strict"),
    "percent-to-uppercase": Normalizer(percent_upper, "strict"),
    "query-sort-by-name": Normalizer(sort_query),
}
