"""The table of a family in nftables: its maps, and the chains before and behind those of services.

    prerouting, output (nat)   marks, services, any_port --goto--> the chain of the service --goto--> nat
    prerouting (raw)           dr_services, dr_any_port  --goto--> the chain of the service --goto--> dr
    prerouting (after mangle)  dr_marks                  --goto--> likewise, for marks set by other rules
    forward                    sent, returned            count what translated connections carry

A service has a number, which gives it a range of slots, and its chain only says which slot (``nft_rules``).
What a slot means is said in maps that all services share: ``choices`` has the number of the destination,
``dests`` where that is. Each is one hash lookup, however many services there are. Only the chains here look
them up, because the kernel walks through a map whenever a rule that uses it is added.

Numbers pass from one chain to the next in the packet's priority, which routing has not set yet, and which is
0 again afterwards. The maps that packets write to (``persist``, ``flows``, ``closing``) have timeouts.

Replies need no rule of ours: of translated connections conntrack knows them (as with IPVS, servers must send
them through this machine), and with direct routing (``nft_direct``) they do not come by.

People list their rulesets. The ``nft`` command of Debian 12 aborts when a rule has ``ct original proto-dst``
in a concatenation, or uses the result of a map as another key or as what ``update`` writes: hence what is
counted in ``forward`` is told apart by protocol, virtual address and server only, and results of
maps also pass through the priority.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from evener.keepalived.vrrp.plan import Family
from evener.text.record import dataclass
from evener.wire import nftables as nft
from evener.wire.nftables import (
    NFPROTO_IPV4,
    NFPROTO_IPV6,
    REG32,
    VERDICT,
    Base,
    Ct,
    Message,
    Meta,
    SetFlag,
    Table,
    Type,
)

NAME = "evener_lvs"
LONGEST_NAME = 100
NF_PREROUTING, NF_FORWARD, NF_OUTPUT = 0, 2, 3
PRIORITY_RAW, PRIORITY_MANGLE, PRIORITY_DNAT, PRIORITY_LATE = -300, -150, -100, 200
IPS_DST_NAT = 0x20
CT_ORIGINAL = 0
MOST_ENTRIES = 1 << 20
"""Of each map that packets write to."""

MARK_BYTES, PORT_BYTES, PROTOCOL_BYTES = 4, 4, 4
"""In keys: every part of a concatenation is filled up to four bytes."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What differs between IPv4 and IPv6."""

    protocol: int
    address: Type
    length: int
    source: int
    """Where the source address is in the header; the destination follows it."""
    unreachable: int
    """The ICMP code of "port unreachable"."""
    destination_of_connection: Ct

    @property
    def registers(self) -> int:
        return self.length // 4

    @property
    def far(self) -> int:
        """The register behind the longest key: for a number, then for address and port."""
        return REG32 + 1 + 2 * (self.registers + 1)

    @property
    def target(self) -> int:
        return self.source + self.length


LAYOUTS = {
    Family.INET: Layout(NFPROTO_IPV4, Type.IPADDR, 4, 12, 3, Ct.DST_IP),
    Family.INET6: Layout(NFPROTO_IPV6, Type.IP6ADDR, 16, 8, 4, Ct.DST_IP6),
}


def table(family: Family, name: str = NAME) -> Table:
    return Table(LAYOUTS[family].protocol, name)


def table_name(instance: str) -> str:
    """Several daemons in one network namespace have tables of their own, by their ``instance`` names."""
    return f"{NAME}_{re.sub('[^A-Za-z0-9_]', '_', instance)}"[:LONGEST_NAME] if instance else NAME


def replaced(family: Family, name: str = NAME) -> Iterator[Message]:
    """An empty table with our maps and chains, whatever was there before."""
    ours, layout = table(family, name), LAYOUTS[family]
    yield ours.new()
    yield ours.delete()
    yield ours.new()
    yield from _maps(ours, layout)
    yield from _translation(ours, layout)
    yield from _entrances(ours, layout)
    yield from _counting(ours, layout)


def _maps(ours: Table, layout: Layout) -> Iterator[Message]:
    address, length = layout.address, layout.length
    any_port = (nft.concatenation(Type.INET_PROTOCOL, address), PROTOCOL_BYTES + length)
    service = (
        nft.concatenation(Type.INET_PROTOCOL, address, Type.INET_SERVICE),
        PROTOCOL_BYTES + length + PORT_BYTES,
    )
    mark = (int(Type.MARK), MARK_BYTES)
    verdict, number = (VERDICT, 0), 1
    for prefix in ("", "dr_"):
        for name, key in (("services", service), ("any_port", any_port), ("marks", mark)):
            yield ours.set(prefix + name, key, verdict, number=number, counting=True)
            number += 1
    place = (nft.concatenation(address, Type.INET_SERVICE), length + PORT_BYTES)
    yield ours.set("choices", mark, mark, number=10, counting=True)
    yield ours.set("dests", mark, place, number=11, counting=True)
    yield ours.set("quiet", mark, number=12)
    timed = SetFlag.TIMEOUT | SetFlag.EVAL
    client = (nft.concatenation(Type.MARK, address), MARK_BYTES + length)
    yield ours.set("persist", client, mark, number=13, flags=timed, size=MOST_ENTRIES)
    flow = (
        nft.concatenation(Type.INET_PROTOCOL, address, Type.INET_SERVICE, address, Type.INET_SERVICE),
        PROTOCOL_BYTES + 2 * (length + PORT_BYTES),
    )
    yield ours.set("flows", flow, mark, number=14, flags=timed, size=MOST_ENTRIES)
    yield ours.set("closing", flow, mark, number=15, flags=timed, size=MOST_ENTRIES)
    translated = (
        nft.concatenation(Type.INET_PROTOCOL, address, address, Type.INET_SERVICE),
        PROTOCOL_BYTES + 2 * length + PORT_BYTES,
    )
    yield ours.set("sent", translated, number=16, counting=True)
    yield ours.set("returned", translated, number=17, counting=True)


