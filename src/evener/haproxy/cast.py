"""Implicit casts between sample types, chosen when an expression is compiled.

Which casts exist is the same table as the original's (an address becomes text, text becomes an integer,
nothing binary becomes an integer...). ``cast(from, to)`` gives the function for known types, IDENTITY
when the value already has the right form, or None when the cast does not exist. ``any`` is resolved at
run time through the type the ``Sample`` carries.
"""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from evener.haproxy.arguments import clamp
from evener.haproxy.sample import Sample, Type

Cast = Callable[[Any], Any]


def to_bytes(text: str) -> bytes:
    """Configuration text as the bytes of the file it came from."""
    return text.encode("utf-8", "surrogateescape")


def identity(value: Any) -> Any:
    return value


@lru_cache(maxsize=8192)
def address_to_text(value: bytes) -> bytes | None:
    """Packed 4 or 16 bytes to the printable form; None for anything else (a unix socket has none)."""
    if len(value) == 4:
        return b"%d.%d.%d.%d" % (value[0], value[1], value[2], value[3])
    if len(value) == 16:
        return socket.inet_ntop(socket.AF_INET6, value).encode("ascii")
    return None


_DIGITS: Final = re.compile(rb"([+-]?)([0-9]*)")


def text_to_int(value: bytes) -> int | None:
    """The leading decimal integer, 0 when there is none; an empty text is no integer at all."""
    if not value:
        return None
    match = _DIGITS.match(value)
    if match is None or not match[2]:
        return 0
    number = int(match[2].lstrip(b"0")[:20] or b"0")  # more digits saturate anyway, and are slow
    return clamp(-number if match[1] == b"-" else number)


_SMALL: Final = re.compile(rb"(-?)([0-9]+)")


def small_int(value: bytes) -> int:
    """As fetches read integers (``hdr_val``): 32 bits, what does not fit wraps around; 0 without digits."""
    match = _SMALL.match(value)
    if match is None:
        return 0
    number, digits = 0, match[2]
    for at in range(0, len(digits), 18):
        piece = digits[at : at + 18]
        number = (number * 10 ** len(piece) + int(piece)) & 0xFFFFFFFF
    number = -number if match[1] else number
    return (number + (1 << 31)) % (1 << 32) - (1 << 31)


def text_to_bool(value: bytes) -> bool | None:
    number = text_to_int(value)
    return None if number is None else number != 0


def text_to_ipv4(value: bytes) -> bytes | None:
    try:
        return socket.inet_pton(socket.AF_INET, value.decode("ascii"))
    except (OSError, ValueError):
        return None


def text_to_ipv6(value: bytes) -> bytes | None:
    try:
        return socket.inet_pton(socket.AF_INET6, value.decode("ascii"))
    except (OSError, ValueError):
        return None


def text_to_address(value: bytes) -> bytes | None:
    """Either family; an IPv4 address may have a port behind it."""
    return text_to_ipv4(value) or text_to_ipv6(value) or text_to_ipv4(value.partition(b":")[0])


def to_ipv4(value: bytes) -> bytes | None:
    """IPv4 inside IPv6: ``::a.b.c.d``, ``::ffff:a.b.c.d`` and 6to4 (2002:a.b.c.d::), section 7.1.6."""
    if len(value) == 4:
        return value
    if value[:10] == bytes(10) and value[10:12] in (b"\0\0", b"\xff\xff"):
        return value[12:]
    if value[:2] == b"\x20\x02":
        return value[2:6]
    return None


def to_ipv6(value: bytes) -> bytes:
    return value if len(value) == 16 else b"\0\0\0\0\0\0\0\0\0\0\xff\xff" + value


def int_to_ipv4(value: int) -> bytes:
    return (value & 0xFFFFFFFF).to_bytes(4, "big")


def int_to_text(value: int) -> bytes:
    return b"%d" % value


def int_to_binary(value: int) -> bytes:
    return struct.pack(">q", value)


def until_nul(value: bytes) -> bytes:
    """Binary as text: a text ends at its first NUL."""
    end = value.find(0)
    return value if end < 0 else value[:end]


