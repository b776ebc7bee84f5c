"""DNS (RFC 1035): a question as a packet, and what a packet says as its answer.

Only what a health check wants to know is taken from an answer: whether it is one, and its code. All of it
is walked through all the same, since a server that sends nonsense does not work: names are followed, and
a pointer has to lead backwards, so that no packet can keep the reader busy.
"""

from __future__ import annotations

from typing import Final

TYPES: Final = {
    "A": 1,
    "NS": 2,
    "CNAME": 5,
    "SOA": 6,
    "MX": 15,
    "TXT": 16,
    "AAAA": 28,
    "RRSIG": 46,
    "DNSKEY": 48,
}
CLASS_IN: Final = 1
RECURSION_DESIRED: Final = 0x0100
RESPONSE: Final = 0x8000
CODE: Final = 0x000F
HEADER_BYTES: Final = 12
LABEL_BYTES: Final = 63
NAME_BYTES: Final = 255
POINTER: Final = 0xC0
HOPS: Final = 32
"""Pointers in one name; honest servers need one."""
ANSWER_BYTES: Final = 4096
"""Who was not told that we take more may send 512."""


class BadName(ValueError):
    """No such name can be asked for."""


class BadAnswer(Exception):
    """It is an answer to the question, and it makes no sense."""


def encoded(name: str) -> bytes:
    """A name as labels; a final dot means nothing. Raises BadName."""
    labels = [label.encode("utf-8", "surrogateescape") for label in name.removesuffix(".").split(".")]
    if labels == [b""]:
        return b"\0"
    if any(not 0 < len(label) <= LABEL_BYTES for label in labels):
        raise BadName(name)
    data = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    if len(data) > NAME_BYTES:
        raise BadName(name)
    return data


def question(number: int, name: str, kind: str) -> bytes:
    """The packet that asks for records of ``kind``. Raises BadName."""
    head = b"".join(word.to_bytes(2, "big") for word in (number, RECURSION_DESIRED, 1, 0, 0, 0))
    return head + encoded(name) + TYPES[kind].to_bytes(2, "big") + CLASS_IN.to_bytes(2, "big")


def code(asked: bytes, packet: bytes) -> int | None:
    """The response code of an answer to ``asked``; None for any other packet. Raises BadAnswer."""
    if len(packet) < HEADER_BYTES or packet[:2] != asked[:2]:
        return None
    words = [int.from_bytes(packet[at : at + 2], "big") for at in range(2, HEADER_BYTES, 2)]
    flags, counts = words[0], words[1:]
    if not flags & RESPONSE:
        return None
    if len(packet) > ANSWER_BYTES:
        raise BadAnswer("it is too long")
    at = HEADER_BYTES
    for _ in range(counts[0]):
        at = _after_name(packet, at) + 4
    if counts[0] == 1 and packet[HEADER_BYTES:at].lower() != asked[HEADER_BYTES:].lower():
        return None
    for _ in range(sum(counts[1:])):
        at = _after_record(packet, at)
    if at > len(packet):
        raise BadAnswer("it ends too early")
    return flags & CODE


def _after_record(packet: bytes, at: int) -> int:
    at = _after_name(packet, at) + 10
    if at > len(packet):
        raise BadAnswer("it ends too early")
    return at + int.from_bytes(packet[at - 2 : at], "big")


def _after_name(packet: bytes, at: int) -> int:
    """Where the name that begins at ``at`` ends; its pointers are followed, always backwards."""
    end, lowest, length, hops = 0, at, 0, 0
    while True:
        if at >= len(packet):
            raise BadAnswer("it ends too early")
        size = packet[at]
        if size == 0:
            return end or at + 1
        if size & POINTER == POINTER:
            end = end or at + 2
            at = int.from_bytes(packet[at : at + 2], "big") & 0x3FFF
            hops += 1
            if at >= lowest or hops > HOPS:
                raise BadAnswer("a name points forwards, or too often")
            lowest = at
            continue
        length += size + 1
        if size & POINTER or length >= NAME_BYTES:
            raise BadAnswer("a name is too long")
        at += size + 1
