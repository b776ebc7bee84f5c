"""Which traps a refused packet leads to: what has grown among an instance's counters says why."""

from __future__ import annotations

from collections.abc import Iterator

from evener.keepalived.snmp import rfc2787, rfc6527
from evener.keepalived.snmp.plan import SnmpPlan
from evener.keepalived.snmp.view import ProtocolFault, View
from evener.keepalived.snmp.vrrp_traps import AuthFault, Trap, auth_failure, protocol_error
from evener.keepalived.vrrp.router import Member

AUTHENTICATION = (
    ("invalid_authtype", AuthFault.INVALID_TYPE),
    ("authtype_mismatch", AuthFault.TYPE_MISMATCH),
    ("auth_failure", AuthFault.FAILURE),
)
PROTOCOL = (
    ("ip_ttl_err", ProtocolFault.TTL),
    ("version_err", ProtocolFault.VERSION),
    ("checksum_err", ProtocolFault.CHECKSUM),
)
KINDS: tuple[tuple[str, AuthFault | ProtocolFault], ...] = (*AUTHENTICATION, *PROTOCOL)
NONE = (0,) * len(KINDS)


def counted(member: Member) -> tuple[int, ...]:
    return tuple(getattr(member.admission.stats, name) for name, _ in KINDS)


def raised(before: tuple[int, ...], after: tuple[int, ...]) -> list[AuthFault | ProtocolFault]:
    return [kind for (_, kind), old, new in zip(KINDS, before, after, strict=True) if new > old]


def traps(
    plan: SnmpPlan, view: View, member: Member, source: bytes, faults: list[AuthFault | ProtocolFault]
) -> Iterator[Trap]:
    config = member.machine.config
    for fault in faults:
        if isinstance(fault, ProtocolFault):
            view.faults[member.name] = fault
            if plan.rfcv3 and rfc6527.fits(config):
                yield protocol_error(view, config, fault)
        elif plan.rfcv2 and rfc2787.fits(config):
            yield auth_failure(view, config, source, fault)
