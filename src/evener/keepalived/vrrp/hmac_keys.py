"""The text of an auth_hmac key as bytes."""

from __future__ import annotations

LEAST_BYTES, MOST_BYTES = 32, 64


def key_bytes(text: str) -> bytes | None:
    """``hex:`` and digits, or plain characters; None when there are too few or too many."""
    if text.startswith("hex:"):
        digits = text[4:]
        if len(digits) % 2 or any(c not in "0123456789abcdefABCDEF" for c in digits):
            return None
        data = bytes.fromhex(digits)
    else:
        data = text.encode("utf-8", "surrogateescape")
    return data if LEAST_BYTES <= len(data) <= MOST_BYTES else None
