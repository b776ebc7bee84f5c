"""SOCKS version 4: asking a proxy to connect to an IPv4 address, and its answer.

A request is a version, the command 1, a port, an address and a user name that ends with a zero; the
answer is eight bytes, of which the second tells whether it was granted.
"""

from __future__ import annotations

import socket
from typing import Final

USER: Final = b"HAProxy\0"
REPLY_SIZE: Final = 8
GRANTED: Final = 0x5A


def request(host: str, port: int) -> bytes:
    """Raises ValueError for what is no IPv4 address: version 4 knows no other."""
    try:
        address = socket.inet_aton(host)
    except OSError:
        raise ValueError(f"'{host}' is no IPv4 address") from None
    return b"\4\1" + port.to_bytes(2, "big") + address + USER


def granted(reply: bytes) -> bool | None:
    """Whether the proxy has connected; None while the answer is incomplete."""
    if len(reply) < REPLY_SIZE:
        return None
    return reply[0] == 0 and reply[1] == GRANTED
