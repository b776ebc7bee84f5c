"""nfnetlink: attributes, messages and batches of the kernel's netfilter, as bytes.

Knows the framing only (include/uapi/linux/netlink.h and netfilter/nfnetlink.h): a batch is one transaction,
of which the kernel carries out everything or nothing. Numbers inside attributes are big endian, headers
are in the machine's order.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 1, 4, 0x300
NLM_F_CREATE, NLM_F_EXCL, NLM_F_APPEND = 0x400, 0x200, 0x800
NLMSG_NOOP, NLMSG_ERROR, NLMSG_DONE = 1, 2, 3
BATCH_BEGIN, BATCH_END = 0x10, 0x11
NFNL_SUBSYS_CTNETLINK, NFNL_SUBSYS_NFTABLES = 1, 10
NLA_F_NESTED = 0x8000
KIND_MASK = 0x3FFF
"""Of an attribute's type, without the flags "nested" and "network byte order"."""

_HEADER = struct.Struct("=IHHII")
_CODE = struct.Struct("=i")
_NFGEN = struct.Struct("=BBH")
_ATTRIBUTE = struct.Struct("=HH")
_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")
HEADER_BYTES, NFGEN_BYTES = 16, 4
LONGEST_ATTRIBUTE = 0xFFFF - 4


def attribute(kind: int, payload: bytes) -> bytes:
    return _ATTRIBUTE.pack(len(payload) + 4, kind) + payload + _PADDING[len(payload) & 3]


def nested(kind: int, *inner: bytes) -> bytes:
    return attribute(kind | NLA_F_NESTED, b"".join(inner))


def u32(kind: int, value: int) -> bytes:
    return attribute(kind, value.to_bytes(4, "big"))


def u64(kind: int, value: int) -> bytes:
    return attribute(kind, value.to_bytes(8, "big"))


def string(kind: int, text: str) -> bytes:
    return attribute(kind, text.encode("ascii") + b"\0")


def message(kind: int, flags: int, family: int, body: bytes, sequence: int, resource: int = 0) -> bytes:
    """One request. ``kind`` is subsystem << 8 | message."""
    head = _HEADER.pack(
        HEADER_BYTES + NFGEN_BYTES + len(body), kind, flags | NLM_F_REQUEST, sequence & 0xFFFFFFFF, 0
    )
    return head + _NFGEN.pack(family, 0, socket.htons(resource)) + body


def batch(subsystem: int, messages: Iterable[bytes], first: int, last: int) -> bytes:
    """A transaction; ``first`` and ``last`` are the sequence numbers of its begin and its end."""
    begin = message(BATCH_BEGIN, 0, 0, b"", first, subsystem)
    return b"".join((begin, *messages, message(BATCH_END, 0, 0, b"", last, subsystem)))


@dataclass(frozen=True, slots=True)
class Answer:
    """One message of the kernel. ``error`` is an errno when it says that a request failed, 0 when it was
    carried out, None when it is something else."""

    kind: int
    sequence: int
    error: int | None
    family: int
    body: bytes
    """What follows struct nfgenmsg; of an error, nothing."""


def answers(data: bytes) -> Iterator[Answer]:
    """The messages in a datagram; ends at the first one that is cut short."""
    at = 0
    while at + HEADER_BYTES <= len(data):
        length, kind, _, sequence, _ = _HEADER.unpack_from(data, at)
        if length < HEADER_BYTES or at + length > len(data):
            return
        body = data[at + HEADER_BYTES : at + length]
        if kind == NLMSG_ERROR and len(body) >= 4:
            yield Answer(kind, sequence, -_CODE.unpack_from(body)[0], 0, b"")
        else:
            yield Answer(kind, sequence, None, body[0] if body else 0, body[NFGEN_BYTES:])
        at += length + 3 & ~3


def attributes(data: bytes) -> dict[int, bytes]:
    """The attributes in a body by their type, the last one of each; ends where one is cut short."""
    found: dict[int, bytes] = {}
    for kind, payload in each(data):
        found[kind] = payload
    return found


def each(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if length < 4 or at + length > len(data):
            return
        yield kind & KIND_MASK, data[at + 4 : at + length]
        at += length + 3 & ~3
