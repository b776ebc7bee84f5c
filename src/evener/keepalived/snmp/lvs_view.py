"""What the tables of virtual servers are read from, and the columns that virtual and real servers share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from evener.keepalived.lvs.check_plan import CheckId
from evener.keepalived.lvs.director import Director
from evener.keepalived.lvs.ipvs import DestinationKey, Forwarding, Measured, Method, ServiceKey, TunnelType
from evener.keepalived.lvs.plan import Settings
from evener.keepalived.snmp.globals import KEEPALIVED
from evener.keepalived.snmp.mib import Column, Value
from evener.keepalived.snmp.plan import GlobalFacts, SnmpPlan
from evener.text.record import dataclass
from evener.wire.agentx import Kind, Oid

CHECK: Final[Oid] = (*KEEPALIVED, 3)
SECOND: Final = 1_000_000
LOWER_32: Final = 0xFFFFFFFF
INTEGER, GAUGE, OCTETS, COUNTER, COUNTER64 = (
    Kind.INTEGER,
    Kind.GAUGE,
    Kind.OCTETS,
    Kind.COUNTER,
    Kind.COUNTER64,
)

METHODS: Final = {Method.NAT: 1, Method.DR: 2, Method.TUN: 3}
TUNNELS: Final = {TunnelType.IPIP: 1, TunnelType.GUE: 2, TunnelType.GRE: 3}
CHECKSUMS: Final = {"nocsum": 1, "csum": 2, "remcsum": 3}

Place = tuple[ServiceKey, DestinationKey | None]
Counted = Mapping[Place, Measured]
NOTHING: Final = Measured()


@dataclass(slots=True)
class LvsView:
    """``counted``: the engine's counters, not older than the configuration allows; of real servers if asked.

    ``ran``: whether a check has been made once. ``set_weight`` is an operator's word.
    """

    plan: SnmpPlan
    director: Director
    counted: Callable[[bool], Counted]
    ran: Callable[[CheckId], bool]
    set_weight: Callable[[str, bytes, int, int], None]

    @property
    def facts(self) -> GlobalFacts:
        return self.plan.facts

    def measured(self, places: Iterable[Place], real: bool) -> Measured:
        """Of several services together."""
        counted = self.counted(real)
        found = [counted[place] for place in places if place in counted]
        if len(found) == 1:
            return found[0]
        return sum(found[1:], found[0]) if found else NOTHING


Read = Callable[[LvsView, Any], Measured]


def traffic(read: Read, counters: int, rates: int) -> tuple[Column, ...]:
    """Five columns that count, from ``counters`` on, and five rates."""
    counted = (
        (0, GAUGE, lambda m: m.traffic.connections),
        (1, COUNTER, lambda m: m.traffic.packets_in),
        (2, COUNTER, lambda m: m.traffic.packets_out),
        (3, COUNTER64, lambda m: m.traffic.bytes_in),
        (4, COUNTER64, lambda m: m.traffic.bytes_out),
    )
    made = [_measured(counters + at, kind, read, of) for at, kind, of in counted]
    return (*made, *(_measured(rates + at, GAUGE, read, of) for at, of in enumerate(RATES)))


RATES: Final[tuple[Callable[[Measured], int], ...]] = (
    lambda m: m.rates.connections,
    lambda m: m.rates.packets_in,
    lambda m: m.rates.packets_out,
    lambda m: m.rates.bytes_in,
    lambda m: m.rates.bytes_out,
)


def traffic64(read: Read, first: int) -> tuple[Column, ...]:
    """Three counters, and each of five rates in two halves."""
    wide: tuple[Callable[[Measured], int], ...] = (
        lambda m: m.traffic.connections,
        lambda m: m.traffic.packets_in,
        lambda m: m.traffic.packets_out,
    )
    made = [_measured(first + at, COUNTER64, read, of) for at, of in enumerate(wide)]
    for at, of in enumerate(RATES):
        made.append(_measured(first + 3 + 2 * at, GAUGE, read, lambda m, of=of: of(m) & LOWER_32))  # type: ignore[misc]
        made.append(_measured(first + 4 + 2 * at, GAUGE, read, lambda m, of=of: of(m) >> 32))  # type: ignore[misc]
    return tuple(made)


def rates64(read: Read, first: int) -> tuple[Column, ...]:
    return tuple(_measured(first + at, COUNTER64, read, of) for at, of in enumerate(RATES))


def _measured(number: int, kind: Kind, read: Read, of: Callable[[Measured], int]) -> Column:
    return Column(number, kind, lambda view, thing: of(read(view, thing)))


def timing(
    of: Callable[[Any], Settings | None], numbers: tuple[int, ...], exact: tuple[int, ...]
) -> tuple[Column, ...]:
    """Retries, then what is said in seconds (``numbers``), and in microseconds (``exact``)."""

    def column(number: int, read: Callable[[Settings], int | None], unit: int) -> Column:
        def value(_: Any, thing: Any) -> int:
            settings = of(thing)
            return 0 if settings is None else (read(settings) or 0) // unit

        return Column(number, GAUGE, value)

    reads: tuple[Callable[[Settings], int | None], ...] = (
        lambda s: s.retry,
        lambda s: s.delay_before_retry_us,
        lambda s: s.warmup_us,
        lambda s: s.delay_loop_us,
    )
    units = (1, SECOND, SECOND, SECOND)
    made = [column(number, read, unit) for number, read, unit in zip(numbers, reads, units, strict=True)]
    made += [column(number, read, 1) for number, read in zip(exact[:3], reads[1:], strict=True)]
    return (*made, column(exact[3], lambda s: s.connect_timeout_us, 1))


def tunnel(of: Callable[[Any], Forwarding], first: int) -> tuple[Column, ...]:
    """Its type, port and checksum, as far as there is such a thing."""

    def kind(way: Forwarding) -> int | None:
        return TUNNELS[way.tunnel] if way.method is Method.TUN else None

    def port(way: Forwarding) -> int | None:
        return way.tunnel_port if way.method is Method.TUN and way.tunnel is TunnelType.GUE else None

    def checksum(way: Forwarding) -> int | None:
        wrapped = way.method is Method.TUN and way.tunnel is not TunnelType.IPIP
        return CHECKSUMS[way.tunnel_checksum.value] if wrapped else None

    return (
        Column(first, INTEGER, lambda _, thing: kind(of(thing))),
        Column(first + 1, GAUGE, lambda _, thing: port(of(thing))),
        Column(first + 2, INTEGER, lambda _, thing: checksum(of(thing))),
    )


def column(number: int, kind: Kind, read: Callable[[Any], Value]) -> Column:
    return Column(number, kind, lambda _, thing: read(thing))
