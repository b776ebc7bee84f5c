"""Converters that compare a text with a variable, or look for characters in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.arguments import ArgumentError
from evener.haproxy.sample import Type, converter
from evener.haproxy.values import check_variable, variable_bytes, variable_text

Run = Callable[..., Any]


def _difference(left: bytes, right: bytes) -> int:
    """As strcmp(3): the first bytes that differ, one less than the other; then the shorter is less."""
    for a, b in zip(left, right, strict=False):
        if a != b:
            return a - b
    return (len(left) > len(right)) - (len(left) < len(right))


@converter(
    "strcmp", Type.STR, Type.SINT, check=check_variable, ok=["strcmp(txn.other)"], bad=["strcmp(x)", "strcmp"]
)
def strcmp(var: str, *, txn: None) -> Run:
    """Negative, 0 or positive as the text sorts before, like or after the content of a variable."""
    read = variable_text(var)

    def run(value: bytes, txn: Any) -> int | None:
        other = read(txn)
        if other is None:
            return None
        return 0 if value == other else _difference(value, other)

    return run


@converter(
    "secure_memcmp",
    Type.BIN,
    Type.BOOL,
    check=check_variable,
    ok=["secure_memcmp(txn.other)"],
    bad=["secure_memcmp(x)", "secure_memcmp"],
)
def secure_memcmp(var: str, *, txn: None) -> Run:
    """Whether the input equals the content of a variable, in a time that tells nothing about where not."""
    from hmac import compare_digest

    read = variable_bytes(var)

    def run(value: bytes, txn: Any) -> bool | None:
        other = read(txn)
        return None if other is None else compare_digest(value, other)

    return run


_MASKS: Final = {"any": 0x1FFFFFFFF, "http": 0x2401, "": 0x1FFFFFDFF}
_NUMBER: Final = re.compile(r"0[xX][0-9A-Fa-f]+|[0-9]+")


def _mask(text: str) -> int:
    """Bits 0 to 31 stand for the characters of that code, bit 32 for DEL."""
    if text in _MASKS:
        return _MASKS[text]
    match = _NUMBER.match(text)
    position = match.end() if match else 0
    if match is None or position < len(text):
        raise ArgumentError(
            f"cannot parse value '{text}', problem at position {position}; "
            "expecting an integer value (decimal or hex with '0x' prefix)"
        )
    mask = int(text, 16 if text[:2] in ("0x", "0X") else 10)
    if mask >> 33:
        raise ArgumentError(f"unsupported excess bits {mask & ~0x1FFFFFFFF:#x} in argument value {mask:#x}")
    return mask


def _check_mask(mask: str | None = None) -> None:
    _mask(mask or "")


@converter(
    "has_ctl",
    Type.BIN,
    Type.BOOL,
    check=_check_mask,
    ok=["has_ctl", "has_ctl(http)"],
    bad=["has_ctl(x)", "has_ctl(0x200000000)"],
)
def has_ctl(mask: str = "") -> Run:
    """Whether a control character is in the input: any but TAB, or those of a 33-bit mask.

    Bit N of the mask stands for character N, bit 32 for DEL; ``any`` is all of them, ``http`` NUL, LF, CR.
    """
    bits = _mask(mask)
    wanted = bytes([*(code for code in range(32) if bits >> code & 1), *([0x7F] if bits >> 32 else [])])
    if not wanted:
        return lambda value: False
    search = re.compile(b"[" + re.escape(wanted) + b"]").search
    return lambda value: search(value) is not None
