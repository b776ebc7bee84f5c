"""The log house: everything about logs that is more than a socket, kept by the control process.

Rings, the servers they feed, log backends (``mode log``) and what log-forward sections receive live here.
A *place* is named as a log line names it (``ring@r``, ``backend@b``, ``tcp@...``: a ring of its own). Workers
cannot reach a place; they put messages into a datagram socket that the house empties, and drop what does not
fit: logging never waits.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from evener.haproxy.addresses import Address, Transport
from evener.haproxy.fleet import Fleet
from evener.haproxy.ir import Configuration
from evener.haproxy.sections.log_sections import LogForward, Ring
from evener.haproxy.sections.log_values import Log
from evener.haproxy.sections.servers import Server
from evener.haproxy.syslog_message import LOCAL0, NOTICE, host_of, parse, render
from evener.host.log_backend import LogBackend
from evener.host.log_receiver import DatagramReceiver, StreamReceiver
from evener.host.log_ring import Feeder, LogRing
from evener.host.log_targets import targets_of
from evener.host.reactor import READABLE, Reactor
from evener.host.ring_file import RingFile
from evener.host.syslog import Outlet, Sink

HEAD: Final = struct.Struct("!HH")
MOST: Final = 256  #: messages taken from the workers in a row
_BUFFER: Final = 1 << 20
_SECONDS: Final = 5.0
Received = tuple[LogForward, bool, socket.socket]
"""A section, whether it is for datagrams, and the socket."""


def places_of(configuration: Configuration) -> list[str]:
    """Every place that a log line names, in an order that is the same in all processes."""
    logs: list[Log] = list(configuration.global_.log)
    for proxy in configuration.proxies:
        logs += proxy.logging.log
    for section in configuration.log_forwards:
        logs += section.log
    found = (log.target for log in logs if is_place(log))
    return list(dict.fromkeys([*(f"ring@{ring.name}" for ring in configuration.rings), *found]))


def is_place(log: Log) -> bool:
    stream = log.address is not None and log.address.transport is Transport.STREAM and log.address.fd is None
    return stream or log.target.startswith(("ring@", "backend@"))


class BackingFailure(Exception):
    """The file of a ring cannot be had; the message is the original's."""


