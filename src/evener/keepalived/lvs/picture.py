"""The virtual servers as they are now, for people and programs: rows that become tables, JSON and metrics."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from dataclasses import fields

from evener.keepalived.lvs.director import Director
from evener.keepalived.lvs.ipvs import Destination, DestinationKey, Service, ServiceKey, Traffic
from evener.keepalived.lvs.overrides import Override
from evener.keepalived.lvs.planned import destination_key
from evener.keepalived.lvs.pool import Real
from evener.keepalived.lvs.service import VirtualService
from evener.text.record import dataclass

Counted = Mapping[tuple[ServiceKey, DestinationKey | None], Traffic]
Loaded = Mapping[ServiceKey, tuple[Service, Mapping[DestinationKey, Destination]]]
NOTHING = Traffic()


@dataclass(frozen=True, slots=True)
class RealRow:
    name: str
    """``10.1.0.1:80``: how commands call it."""
    state: str
    """up, down, drain or disabled."""
    weight: int
    configured_weight: int
    method: str
    checks: int
    failed_checks: int
    transitions: int
    override: str
    """What an operator wants of it; ``none``."""
    traffic: Traffic


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    """``10.0.0.5:80/tcp``, ``fwmark:7``, ``group:NAME/tcp``: how commands call it."""
    scheduler: str
    engine: str
    services: tuple[str, ...]
    """What it is in the engine."""
    loaded: int
    """How many of them the engine has."""
    quorum_up: bool
    quorum: int
    weight: int
    sorry_server: str | None
    sorry_active: bool
    traffic: Traffic
    real_servers: tuple[RealRow, ...]


def rows(director: Director, engine: str, counted: Counted, only: str | None = None) -> list[Row]:
    """``only``: of the virtual server with this name in the plan."""
    return [
        _row(service, engine, counted, director.table)
        for name, service in director.services.items()
        if only is None or name == only
    ]


def _row(service: VirtualService, engine: str, counted: Counted, table: Loaded) -> Row:
    plan, pool = service.plan, service.pool
    keys = plan.members
    return Row(
        name=call(service),
        scheduler=plan.service.scheduler,
        engine=engine,
        services=tuple(str(key) for key in keys),
        loaded=sum(key in table for key in keys),
        quorum_up=pool.quorum_up,
        quorum=plan.quorum,
        weight=pool.weight,
        sorry_server=place(plan.sorry.address, plan.sorry.port) if plan.sorry else None,
        sorry_active=pool.sorry_active,
        traffic=total(counted.get((key, None), NOTHING) for key in keys),
        real_servers=tuple(_real(real, keys, counted) for real in pool.reals.values()),
    )


def _real(real: Real, keys: tuple[ServiceKey, ...], counted: Counted) -> RealRow:
    plan = real.plan
    override: Override = real.override
    wish = override.wish.value
    return RealRow(
        name=place(plan.address, plan.port),
        state=wish if wish != "enabled" else "up" if real.alive else "down",
        weight=real.weight,
        configured_weight=plan.weight,
        method=plan.forwarding.method.value,
        checks=len(plan.checks),
        failed_checks=len(real.failed),
        transitions=real.turned,
        override=str(override),
        traffic=total(counted.get((key, destination_key(key, plan)), NOTHING) for key in keys),
    )


def total(parts: Iterable[Traffic]) -> Traffic:
    parts = list(parts)
    if len(parts) == 1:
        return parts[0]
    return Traffic(*(sum(getattr(part, each.name) for part in parts) for each in fields(Traffic)))


# -- names ----------------------------------------------------------------------------------------------


def call(service: VirtualService) -> str:
    plan = service.plan
    words = plan.name.split(" ")
    protocol = f"/{words[-1].lower()}" if words[-1] in ("TCP", "UDP", "SCTP") else ""
    if plan.group:
        return f"group:{plan.group}{protocol}"
    key = plan.members[0]
    return f"fwmark:{key.fwmark}" if key.fwmark else f"{place(key.address, key.port)}{protocol}"


def place(address: bytes, port: int) -> str:
    if len(address) == 4:
        return f"{socket.inet_ntop(socket.AF_INET, address)}:{port}"
    return f"[{socket.inet_ntop(socket.AF_INET6, address)}]:{port}"
