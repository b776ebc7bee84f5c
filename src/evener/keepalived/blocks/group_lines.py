"""The lines of a virtual_server_group: addresses, ranges, prefixes and marks.

Kept as words; ``span_of`` says which addresses a word stands for. A line that stands for more addresses than
MOST is refused here (the original would load them, or try to).
"""

from __future__ import annotations

import re

from evener.keepalived.arguments import Address, Value, address
from evener.keepalived.line import quoted
from evener.keepalived.numbers import UINT_MAX, whole
from evener.vocab.arguments import BadArgument, Cursor, decimal

MOST = 65536
LAST_PART = {4: (re.compile("[0-9]{1,9}"), 10, 0xFF), 6: (re.compile("[0-9A-Fa-f]{1,9}"), 16, 0xFFFF)}


class BadRange(ValueError):
    """A word does not stand for addresses; the text is what the original says."""


def span_of(word: str) -> tuple[Address, int]:
    """The first address of a word, and how many there are. Raises BadRange.

    ``10.0.0.5``, ``10.0.0.5-20``, ``10.0.0.250-10.0.1.10``, ``10.0.0.8/29``, and the like of IPv6.
    """
    start, slash, mask = word.partition("/")
    start, dash, last = start.partition("-")
    begin = address(start)
    if begin is None:
        raise BadRange("")
    if slash:
        return begin, _prefixed(word, begin, mask)
    end = _end(word, begin, last) if dash else int(begin)
    return begin, end - int(begin) + 1


def _prefixed(word: str, begin: Address, mask: str) -> int:
    length = decimal(mask[:4])
    if not length or length > begin.max_prefixlen:
        raise BadRange(f"Invalid netmask - {word} - skipping")
    count = 1 << (begin.max_prefixlen - length)
    if int(begin) & (count - 1):
        raise BadRange(f"Address mask bits not empty - {word} - skipping")
    return int(count)


def _end(word: str, begin: Address, last: str) -> int:
    """The end of a range: an address, or what takes the place of the last part."""
    if ("." if begin.version == 4 else ":") in last:
        end = address(last)
        if end is None:
            raise BadRange(f"Invalid range end {word} - skipping")
        if end.version != begin.version:
            raise BadRange(f"Range address families do not match {word} - skipping")
        if int(end) < int(begin):
            raise BadRange(f"Address range end is less than address range start - {word} - skipping")
        return int(end)
    pattern, base, most = LAST_PART[begin.version]
    found = pattern.match(last)
    rest = last[found.end() if found else 0 :]
    if rest:
        raise BadRange(f"Virtual server group range '{word}' has extra characters at end '{rest}'")
    number = int(last, base) if last else 0
    if number > most:
        raise BadRange(f"Virtual server group range '{word}' end '{last}' too large")
    if number <= int(begin) & most:
        raise BadRange(f"Address range end is not greater than address range start - {word} - skipping")
    return (int(begin) & ~most) | number


class ServerGroupLine(Value):
    """A line of virtual_server_group, kept as words: ``IPADDR[-LAST]|IPADDR/PREFIX [PORT]``, ``fwmark N``."""

    usage = "<IPADDR>[-<IPADDR>|-<INTEGER>|/<PREFIX>] [<PORT>]|fwmark <INTEGER> [inet|inet6]"
    good = ("10.0.0.5-20 80", "fwmark 5 inet6", "10.0.0.8/29 80", "fd00::1-ff 443")
    bad = ("10.0.0.500 80", "fwmark x", "10.0.0.5-3 80", "10.0.0.1/28 80", "10.0.0.0/8 80")

    def read(self, cursor: Cursor) -> tuple[str, ...]:
        start, word = cursor.index, cursor.take()
        if word == "fwmark":
            _mark(cursor)
        else:
            _addresses(cursor, word)
        cursor.rest()
        return tuple(cursor.words[start:])

    def words(self, value: tuple[str, ...]) -> list[str]:
        return [quoted(word) for word in value]


def _mark(cursor: Cursor) -> None:
    word = cursor.take()
    group = cursor.context.name
    code, message, number = whole(word, 0, UINT_MAX)
    if code:
        cursor.context.alert(code, message, cursor.span())
        raise cursor.bad(code, f"({group}): fwmark '{word}' must be in [0, {UINT_MAX}] - ignoring")
    if cursor.more and cursor.take() not in ("inet", "inet6"):
        family = cursor.words[cursor.index - 1]
        raise cursor.bad("unknown-family", f"({group}): fwmark '{number}' family {family} unknown - ignoring")


def _addresses(cursor: Cursor, word: str) -> None:
    port = cursor.peek() or ""
    bad: BadArgument | None = None
    shown = f"/port/{port}" if port.strip("0") else ""
    refused = f"Invalid virtual server group IP address {word} {shown} - skipping"
    if port.strip("0"):
        cursor.take()
        code, message, _ = whole(port, 1, 65535)
        if code:
            cursor.context.alert(code, message, cursor.span())
            raise cursor.bad(code, refused)
    try:
        _, count = span_of(word)
    except BadRange as error:
        raise cursor.bad("bad-address", str(error) or refused) from None
    if count > MOST:
        bad = cursor.bad("too-many-addresses", f"More than {MOST} addresses - {word} - skipping")
    if bad is not None:
        raise bad


def members(line: tuple[str, ...]) -> list[Address]:
    """The addresses of a line that was read."""
    begin, count = span_of(line[0])
    kind = type(begin)
    return [kind(number) for number in range(int(begin), int(begin) + count)]


def shown_line(line: tuple[str, ...]) -> str:
    """The addresses of a line as messages show them."""
    begin, count = span_of(line[0])
    last = f"-{type(begin)(int(begin) + count - 1)}" if count > 1 else ""
    return f"[{begin}{last},{port_of(line)}]"


def port_of(line: tuple[str, ...]) -> int:
    return decimal(line[1]) or 0 if len(line) > 1 else 0


def unusable(lines: tuple[tuple[str, ...], ...]) -> str:
    """Why a virtual_server_group of these lines cannot be; empty when it can."""
    if not lines:
        return "has no entries"
    families = {span_of(line[0])[0].version for line in lines if line[0] != "fwmark"}
    families |= {6 if line[2] == "inet6" else 4 for line in lines if line[0] == "fwmark" and len(line) > 2}
    vague = any(line[0] == "fwmark" and len(line) < 3 for line in lines)
    return "cannot have IPv4, IPv6 and fwmark without family" if len(families) > 1 and vague else ""
