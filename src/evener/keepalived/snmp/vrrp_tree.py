"""The part of KEEPALIVED-MIB about VRRP, as it is registered."""

from __future__ import annotations

from typing import Final

from evener.keepalived.snmp import route_tables, vrrp_tables, vrrp_things
from evener.keepalived.snmp.agent import Tree

TREE: Final = Tree(
    vrrp_tables.VRRP,
    "KEEPALIVED-VRRP",
    (
        vrrp_tables.SYNC_GROUPS,
        vrrp_tables.GROUP_MEMBERS,
        vrrp_tables.INSTANCES,
        *vrrp_tables.TRACKS,
        vrrp_tables.ADDRESSES,
        route_tables.ROUTES,
        route_tables.NEXT_HOPS,
        route_tables.RULES,
        vrrp_things.SCRIPTS,
        vrrp_things.FILES,
        vrrp_things.SESSIONS,
        vrrp_things.PROCESSES,
    ),
)
