"""DBus messages (the D-Bus specification, "Message Protocol"): values to bytes, and bytes to values.

As much of it as a small service needs. A header is read field by field, each of the type that the
specification gives it; of a body only the strings it begins with (``Message.words``). What follows them is
never looked at: containers in containers, which anybody may send, cost nothing and cannot go wrong.

What is written is little-endian and made of strings, unsigned numbers, structures of them, variants and
dictionaries from strings to variants. ``auth_line`` is the conversation before the first message.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import Any, Final, NamedTuple

HEAD_BYTES: Final = 16
"""From so many of a message its size is known."""
MOST_BYTES: Final = 1 << 27
"""The specification's limit."""
NO_REPLY: Final = 0x1
VERSION: Final = 1

BUS_NAME: Final = "org.freedesktop.DBus"
BUS_PATH: Final = "/org/freedesktop/DBus"

OK, BEGIN = b"OK ", b"BEGIN\r\n"
LONGEST_NAME: Final = 255
_NAME: Final = re.compile(r"[A-Za-z_-][A-Za-z0-9_-]*(\.[A-Za-z_-][A-Za-z0-9_-]*)+")


class Kind(IntEnum):
    CALL = 1
    RETURN = 2
    ERROR = 3
    SIGNAL = 4


class Malformed(ValueError):
    """This is no message. After one of these nothing that follows on the connection can be understood."""


class Message(NamedTuple):
    """A message; "" and 0 stand for header fields that it does not have. ``body`` as it is on the wire."""

    kind: Kind
    serial: int
    path: str = ""
    interface: str = ""
    member: str = ""
    error: str = ""
    reply_to: int = 0
    destination: str = ""
    sender: str = ""
    signature: str = ""
    body: bytes = b""
    no_reply: bool = False
    order: str = "<"

    def words(self) -> tuple[str, ...]:
        """The strings that the body begins with. Raises Malformed."""
        found: list[str] = []
        at = 0
        for letter in self.signature:
            if letter != "s":
                break
            text, at = _string(self.body, at, self.order)
            found.append(text)
        return tuple(found)

    def number(self) -> int:
        """The unsigned number that the body begins with. Raises Malformed."""
        if self.signature[:1] != "u":
            raise Malformed("no number")
        return _number(self.body, 0, self.order)[0]


FIELDS: Final = (
    ("path", 1, "o"),
    ("interface", 2, "s"),
    ("member", 3, "s"),
    ("error", 4, "s"),
    ("reply_to", 5, "u"),
    ("destination", 6, "s"),
    ("sender", 7, "s"),
    ("signature", 8, "g"),
)
_BY_CODE: Final = {code: (name, kind) for name, code, kind in FIELDS}


# -- reading ---------------------------------------------------------------------------------------


def size_of(head: bytes) -> int:
    """How many bytes the message has that begins with these ``HEAD_BYTES``. Raises Malformed."""
    order = _order(head)
    body, fields = _number(head, 4, order)[0], _number(head, 12, order)[0]
    size = _up(HEAD_BYTES + fields, 8) + body
    if size > MOST_BYTES or head[3] != VERSION:
        raise Malformed("not a message")
    return size


def decode(data: bytes) -> Message:
    """A whole message. Raises Malformed."""
    order = _order(data)
    if len(data) < HEAD_BYTES or len(data) != size_of(data[:HEAD_BYTES]):
        raise Malformed("not of its size")
    try:
        kind = Kind(data[1])
    except ValueError:
        raise Malformed("of no known kind") from None
    serial, fields_end = _number(data, 8, order)[0], HEAD_BYTES + _number(data, 12, order)[0]
    fields = dict(_fields(data[:fields_end], order))
    body = data[_up(fields_end, 8) :]
    return Message(kind, serial, **fields, body=body, no_reply=bool(data[2] & NO_REPLY), order=order)


def _fields(data: bytes, order: str) -> Iterator[tuple[str, Any]]:
    at = HEAD_BYTES
    while at < len(data):
        at = _up(at, 8)
        code = _byte(data, at)
        kind, at = _signature(data, at + 1)
        value: Any
        if kind == "g":
            value, at = _signature(data, at)
        elif kind == "u":
            value, at = _number(data, at, order)
        elif kind in ("s", "o"):
            value, at = _string(data, at, order)
        else:
            raise Malformed("a header field of an unknown type")
        name, wanted = _BY_CODE.get(code, ("", ""))
        if name and kind != wanted:
            raise Malformed(f"{name} is of another type")
        if name:
            yield name, value


def _order(data: bytes) -> str:
    orders = {b"l": "<", b"B": ">"}
    if data[:1] not in orders:
        raise Malformed("no byte order")
    return orders[data[:1]]


def _up(at: int, step: int) -> int:
    return at + -at % step


