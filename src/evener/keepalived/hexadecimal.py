"""Bytes written in hexadecimal, as freely as keepalived takes them: ``Ab12f 3 456`` is AB 12 0F 03 45 06.

Where a mask is allowed, the digit ``x`` stands for any four bits.
"""

from __future__ import annotations

from evener.keepalived.arguments import Value
from evener.vocab.arguments import Cursor

DIGITS = "0123456789abcdef"


def hexadecimal(text: str, masked: bool = False) -> tuple[bytes, bytes] | None:
    """The bytes, and the bits of them that are any; None for what is not hexadecimal."""
    value, mask = bytearray(), bytearray()
    for word in text.lower().split():
        if any(digit not in DIGITS + "x" * masked for digit in word):
            return None
        for pair in (word[start : start + 2] for start in range(0, len(word), 2)):
            value.append(int(pair.replace("x", "0"), 16))
            mask.append(int("".join("f" if digit == "x" else "0" for digit in pair), 16))
    return (bytes(value), bytes(mask)) if value else None


class Hexadecimal(Value):
    """Bytes."""

    usage = "<HEX_STR>"
    good: tuple[str, ...] = ("0a ff", "Ab12f 3")
    bad: tuple[str, ...] = ("", "zz")

    def read(self, cursor: Cursor) -> bytes:
        words = cursor.rest()
        if not words:
            raise cursor.missing("bytes")
        made = hexadecimal(" ".join(words))
        if made is None:
            raise cursor.bad("bad-hexadecimal", "")
        return made[0]

    def words(self, value: bytes) -> list[str]:
        return [value.hex()]


class MaskedHexadecimal(Value):
    """Bytes and the bits of them that do not count, or nothing for any bytes."""

    usage = "[<HEX_STR>]"
    good: tuple[str, ...] = ("", "0a xf")
    bad: tuple[str, ...] = ("zz",)

    def read(self, cursor: Cursor) -> tuple[bytes, bytes]:
        words = cursor.rest()
        made = hexadecimal(" ".join(words), masked=True) if words else (b"", b"")
        if made is None:
            raise cursor.bad("bad-hexadecimal", "")
        return made

    def words(self, value: tuple[bytes, bytes]) -> list[str]:
        digits = zip(value[0].hex(), value[1].hex(), strict=True)
        text = "".join("x" if any_ == "f" else digit for digit, any_ in digits)
        return [text] if text else []
