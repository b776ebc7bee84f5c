"""nftables: tables, chains, rules, maps and the expressions of rules, as netlink messages.

A rule is a list of expressions that work on 32 bit registers (``REG32``: numbers 8 to 23; a 16 byte address
takes four of them, each part of a concatenation starts a new one). Each function here is one expression
or one message of include/uapi/linux/netfilter/nf_tables.h; nothing is decided. ``Message`` leaves out the
sequence number, which says later which message failed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag

from evener.wire.nfnetlink import (
    LONGEST_ATTRIBUTE,
    NFNL_SUBSYS_NFTABLES,
    NLM_F_APPEND,
    NLM_F_CREATE,
    attribute,
    attributes,
    each,
    message,
    nested,
    string,
    u32,
    u64,
)

NFPROTO_IPV4, NFPROTO_IPV6 = 2, 10
REG32 = 8
"""NFT_REG32_00."""


class Kind(IntEnum):
    """enum nf_tables_msg_types."""

    NEWTABLE = 0
    GETTABLE = 1
    DELTABLE = 2
    NEWCHAIN = 3
    DELCHAIN = 5
    NEWRULE = 6
    DELRULE = 8
    NEWSET = 9
    NEWSETELEM = 12
    GETSETELEM = 13
    DELSETELEM = 14
    GETGEN = 16


class SetFlag(IntFlag):
    CONSTANT = 2
    MAP = 8
    TIMEOUT = 0x10
    EVAL = 0x20


class Type(IntEnum):
    """Data types as the ``nft`` command shows them (its enum datatypes; the kernel only keeps them)."""

    IPADDR = 7
    IP6ADDR = 8
    INET_PROTOCOL = 12
    INET_SERVICE = 13
    MARK = 19
    IFINDEX = 20
    ICMP6_TYPE = 29
    IFNAME = 41


VERDICT = 0xFFFFFF00
JUMP, GOTO, RETURN = -3, -4, -5
DROP, ACCEPT = 0, 1


def concatenation(*types: Type) -> int:
    """The number of a concatenation of types: six bits each."""
    made = 0
    for kind in types:
        made = made << 6 | kind
    return made


KEY_HOST_ORDER, DATA_HOST_ORDER = (bytes((which, 4)) + (1).to_bytes(4, sys.byteorder) for which in (0, 1))
"""libnftnl's user data of a set: the byte order of its keys, and of its data."""
HOST_ORDER = KEY_HOST_ORDER + DATA_HOST_ORDER


@dataclass(frozen=True, slots=True)
class Message:
    kind: Kind
    flags: int
    family: int
    body: bytes

    def encode(self, sequence: int, flags: int = 0) -> bytes:
        kind = NFNL_SUBSYS_NFTABLES << 8 | self.kind
        return message(kind, self.flags | flags, self.family, self.body, sequence)


GENERATION = Message(Kind.GETGEN, 0, 0, b"")
"""Asks for the number of the last transaction, whoever made it."""


def generation(body: bytes) -> int:
    return int.from_bytes(attributes(body).get(1, b""), "big")


# -- objects


