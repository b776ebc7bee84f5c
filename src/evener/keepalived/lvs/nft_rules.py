"""One service as nftables executes it: the rules of its chain and its elements in the maps of ``nft_table``.

Given the service with its destinations, all numbered; knows nothing of what is loaded already.

The chain of a service chooses a slot; ``nft_table`` has the chains that know what to do with it. With NAT it
only sees the first packet of a connection, and conntrack does the rest.

With persistence ``persist`` remembers the destination of a client. An entry whose destination is gone or
quiet (without weight) is replaced by the next connection, so that changes need not look for entries.
The choice then is in a chain of its own: weights change more often than what is said about ``persist``, and
the kernel walks through that map whenever a rule that uses it is added.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator, Sequence

from evener.keepalived.lvs.ipvs import (
    Destination,
    DestinationKey,
    Method,
    Service,
    ServiceFlags,
    ServiceKey,
)
from evener.keepalived.lvs.nft_direct import ACK, FIN, RST, SYN, with_flags
from evener.keepalived.lvs.nft_table import LAYOUTS, PORT_BYTES, through_priority
from evener.keepalived.lvs.slots import MOST_SLOTS, Chosen, Slots, slots
from evener.text.record import dataclass
from evener.wire import nftables as nft
from evener.wire.nftables import REG32, Base, Dynset, Meta

SEED = 0x65766E72
"""Of hashes: the same everywhere, so that two directors send a client to the same server."""

Numbered = tuple[int, Destination]
Elements = dict[str, dict[bytes, bytes]]
Rule = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Rendered:
    """``chains``: by name, rules; later ones lead to earlier ones. ``elements``: by map, key to data.
    ``counted``: keys of ``sent`` and ``returned``, which services may have in common."""

    chains: dict[str, tuple[Rule, ...]]
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


def render(number: int, service: Service, members: Sequence[Numbered]) -> Rendered:
    """``members`` have the same method; what nftables cannot do has been left out."""
    key = service.key
    method = members[0][1].forwarding.method if members else Method.NAT
    table = slots(service.scheduler, [destination for _, destination in members])
    first, numbers = number * MOST_SLOTS, {one.key: native(which) for which, one in members}
    chain = chain_name(number, key)
    elements: Elements = {
        _entrance(key, method): {_entry(key): nft.verdict(nft.GOTO, chain)},
        "choices": {
            native(first + at): nft.value(numbers[one.key]) for at, one in enumerate(table.destinations)
        },
        "dests": {native(which): nft.value(place(one.key)) for which, one in members},
    }
    counted: frozenset[bytes] = frozenset()
    if method is Method.NAT and key.port:
        counted = frozenset(translated(key, one.key) for _, one in members)
    made = _Made(number, service, method, table)
    if made.persistent:
        elements["quiet"] = {native(which): b"" for which, one in members if one.weight <= 0}
    return Rendered(made.chains(chain), elements, counted)


def place(where: DestinationKey) -> bytes:
    """Address and port, as data of maps."""
    return where.address + padded_port(where.port)


def translated(key: ServiceKey, where: DestinationKey) -> bytes:
    """What is asked for and who answers, as ``sent`` and ``returned`` have them."""
    return padded_protocol(key.protocol) + key.address + place(where)


def _entrance(key: ServiceKey, method: Method) -> str:
    prefix = "dr_" if method is Method.DR else ""
    return prefix + ("marks" if key.fwmark else "services" if key.port else "any_port")


def _entry(key: ServiceKey) -> bytes:
    if key.fwmark:
        return native(key.fwmark)
    return padded_protocol(key.protocol) + key.address + (padded_port(key.port) if key.port else b"")


class _Made:
    """The chains of one service."""

    def __init__(self, number: int, service: Service, method: Method, table: Slots) -> None:
        self._number = number
        self._what = service
        self._layout = LAYOUTS[service.key.family]
        self._direct = method is Method.DR
        self._table = table
        self.persistent = bool(service.flags & ServiceFlags.PERSISTENT and service.timeout_s)
        self._way = "dr" if self._direct else "nat" if service.key.port else "nat_any_port"

    def chains(self, name: str) -> dict[str, tuple[Rule, ...]]:
        before = tuple(self._before())
        if not self._table.destinations:
            return {name: (*before, (nft.reject(self._layout.unreachable),))}
        if not self.persistent:
            return {name: (*before, (*self._slot(), nft.verdict_of(nft.GOTO, self._way)))}
        choice = f"choice_{name}"
        return {
            choice: (
                (*self._slot(), nft.verdict_of(nft.JUMP, "choose")),
                self._keep(),
                (nft.verdict_of(nft.GOTO, f"{self._way}_to"),),
            ),
            name: (*before, self._returning(), (nft.verdict_of(nft.GOTO, choice),)),
        }

    def _before(self) -> Iterator[Rule]:
        if not self._direct:
            return
        yield (nft.verdict_of(nft.JUMP, "flows_known"),)
        # As IPVS, only a SYN opens a connection; with a hash any packet finds its server again, even after
        # the other director has taken over.
        if self._what.key.protocol == socket.IPPROTO_TCP and self._table.chosen is Chosen.COUNT:
            yield (*with_flags(FIN | SYN | RST | ACK, SYN, other=True), nft.verdict_of(nft.RETURN))

    def _client(self) -> Rule:
        """Service and client, as ``persist`` has them."""
        layout, prefix = self._layout, self._what.prefix
        own = nft.immediate(REG32, native(self._number))
        source = nft.payload(REG32 + 1, Base.NETWORK, layout.source, layout.length)
        bits = layout.length * 8
        if prefix >= bits:
            return own, source
        mask = (((1 << prefix) - 1) << (bits - prefix)).to_bytes(layout.length, "big")
        return own, source, nft.masked(REG32 + 1, mask)

    def _returning(self) -> Rule:
        """A client whose destination takes connections. It comes back when that is gone."""
        far = self._layout.far
        return (
            *self._client(),
            nft.lookup("persist", REG32, far),
            *through_priority(self._layout),
            nft.absent("quiet", far),
            nft.dynset("persist", Dynset.UPDATE, REG32, far, self._what.timeout_s * 1000),
            nft.verdict_of(nft.JUMP, f"{self._way}_to"),
        )

    def _keep(self) -> Rule:
        """Goes wrong when there is no room for another client, who then is no worse off than without."""
        far = self._layout.far
        return (
            *self._client(),
            nft.meta(far, Meta.PRIORITY),
            # An entry that leads nowhere any more cannot be changed, only replaced.
            nft.dynset("persist", Dynset.DELETE, REG32, far),
            nft.dynset("persist", Dynset.ADD, REG32, far, self._what.timeout_s * 1000),
        )

    def _slot(self) -> Rule:
        """The number of a slot, in the priority."""
        layout, first, size = self._layout, self._number * MOST_SLOTS, len(self._table.destinations)
        chosen, far = self._table.chosen, layout.far
        keep = nft.set_meta(Meta.PRIORITY, far)
        if chosen is Chosen.COUNT:
            return nft.numgen(far, size, first), keep
        where = layout.source if chosen is Chosen.SOURCE else layout.target
        address = nft.payload(far, Base.NETWORK, where, layout.length)
        if chosen is Chosen.SOURCE and self._what.flags & ServiceFlags.SCHED2:  # sh-port, mh-port
            port = nft.payload(far + layout.registers, Base.TRANSPORT, 0, 2)
            return address, port, nft.jhash(far, far, layout.length + PORT_BYTES, size, first, SEED), keep
        return address, nft.jhash(far, far, layout.length, size, first, SEED), keep