def _entrances(ours: Table, layout: Layout) -> Iterator[Message]:
    for chain, hook in (("prerouting", NF_PREROUTING), ("output", NF_OUTPUT)):
        yield ours.base_chain(chain, "nat", hook, PRIORITY_DNAT)
        # IPVS also looks for a mark first, and for a service of all ports last.
        yield ours.rule(chain, by_mark("marks"))
        yield ours.rule(chain, (*by_address(layout), nft.lookup("services", REG32, 0)))
        yield ours.rule(chain, (*by_address(layout)[:2], nft.lookup("any_port", REG32, 0)))


def _translation(ours: Table, layout: Layout) -> Iterator[Message]:
    """``nat`` and its kin: to the destination of a slot, or of a number."""
    for name, port in (("nat", layout.far + layout.registers), ("nat_any_port", None)):
        to = nft.dnat(layout.protocol, layout.far, port)
        for chain, chosen in ((name, choice(layout)), (f"{name}_to", ())):
            yield ours.chain(chain)
            passed = nft.meta(layout.far, Meta.PRIORITY)
            yield ours.rule(chain, (passed, *chosen, *where(layout), to))
    yield ours.chain("choose")
    chosen = (nft.meta(layout.far, Meta.PRIORITY), *choice(layout)[:-1])
    yield ours.rule("choose", (*chosen, nft.verdict_of(nft.RETURN)))
    yield ours.rule("choose", _number(0))


def choice(layout: Layout) -> tuple[bytes, ...]:
    """From the number of a slot to that of its destination, which is then the priority, too."""
    return nft.lookup("choices", layout.far, layout.far), *through_priority(layout)


def through_priority(layout: Layout) -> tuple[bytes, ...]:
    return nft.set_meta(Meta.PRIORITY, layout.far), nft.meta(layout.far, Meta.PRIORITY)


def _number(number: int) -> tuple[bytes, ...]:
    return nft.immediate(REG32, number.to_bytes(4, sys.byteorder)), nft.set_meta(Meta.PRIORITY, REG32)


def where(layout: Layout) -> tuple[bytes, ...]:
    """The number of a destination becomes its address and port."""
    return nft.lookup("dests", layout.far, layout.far), *_number(0)


def by_mark(name: str) -> tuple[bytes, ...]:
    return nft.meta(REG32, Meta.MARK), nft.lookup(name, REG32, 0)


def by_address(layout: Layout) -> tuple[bytes, ...]:
    """Protocol, address and port asked for, in registers from the first one; port last."""
    return (
        nft.meta(REG32, Meta.L4PROTO),
        nft.payload(REG32 + 1, Base.NETWORK, layout.target, layout.length),
        nft.payload(REG32 + 1 + layout.registers, Base.TRANSPORT, 2, 2),
    )


def _counting(ours: Table, layout: Layout) -> Iterator[Message]:
    chain = "forward"
    yield ours.base_chain(chain, "filter", NF_FORWARD, PRIORITY_LATE)
    status = nft.ct(REG32, Ct.STATUS), nft.masked(REG32, IPS_DST_NAT.to_bytes(4, sys.byteorder))
    yield ours.rule(chain, (*status, nft.equal(REG32, bytes(4)), nft.verdict_of(nft.RETURN)))
    sent = _translated(layout, layout.target, 2)
    yield ours.rule(chain, (*sent, nft.lookup("sent", REG32), nft.verdict_of(nft.RETURN)))
    returned = _translated(layout, layout.source, 0)
    yield ours.rule(chain, (*returned, nft.lookup("returned", REG32), nft.verdict_of(nft.RETURN)))


def _translated(layout: Layout, address: int, port: int) -> tuple[bytes, ...]:
    """Protocol, what was asked for, and the server: its ``address`` and ``port`` are there in the packet."""
    far = REG32 + 1 + layout.registers
    return (
        nft.meta(REG32, Meta.L4PROTO),
        nft.ct(REG32 + 1, layout.destination_of_connection, CT_ORIGINAL),
        nft.payload(far, Base.NETWORK, address, layout.length),
        nft.payload(far + layout.registers, Base.TRANSPORT, port, 2),
    )