@dataclass(frozen=True, slots=True)
class Table:
    """A table; its methods are the messages about what is in it."""

    family: int
    name: str

    def new(self) -> Message:
        return Message(Kind.NEWTABLE, NLM_F_CREATE, self.family, string(1, self.name) + u32(2, 0))

    def delete(self) -> Message:
        return Message(Kind.DELTABLE, 0, self.family, string(1, self.name))

    def get(self) -> Message:
        return Message(Kind.GETTABLE, 0, self.family, string(1, self.name))

    def _message(self, kind: Kind, flags: int, *rest: bytes) -> Message:
        return Message(kind, flags, self.family, string(1, self.name) + b"".join(rest))

    def base_chain(self, name: str, kind: str, hook: int, priority: int) -> Message:
        where = nested(4, u32(1, hook), u32(2, priority & 0xFFFFFFFF))
        return self._message(Kind.NEWCHAIN, NLM_F_CREATE, string(3, name), where, string(7, kind))

    def chain(self, name: str) -> Message:
        return self._message(Kind.NEWCHAIN, NLM_F_CREATE, string(3, name))

    def delete_chain(self, name: str) -> Message:
        return self._message(Kind.DELCHAIN, 0, string(3, name))

    def rule(self, chain: str, expressions: Iterable[bytes]) -> Message:
        rules = nested(4, *(nested(1, expression) for expression in expressions))
        return self._message(Kind.NEWRULE, NLM_F_CREATE | NLM_F_APPEND, string(2, chain), rules)

    def flush_chain(self, name: str) -> Message:
        return self._message(Kind.DELRULE, 0, string(2, name))

    def set(
        self,
        name: str,
        key: tuple[int, int],
        data: tuple[int, int] | None = None,
        *,
        number: int,
        flags: SetFlag | int = 0,
        size: int = 0,
        counting: bool = False,
        host_order: bool = False,
        host_data: bool = False,
    ) -> Message:
        """A set, or a map when there is ``data``. ``key`` and ``data`` are (type, bytes); ``number`` tells
        sets of one transaction apart. ``counting``: every element counts packets.
        ``host_order`` (``host_data``: of its data only): its numbers are shown as such by ``nft`` (the kernel
        only keeps that)."""
        parts = [string(2, name), u32(4, key[0]), u32(5, key[1]), u32(10, number)]
        if data is not None:
            flags |= SetFlag.MAP
            parts += [u32(6, data[0]), u32(7, data[1])]
        if size:
            parts.append(nested(9, u32(1, size)))
        if counting:
            parts.append(nested(17, COUNTER))
        if host_order or host_data:
            parts.append(attribute(13, HOST_ORDER if host_order else DATA_HOST_ORDER))
        return self._message(Kind.NEWSET, NLM_F_CREATE, u32(3, flags), *parts)

    def add_elements(self, name: str, elements: Sequence[bytes]) -> Iterator[Message]:
        for part in portions(elements):
            yield self._message(Kind.NEWSETELEM, NLM_F_CREATE, string(2, name), nested(3, *part))

    def delete_elements(self, name: str, elements: Sequence[bytes]) -> Iterator[Message]:
        for part in portions(elements):
            yield self._message(Kind.DELSETELEM, 0, string(2, name), nested(3, *part))

    def list_elements(self, name: str) -> Message:
        return self._message(Kind.GETSETELEM, 0, string(2, name))


