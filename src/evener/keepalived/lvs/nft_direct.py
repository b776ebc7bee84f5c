"""Direct routing in nftables: the chains that send a client's packets on to a server, as they are.

Unlike with NAT every packet of a client comes by. ``flows`` remembers which server a connection has,
``closing`` those that a FIN or RST has ended, for a shorter time and without being renewed. A packet goes on
as a copy (``dup``, which asks routing and the neighbour table for the way) and is dropped itself; it has
lost a hop. An entry whose destination is gone leads nowhere: its connection ends.

These chains are only made when a service asks for direct routing. Not balanced: connections from this machine
itself; not passed on: ICMP errors about packets that a server has sent.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

from evener.keepalived.lvs.nft_table import (
    LAYOUTS,
    NF_PREROUTING,
    PRIORITY_MANGLE,
    PRIORITY_RAW,
    Layout,
    by_address,
    by_mark,
    choice,
    through_priority,
    where,
)
from evener.keepalived.vrrp.plan import Family
from evener.text.record import dataclass
from evener.wire import nftables as nft
from evener.wire.nftables import REG32, Base, Dynset, Message, Meta, Table

FIN, SYN, RST, ACK = 1, 2, 4, 16


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Of connections with direct routing, in seconds; defaults are those of IPVS."""

    tcp_s: int = 900
    tcp_fin_s: int = 120
    udp_s: int = 300


IPVS_TIMEOUTS = Timeouts()
CHAINS = ("dr", "dr_to", "flows_known", "direct", "direct_marks")


def direct_routing(ours: Table, family: Family, timeouts: Timeouts) -> Iterator[Message]:
    layout = LAYOUTS[family]
    key = _flow(layout)
    there = (nft.lookup("dests", layout.far, REG32),)
    for chain, chosen in (("dr", choice(layout)), ("dr_to", there)):
        yield ours.chain(chain)
        for protocol, idle_s in _idle(timeouts):
            yield ours.rule(
                chain,
                (
                    *protocol,
                    nft.meta(layout.far, Meta.PRIORITY),
                    *chosen,
                    *key,
                    # An entry that leads nowhere any more cannot be changed, only replaced.
                    nft.dynset("flows", Dynset.DELETE, REG32, layout.far),
                    nft.dynset("flows", Dynset.ADD, REG32, layout.far, idle_s * 1000),
                    *_passed_on(layout),
                ),
            )
    yield from _known_flows(ours, layout, timeouts)
    # Before connection tracking, which would see one half of these connections.
    yield ours.base_chain("direct", "filter", NF_PREROUTING, PRIORITY_RAW)
    yield ours.rule("direct", _from_ourselves())
    yield ours.rule("direct", (*by_address(layout), nft.lookup("dr_services", REG32, 0)))
    yield ours.rule("direct", (*by_address(layout)[:2], nft.lookup("dr_any_port", REG32, 0)))
    # After the rules that set marks.
    yield ours.base_chain("direct_marks", "filter", NF_PREROUTING, PRIORITY_MANGLE + 10)
    yield ours.rule("direct_marks", _from_ourselves())
    yield ours.rule("direct_marks", by_mark("dr_marks"))


def renewed(ours: Table, family: Family, timeouts: Timeouts) -> Iterator[Message]:
    """The same with other timeouts; entries that are there keep theirs until they are used again."""
    for chain in CHAINS:
        yield ours.flush_chain(chain)
    yield from direct_routing(ours, family, timeouts)


def _idle(timeouts: Timeouts) -> Iterator[tuple[tuple[bytes, ...], int]]:
    """What applies to a protocol only, and how long its connections may be idle."""
    protocol = nft.meta(REG32, Meta.L4PROTO)
    for number, idle_s in ((socket.IPPROTO_TCP, timeouts.tcp_s), (socket.IPPROTO_UDP, timeouts.udp_s)):
        yield (protocol, nft.equal(REG32, bytes((number,)))), idle_s
    yield (), timeouts.tcp_s


def _flow(layout: Layout) -> tuple[bytes, ...]:
    """A connection, as ``flows`` has it."""
    target = REG32 + 2 + layout.registers
    return (
        nft.meta(REG32, Meta.L4PROTO),
        nft.payload(REG32 + 1, Base.NETWORK, layout.source, layout.length),
        nft.payload(target - 1, Base.TRANSPORT, 0, 2),
        nft.payload(target, Base.NETWORK, layout.target, layout.length),
        nft.payload(target + layout.registers, Base.TRANSPORT, 2, 2),
    )


def _passed_on(layout: Layout) -> tuple[bytes, ...]:
    return (*where(layout), nft.dup(layout.far), nft.verdict_of(nft.DROP))


def _known_flows(ours: Table, layout: Layout, timeouts: Timeouts) -> Iterator[Message]:
    far, key, chain = layout.far, _flow(layout), "flows_known"
    known = nft.lookup("flows", REG32, far), *through_priority(layout)
    (tcp, _), *_ = _idle(timeouts)
    yield ours.chain(chain)
    closing = nft.dynset("closing", Dynset.ADD, REG32, far, timeouts.tcp_fin_s * 1000)
    forget = nft.dynset("flows", Dynset.DELETE, REG32, far)
    ending = with_flags(FIN | RST, 0, other=True)
    yield ours.rule(chain, (*tcp, *ending, *key, *known, closing, forget, *_passed_on(layout)))
    for protocol, idle_s in _idle(timeouts):
        again = nft.dynset("flows", Dynset.UPDATE, REG32, far, idle_s * 1000)
        yield ours.rule(chain, (*protocol, *key, *known, again, *_passed_on(layout)))
    ended = nft.lookup("closing", REG32, far), *through_priority(layout)
    yield ours.rule(chain, (*tcp, *with_flags(SYN, 0), *key, *ended, *_passed_on(layout)))


def with_flags(mask: int, wanted: int, *, other: bool = False) -> tuple[bytes, ...]:
    """Of a TCP header: the flags of ``mask`` are (``other``: are not) these."""
    flags = nft.payload(REG32, Base.TRANSPORT, 13, 1)
    return flags, nft.masked(REG32, bytes((mask,))), nft.equal(REG32, bytes((wanted,)), other=other)


def _from_ourselves() -> tuple[bytes, ...]:
    """A packet that we sent to a server that is this machine comes back here: it is delivered."""
    loopback = b"lo".ljust(16, b"\0")
    return nft.meta(REG32, Meta.IIFNAME), nft.equal(REG32, loopback), nft.verdict_of(nft.RETURN)
