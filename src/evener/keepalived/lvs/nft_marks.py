"""The nftables rules that mark packets for IPVS (nftables_ipvs).

A table for each family, with a chain on packets to this machine, and for each protocol a map from address and
port to the mark. Names are the original's. Each function returns messages of one transaction.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterable, Iterator

from evener.keepalived.lvs.ipvs import ServiceKey
from evener.keepalived.lvs.marks import Marked
from evener.keepalived.lvs.plan import Marking
from evener.keepalived.vrrp.plan import Family
from evener.wire.nftables import (
    COUNTER,
    NFPROTO_IPV4,
    NFPROTO_IPV6,
    REG32,
    RETURN,
    Base,
    Message,
    Meta,
    Table,
    Type,
    concatenation,
    element,
    equal,
    lookup,
    meta,
    payload,
    set_meta,
    value,
    verdict_of,
)

LOCAL_IN = 1
MAPS = {socket.IPPROTO_TCP: "tcp_map", socket.IPPROTO_UDP: "udp_map", socket.IPPROTO_SCTP: "sctp_map"}
#: Where the destination is in the network header, its length, and the protocol of the table.
PLACES = {Family.INET: (16, 4, NFPROTO_IPV4), Family.INET6: (24, 16, NFPROTO_IPV6)}
DESTINATION_PORT = 2


class MarkRules:
    """Messages for one family's table."""

    def __init__(self, family: Family, marking: Marking) -> None:
        self.family, self._marking = family, marking
        self._offset, self._length, number = PLACES[family]
        self._table = Table(number, marking.table)

    def table(self) -> list[Message]:
        """An empty table: what an earlier process left goes."""
        made = self._table.new()
        chain = self._table.base_chain("in", "filter", LOCAL_IN, self._marking.priority)
        return [made, self._table.delete(), made, chain]

    def remove(self) -> list[Message]:
        return [self._table.delete()]

    def protocol(self, protocol: int) -> list[Message]:
        """The map of a protocol, empty, and the rule that looks it up."""
        name = MAPS[protocol]
        address = Type.IPADDR if self.family is Family.INET else Type.IP6ADDR
        key = concatenation(address, Type.INET_SERVICE), self._length + 4
        made = self._table.set(name, key, (Type.MARK, 4), number=protocol, host_data=True)
        rule = [
            meta(REG32, Meta.L4PROTO),
            equal(REG32, bytes((protocol,))),
            payload(REG32, Base.NETWORK, self._offset, self._length),
            payload(REG32 + self._length // 4, Base.TRANSPORT, DESTINATION_PORT, 2),
            lookup(name, REG32, to=REG32),
            set_meta(Meta.MARK, REG32),
            COUNTER,
            verdict_of(RETURN),
        ]
        return [made, self._table.rule("in", rule)]

    def add(self, marked: Marked) -> Iterator[Message]:
        for protocol, keys in by_protocol(marked):
            found = [element(_key(key), value(_mark(marked[key]))) for key in keys]
            yield from self._table.add_elements(MAPS[protocol], found)

    def delete(self, gone: Iterable[ServiceKey]) -> Iterator[Message]:
        for protocol, keys in by_protocol(gone):
            yield from self._table.delete_elements(MAPS[protocol], [element(_key(key)) for key in keys])


def by_protocol(keys: Iterable[ServiceKey]) -> Iterable[tuple[int, list[ServiceKey]]]:
    found: dict[int, list[ServiceKey]] = {}
    for key in keys:
        found.setdefault(key.protocol, []).append(key)
    return found.items()


def _key(key: ServiceKey) -> bytes:
    """Each part of a concatenation fills whole registers."""
    return key.address + key.port.to_bytes(2, "big") + bytes(2)


def _mark(mark: int) -> bytes:
    return mark.to_bytes(4, sys.byteorder)