class LogHouse:
    """Made before the fork; ``start`` in the control process."""

    def __init__(
        self,
        reactor: Reactor,
        configuration: Configuration,
        fleet: Fleet,
        hear: Callable[[], object] = lambda: None,
    ) -> None:
        self._hear = hear  #: called for each message of others
        self._reactor = reactor
        self._configuration = configuration
        self._places = places_of(configuration)
        self.rings: dict[str, LogRing] = {}
        self._sinks: dict[str, Sink] = {}
        self._backends: list[LogBackend] = []
        self._fleet = fleet
        self._pair: tuple[socket.socket, socket.socket] | None = None
        self._received: list[socket.socket] = []
        self._opened: list[LogBackend | Feeder | Outlet] = []
        self.received = 0
        if self._places:
            self._pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
            for end in self._pair:
                end.setblocking(False)
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        for place in self._places:
            self._sinks[place] = self._make(place)

    # -- in workers -------------------------------------------------------------------------------

    def form(self, place: str) -> str:
        """The format of messages for a place where a log line says none."""
        ring = next((ring for ring in self._configuration.rings if f"ring@{ring.name}" == place), None)
        return "" if ring is None else ring.format or "raw"

    def worker_sink(self, place: str) -> tuple[Sink, str] | None:
        """How a worker sends to a place."""
        if self._pair is None or place not in self._places:
            return None
        number, out = self._places.index(place), self._pair[1]

        def sink(head: bytes, message: bytes) -> bool:
            try:
                out.send(HEAD.pack(number, len(head)) + head + message)
            except OSError:
                return False
            return True

        return sink, self.form(place)

    # -- in the control process ---------------------------------------------------------------------

    def start(self, listening: Sequence[Received]) -> None:
        """Listen to the workers and to others."""
        if self._pair is not None:
            self._reactor.watch(self._pair[0].fileno(), READABLE, self._heard)
        for section, datagrams, opened in listening:
            self._receive(section, datagrams, opened)

    def sink(self, place: str) -> tuple[Sink, str] | None:
        found = self._sinks.get(place)
        return None if found is None else (found, self.form(place))

    def _make(self, place: str) -> Sink:
        kind, _, name = place.partition("@")
        if kind == "backend":
            farm = self._fleet.farm(name)
            if farm is None:  # disabled, or gone
                return lambda head, message: False
            backend = LogBackend(self._reactor, farm)
            self._backends.append(backend)
            self._opened.append(backend)
            return backend.deliver
        found = next((ring for ring in self._configuration.rings if f"ring@{ring.name}" == place), None)
        ring = self._ring(found) if found is not None else self._own_ring(place)
        return lambda head, message: ring.append(head + message)

    def _ring(self, section: Ring) -> LogRing:
        made = LogRing(section.name, section.size, section.maxlen, section.description or "")
        self.rings[section.name] = made
        for server in section.server:
            self._feed(made, server, section)
        return made

    def open_files(self) -> None:
        """``backing-file``. Raises BackingFailure."""
        for section in self._configuration.rings:
            path = section.backing_file
            if path is None:
                continue
            ring = self.rings.get(section.name) or self._ring(section)
            try:
                ring.file = RingFile(path, section.size)
            except OSError as error:
                told = f"cannot open backing-file '{path}' for ring '{section.name}': {error.strerror}."
                raise BackingFailure(told) from None

    def _feed(self, ring: LogRing, server: Server, section: Ring) -> None:
        feeder = Feeder(
            self._reactor, ring, server.address.family, address_of(server.address),
            octet_count=server.options.log_proto == "octet-count",
            connect_timeout=(section.timeout_connect or 0) / 1000 or _SECONDS,
            server_timeout=(section.timeout_server or 0) / 1000 or _SECONDS,
        )  # fmt: skip
        self._opened.append(feeder)

    def _own_ring(self, place: str) -> LogRing:
        """``log tcp@...``: a ring that only feeds that server."""
        address = next(log.address for log in self._logs() if log.target == place)
        assert address is not None
        made = LogRing(place, 1 << 20, 65536)
        self._opened.append(Feeder(self._reactor, made, address.family, address_of(address)))
        return made

    def _logs(self) -> Iterable[Log]:
        configuration = self._configuration
        yield from configuration.global_.log
        for proxy in configuration.proxies:
            yield from proxy.logging.log
        for section in configuration.log_forwards:
            yield from section.log

    def _heard(self, _events: int) -> None:
        assert self._pair is not None
        for _ in range(MOST):
            try:
                packet = self._pair[0].recv(1 << 17)
            except OSError:
                return
            number, size = HEAD.unpack_from(packet)
            at = HEAD.size + size
            self._sinks[self._places[number]](packet[HEAD.size : at], packet[at:])

    def refresh(self) -> None:
        """Servers changed: their order in log backends follows at once, not with the next message."""
        for backend in self._backends:
            backend.refresh()

    # -- forwarding -----------------------------------------------------------------------------------

    def _receive(self, section: LogForward, datagrams: bool, opened: socket.socket) -> None:
        deliver = self._forwarder(section)
        self._received.append(opened)
        if datagrams:
            DatagramReceiver(self._reactor, opened, deliver)
            return
        timeout = section.timeout_client / 1000 if section.timeout_client else None
        StreamReceiver(
            self._reactor, opened, deliver, limit=section.maxconn or 10, timeout=timeout,
            only_lines=section.framed,
        )  # fmt: skip

    def _forwarder(self, section: LogForward) -> Callable[[bytes, bytes], None]:
        """Passes messages on to the targets of a section, in the format each of them wants."""
        logs = expanded(section.log, self._configuration)
        # An empty format stays empty here: it is that of the message.
        targets = [
            replace(target, format=log.format)
            for log in logs
            for target in targets_of([log], self._configuration.global_, self.sink)
        ]
        outlets = [Outlet(target, None) for target in targets]
        self._opened += outlets

        def deliver(raw: bytes, source: bytes) -> None:
            self.received += 1
            self._hear()
            now = time.time()
            message = parse(raw)
            level = message.level if message.level >= 0 else NOTICE
            host = host_of(message, section.host, source)
            for outlet in outlets:
                target = outlet.target
                if level > target.level or not outlet.sampled():
                    continue
                if section.unparsed:
                    outlet.emit(b"", raw)
                    continue
                facility = message.facility if message.facility >= 0 else target.facility or LOCAL0
                priority = facility * 8 + max(level, target.minimum)
                whole = render(message, target.format, priority, host, now)
                size = max(len(whole) - len(message.text), 0)
                outlet.emit(whole[:size], whole[size:])

        return deliver

    def stop(self) -> None:
        """Listen no more."""
        for opened in self._received:
            if opened.fileno() >= 0:
                self._reactor.unwatch(opened.fileno())
                opened.close()

    def close(self) -> None:
        """Give every descriptor back."""
        self.stop()
        for opened in self._opened:
            opened.close()
        if self._pair is not None:
            self._reactor.unwatch(self._pair[0].fileno())
            for end in self._pair:
                end.close()


def expanded(logs: Iterable[Log], configuration: Configuration) -> list[Log]:
    found: list[Log] = []
    for log in logs:
        found += configuration.global_.log if log.is_global else (log,)
    return found


def address_of(address: Address) -> Any:
    return address.host if address.family == socket.AF_UNIX else (address.host, address.port or 514)
