"""Converters of FIX messages (Financial Information eXchange): ``tag=value`` fields, each ended by SOH.

Only the first message of the input is looked at, from its first byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.arguments import ArgumentError
from evener.haproxy.sample import Type, converter

Run = Callable[..., Any]
BIN: Final = Type.BIN

_NAMES: Final = {
    "beginstring": 8, "bodylength": 9, "checksum": 10, "msgtype": 35, "sendercompid": 49, "targetcompid": 56,
}  # fmt: skip
_TAG: Final = re.compile(r"[0-9]{1,18}\Z")
#: A whole message ends with it: tag, three digits, SOH.
_CHECKSUM_SIZE: Final = 7
_LEAST: Final = 26  #: bytes of any message

_BEGIN: Final = re.compile(rb"8=(?:FIX\.4\.[0-4]|FIXT\.1\.1)\x01")
_LENGTH: Final = re.compile(rb"9=([0-9]{1,9})\x01")
_FIELD: Final = re.compile(rb"([0-9]+)=([^\x01]+)\x01")
_ANY_FIELD: Final = re.compile(rb"([0-9]{1,19})=([^\x01]*)\x01")
_CHECKSUM: Final = re.compile(rb"10=([0-9]{3})\x01")


def _tag(text: str) -> int:
    number = int(text) if _TAG.match(text) else _NAMES.get(text.lower(), 0)
    if not number:
        raise ArgumentError(f"Unknown FIX tag name '{text}'")
    return number


def _valid(data: bytes) -> bool | None:
    _, equals, value = data.partition(b"=")
    if len(data) < _LEAST or (equals and b"\x01" not in value):
        return None
    begin = _BEGIN.match(data)
    length = begin and _LENGTH.match(data, begin.end())
    if not length:
        return False
    end = length.end() + int(length[1])
    if not data.startswith(b"35=", length.end()):
        return False
    if end + _CHECKSUM_SIZE > len(data):
        return None
    checksum = _CHECKSUM.match(data, end)
    if checksum is None or sum(data[:end]) % 256 != int(checksum[1]):
        return False
    at = length.end()
    while at < end:
        field = _FIELD.match(data, at, end)
        if field is None:
            return False
        at = field.end()
    return True


@converter("fix_is_valid", BIN, Type.BOOL)
def fix_is_valid() -> Run:
    """Whether the input begins with a sound FIX message.

    Begin string, body length and message type are its first fields in this order, the length and the
    check sum are right, and no tag or value is empty. Nothing while the message is not all there.
    """
    return _valid


def _check_tag(tag: str) -> None:
    _tag(tag)


@converter("fix_tag_value", BIN, BIN, check=_check_tag, ok=["fix_tag_value(35)", "fix_tag_value(MsgType)"],
           bad=["fix_tag_value(Nope)", "fix_tag_value"])  # fmt: skip
def fix_tag_value(tag: str) -> Run:
    """The value of a field of a FIX message by its tag, a number or one of a few names."""
    wanted = _tag(tag)

    def run(data: bytes) -> bytes | None:
        at = 0
        while True:
            field = _ANY_FIELD.match(data, at)
            if field is None:
                return None
            if int(field[1]) == wanted:
                return field[2]
            if field[1] == b"10":
                return None
            at = field.end()

    return run
