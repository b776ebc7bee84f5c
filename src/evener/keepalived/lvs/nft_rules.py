"""One service as nftables executes it: the rules of its chain and its elements in the maps of ``nft_table``.

Given the service with its destinations, all numbered; knows nothing of what is loaded already.

With NAT the chain only sees the first packet of a connection, and conntrack does the rest. With direct
routing it sees every packet of a client: ``flows`` remembers which server a connection has, ``closing``
those that a FIN or RST has ended, for a shorter time and without being renewed.

With persistence ``persist`` remembers the destination of a client. An entry whose destination is gone or
quiet (without weight) is replaced by the next connection, so that changes need not look for entries; so
is an entry of ``flows`` whose destination is gone.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator, Sequence

from evener.keepalived.lvs.ipvs import (
    FULL_MASK,
    Destination,
    DestinationKey,
    Method,
    Service,
    ServiceFlags,
    ServiceKey,
)
from evener.keepalived.lvs.nft_table import LAYOUTS, PORT_BYTES, Layout
from evener.keepalived.lvs.slots import MOST_SLOTS, Chosen, Slots, slots
from evener.text.record import dataclass
from evener.wire import nftables as nft
from evener.wire.nftables import REG32, Base, Dynset, Meta

SEED = 0x65766E72
"""Of hashes: the same everywhere, so that two directors send a client to the same server."""

FIN, SYN, RST, ACK = 1, 2, 4, 16


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Of connections with direct routing, in seconds; defaults are those of IPVS."""

    tcp_s: int = 900
    tcp_fin_s: int = 120
    udp_s: int = 300


IPVS_TIMEOUTS = Timeouts()

Numbered = tuple[int, Destination]
Elements = dict[str, dict[bytes, bytes]]
Rule = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Rendered:
    """``elements``: by map, key to data. ``counted``: keys of ``sent`` and the like, which
    services may have in common."""

    chain: str
    rules: tuple[Rule, ...]
    elements: Elements
    counted: frozenset[bytes] = frozenset()


def native(number: int) -> bytes:
    return number.to_bytes(4, sys.byteorder)


def padded_port(port: int) -> bytes:
    return port.to_bytes(2, "big") + b"\0\0"


def padded_protocol(protocol: int) -> bytes:
    return bytes((protocol, 0, 0, 0))


def chain_name(number: int, key: ServiceKey) -> str:
    """What a person reads in ``nft list ruleset``; the number makes it unique."""
    if key.fwmark:
        return f"s{number}_mark_{key.fwmark}"
    protocol = {socket.IPPROTO_TCP: "tcp", socket.IPPROTO_UDP: "udp", socket.IPPROTO_SCTP: "sctp"}
    address = socket.inet_ntop(key.family, key.address).replace(":", ".")
    return f"s{number}_{protocol.get(key.protocol, key.protocol)}_{address}_{key.port}"


def render(number: int, service: Service, members: Sequence[Numbered], timeouts: Timeouts) -> Rendered:
    """``members`` have the same method; what nftables cannot do has been left out."""
    method = members[0][1].forwarding.method if members else Method.NAT
    made = _Made(number, service, LAYOUTS[service.key.family], method, timeouts)
    table = slots(service.scheduler, [destination for _, destination in members])
    chain = chain_name(number, service.key)
    elements: Elements = {_entrance(service.key, method): {_entry(service.key): nft.verdict(nft.GOTO, chain)}}
    elements |= _remembered(number, members, table) if made.remembers else _slots(number, table)
    counted: frozenset[bytes] = frozenset()
    if method is Method.NAT and service.key.port:
        counted = frozenset(translated(service.key, destination.key) for _, destination in members)
    return Rendered(chain, tuple(made.rules(table)), elements, counted)


def _slots(number: int, table: Slots) -> Elements:
    first = number * MOST_SLOTS
    return {
        "slots": {
            native(first + at): nft.value(place(destination.key))
            for at, destination in enumerate(table.destinations)
        }
    }


