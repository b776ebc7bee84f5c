"""A log backend (``mode log``): one of its servers gets each message.

Servers take part while they are usable, backups when nobody else is. The order is the one in which they
became usable, which is what ``balance sticky`` stays with: the first of it gets everything.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from typing import Any, Final

from evener.haproxy.addresses import Transport
from evener.haproxy.balance.hashing import HashType
from evener.haproxy.expression import read_expression
from evener.haproxy.expression_compile import compile_conversion
from evener.haproxy.sample import Type
from evener.haproxy.scope import CompileEnv, Failure
from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.server_state import Farm, Server
from evener.host.log_ring import Feeder, LogRing
from evener.host.reactor import Reactor
from evener.host.syslog import Outlet, Sink, Target

_RING: Final = 1 << 20  #: bytes that wait for a log server on a connection, unless ``log-bufsize`` says


class LogBackend:
    def __init__(self, reactor: Reactor, farm: Farm) -> None:
        self._reactor = reactor
        self._farm = farm
        self._proxy: Proxy = farm.plan.ir
        self._order: list[Server] = []
        self._ways: dict[int, Sink] = {}
        self._turn = 0
        self._opened: list[Outlet | Feeder] = []
        self._choose = self._method()
        self.refresh()

    def refresh(self) -> None:
        """Follow the servers' states: who is lost leaves, who comes is the last."""
        usable = [server for server in self._farm.servers if server.usable]
        chosen = [server for server in usable if not server.plan.backup]
        if not chosen:
            chosen = usable if self._proxy.option.allbackups else usable[:1]
        stayed = [server for server in self._order if server in chosen]
        self._order = stayed + [server for server in chosen if server not in stayed]

    def deliver(self, head: bytes, message: bytes) -> bool:
        """Send to the server whose turn it is; False when there is none."""
        if not self._order:
            return False
        server = self._choose(self._order, message)
        way = self._ways.get(server.plan.index)
        if way is None:
            way = self._ways[server.plan.index] = self._way(server)
        return way(head, message)

    def _way(self, server: Server) -> Sink:
        family, host = server.family, server.address
        where: Any = host if family == socket.AF_UNIX else (host, server.port or 514)
        if server.plan.ir.address.transport is Transport.DATAGRAM:
            outlet = Outlet(Target(address=where, family=family, length=65536), None)
            self._opened.append(outlet)
            return outlet.emit
        size = server.plan.ir.options.log_bufsize or _RING
        ring = LogRing(server.plan.name, size, min(size, 65536))
        octets = server.plan.ir.options.log_proto == "octet-count"
        self._opened.append(Feeder(self._reactor, ring, family, where, octet_count=octets))
        return lambda head, message: ring.append(head + message)

    def close(self) -> None:
        for opened in self._opened:
            opened.close()

    # -- whose turn it is -----------------------------------------------------------------------------

    def _method(self) -> Callable[[list[Server], bytes], Server]:
        balance = self._proxy.balancing.balance
        algorithm = balance.algorithm if balance is not None else "roundrobin"
        if algorithm == "sticky":
            return lambda order, message: order[0]
        if algorithm == "random":
            return lambda order, message: random.choice(order)
        if algorithm == "log-hash" and balance is not None and balance.argument:
            return self._hashed(balance.argument)
        return self._in_turn

    def _in_turn(self, order: list[Server], _message: bytes) -> Server:
        self._turn += 1
        return order[(self._turn - 1) % len(order)]

    def _hashed(self, converters: str) -> Callable[[list[Server], bytes], Server]:
        expr = read_expression(f"str(),{converters}")
        assert not isinstance(expr, Failure), expr
        convert = compile_conversion(expr, CompileEnv(), Type.STR)
        asked = self._proxy.balancing.hash_type
        function = asked.function if asked is not None else "sdbm"
        of = HashType(function, asked is not None and asked.avalanche).of_bytes()

        def choose(order: list[Server], message: bytes) -> Server:
            return order[of(convert(message) or b"") % len(order)]

        return choose