def ipv4_to_int(value: bytes) -> int | None:
    return int.from_bytes(value, "big") if len(value) == 4 else None


_T = Type
_ADDRESSES: Final = (_T.ADDR, _T.IPV4, _T.IPV6)
_TEXTS: Final = (_T.STR, _T.BIN, _T.METH)


def _table() -> dict[tuple[Type, Type], Cast]:
    table: dict[tuple[Type, Type], Cast] = {
        (_T.BOOL, _T.SINT): int,
        (_T.BOOL, _T.STR): int_to_text,
        (_T.BOOL, _T.BIN): int_to_binary,
        (_T.SINT, _T.BOOL): bool,
        (_T.SINT, _T.ADDR): int_to_ipv4,
        (_T.SINT, _T.IPV4): int_to_ipv4,
        (_T.SINT, _T.IPV6): lambda value: to_ipv6(int_to_ipv4(value)),
        (_T.SINT, _T.STR): int_to_text,
        (_T.SINT, _T.BIN): int_to_binary,
        (_T.IPV4, _T.SINT): ipv4_to_int,
        (_T.STR, _T.BOOL): text_to_bool,
        (_T.STR, _T.SINT): text_to_int,
        (_T.STR, _T.ADDR): text_to_address,
        (_T.STR, _T.IPV4): text_to_ipv4,
        (_T.STR, _T.IPV6): text_to_ipv6,
        (_T.BIN, _T.STR): until_nul,
        (_T.STR, _T.BIN): identity,
        (_T.METH, _T.STR): identity,
        (_T.METH, _T.BIN): identity,
        (_T.STR, _T.METH): identity,
    }
    for source in _ADDRESSES:
        table[source, _T.STR] = address_to_text
        table[source, _T.BIN] = identity
        table[source, _T.IPV4] = to_ipv4
        table[source, _T.IPV6] = to_ipv6
        table[source, _T.ADDR] = identity
    for kind in _T:
        table[kind, kind] = identity if kind is not _T.IPV6 else to_ipv6
        table[kind, _T.SAME] = identity
    return table


_CASTS: Final = _table()


def cast(source: Type, target: Type) -> Cast | None:
    """The function that turns a value of one type into another; None when there is no such cast.

    ``identity`` is returned as such so that callers can leave it out. To ``any`` wraps in a Sample.
    """
    if source is target:
        return identity
    if target is Type.ANY:
        return _LABELS[source]
    if source is Type.ANY:
        return _DYNAMIC.get(target)
    found: Cast | None = _CASTS.get((source, target))
    return found


def _label(source: Type) -> Cast:
    new = tuple.__new__  # what the class itself would call, without a call of its own
    return lambda value: new(Sample, (source, value))


_LABELS: Final = {source: _label(source) for source in Type}


def castable(source: Type, target: Type) -> bool:
    """Whether an expression of that type may be given where the other is expected."""
    if Type.ANY in (source, target) or target is Type.SAME:
        return True
    return (source, target) in _CASTS


def _by_type(target: Type) -> dict[Type, Cast]:
    return {source: function for (source, to), function in _CASTS.items() if to is target}


def _dynamic(target: Type) -> Cast:
    by_type = _by_type(target)

    def run(sample: Sample) -> Any:
        kind, value = sample
        function = by_type.get(kind)
        return None if function is None else function(value)

    return run


_DYNAMIC: Final[dict[Type, Cast]] = {
    target: _dynamic(target) for target in Type if target not in (Type.ANY, Type.SAME)
}


def nature(function: Cast) -> Type | dict[Type, Cast] | None:
    """What a cast from or to ``any`` does, for those who do it themselves: the type it adds to a value, or
    the casts it chooses from by the type of a sample (``identity`` among them). None for other functions."""
    return _NATURES.get(function)


_NATURES: Final[dict[Cast, Type | dict[Type, Cast]]] = {
    **{function: source for source, function in _LABELS.items()},
    **{function: _by_type(target) for target, function in _DYNAMIC.items()},
}
