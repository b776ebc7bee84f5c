"""The connection to an SNMP master agent: opened, kept, and opened again when it is lost.

It decides nothing (``keepalived/snmp/agent.py`` does) and never waits: a master that is slow, or dead, loses
its session, and no process is late for something else.
Times are microseconds.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from evener.keepalived.snmp.agent import Lost, Subagent
from evener.keepalived.snmp.vrrp_traps import Trap

DEFAULT_SOCKET = "/var/agentx/master"
AGENTX_PORT = 705
RETRY_US = 15_000_000
FLUSH_US = 50_000
READ_BYTES = 1 << 16
MOST_UNSENT = 1 << 20

UNDER_WAY = (errno.EINPROGRESS, errno.EAGAIN, errno.EALREADY)

Address = str | tuple[Any, ...]


def where(told: str | None) -> tuple[int, Address]:
    """The family and address of ``[unix:]/PATH`` or ``[tcp:]HOST[:PORT]``; raises OSError and ValueError.

    AgentX needs a stream: of a UDP address (the manual's example has one) the TCP one is taken.
    """
    text = told or DEFAULT_SOCKET
    kind, _, rest = text.partition(":")
    if kind == "unix":
        return socket.AF_UNIX, rest
    if text.startswith("/"):
        return socket.AF_UNIX, text
    text = rest if kind in ("tcp", "udp", "tcp6", "udp6") else text
    host, _, port = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    if not host:
        host, port = (port, "") if not (port.isascii() and port.isdecimal()) else ("localhost", port)
    # Names are not looked up: nothing here may wait for a resolver.
    flags = socket.AI_NUMERICHOST if host != "localhost" else 0
    host = "127.0.0.1" if host == "localhost" else host.strip("[]")
    found = socket.getaddrinfo(host, int(port or AGENTX_PORT), type=socket.SOCK_STREAM, flags=flags)
    return found[0][0], found[0][4]


class SnmpSession:
    """``watch`` and ``unwatch`` are the loop's; call ``run`` when ``next_timer`` has come."""

    def __init__(
        self,
        agent: Subagent[Any],
        told: str | None,
        watch: Callable[[int, Callable[[], None]], None],
        unwatch: Callable[[int], None],
        clock: Callable[[], int],
        log: Callable[[str], None],
    ) -> None:
        self._agent, self._told, self._log = agent, told, log
        self._watch, self._unwatch, self._clock = watch, unwatch, clock
        self._socket: socket.socket | None = None
        self._unsent = b""
        self._flush_at: int | None = None
        self._retry_at: int | None = None
        self._complained = ""
        log("Starting SNMP subagent")
        self._connect()

    def _connect(self) -> None:
        made = None
        try:
            family, address = where(self._told)
            made = socket.socket(family, socket.SOCK_STREAM)
            made.setblocking(False)
            error = made.connect_ex(address)
            if error and error not in UNDER_WAY:
                raise OSError(error, errno.errorcode.get(error, str(error)))
        except (OSError, ValueError) as problem:
            if made is not None:
                made.close()
            self._lost(str(problem))
            return
        self._socket = made
        self._watch(made.fileno(), self._readable)
        self._send(self._agent.connected(self._clock()))

    def _lost(self, why: str) -> None:
        """Said once for each reason, until there is a session again."""
        if why != self._complained:
            self._complained = why
            self._log(f"SNMP: no session with the master agent {self._told or DEFAULT_SOCKET}: {why}")
        if self._socket is not None:
            self._unwatch(self._socket.fileno())
            self._socket.close()
            self._socket = None
        self._agent.disconnected()
        self._unsent, self._flush_at = b"", None
        self._retry_at = self._clock() + RETRY_US

    def _readable(self) -> None:
        assert self._socket is not None
        try:
            data = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._lost(error.strerror or "failed")
            return
        if not data:
            self._lost("it closed the connection")
            return
        try:
            answer = self._agent.received(self._clock(), data)
        except Lost as lost:
            self._lost(str(lost))
            return
        self._complained = ""
        for tree in self._agent.refused:
            self._log(f"Unable to register {tree} MIB")
        self._agent.refused.clear()
        self._send(answer)

    def _send(self, data: bytes) -> None:
        if self._socket is None:
            return
        self._unsent += data
        try:
            while self._unsent:
                self._unsent = self._unsent[self._socket.send(self._unsent) :]
        except OSError as error:
            if error.errno not in (*UNDER_WAY, errno.ENOTCONN):
                self._lost(error.strerror or "failed")
                return
        if len(self._unsent) > MOST_UNSENT:
            self._lost("it does not read")
            return
        self._flush_at = self._clock() + FLUSH_US if self._unsent else None

    def trap(self, trap: Trap) -> None:
        self._send(self._agent.notify(trap.oid, trap.variables))

    def next_timer(self) -> int | None:
        times = self._retry_at, self._flush_at, self._agent.next_timer()
        return min((when for when in times if when is not None), default=None)

    def run(self, now: int) -> None:
        if self._retry_at is not None and self._retry_at <= now:
            self._retry_at = None
            self._connect()
        elif self._socket is not None:
            try:
                data = self._agent.tick(now)
            except Lost as lost:
                self._lost(str(lost))
                return
            if data or (self._flush_at is not None and self._flush_at <= now):
                self._send(data)

    def close(self) -> None:
        """Say goodbye, as far as it can be said at once."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.send(self._unsent + self._agent.goodbye())
            self._unwatch(self._socket.fileno())
            self._socket.close()
            self._socket = None
