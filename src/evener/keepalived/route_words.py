"""What words of routes and rules stand for: tables, protocols, scopes, realms, prefixes, times.

iproute2 keeps names of its own in files; those are asked for through the surroundings. Where nothing is known
of the machine every name passes, for 0.
"""

from __future__ import annotations

import re
import socket
from typing import Any

from evener.keepalived.addresses import network
from evener.keepalived.line import BLANKS
from evener.keepalived.numbers import UINT_MAX, fraction
from evener.keepalived.vrrp.plan_routes import Prefix
from evener.vocab.arguments import BadArgument, Cursor

EVERYTHING = ("default", "any", "all")
TYPES = {
    "unicast": 1, "local": 2, "broadcast": 3, "anycast": 4, "multicast": 5, "blackhole": 6,
    "unreachable": 7, "prohibit": 8, "throw": 9, "nat": 10, "xresolve": 11,
}  # fmt: skip
BUILT_IN = {
    "rt_tables": {"unspec": 0, "default": 253, "main": 254, "local": 255},
    "rt_protos": {"redirect": 1, "kernel": 2, "boot": 3, "static": 4, "keepalived": 18},
    "rt_scopes": {"global": 0, "universe": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255},
    "rt_dsfield": {},
    "rt_realms": {"cosmos": 0},
    "group": {"default": 0},
}
HIGHEST = {"rt_tables": UINT_MAX, "rt_realms": 0xFFFF, "group": UINT_MAX}
"""Everything else is a byte."""

RTT_LEAST_MS, RTT_MOST_MS = 200, 120_000
TIME = re.compile(r"([^sS]*?[^sSmM]|[^sS]+(?=$))([mM]?[sS](?:[eE][cC][sS]?)?)?$")
# Units per millisecond of the kernel's metrics.
TIME_UNITS = {"rtt": 8, "rttvar": 4, "rto_min": 1}
FAMILIES = {"inet": socket.AF_INET, "inet6": socket.AF_INET6}


def c_number(text: str, highest: int) -> int | None:
    """An unsigned number as strtoul(3) with base 0 reads it: decimal, 0x hexadecimal, or octal after a 0."""
    digits, base = text, 10
    if text[:2] in ("0x", "0X"):
        digits, base = text[2:], 16
    elif text[:1] == "0" and len(text) > 1:
        base = 8
    allowed = "0123456789abcdefABCDEF"[: {8: 8, 10: 10, 16: 22}[base]]
    if not digits or len(digits) > 20 or any(c not in allowed for c in digits):
        return None
    value = int(digits, base)
    return value if value <= highest else None


def no_number(text: str) -> str:
    """What the original says of a word that does not even begin like a number, before it says what for."""
    return "" if text.lstrip("+-")[:1].isdecimal() else f"invalid number '{text}'"


def named_number(context: Any, kind: str, text: str) -> int | None:
    """A name of iproute2's file ``kind``, or a number; None when it is neither."""
    number = c_number(text, HIGHEST.get(kind, 255))
    if number is not None:
        return number
    built_in: dict[str, int] = BUILT_IN[kind]
    if text in built_in:
        return built_in[text]
    names = context.surroundings.iproute_names
    if names is None:
        return 0 if text[:1].isalpha() else None
    found = names(kind).get(text)
    return None if found is None else int(found)


def realms(context: Any, text: str) -> int | None:
    """``[FROM/]TO``."""
    first, slash, second = text.partition("/")
    parts = [named_number(context, "rt_realms", word) for word in ((first, second) if slash else (first,))]
    if any(part is None for part in parts):
        return None
    value = 0
    for part in parts:
        value = value << 16 | (part or 0)
    return value


def prefix(cursor: Cursor, text: str) -> tuple[Prefix, int]:
    """A network and its family (0: any); raises BadArgument with the parser's own sentence."""
    if text in EVERYTHING:
        return Prefix(), 0
    if text == "default6":
        return Prefix(), int(socket.AF_INET6)
    address, length = network(cursor, text)
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    return Prefix(address.packed, address.max_prefixlen if length is None else length), int(family)


def said_prefix(cursor: Cursor, text: str) -> tuple[Prefix, int] | None:
    """Like ``prefix``; a bad one has been reported."""
    try:
        return prefix(cursor, text)
    except BadArgument as error:
        cursor.context.alert("bad-address", str(error), cursor.span())
        return None


def milliseconds(cursor: Cursor, word: str) -> int | None:
    """A time of ip-route(8) in the units of the metric ``word``: raw, or with ``s`` or ``ms``.

    Beyond the limits it is set to them, which is said; None when it is no time.
    """
    text, unit, reading = cursor.take().lstrip(BLANKS), TIME_UNITS[word], cursor.context
    kind = "rto" if word == "rto_min" else "rtt"
    found = TIME.match(text)
    if found is None:
        return None
    if "e" in found[1].lower():
        message = f"{kind} value exponential form {text} no longer supported"
        reading.alert("exponential-form", message, cursor.span())
        return None
    places, scale = (0, 1) if found[2] is None else (0 if found[2][:1] in "mM" else 3, unit)
    said, value = fraction(found[1], 0, RTT_MOST_MS * unit, places, lenient=False)
    for code, message in said:
        reading.alert(code, message, cursor.span())
    if value is None:
        return None
    value *= scale
    if value > RTT_MOST_MS * unit:
        message = f"{kind} value {text} exceeds maximum {RTT_MOST_MS // 1000}s, resetting"
    elif value < RTT_LEAST_MS * unit:
        message = f"{kind} value {text} below minimum {RTT_LEAST_MS}ms, resetting"
    else:
        return value
    reading.alert("time-limited", message, cursor.span())
    return max(RTT_LEAST_MS * unit, min(RTT_MOST_MS * unit, value))
