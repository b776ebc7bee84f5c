"""Echo requests and replies of ICMP (RFC 792) and ICMPv6 (RFC 4443), as a datagram socket takes them:
the kernel fills in the identifier and the checksum."""

from __future__ import annotations

from typing import Final

REQUEST: Final = {False: 8, True: 128}
REPLY: Final = {False: 0, True: 129}
HEADER_BYTES: Final = 8
PAYLOAD: Final = (b"keepalived check - " * 7)[:128]


def request(sequence: int, six: bool) -> bytes:
    return bytes([REQUEST[six], 0, 0, 0, 0, 0]) + sequence.to_bytes(2, "big") + PAYLOAD


def answers(packet: bytes, sequence: int, six: bool) -> bool:
    return (
        len(packet) >= HEADER_BYTES
        and packet[0] == REPLY[six]
        and int.from_bytes(packet[6:8], "big") == sequence
    )