def _remembered(number: int, members: Sequence[Numbered], table: Slots) -> Elements:
    first = number * MOST_SLOTS
    numbers = {destination.key: native(one) for one, destination in members}
    return {
        "choices": {
            native(first + at): nft.value(numbers[destination.key])
            for at, destination in enumerate(table.destinations)
        },
        "dests": {native(one): nft.value(place(destination.key)) for one, destination in members},
        "quiet": {native(one): b"" for one, destination in members if destination.weight <= 0},
    }


def place(where: DestinationKey) -> bytes:
    """Address and port, as data of maps."""
    return where.address + padded_port(where.port)


def translated(key: ServiceKey, where: DestinationKey) -> bytes:
    """What is asked for and who answers, as ``sent``, ``returned`` and ``opened`` have them."""
    return padded_protocol(key.protocol) + key.address + place(where)


def _entrance(key: ServiceKey, method: Method) -> str:
    prefix = "dr_" if method is Method.DR else ""
    return prefix + ("marks" if key.fwmark else "services" if key.port else "any_port")


def _entry(key: ServiceKey) -> bytes:
    if key.fwmark:
        return native(key.fwmark)
    return padded_protocol(key.protocol) + key.address + (padded_port(key.port) if key.port else b"")


def _with_flags(register: int, mask: int, wanted: int, *, other: bool = False) -> Rule:
    """Of a TCP header: the flags of ``mask`` are (``other``: are not) these."""
    flags = nft.payload(register, Base.TRANSPORT, 13, 1)
    return flags, nft.masked(register, bytes((mask,))), nft.equal(register, bytes((wanted,)), other=other)


