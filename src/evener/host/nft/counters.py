"""Reads the counters of the maps in ``nft_table``, and counts the connections that are open."""

from __future__ import annotations

from collections import Counter

from evener.host.nft.conntrack import Connections, Ends
from evener.host.nft.socket import NetfilterSocket
from evener.keepalived.lvs.ipvs import DestinationKey, ServiceKey, Traffic
from evener.keepalived.lvs.nft_counters import DIRECT, TRANSLATED, Counted, Open, direct, traffic
from evener.keepalived.lvs.nft_state import State
from evener.keepalived.vrrp.plan import Family
from evener.wire.nftables import Table

Place = tuple[ServiceKey, "DestinationKey | None"]


def read(socket: NetfilterSocket, connections: Connections, state: State) -> dict[Place, Traffic]:
    found: dict[Place, Traffic] = {}
    for family in Family:
        loaded = [told for key, told in state.services.items() if key.family == family and told.rendered]
        if not loaded:
            continue
        counted = _counted(socket, state.table(family), any(direct(told) for told in loaded))
        ends = Ends((told.service.key, where) for told in loaded for where in told.members)
        opened = _open(connections, family, ends)
        for told in loaded:
            found.update(traffic(told, counted, opened))
    return found


def _counted(socket: NetfilterSocket, table: Table, direct_routing: bool) -> Counted:
    names = TRANSLATED + DIRECT if direct_routing else TRANSLATED
    return {
        name: {one.key: (one.packets, one.bytes) for one in socket.elements(table, name)} for name in names
    }


def _open(connections: Connections, family: Family, ends: Ends) -> Open:
    opened: Open = Counter()
    try:
        for entry in connections.translated(family):
            for key, where in ends.of(entry)[:1]:
                opened[key, where, entry.active] += 1
    except OSError:
        pass  # no conntrack here: nobody knows
    return opened
