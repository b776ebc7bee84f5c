"""The nftables rules of an instance that does not accept packets for its addresses, and of macvlans.

RFC 9568 6.1, Accept_Mode: a master that is not the owner of the addresses answers ARP and neighbour
solicitations for them and takes nothing else. And what the kernel says from a macvlan about multicast groups
and about its link must come from the interface below: switches would look for the virtual MAC here, even
while we are backup.

Names of tables, chains and sets are the original's. Each function returns messages of one transaction; they
decide nothing about when.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from evener.keepalived.vrrp.plan import Family, VirtualAddress
from evener.keepalived.vrrp.plan_machine import FirewallOptions
from evener.text.record import dataclass
from evener.wire.nftables import (
    ACCEPT,
    COUNTER,
    DROP,
    GOTO,
    NFPROTO_IPV4,
    NFPROTO_IPV6,
    REG32,
    Base,
    Message,
    Meta,
    SetFlag,
    Table,
    Type,
    concatenation,
    dup_to,
    element,
    equal,
    lookup,
    masked,
    meta,
    payload,
    value,
    verdict_of,
)

LOCAL_IN, LOCAL_OUT = 1, 3
IGMP, ICMPV6 = 2, 58
NAME_BYTES = 16
LINK_LOCAL, LINK_LOCAL_MASK = b"\xfe\x80" + bytes(14), b"\xff\xc0" + bytes(14)
MLD_REPORTS, SOLICITATIONS = (131, 143), (135, 136)
ROUTER_SOLICITATION, NEIGHBOUR_ADVERTISEMENT = 133, 136
MACVLAN = b"macvlan".ljust(NAME_BYTES, b"\0")
SECOND = REG32 + 4
"""The register after an IPv6 address."""

# Offsets in the network header: (source, destination), and the length of an address.
PLACES = {Family.INET: ((12, 16), 4), Family.INET6: ((8, 24), 16)}


@dataclass(frozen=True, slots=True)
class Blocked:
    """An address nothing may be taken for. Link-local ones are of an interface, by number or by name."""

    packed: bytes
    device: str = ""
    index: int = 0

    @property
    def family(self) -> Family:
        return Family.INET if len(self.packed) == 4 else Family.INET6

    @property
    def set(self) -> str:
        if not self.device:
            return "vips"
        return "vips_link_local" if self.index else "vips_link_local_name"

    @property
    def key(self) -> bytes:
        if not self.device:
            return self.packed
        return self.packed + (_index(self.index) if self.index else _name(self.device))


def blocked(address: VirtualAddress, index: int | None, *, by_name: bool) -> Blocked:
    """``by_name``: the interface may come and go (its instance does not track it)."""
    if address.family is Family.INET6 and address.packed[:2] == LINK_LOCAL[:2]:
        return Blocked(address.packed, address.device, 0 if by_name else index or 0)
    return Blocked(address.packed)


@dataclass(frozen=True, slots=True)
class Macvlan:
    """An interface that is ours, and the one below it: its number, and its link-local address."""

    index: int
    name: str
    below: int
    local: bytes | None = None


def _index(number: int) -> bytes:
    return number.to_bytes(4, sys.byteorder)


def _name(device: str) -> bytes:
    return device.encode()[:NAME_BYTES].ljust(NAME_BYTES, b"\0")


class Rules:
    """Makes the messages for one family's table."""

    def __init__(self, family: Family, options: FirewallOptions) -> None:
        self.family, self._options = family, options
        self._table = Table(NFPROTO_IPV4 if family is Family.INET else NFPROTO_IPV6, options.table)
        self._counter = [COUNTER] if options.counters else []
        self._places, self._length = PLACES[family]
        self._number = 0

    def _set(self, name: str, key: tuple[int, int], data: tuple[int, int] | None = None) -> Message:
        self._number += 1
        host_order = key[0] == Type.IFINDEX
        return self._table.set(name, key, data, number=self._number, host_order=host_order)

    def _constant(self, name: str, members: Sequence[int]) -> list[Message]:
        self._number += 1
        flags = SetFlag.CONSTANT
        made = self._table.set(name, (Type.ICMP6_TYPE, 1), number=self._number, flags=flags)
        return [made, *self._table.add_elements(name, [element(bytes((member,))) for member in members])]

    def _rule(self, chain: str, expressions: Iterable[bytes], end: bytes) -> Message:
        return self._table.rule(chain, [*expressions, *self._counter, end])

    def table(self) -> list[Message]:
        """An empty table (what an earlier process left goes) with its chain of outgoing packets."""
        made, priority = self._table.new(), self._options.priority
        out = self._table.base_chain("out", "filter", LOCAL_OUT, priority)
        opening = [made, self._table.delete(), made, out]
        return opening if self.family is Family.INET else [*opening, *self._below_is_not_ours()]

    def _below_is_not_ours(self) -> list[Message]:
        """A macvlan sends from the link-local address of the interface below, and must not answer for it."""
        by_index = self._options.by_index
        kind, length = (Type.IFINDEX, 4) if by_index else (Type.IFNAME, NAME_BYTES)
        key = meta(SECOND, Meta.OIF if by_index else Meta.OIFNAME)
        answers = [*icmpv6(), equal(REG32, bytes((NEIGHBOUR_ADVERTISEMENT,)))]
        answers += [meta(REG32, Meta.OIFKIND), equal(REG32, MACVLAN)]
        both = [self._address(0), key, lookup("parent_link_local", REG32)]
        return [
            self._set("parent_link_local", (concatenation(Type.IP6ADDR, kind), self._length + length)),
            self._rule("out", [*answers, *both], verdict_of(DROP)),
        ]

    def remove(self) -> list[Message]:
        return [self._table.delete()]

    # -- addresses

    def addresses(self) -> list[Message]:
        """The sets of blocked addresses, empty, and the rules that look at them."""
        table, address = self._table, Type.IPADDR if self.family is Family.INET else Type.IP6ADDR
        made = [
            table.base_chain("in", "filter", LOCAL_IN, self._options.priority),
            self._set("vips", (address, self._length)),
        ]
        if self.family is Family.INET6:
            made += self._link_local()
        return [*made, *(self._drop(chain, own) for chain, own in (("in", 1), ("out", 0)))]

    def _address(self, own: int) -> bytes:
        return payload(REG32, Base.NETWORK, self._places[own], self._length)

    def _drop(self, chain: str, own: int) -> Message:
        return self._rule(chain, [self._address(own), lookup("vips", REG32)], verdict_of(DROP))

    def _link_local(self) -> list[Message]:
        made = [self._table.chain("in_link_local"), self._table.chain("out_link_local")]
        made += self._constant("neighbor-discovery", SOLICITATIONS)
        for chain, own in (("in", 1), ("out", 0)):
            told = [*icmpv6(), lookup("neighbor-discovery", REG32)]
            made.append(self._rule(chain, told, verdict_of(ACCEPT)))
            local = [self._address(own), masked(REG32, LINK_LOCAL_MASK), equal(REG32, LINK_LOCAL)]
            made.append(self._rule(chain, local, verdict_of(GOTO, f"{chain}_link_local")))
        for name, kind, length, keys in (
            ("vips_link_local", Type.IFINDEX, 4, (Meta.IIF, Meta.OIF)),
            ("vips_link_local_name", Type.IFNAME, NAME_BYTES, (Meta.IIFNAME, Meta.OIFNAME)),
        ):
            made.append(self._set(name, (concatenation(Type.IP6ADDR, kind), self._length + length)))
            for chain, own, key in (("in", 1, keys[0]), ("out", 0, keys[1])):
                both = [self._address(own), meta(SECOND, key), lookup(name, REG32)]
                made.append(self._rule(f"{chain}_link_local", both, verdict_of(DROP)))
        return made

    def block(self, several: Iterable[Blocked]) -> list[Message]:
        return [m for name, keys in _by_set(several) for m in self._table.add_elements(name, keys)]

    def release(self, several: Iterable[Blocked]) -> list[Message]:
        return [m for name, keys in _by_set(several) for m in self._table.delete_elements(name, keys)]

    # -- macvlans

    def macvlans(self) -> list[Message]:
        """What goes out of a macvlan and must not: reports leave below it, the rest is dropped."""
        index = (Type.IFINDEX, 4)
        made = [self._set("vmac_map", index, index)]
        kind = [meta(REG32, Meta.OIFKIND), equal(REG32, MACVLAN)]
        below = [
            self._address(1),
            meta(SECOND, Meta.OIF),
            lookup("vmac_map", SECOND, to=SECOND),
            dup_to(REG32, SECOND),
        ]
        if self.family is Family.INET:
            reports = [payload(REG32, Base.NETWORK, 9, 1), equal(REG32, bytes((IGMP,)))]
            return [*made, self._rule("out", [*reports, *kind, *below], verdict_of(DROP))]
        made += [self._set("vmac_set", index), *self._constant("mld-report", MLD_REPORTS)]
        reports = [*icmpv6(), lookup("mld-report", REG32)]
        made.append(self._rule("out", [*reports, *kind, *below], verdict_of(DROP)))
        asks = [*icmpv6(), equal(REG32, bytes((ROUTER_SOLICITATION,))), *kind]
        asks += [meta(REG32, Meta.OIF), lookup("vmac_set", REG32)]
        return [*made, self._rule("out", asks, verdict_of(DROP))]

    def put(self, one: Macvlan) -> list[Message]:
        key = _index(one.index)
        made = [*self._table.add_elements("vmac_map", [element(key, value(_index(one.below)))])]
        if self.family is Family.INET6:
            made += self._table.add_elements("vmac_set", [element(key)])
        if own := self._own(one):
            made += self._table.add_elements("parent_link_local", [own])
        return made

    def drop(self, one: Macvlan) -> list[Message]:
        names = ["vmac_map", "vmac_set"] if self.family is Family.INET6 else ["vmac_map"]
        gone = [m for name in names for m in self._table.delete_elements(name, [element(_index(one.index))])]
        if own := self._own(one):
            gone += self._table.delete_elements("parent_link_local", [own])
        return gone

    def _own(self, one: Macvlan) -> bytes | None:
        if self.family is Family.INET or one.local is None:
            return None
        return element(one.local + (_index(one.index) if self._options.by_index else _name(one.name)))


def icmpv6() -> list[bytes]:
    """ICMPv6, its type in the register."""
    protocol = [meta(REG32, Meta.L4PROTO), equal(REG32, bytes((ICMPV6,)))]
    return [*protocol, payload(REG32, Base.TRANSPORT, 0, 1)]


def _by_set(several: Iterable[Blocked]) -> Iterable[tuple[str, list[bytes]]]:
    found: dict[str, list[bytes]] = {}
    for one in several:
        found.setdefault(one.set, []).append(element(one.key))
    return found.items()