class _Made:
    """The rules of one service. Registers: keys from the first one on, and behind the longest key there is
    (``_far``) the number of the destination, which its address and port then replace.

    ``nft list`` cannot show the result of a map in some places (see ``nft_table``): such a number passes
    through the packet's priority, which routing has not set yet, and which is 0 again afterwards."""

    def __init__(
        self, number: int, service: Service, layout: Layout, method: Method, timeouts: Timeouts
    ) -> None:
        self._service = nft.immediate(REG32, native(number))
        self._first_slot = number * MOST_SLOTS
        self._what = service
        self._layout = layout
        self._direct = method is Method.DR
        self._persistent = bool(service.flags & ServiceFlags.PERSISTENT and service.timeout_s)
        self._timeouts = timeouts
        self._far = REG32 + 1 + 2 * (layout.registers + 1)
        self.remembers = self._direct or self._persistent

    def rules(self, table: Slots) -> Iterator[Rule]:
        if self._direct:
            yield from self._known_flows()
        if not table.destinations:
            yield (nft.reject(self._layout.unreachable),)
            return
        first = self._first_packets(table.chosen)
        if not self.remembers:
            yield (*self._slot(table), nft.lookup("slots", self._far, self._far), *self._translation())
            return
        choice = (*self._slot(table), nft.lookup("choices", self._far, self._far), *self._shown())
        if self._persistent:
            yield (*first, *self._returning(), *self._delivery())
            yield (*first, *choice, *self._keep(), *self._delivery())
        # With persistence when there is no room for another client.
        yield (*first, *choice, *self._delivery())

    def _shown(self) -> Rule:
        return nft.set_meta(Meta.PRIORITY, self._far), nft.meta(self._far, Meta.PRIORITY)

    def _where(self) -> Rule:
        """The number of the destination becomes its address and port."""
        return (
            nft.lookup("dests", self._far, self._far),
            nft.immediate(REG32, bytes(4)),
            nft.set_meta(Meta.PRIORITY, REG32),
        )

    def _client(self) -> Rule:
        """Service and client, as ``persist`` has them."""
        layout, prefix = self._layout, self._what.prefix
        source = nft.payload(REG32 + 1, Base.NETWORK, layout.source, layout.length)
        bits = layout.length * 8
        if prefix >= FULL_MASK[self._what.key.family]:
            return self._service, source
        mask = (((1 << prefix) - 1) << (bits - prefix)).to_bytes(layout.length, "big")
        return self._service, source, nft.masked(REG32 + 1, mask)

    def _returning(self) -> Rule:
        """A client whose destination is there and takes connections."""
        again = nft.dynset("persist", Dynset.UPDATE, REG32, self._far, self._what.timeout_s * 1000)
        known = nft.lookup("persist", REG32, self._far), *self._shown(), nft.absent("quiet", self._far)
        there = nft.lookup("dests", self._far, REG32)
        return (*self._client(), *known, again, there)

    def _keep(self) -> Rule:
        # An entry that led nowhere cannot be changed, only replaced.
        forget = nft.dynset("persist", Dynset.DELETE, REG32, self._far)
        keep = nft.dynset("persist", Dynset.ADD, REG32, self._far, self._what.timeout_s * 1000)
        return (*self._client(), forget, keep)

    def _slot(self, table: Slots) -> Rule:
        """The number of a slot."""
        layout, to, size = self._layout, self._far, len(table.destinations)
        if table.chosen is Chosen.COUNT:
            return (nft.numgen(to, size, self._first_slot),)
        where = layout.source if table.chosen is Chosen.SOURCE else layout.target
        address = nft.payload(to, Base.NETWORK, where, layout.length)
        if table.chosen is Chosen.SOURCE and self._what.flags & ServiceFlags.SCHED2:  # sh-port, mh-port
            port = nft.payload(to + layout.registers, Base.TRANSPORT, 0, 2)
            length = layout.length + PORT_BYTES
            return address, port, nft.jhash(to, to, length, size, self._first_slot, SEED)
        return address, nft.jhash(to, to, layout.length, size, self._first_slot, SEED)

    def _translation(self) -> Rule:
        port = self._far + self._layout.registers if self._what.key.port else None
        return (nft.dnat(self._layout.protocol, self._far, port),)

    def _delivery(self) -> Rule:
        """To the destination whose number is in ``_far``."""
        if not self._direct:
            return (*self._where(), *self._translation())
        forget = nft.dynset("flows", Dynset.DELETE, REG32, self._far)
        remember = nft.dynset("flows", Dynset.ADD, REG32, self._far, self._idle_ms)
        return (*self._flow(), forget, remember, *self._passed_on())

    @property
    def _tcp(self) -> bool:
        return self._what.key.protocol == socket.IPPROTO_TCP

    @property
    def _idle_ms(self) -> int:
        idle = self._timeouts.udp_s if self._what.key.protocol == socket.IPPROTO_UDP else self._timeouts.tcp_s
        return idle * 1000

    def _flow(self) -> Rule:
        """Service, client and what it asked for, as ``flows`` has them."""
        layout = self._layout
        target = REG32 + 2 + layout.registers
        return (
            self._service,
            nft.payload(REG32 + 1, Base.NETWORK, layout.source, layout.length),
            nft.payload(target - 1, Base.TRANSPORT, 0, 2),
            nft.payload(target, Base.NETWORK, layout.target, layout.length),
            nft.payload(target + layout.registers, Base.TRANSPORT, 2, 2),
        )

    def _passed_on(self) -> Rule:
        return (*self._where(), nft.dup(self._far), nft.verdict_of(nft.DROP))

    def _first_packets(self, chosen: Chosen) -> Rule:
        """As IPVS, only a SYN opens a connection; with a hash any packet finds its server again, even after
        the other director has taken over."""
        if not self._direct or not self._tcp or chosen is not Chosen.COUNT:
            return ()
        return _with_flags(REG32, FIN | SYN | RST | ACK, SYN)

    def _known_flows(self) -> Iterator[Rule]:
        key, far, passed = self._flow(), self._far, self._passed_on()
        known = nft.lookup("flows", REG32, far), *self._shown()
        if self._tcp:
            closing = nft.dynset("closing", Dynset.ADD, REG32, far, self._timeouts.tcp_fin_s * 1000)
            forget = nft.dynset("flows", Dynset.DELETE, REG32, far)
            yield (*_with_flags(REG32, FIN | RST, 0, other=True), *key, *known, closing, forget, *passed)
        yield (*key, *known, nft.dynset("flows", Dynset.UPDATE, REG32, far, self._idle_ms), *passed)
        if self._tcp:
            yield (
                *_with_flags(REG32, SYN, 0),
                *key,
                nft.lookup("closing", REG32, far),
                *self._shown(),
                *passed,
            )
