"""Arguments of fetches and converters: their kinds, and how their text is read.

A kind is named as the diagnostics and the keyword dump name it. Kinds that refer to something declared
elsewhere (a backend, a server, a table, a user list) stay names here: whether they exist can only be
known once everything is read, and is checked then (``expression.references``).
"""

from __future__ import annotations

import ipaddress
import re
from enum import Enum
from typing import Any, Final, NamedTuple, NewType


class Nothing(Enum):
    """The default of an argument that has none."""

    NOTHING = 0


NOTHING: Final = Nothing.NOTHING


class ArgumentError(Exception):
    """An argument is wrong; the message is what the user reads after ``invalid args in ...``."""


Regex = NewType("Regex", str)
Backend = NewType("Backend", str)
Frontend = NewType("Frontend", str)
Server = NewType("Server", str)
Table = NewType("Table", str)
UserList = NewType("UserList", str)
IPv4 = NewType("IPv4", bytes)
IPv6 = NewType("IPv6", bytes)
Mask4 = NewType("Mask4", bytes)
Mask6 = NewType("Mask6", bytes)
Fields = NewType("Fields", tuple)  # type: ignore[type-arg]


class ArgumentKind(Enum):
    STRING = "string"
    INTEGER = "integer"
    REGEX = "regex"
    BACKEND = "backend"
    FRONTEND = "frontend"
    SERVER = "server"
    TABLE = "table"
    USERLIST = "user list"
    IPV4 = "IPv4 address"
    IPV6 = "IPv6 address"
    MASK4 = "IPv4 mask"
    MASK6 = "IPv6 mask"
    FIELDS = "Protocol buffers field number"

    @staticmethod
    def of(hint: str) -> ArgumentKind:
        """The kind the text of an annotation stands for; ``X | None`` counts as X."""
        return _KINDS[hint.partition(" | ")[0]]


_KINDS: Final = {
    "str": ArgumentKind.STRING,
    "int": ArgumentKind.INTEGER,
    "Regex": ArgumentKind.REGEX,
    "Backend": ArgumentKind.BACKEND,
    "Frontend": ArgumentKind.FRONTEND,
    "Server": ArgumentKind.SERVER,
    "Table": ArgumentKind.TABLE,
    "UserList": ArgumentKind.USERLIST,
    "IPv4": ArgumentKind.IPV4,
    "IPv6": ArgumentKind.IPV6,
    "Mask4": ArgumentKind.MASK4,
    "Mask6": ArgumentKind.MASK6,
    "Fields": ArgumentKind.FIELDS,
}

#: Kinds for which nothing between the commas is as good as something: the text may be empty.
MAY_BE_EMPTY: Final = frozenset({ArgumentKind.STRING, ArgumentKind.REGEX})
#: Kinds that name the current proxy when left out.
REFERENCES: Final = frozenset(
    {
        ArgumentKind.BACKEND,
        ArgumentKind.FRONTEND,
        ArgumentKind.SERVER,
        ArgumentKind.TABLE,
        ArgumentKind.USERLIST,
    }
)


class Argument(NamedTuple):
    name: str
    kind: ArgumentKind
    default: Any  #: NOTHING when the argument is mandatory

    @property
    def required(self) -> bool:
        return self.default is NOTHING

    @property
    def needed(self) -> bool:
        """Required, and without the current proxy to stand in for it."""
        return self.default is NOTHING and self.kind not in CURRENT_PROXY


#: Written as mandatory, yet left out they mean "the current proxy".
CURRENT_PROXY: Final = frozenset({ArgumentKind.BACKEND, ArgumentKind.FRONTEND, ArgumentKind.TABLE})

_INTEGER: Final = re.compile(r"[+-]?[0-9]+\Z")
_FIELDS: Final = re.compile(r"[0-9]+(?:\.[0-9]+)*\Z")
_LOW, _HIGH = -(1 << 63), (1 << 63) - 1


def clamp(value: int) -> int:
    """Signed 64-bit arithmetic of the manual saturates instead of wrapping."""
    return _LOW if value < _LOW else _HIGH if value > _HIGH else value


def read_argument(kind: ArgumentKind, text: str) -> Any:
    """The value of one argument; raises ValueError when the text is not of that kind."""
    if kind is ArgumentKind.INTEGER:
        if not _INTEGER.match(text):
            raise ValueError(text)
        return clamp(int(text))
    if kind is ArgumentKind.IPV4:
        return ipaddress.IPv4Address(text).packed
    if kind is ArgumentKind.IPV6:
        return ipaddress.IPv6Address(text).packed
    if kind is ArgumentKind.MASK4:
        return read_mask(text, 32)
    if kind is ArgumentKind.MASK6:
        return read_mask(text, 128)
    if kind is ArgumentKind.FIELDS:
        if not _FIELDS.match(text):
            raise ValueError(text)
        return tuple(int(part) for part in text.split("."))
    return text


def read_mask(text: str, width: int) -> bytes:
    """A netmask as packed bytes, from a prefix length or from address notation."""
    if text.isascii() and text.isdigit():
        length = int(text)
        if length > width:
            raise ValueError(text)
        return (((1 << length) - 1) << (width - length)).to_bytes(width // 8, "big")
    if width == 32:
        return ipaddress.IPv4Address(text).packed
    return ipaddress.IPv6Address(text).packed
