"""The key of TCP's MD5 signatures (RFC 2385) as Linux takes it: ``struct tcp_md5sig``."""

from __future__ import annotations

import socket
import struct
from typing import Final

#: Names of the socket option: for one peer, and for all of them (a prefix of no bits).
TCP_MD5SIG: Final = 14
TCP_MD5SIG_EXT: Final = 32
LONGEST_KEY: Final = 80
_PREFIX: Final = 1


def key_of(family: int, host: bytes, password: bytes, *, anyone: bool = False) -> bytes:
    """Segments to and from that packed address, or those of anyone, are signed."""
    if family == socket.AF_INET6:
        address = struct.pack("=HHI16sI100x", family, 0, 0, host, 0)
    else:
        address = struct.pack("=HH4s120x", family, 0, host)
    return address + struct.pack("=BBHi80s", _PREFIX if anyone else 0, 0, len(password), 0, password)
