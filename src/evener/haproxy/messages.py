"""Reading HTTP messages the way sample fetches do: header values, cookies, parameters.

Pure functions over bytes. A header *line* may hold several *values* separated by commas outside
quoted strings (RFC 9110 section 5.6.1); some fetches want lines, most want values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

_VALUES: Final = re.compile(rb'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+|(?<=,)(?=,)|(?<=,)\Z', re.DOTALL)


_QUOTED_COOKIES: Final = re.compile(rb'(?:[^;"]|"[^"]*"?)+')


def split_values(line: bytes) -> list[bytes]:
    """The comma-separated values of a header line, without surrounding blanks."""
    if b'"' not in line:
        return [value.strip(b" \t") for value in line.split(b",")]
    return [match[0].strip(b" \t") for match in _VALUES.finditer(line)]


def values_of(lines: list[bytes]) -> list[bytes]:
    """The values of all lines of one name."""
    if len(lines) == 1 and b"," not in lines[0]:
        return lines
    found: list[bytes] = []
    for line in lines:
        if b"," in line:
            found += split_values(line)
        else:
            found.append(line)
    return found


def occurrence(values: Sequence[bytes], index: int) -> bytes | None:
    """The value at a position counted from 1, from the end when negative, the last for 0."""
    if index == 0:
        index = -1
    if index > 0:
        return values[index - 1] if index <= len(values) else None
    return values[index] if -index <= len(values) else None


def cookies(line: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and value of each cookie of a ``Cookie`` line; quoted values may hold semicolons."""
    parts = line.split(b";") if b'"' not in line else _QUOTED_COOKIES.findall(line)
    for part in parts:
        name, equals, value = part.partition(b"=")
        if equals:
            yield name.strip(b" \t"), value.strip(b" \t")


def set_cookie(line: bytes) -> tuple[bytes, bytes]:
    """Name and value of a ``Set-Cookie`` line."""
    name, _, value = line.partition(b";")[0].partition(b"=")
    return name.strip(b" \t"), value.strip(b" \t")


def parameters(query: bytes, delimiters: bytes = b"&") -> Iterator[tuple[bytes, bytes]]:
    """Name and value of each parameter, undecoded, between any of the delimiters. A name alone is none."""
    parts = (
        query.split(delimiters)
        if len(delimiters) == 1
        else re.split(b"[" + re.escape(delimiters) + b"]", query)
    )
    for part in parts:
        name, equals, value = part.partition(b"=")
        if equals:
            yield name, value


def authority_of(uri: bytes) -> bytes:
    """The authority of an absolute target, of a CONNECT target, empty for a path."""
    scheme, separator, rest = uri.partition(b"://")
    if separator and b"/" not in scheme:
        return re.split(rb"[/?]", rest, maxsplit=1)[0]
    return b"" if uri == b"*" else re.split(rb"[/?]", uri, maxsplit=1)[0]


def path_of(uri: bytes) -> bytes:
    """The path of a target without its query; empty for the authority and asterisk forms."""
    return b"" if uri == b"*" else path_and_query(uri).partition(b"?")[0]


#: Those that the original knows by number; what a rule makes of them is for the server only.
KNOWN_METHODS: Final = frozenset(
    (b"OPTIONS", b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"TRACE", b"CONNECT")
)


def path_and_query(uri: bytes) -> bytes:
    """What follows the authority; the target itself when it is a path. An asterisk has none."""
    if uri.startswith(b"/"):
        return uri
    scheme, separator, rest = uri.partition(b"://")
    if separator and b"/" not in scheme:
        cut = re.search(rb"[/?]", rest)
        return b"/" if cut is None else rest[cut.start() :]
    return b""


def varint(number: int) -> bytes:
    """The variable length integer of the SPOE and peers protocols."""
    if number < 240:
        return bytes((number,))
    out = bytearray(((number & 15) | 240,))
    number = (number - 240) >> 4
    while number >= 128:
        out.append((number & 127) | 128)
        number = (number - 128) >> 7
    out.append(number)
    return bytes(out)


def read_varint(data: bytes, at: int) -> tuple[int, int] | None:
    """The integer that begins there and where it ends; None when it is cut short or absurdly long."""
    if at >= len(data):
        return None
    number, at = data[at], at + 1
    shift = 4
    more = number >= 240
    while more:
        if at >= len(data) or shift > 60:
            return None
        number += data[at] << shift
        more = data[at] >= 128
        shift += 7
        at += 1
    return number, at
