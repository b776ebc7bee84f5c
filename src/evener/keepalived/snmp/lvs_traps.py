"""What the checker process tells a master agent unasked: servers that come and go, quorums."""

from __future__ import annotations

from evener.keepalived.lvs.messages import Tell
from evener.keepalived.lvs.pool import Real
from evener.keepalived.lvs.service import VirtualService
from evener.keepalived.snmp.globals import ROUTER_ID, router_id
from evener.keepalived.snmp.lvs_tables import OF_ADDRESS, OF_GROUP, inet, virtual_type
from evener.keepalived.snmp.lvs_view import CHECK, LvsView
from evener.keepalived.snmp.mib import address_type, truth
from evener.keepalived.snmp.vrrp_traps import Trap
from evener.wire.agentx import Kind, Oid, Variable

REAL_CHANGED: Oid = (*CHECK, 5, 0, 1)
QUORUM_CHANGED: Oid = (*CHECK, 5, 0, 2)
STOPPING = 3
"""Of a quorum."""
TCP = 6


def _virtual(number: int, kind: Kind, value: int | bytes) -> Variable:
    return Variable((*CHECK, 3, 1, number), kind, value)


def _real(real: Real, up: bool) -> list[Variable]:
    base, plan = (*CHECK, 4, 1), real.plan
    return [
        Variable((*base, 3), Kind.INTEGER, address_type(plan.address)),
        Variable((*base, 4), Kind.OCTETS, plan.address),
        Variable((*base, 5), Kind.GAUGE, plan.port),
        Variable((*base, 6), Kind.INTEGER, truth(up)),
    ]


def _identity(service: VirtualService) -> list[Variable]:
    plan = service.plan
    kind, key = virtual_type(plan), plan.members[0]
    made = [_virtual(2, Kind.INTEGER, kind)]
    if kind == OF_GROUP:
        made.append(_virtual(3, Kind.OCTETS, plan.group.encode("utf-8", "surrogateescape")))
    elif kind == OF_ADDRESS:
        made.append(_virtual(5, Kind.INTEGER, inet(key.family)))
        made.append(_virtual(6, Kind.OCTETS, key.address))
        made.append(_virtual(7, Kind.GAUGE, key.port))
    else:
        made.append(_virtual(4, Kind.GAUGE, key.fwmark))
    protocol = next((each.protocol for each in plan.members if each.protocol), 0)
    return [*made, _virtual(8, Kind.INTEGER, truth(protocol == TCP))]


def told(view: LvsView, tell: Tell) -> Trap | None:
    """The trap that goes with a line for the FIFOs."""
    service, real = tell.service, tell.real
    if not isinstance(service, VirtualService):
        return None
    variables = [*_real(real, tell.up)] if isinstance(real, Real) else []
    variables += _identity(service)
    if real is None:
        status = STOPPING if tell.stopping else truth(tell.up)
        variables.append(_virtual(23, Kind.INTEGER, status))
        variables.append(_virtual(22, Kind.GAUGE, service.plan.quorum))
    reals = service.pool.reals.values()
    variables.append(_virtual(21, Kind.GAUGE, sum(each.alive for each in reals)))
    variables.append(_virtual(20, Kind.GAUGE, len(service.plan.real_servers)))
    name = router_id(view.facts).encode("utf-8", "surrogateescape")
    variables.append(Variable(ROUTER_ID, Kind.OCTETS, name))
    return Trap(QUORUM_CHANGED if real is None else REAL_CHANGED, tuple(variables))
