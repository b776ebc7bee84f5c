"""Checks of one packet each way: UDP_CHECK, DNS_CHECK and PING_CHECK.

The socket is connected: only packets of the target arrive, and that the target is unreachable (ICMP) is an
error of the socket. Packets that are no answer are passed over while the time lasts.
"""

from __future__ import annotations

import os
import socket
from abc import ABC, abstractmethod

from evener.host.checks.attempt import Done, not_made
from evener.host.checks.sockets import UNREACHABLE, NotMade, address, opened
from evener.host.reactor import READABLE, Reactor, Timer
from evener.keepalived.lvs.check_plan import Outcome
from evener.keepalived.lvs.probes import DnsProbe, PingProbe, Route, UdpProbe
from evener.wire import dns, icmp_echo

PACKET_BYTES = 65535
PACKETS_A_TURN = 16
"""A target that sends without end must not keep the loop to itself."""
IP_RECVERR, IPV6_RECVERR = 11, 25


class DatagramAttempt(ABC):
    """One packet is sent; what comes is given to ``_heard``."""

    kind = socket.SOCK_DGRAM
    protocol = 0

    def __init__(self, reactor: Reactor, route: Route, done: Done) -> None:
        self._reactor = reactor
        self._route = route
        self._done = done
        self._socket: socket.socket | None = None
        self._timer: Timer | None = None

    def start(self) -> None:
        try:
            made = self._socket = opened(self._route, self.kind, self.protocol)
        except NotMade as why:
            self._finish(self._lacking(why))
            return
        self._timer = self._reactor.later(self._route.timeout_us / 1e6, self._late)
        try:
            self._ask_for_errors(made)
            made.connect(address(self._route.address, self._route.port))
            made.send(self._packet())
        except OSError as error:
            self._finish(self._unsent(error))
            return
        self._reactor.watch(made.fileno(), READABLE, self._readable)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._socket is not None:
            self._reactor.unwatch(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def _ask_for_errors(self, made: socket.socket) -> None:
        if self._route.family == socket.AF_INET:
            made.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        else:
            made.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)

    def _finish(self, outcome: Outcome) -> None:
        self.close()
        self._done(outcome)

    def _readable(self, _events: int) -> None:
        for _ in range(PACKETS_A_TURN):
            if self._socket is None:
                return
            try:
                packet = self._socket.recv(PACKET_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                self._finish(self._unreachable(error))
                return
            self._heard(packet)

    @abstractmethod
    def _packet(self) -> bytes:
        """What is sent."""

    @abstractmethod
    def _heard(self, packet: bytes) -> None:
        """Something came, which need not be the answer."""

    @abstractmethod
    def _late(self) -> None:
        """The time is over."""

    @abstractmethod
    def _lacking(self, why: NotMade) -> Outcome:
        """There is no socket, or none from there."""

    @abstractmethod
    def _unsent(self, error: OSError) -> Outcome:
        """The packet could not be sent."""

    @abstractmethod
    def _unreachable(self, error: OSError) -> Outcome:
        """The target, or a router, says that nobody is there."""


class UdpAttempt(DatagramAttempt):
    """Without ``require_reply`` silence is success."""

    def __init__(self, reactor: Reactor, probe: UdpProbe, done: Done) -> None:
        super().__init__(reactor, probe.route, done)
        self._probe = probe

    def _packet(self) -> bytes:
        return self._probe.payload

    def _heard(self, packet: bytes) -> None:
        if self._probe.accepts(packet):
            self._finish(Outcome(True))
        else:
            self._finish(Outcome(False, "UDP check to {rs} reply data mismatch."))

    def _late(self) -> None:
        if self._probe.require_reply:
            self._finish(Outcome(False, "UDP connection to {rs} failed."))
        else:
            self._finish(Outcome(True))

    def _lacking(self, why: NotMade) -> Outcome:
        if why.bound:
            return Outcome(False, notes=(why.packets,))
        return not_made("UDP connect fail to create socket. Rescheduling.")

    def _unsent(self, error: OSError) -> Outcome:
        return Outcome(False)

    def _unreachable(self, error: OSError) -> Outcome:
        return Outcome(False, "UDP connection to {rs} failed.")


class DnsAttempt(DatagramAttempt):
    """An answer with another number, or to another question, is nobody's."""

    def __init__(self, reactor: Reactor, probe: DnsProbe, done: Done) -> None:
        super().__init__(reactor, probe.route, done)
        number = int.from_bytes(os.urandom(2), "big")
        self._question = dns.question(number, probe.name, probe.type)

    def _packet(self) -> bytes:
        return self._question

    def _heard(self, packet: bytes) -> None:
        try:
            code = dns.code(self._question, packet)
        except dns.BadAnswer as why:
            self._finish(Outcome(False, f"malformed answer: {why}"))
            return
        if code is not None:
            self._finish(Outcome(not code, f"read error occurred. (rcode = {code})" if code else ""))

    def _late(self) -> None:
        self._finish(Outcome(False, "read timeout from socket"))

    def _lacking(self, why: NotMade) -> Outcome:
        where = "DNS_CHECK ({rs})"
        if why.bound:
            return not_made(str(why), f"{where} UDP socket bind failed. Rescheduling.")
        return not_made(f"{where} failed to create socket. Rescheduling.")

    def _unsent(self, error: OSError) -> Outcome:
        if error.errno in UNREACHABLE:
            return Outcome(False, f"network unreachable for {self._route}")
        return Outcome(False, "failed to write socket.")

    def _unreachable(self, error: OSError) -> Outcome:
        return Outcome(False, f"failed to read socket; errno {error.errno} ({error.strerror})")


class PingAttempt(DatagramAttempt):
    """The kernel chooses the identifier, and gives us the answers to it only."""

    def __init__(self, reactor: Reactor, probe: PingProbe, number: int, done: Done) -> None:
        super().__init__(reactor, probe.route, done)
        self._number = number
        six = probe.route.family == socket.AF_INET6
        self._six = six
        self.protocol = socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP

    def _packet(self) -> bytes:
        return icmp_echo.request(self._number, self._six)

    def _heard(self, packet: bytes) -> None:
        if icmp_echo.answers(packet, self._number, self._six):
            self._finish(Outcome(True))

    def _late(self) -> None:
        self._finish(Outcome(False, "ICMP connection to address {rs} timeout."))

    def _lacking(self, why: NotMade) -> Outcome:
        if why.bound:
            return not_made(why.packets)
        return not_made(f"ICMP{'v6' * self._six} connect fail to create socket. Rescheduling.")

    def _unsent(self, error: OSError) -> Outcome:
        return Outcome(False, notes=(f"send ICMP{'v6' * self._six} packet fail",))

    def _unreachable(self, error: OSError) -> Outcome:
        return Outcome(False, "ICMP connection to {rs} of {vs} failed.")
