"""A log backend (``mode log``): one of its servers gets each message.

Servers take part while they are usable, backups when nobody else is. ``balance sticky`` goes by the order in
which they became usable: the first of it gets everything. The others go by weight, as with requests.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from math import gcd
from typing import Any, Final

from evener.haproxy.addresses import Transport
from evener.haproxy.balance import ring
from evener.haproxy.balance.hashing import HashType
from evener.haproxy.balance.rotation import Rotation
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
        self._chosen: list[Server] = []
        self._ways: dict[int, Sink] = {}
        self._taken = 0
        self._rotation = Rotation()
        self._turns: tuple[list[int], int] = ([], 0)
        self._table: list[Server] = []
        self._shares: list[int] = []
        self._unit = gcd(*(server.plan.weight for server in farm.servers if server.plan.weight)) or 1
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
        order = stayed + [server for server in chosen if server not in stayed]
        shares = [server.weight for server in chosen]
        if order == self._order and shares == self._shares:
            return
        self._order, self._chosen, self._shares = order, chosen, shares
        weights = {server.plan.index: server.weight * ring.SCALE for server in chosen}
        self._rotation.move(self._taken, weights)
        self._turns = self._rotation.turns.order()
        slotted = [
            (server.plan.index, ring.share(server.weight, self._unit)) for server in chosen if server.weight
        ]
        slots = ring.table(slotted, sum(share for _, share in slotted))
        self._table = [self._farm.servers[index] for index in slots]

    def deliver(self, head: bytes, message: bytes) -> bool:
        """Send to the server whose turn it is; False when there is none."""
        if not self._order:
            return False
        server = self._choose(message)
        if server is None:
            return False
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

    def _method(self) -> Callable[[bytes], Server | None]:
        balance = self._proxy.balancing.balance
        algorithm = balance.algorithm if balance is not None else "roundrobin"
        if algorithm == "sticky":
            return lambda message: self._order[0]
        if algorithm == "random":
            return lambda message: random.choices(self._chosen, self._shares)[0]
        if algorithm == "log-hash" and balance is not None and balance.argument:
            return self._hashed(balance.argument)
        return self._in_turn

    def _in_turn(self, _message: bytes) -> Server:
        order, lead = self._turns
        at = self._taken - self._rotation.since
        self._taken += 1
        if at >= len(order):
            at = lead + (at - lead) % (len(order) - lead)
        return self._farm.servers[order[at]]

    def _hashed(self, converters: str) -> Callable[[bytes], Server | None]:
        """Numbers are hashed in binary; a message without a key is dropped."""
        expr = read_expression(f"str(),{converters}")
        assert not isinstance(expr, Failure), expr
        convert = compile_conversion(expr, CompileEnv(), Type.BIN)
        asked = self._proxy.balancing.hash_type
        function = asked.function if asked is not None else "sdbm"
        of = HashType(function, asked is not None and asked.avalanche).of_bytes()

        def choose(message: bytes) -> Server | None:
            key = convert(message)
            return None if key is None else self._table[of(key) % len(self._table)]

        return choose
