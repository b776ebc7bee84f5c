"""The PROXY protocol header in front of a connection, versions 1 and 2: bytes to addresses.

Decides whether a header is complete and well formed. It does not know sockets. A connection that does
not begin with a header is refused: an address must not be believed by accident.
"""

import ipaddress
import re
from typing import Final

V2_SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"
V1_LONGEST: Final = 107
_PORT: Final = re.compile(rb"(?:0|[1-9][0-9]{0,4})\Z")

Addresses = tuple[bytes, int, bytes, int]


def parse(data: bytes) -> tuple[int, Addresses | None] | None:
    """Bytes used and (source, port, destination, port); None when more is needed.

    The addresses are None for a connection of the sender itself (LOCAL, UNKNOWN, unix sockets).
    Raises ValueError on anything else.
    """
    if data[: len(V2_SIGNATURE)] == V2_SIGNATURE[: len(data)] and data[:1] == b"\r":
        return _second(data)
    if data[:6] == b"PROXY "[: len(data)]:
        return _first(data)
    raise ValueError("no PROXY header")


def _first(data: bytes) -> tuple[int, Addresses | None] | None:
    line, end, _ = data.partition(b"\r\n")
    if not end:
        if len(data) >= V1_LONGEST:
            raise ValueError("PROXY line without an end")
        return None
    if len(line) + 2 > V1_LONGEST:
        raise ValueError("PROXY line too long")
    used = len(line) + 2
    words = line.split(b" ")
    if words[1] == b"UNKNOWN":
        return used, None
    if len(words) != 6 or words[1] not in (b"TCP4", b"TCP6"):
        raise ValueError("bad PROXY line")
    kind = ipaddress.IPv4Address if words[1] == b"TCP4" else ipaddress.IPv6Address
    source, target = (kind(word.decode("ascii")).packed for word in words[2:4])
    return used, (source, _port(words[4]), target, _port(words[5]))


def _port(word: bytes) -> int:
    if not _PORT.match(word) or int(word) > 65535:
        raise ValueError("bad port in a PROXY line")
    return int(word)


def _second(data: bytes) -> tuple[int, Addresses | None] | None:
    if len(data) < 16:
        return None
    version, command = data[12] >> 4, data[12] & 15
    used = 16 + int.from_bytes(data[14:16], "big")
    if version != 2 or command > 1:
        raise ValueError("bad PROXY header version or command")
    if len(data) < used:
        return None
    size = {0x11: 4, 0x21: 16}.get(data[13], 0)
    if command == 0 or size == 0:
        return used, None
    if used < 16 + 2 * size + 4:
        raise ValueError("PROXY header too short for its addresses")
    source, target = data[16 : 16 + size], data[16 + size : 16 + 2 * size]
    ports = data[16 + 2 * size : 20 + 2 * size]
    return used, (source, int.from_bytes(ports[:2], "big"), target, int.from_bytes(ports[2:], "big"))
