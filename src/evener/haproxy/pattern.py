"""Patterns: what a sample is matched against, in ACLs and in maps.

Decides how the text of a pattern is read for each matching method, and compiles sets of patterns into
one test. Knows neither samples' origin nor conditions. Sets are compiled for lookup, not for search:
exact strings become frozensets, prefixes and suffixes one ``startswith`` of a tuple, networks one set per
netmask, integers a set and a few ranges.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import Any, Final, NamedTuple

from evener.haproxy.arguments import read_mask
from evener.haproxy.cast import to_bytes, to_ipv4, to_ipv6
from evener.haproxy.pattern_search import heads, insides, tails, words
from evener.haproxy.sample import Type
from evener.text.pcre import RegexError, translate

Test = Callable[[Any], bool]

#: More texts than this are searched through an index of them, not one after the other.
MANY: Final = 16


class Method(Enum):
    """Matching methods, by the word after ``-m``."""

    FOUND = "found"
    BOOL = "bool"
    INT = "int"
    IP = "ip"
    BIN = "bin"
    LEN = "len"
    STR = "str"
    BEG = "beg"
    SUB = "sub"
    DIR = "dir"
    DOM = "dom"
    END = "end"
    REG = "reg"

    @property
    def takes(self) -> Type:
        """The type samples are cast to before they are matched."""
        return _TAKES.get(self, Type.STR)


_TAKES: Final = {
    Method.FOUND: Type.SAME,
    Method.BOOL: Type.BOOL,
    Method.INT: Type.SINT,
    Method.IP: Type.ADDR,
    Method.BIN: Type.BIN,
}
#: The method implied by a sample's type; binary and ``any`` imply none (manual section 7.1).
DEFAULT: Final = {
    Type.BOOL: Method.BOOL,
    Type.SINT: Method.INT,
    Type.ADDR: Method.IP,
    Type.IPV4: Method.IP,
    Type.IPV6: Method.IP,
    Type.STR: Method.STR,
}
#: Methods for which not every text is a pattern.
STRICT: Final = frozenset({Method.INT, Method.LEN, Method.IP, Method.BIN, Method.REG})
OPERATORS: Final = ("eq", "ge", "gt", "le", "lt", "ne")  #: ``ne`` is read as any, and means ``eq``


class PatternError(Exception):
    """A pattern cannot be read; the message is what the user sees."""


class Pattern(NamedTuple):
    """One pattern as written. ``operator`` only matters to integers, ``resolve`` only to addresses."""

    text: str
    ignore_case: bool = False
    operator: str = "eq"
    resolve: bool = False
    dotted: bool = False  #: a version such as 3.1, as integers of 16 + 16 bits


class Range(NamedTuple):
    low: int | None
    high: int | None


class Network(NamedTuple):
    address: bytes
    mask: bytes


_INTEGER: Final = re.compile(r"-?[0-9]+\Z")
_VERSION: Final = re.compile(r"(-?[0-9]+)(?:\.([0-9]+))?\Z")
_DOTTED: Final = re.compile(r"[0-9]+(?:\.[0-9]+){0,3}\Z")
_MOST: Final = (1 << 63) - 1


def read_range(text: str, operator: str = "eq", dotted: bool = False) -> Range:
    """``80``, ``8000:9000``, ``:1023`` or ``1024:``; an operator turns the bounds into one.

    A hyphen separates as a colon does, so that ``-5`` is all up to five, as in the original.
    """
    if operator != "eq" and not set(text) & _RANGES:
        text = _operand(text, dotted)
    kind = "dotted number" if dotted else "number"
    low, high = _bounds(text, kind, _version if dotted else _integer)
    if operator in ("gt", "ge"):
        low, high = (low + 1 if operator == "gt" and low is not None else low), None
    elif operator in ("lt", "le"):
        low, high = None, (high - 1 if operator == "lt" and high is not None else high)
    if low is not None and high is not None and low > high:
        raise PatternError(f"'{text}' is not a valid {kind} range")
    return Range(low, high)


_RANGES: Final = frozenset(":-")


def _operand(text: str, dotted: bool) -> str:
    """What an operator compares with: of ``1.5`` only the 1 where no versions are compared."""
    number = text if dotted else text.partition(".")[0]
    try:
        _version(number) if dotted else _integer(number)
    except ValueError:
        raise PatternError(f"'{text}' is neither a number nor a supported operator") from None
    return number


def _bounds(text: str, kind: str, number: Callable[[str], int]) -> tuple[int | None, int | None]:
    at = next((i for i, char in enumerate(text) if char in ":-"), None)
    what = f"a {kind}" if at is None else f"a valid {kind} range"
    try:
        if at is None:
            return (only := number(text)), only
        low, high = text[:at], text[at + 1 :]
        if not low and not high:
            raise ValueError(text)
        return number(low) if low else None, number(high) if high else None
    except ValueError:
        raise PatternError(f"'{text}' is not {what}") from None


def _integer(text: str) -> int:
    if not _INTEGER.match(text) or len(text) > 20 or not -_MOST <= (value := int(text)) <= _MOST:
        raise ValueError(text)
    return value


def _version(text: str) -> int:
    """``3.1``: the major number in the upper 16 bits."""
    match = _VERSION.match(text)
    parts = [int(part[:7]) if part else 0 for part in match.groups()] if match else [_MOST]
    if max(map(abs, parts)) > 0xFFFF:
        raise ValueError(text)
    return parts[0] * 65536 + parts[1]


def read_network(text: str, resolve: bool = False) -> Network:
    """An address or a network. IPv4 may leave out zero bytes, as ``127.1`` and ``10.12/8`` do."""
    address, slash, mask = text.partition("/")
    try:
        if _DOTTED.match(address):
            packed = socket.inet_aton(address)
        elif ":" in address:
            packed = socket.inet_pton(socket.AF_INET6, address)
        elif resolve:
            packed = socket.inet_aton(socket.gethostbyname(address))
        else:
            raise ValueError(address)
        if not slash:
            return Network(packed, b"\xff" * len(packed))
        width = len(packed) * 8
        if width == 128 and not (mask.isascii() and mask.isdigit()):
            raise ValueError(mask)
        netmask = read_mask(mask, width)
    except (OSError, ValueError, UnicodeError) as error:
        raise PatternError(f"'{text}' is not a valid IPv4 or IPv6 address") from error
    return Network(bytes(a & m for a, m in zip(packed, netmask, strict=True)), netmask)


_HEX: Final = frozenset("0123456789abcdefABCDEF")


def read_hex(text: str) -> bytes:
    for digit in text:
        if digit not in _HEX:
            raise PatternError(f"an hex digit is expected (found '{digit}')")
    if len(text) % 2:
        raise PatternError("an even number of hex digit is expected")
    return bytes.fromhex(text)


def read_regex(text: str, ignore_case: bool = False) -> re.Pattern[bytes]:
    try:
        return translate(text, ignore_case)
    except RegexError as error:
        raise PatternError(str(error)) from error


def read(method: Method, pattern: Pattern) -> Any:
    """The value of a pattern for a method; raises PatternError."""
    if method in (Method.INT, Method.LEN):
        return read_range(pattern.text, pattern.operator, pattern.dotted)
    if method is Method.IP:
        return read_network(pattern.text, pattern.resolve)
    if method is Method.BIN:
        return read_hex(pattern.text)
    if method is Method.REG:
        return read_regex(pattern.text, pattern.ignore_case)
    return to_bytes(pattern.text)


# -- compiling ------------------------------------------------------------------------------------


def compile_patterns(method: Method, patterns: Sequence[Pattern]) -> Test:
    """One test ``test(value) -> bool`` of a value already cast to ``method.takes``."""
    if method is Method.FOUND:
        return lambda value: True
    if method is Method.BOOL:
        return bool
    values = [read(method, pattern) for pattern in patterns]
    if method is Method.INT:
        return int_test(values)
    if method is Method.LEN:
        return length_test(values)
    if method is Method.IP:
        return ip_test(values)
    if method is Method.BIN:
        return frozenset(values).__contains__
    if method is Method.REG:
        return regex_test(values)
    return text_test(method, patterns)


def any_of(tests: Sequence[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        first, second = tests
        return lambda value: first(value) or second(value)
    return lambda value: any(test(value) for test in tests)


def text_test(method: Method, patterns: Sequence[Pattern]) -> Test:
    """Patterns that ignore case are compared in lower case; the others as they are."""
    exact = [to_bytes(p.text) for p in patterns if not p.ignore_case]
    folded = [to_bytes(p.text).lower() for p in patterns if p.ignore_case]
    tests: list[Test] = []
    if exact or not folded:
        tests.append(_TEXT[method](exact))
    if folded:
        inner = _TEXT[method](folded)
        tests.append(lambda value: inner(value.lower()))
    return any_of(tests)


def _exact(texts: Iterable[bytes]) -> Test:
    known = frozenset(texts)
    if len(known) == 1:
        (only,) = known
        return only.__eq__
    return known.__contains__


def _prefix(texts: Iterable[bytes]) -> Test:
    starts = tuple(texts)
    if len(starts) > MANY:
        return _found(heads(starts))
    return lambda value: value.startswith(starts)


def _suffix(texts: Iterable[bytes]) -> Test:
    ends = tuple(texts)
    if len(ends) > MANY:
        return _found(tails(ends))
    return lambda value: value.endswith(ends)


def _found(search: Callable[[Any], int | None]) -> Test:
    return lambda value: search(value) is not None


def _inside(texts: Iterable[bytes]) -> Test:
    parts = tuple(texts)
    if len(parts) == 1:
        part = parts[0]
        return lambda value: part in value
    if len(parts) > MANY:
        return _found(insides(parts))
    search = re.compile(b"|".join(re.escape(part) for part in parts) if parts else b"(?!)", re.DOTALL).search
    return lambda value: search(value) is not None


def _words(delimiters: bytes) -> Callable[[Iterable[bytes]], Test]:
    """``dir`` and ``dom``: the pattern, stripped of delimiters, between delimiters or ends."""
    edge = b"[" + re.escape(delimiters) + b"]"

    def build(texts: Iterable[bytes]) -> Test:
        parts = tuple(texts)
        if not parts:
            return lambda value: False
        if len(parts) > MANY:
            return _found(words(delimiters)(parts))
        stripped = [re.escape(text.strip(delimiters)) for text in parts]
        search = re.compile(
            b"(?:\\A|" + edge + b")(?:" + b"|".join(stripped) + b")(?:\\Z|" + edge + b")", re.DOTALL
        ).search
        return lambda value: search(value) is not None

    return build


#: What ``dir`` and ``dom`` take for the ends of a word.
DELIMITERS: Final = {Method.DIR: b"/?", Method.DOM: b"/?.:"}

_TEXT: Final[dict[Method, Callable[[Iterable[bytes]], Test]]] = {
    Method.STR: _exact,
    Method.BEG: _prefix,
    Method.END: _suffix,
    Method.SUB: _inside,
    Method.DIR: _words(DELIMITERS[Method.DIR]),
    Method.DOM: _words(DELIMITERS[Method.DOM]),
}


def regex_test(regexes: Sequence[re.Pattern[bytes]]) -> Test:
    searches = tuple(regex.search for regex in regexes)
    if len(searches) == 1:
        search = searches[0]
        return lambda value: search(value) is not None
    return lambda value: any(search(value) is not None for search in searches)


def int_test(ranges: Sequence[Range]) -> Test:
    singles = frozenset(r.low for r in ranges if r.low is not None and r.low == r.high)
    wide = tuple(r for r in ranges if r.low is None or r.low != r.high)
    tests: list[Test] = []
    if len(singles) == 1 and not wide:
        (only,) = singles
        return lambda value: bool(value == only)
    if singles or not wide:
        tests.append(singles.__contains__)
    tests += [_between(low, high) for low, high in wide]
    return any_of(tests)


def _between(low: int | None, high: int | None) -> Test:
    if low is None and high is None:
        return lambda value: True
    if low is None:
        return lambda value: bool(value <= high)
    if high is None:
        return lambda value: bool(value >= low)
    return lambda value: bool(low <= value <= high)


def length_test(ranges: Sequence[Range]) -> Test:
    inner = int_test(ranges)
    return lambda value: inner(len(value))


def ip_test(networks: Sequence[Network]) -> Test:
    """Both families against both families, by the four rules of manual section 7.1.6."""
    four = _network_test([n for n in networks if len(n.address) == 4])
    six = _network_test([n for n in networks if len(n.address) == 16])

    def test_both(value: bytes) -> bool:
        if len(value) == 4:
            return four(value) or six(to_ipv6(value))
        inner = to_ipv4(value)
        return six(value) or (inner is not None and four(inner))

    def test_four(value: bytes) -> bool:
        if len(value) == 4:
            return four(value)
        inner = to_ipv4(value) if value else None
        return inner is not None and four(inner)

    return test_both if any(len(n.address) == 16 for n in networks) else test_four


def _network_test(networks: Sequence[Network]) -> Test:
    by_mask: dict[int, set[int]] = {}
    for address, mask in networks:
        by_mask.setdefault(int.from_bytes(mask, "big"), set()).add(int.from_bytes(address, "big"))
    if not by_mask:
        return lambda value: False
    if all(set(network.mask) == {255} for network in networks):
        return frozenset(network.address for network in networks).__contains__
    masks = tuple((mask, frozenset(known)) for mask, known in by_mask.items())

    def test(value: bytes) -> bool:
        number = int.from_bytes(value, "big")
        for mask, known in masks:  # noqa: SIM110 - a generator costs more than the lookups
            if number & mask in known:
                return True
        return False

    return test
