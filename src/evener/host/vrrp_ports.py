"""The advert sockets of one VRRP process, and which instance a packet is for.

Sockets follow the plan and the interfaces: ``arrange`` opens what is missing, closes what is not wanted any
more, and opens anew what belonged to an interface that was deleted and came back.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import field
from pathlib import Path
from typing import NamedTuple

from evener.host.netlink.link import Interface
from evener.host.vrrp_filter import SAMPLE
from evener.host.vrrp_socket import AdvertSender, AdvertSocket, Place, buffer_size, place_of
from evener.keepalived.vrrp.admission import Received
from evener.keepalived.vrrp.messages import SendAdvert
from evener.keepalived.vrrp.plan import Family, GlobalOptions, Instance, VrrpPlan
from evener.keepalived.vrrp.sequence import Count
from evener.text.record import dataclass

FLOOD_PER_SECOND = 500
"""Useless packets in a second after which the kernel drops what it can tell: Python need not see each."""
CALM_US = 10_000_000
"""So long after the last such second it hands over everything again."""

DEFAULT_UNICAST_HOPS = 64
DEFAULT_MTU = 1500


class Delivery(NamedTuple):
    """A packet and the instance it is for (None: nobody's VRID)."""

    name: str | None
    vrid: int
    received: Received


@dataclass(slots=True)
class Port:
    """A socket, who uses it, and the count of packets that were for nobody."""

    socket: AdvertSocket
    users: dict[int, list[Instance]] = field(default_factory=dict)
    foreign: int = 0

    window_start: int = 0
    window_count: int = 0
    flooded_at: int | None = None
    """When there were last too many; None: the kernel hands over everything."""

    def instances(self) -> Iterator[Instance]:
        return (config for users in self.users.values() for config in users)


class Ports:
    """See the module. ``watch`` and ``unwatch`` register descriptors with the loop."""

    def __init__(
        self,
        watch: Callable[[int, Callable[[], None]], None],
        unwatch: Callable[[int], None],
        deliver: Callable[[Port], None],
        complain: Callable[[str], None],
    ) -> None:
        self._watch, self._unwatch, self._deliver, self._complain = watch, unwatch, deliver, complain
        self._options = GlobalOptions()
        self._ports: dict[Place, Port] = {}
        self._of: dict[str, Place] = {}
        self._senders: dict[str, AdvertSender] = {}
        self._errors: dict[str, int] = {}

    def arrange(self, plan: VrrpPlan, index_of: Callable[[str], int | None]) -> None:
        """Make the sockets fit the plan and the interfaces."""
        self._options = plan.options
        wanted: dict[Place, list[Instance]] = {}
        for config in plan.instances:
            wanted.setdefault(place_of(config, plan.options), []).append(config)
        self._of = {config.name: place for place, users in wanted.items() for config in users}
        self._keep_senders(plan)
        for place, port in list(self._ports.items()):
            if place not in wanted or port.socket.index != _index(place, index_of):
                self._close(place)
        for place, users in wanted.items():
            self._open(place, users, plan, _index(place, index_of))

    def _keep_senders(self, plan: VrrpPlan) -> None:
        old = self._senders
        self._senders = {}
        for config in plan.instances:
            known = old.get(config.name)
            same = known is not None and known.config == config
            self._senders[config.name] = known if known and same else AdvertSender(config, plan.options)

    def _open(self, place: Place, users: list[Instance], plan: VrrpPlan, index: int | None) -> None:
        port = self._ports.get(place)
        if port is None:
            if index is None:
                return
            try:
                port = Port(AdvertSocket(place, index, plan.options))
            except OSError as error:
                self._complain(f"cannot open VRRP socket on {place.interface}: {error}")
                return
            self._ports[place] = opened = port
            self._watch(port.socket.fileno(), lambda: self._deliver(opened))
        port.users = {}
        for config in users:
            port.users.setdefault(config.vrid, []).append(config)
        port.socket.set_buffer(buffer_size(users, plan.options.rx_policy, mtu_of(place.interface)))
        if place.group is None:
            hops = [config.unicast_ttl for config in users if config.unicast_ttl is not None]
            port.socket.set_unicast_hops(hops[0] if hops else DEFAULT_UNICAST_HOPS)
        if port.flooded_at is not None:
            port.socket.shield(port.instances(), plan.options)

    def _close(self, place: Place) -> None:
        port = self._ports.pop(place)
        self._unwatch(port.socket.fileno())
        port.socket.close()

    def close(self) -> None:
        for place in list(self._ports):
            self._close(place)

    def read(self, port: Port, now: int) -> Iterator[Delivery]:
        """One batch of what has arrived at ``port``."""
        if port.flooded_at is not None and now - port.flooded_at > CALM_US:
            self._calm_down(port)
        for vrid, received in port.socket.arrivals():
            config = _recipient(port.users.get(vrid), received)
            if config is None:
                port.foreign += 1
                self.note_rubbish(port, now)
            yield Delivery(config.name if config else None, vrid, received)

    def note_rubbish(self, port: Port, now: int) -> None:
        """A packet was of no use. When they come in floods, the kernel has to look first."""
        if now - port.window_start > 1_000_000:
            port.window_start, port.window_count = now, 0
        port.window_count += 1 if port.flooded_at is None else SAMPLE
        if port.window_count <= FLOOD_PER_SECOND:
            return
        if port.flooded_at is None:
            port.socket.shield(port.instances(), self._options)
            self._complain(
                f"more than {FLOOD_PER_SECOND} useless VRRP packets a second on"
                f" {port.socket.place.interface}: looking at one in {SAMPLE} of them"
            )
        port.flooded_at = now

    def _calm_down(self, port: Port) -> None:
        port.flooded_at = None
        port.socket.unshield()
        self._complain(f"the flood of useless VRRP packets on {port.socket.place.interface} is over")

    @property
    def foreign(self) -> int:
        """How many packets were for nobody, as far as they were seen."""
        return sum(port.foreign for port in self._ports.values())

    def descriptors(self, name: str) -> tuple[int, int] | None:
        """Of the sockets of an instance, to receive and to send: they are one."""
        port = self._ports.get(self._of[name])
        return None if port is None else (port.socket.fileno(),) * 2

    def described(self) -> Iterator[str]:
        """Lines of keepalived.data about the sockets."""
        for place, port in self._ports.items():
            users = list(port.instances())
            own = next((config.source for config in users if config.source is not None), None)
            yield f" fd_in {port.socket.fileno()} fd_out = {port.socket.fileno()}"
            yield f"   Interface = {place.interface or ''}"
            yield f"   Family = {'IPv4' if place.family is Family.INET else 'IPv6'}"
            yield f"   Protocol = {'AH' if place.ah else 'VRRP'}"
            yield f"   Type = {'Unicast' if place.group is None else 'Multicast'}"
            if place.group is None and own is not None:
                yield f"   Address = {socket.inet_ntop(place.family, own)}"
            size = buffer_size(users, self._options.rx_policy, mtu_of(place.interface))
            yield f"   Rx buf size = {size}"
            yield "   VRRP instances"
            yield from (f"     {config.name} vrid {config.vrid}" for config in users)

    def send(self, name: str, command: SendAdvert, source: bytes | None, count: Count | None = None) -> bool:
        """Send an advert of an instance; False (and, once, a complaint) when none of its copies left."""
        port = self._ports.get(self._of[name])
        if port is None or source is None:
            return False
        sender = self._senders[name]
        errors = sender.send(command, port.socket, source, count)
        code = errors[0].errno or 0 if errors else 0
        if code and self._errors.get(name) != code:
            self._complain(f"({name}): send advert error {code} ({errors[0].strerror})")
        self._errors[name] = code
        return not errors


def mtu_of(interface: str | None) -> int:
    try:
        return int(Path("/sys/class/net", interface or "lo", "mtu").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return DEFAULT_MTU


def _index(place: Place, index_of: Callable[[str], int | None]) -> int | None:
    return 0 if place.interface is None else index_of(place.interface)


def _recipient(users: list[Instance] | None, received: Received) -> Instance | None:
    """Unicast instances may share a VRID when their peers differ: then the sender decides."""
    if not users:
        return None
    if len(users) == 1:
        return users[0]
    for config in users:
        if any(peer.packed == received.source for peer in config.peers):
            return config
    return None


def advert_source(config: Instance, interface: Interface | None, virtual: frozenset[bytes]) -> bytes | None:
    """The address that adverts of an instance come from; None: it has none now."""
    if config.source is not None:
        missing = config.track_source and interface and config.source not in interface.addresses
        return None if missing else config.source
    if interface is None and config.peers:
        return routed_source(config.family, config.peers[0].packed)
    return interface.primary(config.family, virtual) if interface else None


def routed_source(family: Family, peer: bytes) -> bytes | None:
    """The address the kernel would send from to a unicast peer; nothing is sent. None: no route."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((socket.inet_ntop(family, peer), 9))
        except OSError:
            return None
        return socket.inet_pton(family, probe.getsockname()[0].partition("%")[0])
