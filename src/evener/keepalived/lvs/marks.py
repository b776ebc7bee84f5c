"""nftables_ipvs: a virtual_server_group as one IPVS service, of packets that nftables has marked.

Decides which mark a group has for a protocol, what a virtual server consists of then, and which address and
port get which mark. A group keeps its mark over reloads. Groups that have marks of their own, and entries
without a port, stay as they are.
"""

from __future__ import annotations

import socket
from dataclasses import replace

from evener.keepalived.lvs.ipvs import ServiceKey
from evener.keepalived.lvs.plan import CheckerPlan, Marking, VirtualServer

PROTOCOLS = frozenset((socket.IPPROTO_TCP, socket.IPPROTO_UDP, socket.IPPROTO_SCTP))
LARGEST_MARK = 0xFFFFFFFF

Marked = dict[ServiceKey, int]
"""The mark of packets to an address and port."""


class Marks:
    """Those that have been given so far."""

    def __init__(self, marking: Marking) -> None:
        self._next = marking.first
        self._given: dict[tuple[str, int], int] = {}

    def use(self, plan: CheckerPlan) -> tuple[CheckerPlan, Marked]:
        """The plan as IPVS is to have it, and what has to be marked for that."""
        marked: Marked = {}
        servers = tuple(self._virtual(virtual, marked) for virtual in plan.virtual_servers)
        return replace(plan, virtual_servers=servers), marked

    def _virtual(self, virtual: VirtualServer, marked: Marked) -> VirtualServer:
        entries = markable(virtual)
        if not entries:
            return virtual
        mark = self._mark(virtual.group, entries[0].protocol)
        if mark > LARGEST_MARK:
            return virtual
        for entry in entries:
            marked.setdefault(entry, mark)
        families = dict.fromkeys(entry.family for entry in entries)
        others = [member for member in virtual.members if member not in marked]
        members = (*(ServiceKey(family, 0, b"", 0, mark) for family in families), *others)
        return replace(virtual, members=members)

    def _mark(self, group: str, protocol: int) -> int:
        if (group, protocol) not in self._given:
            self._given[group, protocol] = self._next
            self._next += 1
        return self._given[group, protocol]


def markable(virtual: VirtualServer) -> list[ServiceKey]:
    """The members that one mark can stand for."""
    if not virtual.group or any(member.fwmark for member in virtual.members):
        return []
    return [member for member in virtual.members if member.port and member.protocol in PROTOCOLS]
