"""The LVS engine of the kernel: IPVS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from evener.host.netlink.generic import GenericSocket, NoFamily
from evener.keepalived.lvs.ipvs import (
    AddDestination,
    AddService,
    Change,
    DeleteDestination,
    DeleteService,
    Destination,
    DestinationKey,
    Failure,
    Load,
    Measured,
    Method,
    Rates,
    Service,
    ServiceKey,
    SetDestination,
    SetService,
    Traffic,
    singly,
)
from evener.keepalived.lvs.planned import MOST_WEIGHT, Planned
from evener.keepalived.lvs.refusals import refused
from evener.keepalived.vrrp.plan import Family, SyncDaemon
from evener.wire import ipvs as wire
from evener.wire.nfnetlink import attributes


def open_ipvs() -> Ipvs:
    """The engine; loads the module when that is needed. Raises OSError when the kernel has no IPVS."""
    try:
        return Ipvs()
    except NoFamily:
        load_module()
        return Ipvs()


def load_module() -> None:
    """What modprobe says is not looked at: whether the kernel has IPVS then is what counts."""
    import subprocess

    try:
        subprocess.run(["modprobe", "-q", "ip_vs"], check=False, timeout=20, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        pass


class Ipvs:
    """See ``keepalived.lvs.ipvs.Engine``."""

    name = "ipvs"

    def __init__(self) -> None:
        self._socket = GenericSocket(wire.GENL_NAME, wire.GENL_VERSION)

    def close(self) -> None:
        self._socket.close()

    def apply(self, changes: Sequence[Change]) -> list[Failure]:
        results = self._socket.request(requests(changes))
        if not any(results):
            return []
        return [
            Failure(change, code, refused(change, code))
            for change, code in zip(singly(changes), results, strict=True)
            if code
        ]

    def flush(self) -> None:
        self._socket.request([(wire.FLUSH, b"")])

    def set_timeouts(self, tcp: int, tcp_fin: int, udp: int) -> int:
        """lvs_timeouts; returns the errno."""
        return self._socket.request([(wire.SET_CONFIG, wire.timeouts(tcp, tcp_fin, udp))])[0]

    def timeouts(self) -> tuple[int, int, int]:
        """tcp, tcp_fin, udp as they are now."""
        found = attributes(self._socket.ask(wire.GET_CONFIG))
        return wire.number(found[4]), wire.number(found[5]), wire.number(found[6])

    def synchronise(self, plan: SyncDaemon, state: int, on: bool) -> int:
        """Start or stop the sync daemon of a state (STATE_MASTER, STATE_BACKUP); returns the errno."""
        body = wire.daemon(state, plan.interface, plan.sync_id, plan.maxlen, plan.port, plan.ttl, plan.group)
        return self._socket.request([(wire.NEW_DAEMON if on else wire.DEL_DAEMON, body)])[0]

    def traffic(self) -> dict[tuple[ServiceKey, DestinationKey | None], Traffic]:
        return {place: _traffic(place[1], found) for place, found in self._all()}

    def measured(self) -> dict[tuple[ServiceKey, DestinationKey | None], Measured]:
        """With what the kernel estimates."""
        return {place: _measured(place[1], found) for place, found in self._all()}

    def _all(self) -> Iterator[tuple[tuple[ServiceKey, DestinationKey | None], dict[int, bytes]]]:
        """Every service and every destination, with its attributes."""
        for payload in list(self._socket.dump(wire.GET_SERVICE)):
            attributes = wire.inner(payload, 1)
            family, *rest = wire.read_service_key(attributes)
            key = ServiceKey(Family(family), *rest)  # type: ignore[arg-type]
            yield (key, None), attributes
            for answer in list(self._socket.dump(wire.GET_DEST, wire.named(_key(key)))):
                inner = wire.inner(answer, 2)
                at, address, port = wire.read_destination_key(inner, family)
                yield (key, DestinationKey(Family(at), address, port)), inner


FORWARD = {method: wire.FORWARD[method.value] for method in Method}


def _kind(attributes: dict[int, bytes]) -> int:
    return wire.DEST_STATS64 if wire.DEST_STATS64 in attributes else wire.DEST_STATS


def _traffic(place: DestinationKey | None, found: dict[int, bytes]) -> Traffic:
    counters = wire.read_counters(found, _kind(found))
    if place is None:  # the numbers of these attributes mean something else in a service
        return Traffic(*counters)
    active, inactive = (wire.number(found.get(which, b"")) for which in (wire.ACTIVE, wire.INACTIVE))
    return Traffic(*counters, active, inactive)


def _measured(place: DestinationKey | None, found: dict[int, bytes]) -> Measured:
    rates = Rates(*wire.read_counters(found, _kind(found), wire.FIRST_RATE))
    persistent = 0 if place is None else wire.number(found.get(wire.PERSISTENT, b""))
    return Measured(_traffic(place, found), rates, persistent)


def _key(key: ServiceKey) -> bytes:
    return wire.service_key(key.family, key.protocol, key.address, key.port, key.fwmark)


def _service(made: Service) -> bytes:
    key = made.key
    mask = made.mask or wire.netmask(key.family, made.prefix)
    return wire.service(_key(key), made.scheduler, made.flags, made.timeout_s, mask, made.engine)


def _place(key: DestinationKey) -> bytes:
    return wire.destination_key(key.family, key.address, key.port)


def _destination(service: ServiceKey, made: Destination) -> bytes:
    way = made.forwarding
    tunnel = None
    if way.method is Method.TUN:
        tunnel = way.tunnel.value, way.tunnel_port, way.tunnel_checksum.value
    body = wire.destination(_place(made.key), way.method.value, made.weight, made.upper, made.lower, tunnel)
    return wire.named(_key(service)) + body


def requests(changes: Iterable[Change]) -> Iterator[tuple[int, bytes]]:
    """Those that make the changes, one by one (``singly``)."""
    for change in changes:
        if isinstance(change, Load):
            yield wire.NEW_SERVICE, _service(change.service)
            yield from _loading(change.service.key, change.destinations)
        else:
            yield request(change)


def _loading(
    key: ServiceKey, destinations: Mapping[DestinationKey, Destination]
) -> Iterator[tuple[int, bytes]]:
    """Tens of thousands of destinations may be loaded at a start: plain ones need not even be made."""
    servers = destinations.servers if isinstance(destinations, Planned) else ()
    if any(server.forwarding.method is Method.TUN for server in servers) or not servers:
        for made in destinations.values():
            yield wire.NEW_DEST, _destination(key, made)
        return
    named, service_port = wire.named(_key(key)), key.port
    for server in servers:
        method, address = server.forwarding.method, server.address
        family = Family.INET if len(address) == 4 else Family.INET6
        port = server.port if method is Method.NAT else service_port
        weight = min(MOST_WEIGHT, server.weight)
        yield (
            wire.NEW_DEST,
            named
            + wire.plain_destination(
                family, address, port, FORWARD[method], weight, server.upper, server.lower
            ),
        )


def request(change: Change) -> tuple[int, bytes]:
    """The command and the body that make a change."""
    match change:
        case AddService(service):
            return wire.NEW_SERVICE, _service(service)
        case SetService(service):
            return wire.SET_SERVICE, _service(service)
        case DeleteService(key):
            return wire.DEL_SERVICE, wire.named(_key(key))
        case AddDestination(key, destination):
            return wire.NEW_DEST, _destination(key, destination)
        case SetDestination(key, destination):
            return wire.SET_DEST, _destination(key, destination)
        case DeleteDestination(key, place):
            return wire.DEL_DEST, wire.named(_key(key)) + wire.gone(_place(place))
    raise TypeError(change)