def _byte(data: bytes, at: int) -> int:
    if at >= len(data):
        raise Malformed("too short")
    return data[at]


def _number(data: bytes, at: int, order: str) -> tuple[int, int]:
    at = _up(at, 4)
    if at + 4 > len(data):
        raise Malformed("too short")
    return struct.unpack_from(f"{order}I", data, at)[0], at + 4


def _string(data: bytes, at: int, order: str) -> tuple[str, int]:
    length, at = _number(data, at, order)
    return _text(data, at, length)


def _signature(data: bytes, at: int) -> tuple[str, int]:
    return _text(data, at + 1, _byte(data, at))


def _text(data: bytes, at: int, length: int) -> tuple[str, int]:
    end = at + length
    if _byte(data, end) != 0:
        raise Malformed("a string without its end")
    try:
        return data[at:end].decode("utf-8"), end + 1
    except UnicodeDecodeError:
        raise Malformed("a string that is not UTF-8") from None


# -- writing ---------------------------------------------------------------------------------------


class Variant(NamedTuple):
    """A value with its type."""

    signature: str
    value: Any


def encode(message: Message) -> bytes:
    """``message`` with its body; what has "" or 0 is left out."""
    fields = bytearray()
    for name, code, kind in FIELDS:
        value = getattr(message, name)
        if value:
            _pad(fields, 8)
            fields.append(code)
            _put(fields, "g", kind)
            _put(fields, kind, value)
    flags = NO_REPLY if message.no_reply else 0
    head = struct.pack("<cBBBII", b"l", message.kind, flags, VERSION, len(message.body), message.serial)
    whole = bytearray(head + struct.pack("<I", len(fields)) + fields)
    _pad(whole, 8)
    return bytes(whole + message.body)


def body(signature: str, *values: Any) -> bytes:
    """The values of a body, one for each complete type of ``signature``."""
    out = bytearray()
    for kind, value in zip(_types(signature), values, strict=True):
        _put(out, kind, value)
    return bytes(out)


def _types(signature: str) -> Iterator[str]:
    """The complete types of a signature, of those that are written here."""
    at = 0
    while at < len(signature):
        begins, depth = at, 0
        while True:
            letter = signature[at]
            at += 1
            depth += (letter in "({") - (letter in ")}")
            if depth == 0 and letter != "a":
                break
        yield signature[begins:at]


def _put(out: bytearray, kind: str, value: Any) -> None:
    if kind in ("s", "o"):
        encoded = value.encode("utf-8", "replace")
        _put(out, "u", len(encoded))
        out += encoded + b"\0"
    elif kind == "u":
        _pad(out, 4)
        out += struct.pack("<I", value)
    elif kind == "g":
        out.append(len(value))
        out += value.encode("ascii") + b"\0"
    elif kind == "v":
        _put(out, "g", value.signature)
        _put(out, value.signature, value.value)
    elif kind[0] == "(":
        _pad(out, 8)
        for inner, part in zip(_types(kind[1:-1]), value, strict=True):
            _put(out, inner, part)
    else:
        _put_entries(out, kind, value)


def _put_entries(out: bytearray, kind: str, entries: dict[str, Any]) -> None:
    """A dictionary: an array of structures."""
    assert kind == "a{sv}"
    _put(out, "u", 0)
    length_at = len(out) - 4
    _pad(out, 8)
    begins = len(out)
    for entry in entries.items():
        _put(out, "(sv)", entry)
    struct.pack_into("<I", out, length_at, len(out) - begins)


def _pad(out: bytearray, step: int) -> None:
    out += bytes(-len(out) % step)


# -- connecting ------------------------------------------------------------------------------------


def auth_line(uid: int) -> bytes:
    """What a client says first: who it is (the kernel has told already). ``OK`` is the answer to wait for."""
    return b"\0AUTH EXTERNAL " + str(uid).encode("ascii").hex().encode("ascii") + b"\r\n"


def unix_addresses(text: str) -> list[str]:
    """The unix sockets in a list of server addresses, abstract ones with a zero byte before them."""
    found: list[str] = []
    for address in text.split(";"):
        transport, _, rest = address.partition(":")
        keys = dict(pair.partition("=")[::2] for pair in rest.split(","))
        if transport == "unix" and "path" in keys:
            found.append(_unescaped(keys["path"]))
        elif transport == "unix" and "abstract" in keys:
            found.append("\0" + _unescaped(keys["abstract"]))
    return found


def _unescaped(text: str) -> str:
    return re.sub(r"%([0-9A-Fa-f]{2})", lambda match: chr(int(match[1], 16)), text)


def is_bus_name(text: str) -> bool:
    """Whether it can be asked for: at least two parts, none of which begins with a digit."""
    return len(text) <= LONGEST_NAME and _NAME.fullmatch(text) is not None
