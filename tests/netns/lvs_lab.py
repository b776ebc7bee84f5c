"""A director between clients and real servers, in namespaces of their own on one switch.

    client    10.7.0.10-19  fd07::10-19 (direct routing)   10.8.0.10-19  fd08::10-19 (NAT)
    director  10.7.0.1 .100 fd07::1 ::100                  10.8.0.1 .100 fd08::1 ::100     10.9.0.1 fd09::1
    servers   10.9.0.11...  fd09::11...; to 10.8 and fd08 through the director, 10.7 and fd07 are beside them

.100 are virtual addresses; the servers have those of direct routing on their loopback. A server answers every
TCP connection, and every datagram, with its name.
"""

from __future__ import annotations

import os
import selectors
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import count

import pytest
from lab import inside, ip, why_not

from evener.keepalived.lvs.ipvs import (
    AddDestination,
    AddService,
    Change,
    Destination,
    DestinationKey,
    Forwarding,
    Method,
    Service,
    ServiceFlags,
    ServiceKey,
)
from evener.keepalived.vrrp.plan import Family

serial = count()
SERVERS = 3
PORT = 80
TCP, UDP = socket.IPPROTO_TCP, socket.IPPROTO_UDP
TYPES = {TCP: socket.SOCK_STREAM, UDP: socket.SOCK_DGRAM}
PATIENCE_S = 2.0
DIRECT = {Family.INET: "10.7.0", Family.INET6: "fd07:"}
ROUTED = {Family.INET: "10.8.0", Family.INET6: "fd08:"}
INNER = {Family.INET: "10.9.0", Family.INET6: "fd09:"}
LENGTH = {Family.INET: 24, Family.INET6: 64}


def at(network: str, host: int) -> str:
    return f"{network}:{host}" if ":" in network else f"{network}.{host}"


def sysctl(namespace: str, **settings: int) -> None:
    script = "; ".join(f"echo {value} > /proc/sys/{path}" for path, value in settings.items())
    subprocess.run(["ip", "netns", "exec", namespace, "sh", "-c", script], check=True)


