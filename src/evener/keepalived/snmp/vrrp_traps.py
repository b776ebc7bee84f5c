"""What the VRRP process tells a master agent unasked, as (trap, variables)."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from evener.keepalived.snmp import rfc2787, rfc6527
from evener.keepalived.snmp.globals import ROUTER_ID, router_id
from evener.keepalived.snmp.view import MasterReason, ProtocolFault, View
from evener.keepalived.snmp.vrrp_tables import VRRP
from evener.keepalived.vrrp.messages import Told
from evener.keepalived.vrrp.plan import Instance, State
from evener.keepalived.vrrp.router import Group, Member
from evener.wire.agentx import Kind, Oid, Variable

STATES = {Told.MASTER: 2, Told.BACKUP: 1, Told.FAULT: 3, Told.STOP: 5, Told.DELETED: 6}
"""VrrpState of KEEPALIVED-MIB."""


class Trap(NamedTuple):
    oid: Oid
    variables: tuple[Variable, ...]


class AuthFault(IntEnum):
    """vrrpTrapAuthErrorType (RFC 2787)."""

    INVALID_TYPE = 1
    TYPE_MISMATCH = 2
    FAILURE = 3


def _router(view: View) -> Variable:
    return Variable(ROUTER_ID, Kind.OCTETS, _octets(router_id(view.facts)))


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def instance_state(view: View, config: Instance, told: Told) -> Trap:
    return Trap(
        (*VRRP, 10, 0, 2),
        (
            Variable((*VRRP, 3, 1, 2), Kind.OCTETS, _octets(config.name)),
            Variable((*VRRP, 3, 1, 4), Kind.INTEGER, STATES[told]),
            Variable((*VRRP, 3, 1, 5), Kind.INTEGER, int(config.state)),
            _router(view),
        ),
    )


def group_state(view: View, group: Group, told: Told) -> Trap:
    return Trap(
        (*VRRP, 10, 0, 1),
        (
            Variable((*VRRP, 1, 1, 2), Kind.OCTETS, _octets(group.config.name)),
            Variable((*VRRP, 1, 1, 3), Kind.INTEGER, STATES[told]),
            _router(view),
        ),
    )


def new_master_v2(view: View, member: Member) -> Trap:
    """vrrpTrapNewMaster."""
    name = (*rfc2787.OPERATIONS, 7, *rfc2787.index(view, member.machine.config))
    return Trap((*rfc2787.VRRP_MIB, 0, 1), (Variable(name, Kind.ADDRESS, member.machine.source or bytes(4)),))


def auth_failure(view: View, config: Instance, source: bytes, fault: AuthFault) -> Trap:
    """vrrpTrapAuthFailure."""
    index = rfc2787.index(view, config)
    return Trap(
        (*rfc2787.VRRP_MIB, 0, 2),
        (
            Variable((*rfc2787.VRRP_MIB, 1, 5, *index), Kind.ADDRESS, source),
            Variable((*rfc2787.VRRP_MIB, 1, 6, *index), Kind.INTEGER, fault),
        ),
    )


def new_master_v3(view: View, member: Member) -> Trap:
    """vrrpv3NewMaster."""
    index = rfc6527.index(view, member.machine.config)
    reason = (*rfc6527.STATISTICS, 5, 1, 2, *index)
    return Trap(
        (*rfc6527.VRRPV3_MIB, 0, 1),
        (
            Variable((*rfc6527.OPERATIONS, 3, *index), Kind.OCTETS, member.machine.source),
            Variable(reason, Kind.INTEGER, rfc6527.reason(view, member)),
        ),
    )


def protocol_error(view: View, config: Instance, fault: ProtocolFault) -> Trap:
    """vrrpv3ProtoError."""
    name = (*rfc6527.STATISTICS, 5, 1, 6, *rfc6527.index(view, config))
    return Trap((*rfc6527.VRRPV3_MIB, 0, 2), (Variable(name, Kind.INTEGER, fault),))


def why_master(member: Member) -> MasterReason:
    """From the last advert before: the master resigned, was weaker, or was not heard any more."""
    last = member.admission.last_advert
    if last is not None and last.priority == 0:
        return MasterReason.PRIORITY
    if last is not None and last.priority < member.machine.priority:
        return MasterReason.PREEMPTED
    return MasterReason.NO_RESPONSE


def becomes_master(member: Member, told: Told) -> bool:
    return told is Told.MASTER and member.machine.state is State.MASTER