def portions(elements: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """An attribute is at most 64 KiB long."""
    start, length = 0, 0
    for at, element in enumerate(elements):
        if length + len(element) > LONGEST_ATTRIBUTE:
            yield elements[start:at]
            start, length = at, 0
        length += len(element)
    if start < len(elements):
        yield elements[start:]


def element(key: bytes, data: bytes = b"") -> bytes:
    """An element of a set or a map; ``data`` from ``value`` or ``verdict``."""
    return nested(1, nested(1, attribute(1, key)), nested(2, data) if data else b"")


@dataclass(frozen=True, slots=True)
class Element:
    """As the kernel lists it."""

    key: bytes
    data: bytes
    packets: int
    bytes: int


def elements(body: bytes) -> Iterator[Element]:
    """Those in one message of a dump; unreadable ones are left out."""
    for kind, listed in each(attributes(body).get(3, b"")):
        parts = attributes(listed) if kind == 1 else {}
        key = attributes(parts.get(1, b"")).get(1)
        if key is None:
            continue
        counted = attributes(attributes(parts.get(7, b"")).get(2, b""))
        size, packets = (int.from_bytes(counted.get(which, b""), "big") for which in (1, 2))
        yield Element(key, attributes(parts.get(2, b"")).get(1, b""), packets, size)


def value(data: bytes) -> bytes:
    return attribute(1, data)


def verdict(code: int, chain: str = "") -> bytes:
    return nested(2, u32(1, code & 0xFFFFFFFF), string(2, chain) if chain else b"")


# -- expressions


def expression(name: str, *parts: bytes) -> bytes:
    return string(1, name) + nested(2, *parts)


COUNTER = expression("counter", u64(1, 0), u64(2, 0))


class Meta(IntEnum):
    PRIORITY = 2
    MARK = 3
    IIF = 4
    OIF = 5
    IIFNAME = 6
    OIFNAME = 7
    L4PROTO = 16
    OIFKIND = 27


class Base(IntEnum):
    """What a payload's offset is counted from."""

    NETWORK = 1
    TRANSPORT = 2


class Ct(IntEnum):
    STATE = 0
    STATUS = 2
    DST_IP = 20
    DST_IP6 = 22


class Numgen(IntEnum):
    INCREMENTAL = 0
    RANDOM = 1


class Dynset(IntEnum):
    ADD = 0
    UPDATE = 1
    DELETE = 2


def immediate(register: int, data: bytes) -> bytes:
    return expression("immediate", u32(1, register), nested(2, value(data)))


def verdict_of(code: int, chain: str = "") -> bytes:
    return expression("immediate", u32(1, 0), nested(2, verdict(code, chain)))


def meta(register: int, key: Meta) -> bytes:
    return expression("meta", u32(1, register), u32(2, key))


def set_meta(key: Meta, register: int) -> bytes:
    return expression("meta", u32(2, key), u32(3, register))


def payload(register: int, base: Base, offset: int, length: int) -> bytes:
    return expression("payload", u32(1, register), u32(2, base), u32(3, offset), u32(4, length))


def ct(register: int, key: Ct, direction: int | None = None) -> bytes:
    where = b"" if direction is None else attribute(3, bytes((direction,)))
    return expression("ct", u32(1, register), u32(2, key), where)


def equal(register: int, data: bytes, *, other: bool = False) -> bytes:
    """Goes on only when the register holds ``data`` (``other``: anything else)."""
    return expression("cmp", u32(1, register), u32(2, int(other)), nested(3, value(data)))


def masked(register: int, mask: bytes) -> bytes:
    return expression(
        "bitwise", u32(1, register), u32(2, register), u32(3, len(mask)), nested(4, value(mask)),
        nested(5, value(bytes(len(mask)))),
    )  # fmt: skip


def lookup(name: str, register: int, to: int | None = None) -> bytes:
    """Goes on only when the set has the key; ``to`` receives a map's data (0: a verdict)."""
    into = b"" if to is None else u32(3, to)
    return expression("lookup", string(1, name), u32(2, register), into)


def absent(name: str, register: int) -> bytes:
    """Goes on only when the set does not have the key."""
    return expression("lookup", string(1, name), u32(2, register), u32(5, 1))


def numgen(register: int, modulus: int, offset: int, kind: Numgen = Numgen.INCREMENTAL) -> bytes:
    """Numbers from ``offset``, ``modulus`` different ones."""
    return expression("numgen", u32(1, register), u32(2, modulus), u32(3, kind), u32(4, offset))


def jhash(register: int, source: int, length: int, modulus: int, offset: int, seed: int) -> bytes:
    return expression(
        "hash", u32(1, source), u32(2, register), u32(3, length), u32(4, modulus), u32(5, seed),
        u32(6, offset), u32(7, 0),
    )  # fmt: skip


def dynset(name: str, operation: Dynset, key: int, data: int, timeout_ms: int = 0) -> bytes:
    """Change a map from the packet path; an element that is there already only gets its time again."""
    timed = u64(6, timeout_ms) if timeout_ms else b""
    return expression("dynset", string(1, name), u32(3, operation), u32(4, key), u32(5, data), timed)


def dnat(family: int, address: int, port: int | None) -> bytes:
    parts = [u32(1, 1), u32(2, family), u32(3, address), u32(4, address)]
    if port is not None:
        parts += [u32(5, port), u32(6, port)]
    return expression("nat", *parts)


def reject(code: int) -> bytes:
    """Answer with ICMP "destination unreachable" and this code."""
    return expression("reject", u32(1, 0), attribute(2, bytes((code,))))


def dup(address: int) -> bytes:
    """Send a copy of the packet, as it is, to the machine with this address."""
    return expression("dup", u32(1, address))


def dup_to(address: int, device: int) -> bytes:
    """The same, by way of one interface (its number is in register ``device``)."""
    return expression("dup", u32(1, address), u32(2, device))