class RealServers:
    """Sockets in the servers' namespaces, served by one thread."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._stopped: set[str] = set()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def add(self, namespace: str, name: str, address: str, port: int = PORT) -> None:
        def make() -> list[socket.socket]:
            made = []
            for protocol, kind in TYPES.items():
                sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind((address, port))
                if protocol == TCP:
                    sock.listen(64)
                sock.setblocking(False)
                made.append(sock)
            return made

        for sock in inside(namespace, make):
            self._selector.register(sock, selectors.EVENT_READ, name)

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._woken:
                    return
                with suppress(OSError):
                    self._serve(key.fileobj, key.data)

    def _serve(self, sock: socket.socket, name: str) -> None:
        if sock.type == socket.SOCK_DGRAM:
            data, peer = sock.recvfrom(2048)
            sock.sendto(name.encode() + b" " + data, peer)
        elif sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            accepted, _ = sock.accept()
            accepted.setblocking(False)
            accepted.send(name.encode())
            self._selector.register(accepted, selectors.EVENT_READ, name)
        else:
            data = sock.recv(2048)
            if data:
                sock.send(name.encode())
                return
            self._selector.unregister(sock)
            sock.close()

    def close(self) -> None:
        self._wake.send(b"x")
        self._thread.join(5)
        for key in list(self._selector.get_map().values()):
            with suppress(OSError):
                key.fileobj.close()
        self._wake.close()


class LvsLab:
    """Close it. ``client``, ``director`` and ``servers`` are names of namespaces."""

    def __init__(self) -> None:
        name = f"el{os.getpid()}-{next(serial)}"
        self.switch, self.client, self.director = f"{name}s", f"{name}c", f"{name}d"
        self.servers = [f"{name}r{number}" for number in range(SERVERS)]
        self.real = RealServers()
        self._more: list[str] = []
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def _build(self) -> None:
        for namespace in (self.switch, self.client, self.director, *self.servers):
            ip("netns", "add", namespace)
        ip("link", "add", "br0", "type", "bridge", "mcast_snooping", "0", namespace=self.switch)
        ip("link", "set", "br0", "up", namespace=self.switch)
        for number, namespace in enumerate((self.client, self.director, *self.servers)):
            self._plug_in(f"p{number}", namespace)
        for family in Family:
            self._address(family)
        sysctl(
            self.director,
            **{"net/ipv4/ip_forward": 1, "net/ipv6/conf/all/forwarding": 1, "net/ipv4/conf/all/rp_filter": 0},
            **{"net/ipv4/conf/eth0/rp_filter": 0, "net/ipv4/conf/eth0/send_redirects": 0},
            **{"net/ipv4/conf/all/send_redirects": 0},
        )
        self._serve()

    def _plug_in(self, port: str, namespace: str) -> None:
        sysctl(
            namespace,
            **{f"net/ipv6/conf/{which}/accept_dad": 0 for which in ("all", "default")},
            # The director tells servers that the client is beside them, which is not what is tested.
            **{f"net/ipv6/conf/{which}/accept_redirects": 0 for which in ("all", "default")},
            **{"net/ipv4/conf/all/arp_ignore": 1, "net/ipv4/conf/all/arp_announce": 2},
        )
        ip(
            "link",
            "add",
            port,
            "type",
            "veth",
            "peer",
            "name",
            "eth0",
            "netns",
            namespace,
            namespace=self.switch,
        )
        ip("link", "set", port, "master", "br0", "up", namespace=self.switch)
        ip("link", "set", "lo", "up", namespace=namespace)
        ip("link", "set", "eth0", "up", namespace=namespace)

    def _address(self, family: Family) -> None:
        direct, routed, inner, length = DIRECT[family], ROUTED[family], INNER[family], LENGTH[family]
        for host in range(10, 20):
            self._own(self.client, at(direct, host), length)
            self._own(self.client, at(routed, host), length)
        for network in (direct, routed, inner):
            self._own(self.director, at(network, 1), length)
        for network in (direct, routed):
            self._own(self.director, at(network, 100), length)
        for number, namespace in enumerate(self.servers):
            self._own(namespace, at(inner, 11 + number), length)
            for host in (100, 101):
                self._own(namespace, at(direct, host), 32 if family is Family.INET else 128, "lo")
            ip("route", "add", f"{at(direct, 0)}/{length}", "dev", "eth0", namespace=namespace)
            ip("route", "add", "default", "via", at(inner, 1), namespace=namespace)

    def _own(self, namespace: str, address: str, length: int, device: str = "eth0") -> None:
        ip("addr", "add", f"{address}/{length}", "dev", device, namespace=namespace)

    def _serve(self) -> None:
        for number, namespace in enumerate(self.servers):
            for family in Family:
                self.real.add(namespace, f"s{number}", at(INNER[family], 11 + number))
                self.real.add(namespace, f"s{number}", at(DIRECT[family], 100))
        self.real.start()

    # -- clients

    def open(
        self, family: Family, method: Method, protocol: int = TCP, *, host: int = 10, port: int = PORT
    ) -> socket.socket:
        """A connected client socket, from the client's address ``host``."""
        network = (DIRECT if method is Method.DR else ROUTED)[family]

        def make() -> socket.socket:
            sock = socket.socket(family, TYPES[protocol])
            sock.settimeout(PATIENCE_S)
            try:
                sock.bind((at(network, host), 0))
                sock.connect((at(network, 100), port))
            except BaseException:
                sock.close()
                raise
            return sock

        return inside(self.client, make)

    def ask(
        self, family: Family, method: Method, protocol: int = TCP, *, host: int = 10, port: int = PORT
    ) -> str:
        """The name of the server that answers a new connection."""
        with self.open(family, method, protocol, host=host, port=port) as sock:
            return said(sock, protocol)

    def open_at(self, address: str, port: int = PORT, patience: float = PATIENCE_S) -> socket.socket:
        return inside(self.client, lambda: socket.create_connection((address, port), patience))

    def ask_at(self, address: str, patience: float = PATIENCE_S) -> str:
        """The name of the server that answers at an address."""
        with self.open_at(address, patience=patience) as sock:
            return said(sock)

    def answers_at(self, address: str) -> bool:
        with suppress(OSError):
            return bool(self.ask_at(address, 0.2))
        return False

    def another_director(self) -> str:
        """A namespace beside the first director's, with addresses of its own."""
        namespace = f"{self.switch}2"
        ip("netns", "add", namespace)
        self._more.append(namespace)
        self._plug_in("p99", namespace)
        for network in ("10.7.0", "10.8.0", "10.9.0"):
            self._own(namespace, at(network, 2), 24)
        sysctl(namespace, **{"net/ipv4/ip_forward": 1, "net/ipv4/conf/all/send_redirects": 0})
        return namespace

    def close(self) -> None:
        with ExitStack() as steps:
            for namespace in (self.switch, self.client, self.director, *self.servers, *self._more):
                steps.callback(
                    subprocess.run, ["ip", "netns", "del", namespace], check=False, capture_output=True
                )
            if self.real._thread.ident is not None:
                self.real.close()


def said(sock: socket.socket, protocol: int = TCP) -> str:
    if protocol == UDP:
        sock.send(b"?")
    return sock.recv(100).decode().partition(" ")[0]


# -- what an engine is told


def service(
    family: Family,
    method: Method = Method.NAT,
    scheduler: str = "rr",
    *,
    protocol: int = TCP,
    port: int = PORT,
    timeout_s: int = 0,
    mark: int = 0,
    flags: ServiceFlags | int = 0,
) -> Service:
    network = (DIRECT if method is Method.DR else ROUTED)[family]
    address = socket.inet_pton(family, at(network, 100))
    key = ServiceKey(family, 0, b"", 0, mark) if mark else ServiceKey(family, protocol, address, port)
    persistent = ServiceFlags.PERSISTENT if timeout_s else ServiceFlags(0)
    return Service(key, scheduler, ServiceFlags(flags) | persistent, timeout_s, LONGEST[family])


LONGEST = {Family.INET: 32, Family.INET6: 128}


def destination(
    family: Family, number: int, method: Method = Method.NAT, weight: int = 1, port: int = PORT
) -> Destination:
    address = socket.inet_pton(family, at(INNER[family], 11 + number))
    return Destination(DestinationKey(family, address, port), Forwarding(method), weight)


def added(what: Service, *destinations: Destination) -> list[Change]:
    return [AddService(what), *(AddDestination(what.key, one) for one in destinations)]


def until(condition: Callable[[], bool], patience: float = 10.0) -> None:
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "did not happen"
        time.sleep(0.02)


def answers(names: Sequence[str]) -> dict[str, int]:
    return {name: list(names).count(name) for name in sorted(set(names))}


def opened() -> Iterator[LvsLab]:
    """One laboratory, closed in the end; whoever wants it is skipped where namespaces cannot be used."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    lab = LvsLab()
    try:
        yield lab
    finally:
        lab.close()
