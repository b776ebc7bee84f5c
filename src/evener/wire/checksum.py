"""The Internet checksum."""

from __future__ import annotations

import struct


def checksum(data: bytes) -> int:
    """Of RFC 1071; 0 when ``data`` already holds a correct one."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF
