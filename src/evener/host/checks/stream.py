"""A connection that is made for a check. By itself that is a TCP_CHECK; others go on from ``_connected``.

Each step (connecting, and what a subclass does after it) has the route's time, and the timer of a step is
never prolonged by bytes that trickle in.
"""

from __future__ import annotations

import errno
import socket

from evener.host.checks.attempt import Done, not_made
from evener.host.checks.sockets import UNREACHABLE, NotMade, address, opened
from evener.host.reactor import WRITABLE, Callback, Reactor, Timer
from evener.keepalived.lvs.check_plan import Outcome
from evener.keepalived.lvs.probes import Route


class StreamAttempt:
    """One connection. The class attributes are what is said when there is none."""

    no_socket = "TCP connect fail to create socket. Rescheduling."
    not_bound = "TCP socket bind failed. Rescheduling."

    def __init__(self, reactor: Reactor, route: Route, done: Done) -> None:
        self._reactor = reactor
        self._route = route
        self._done = done
        self._socket: socket.socket | None = None
        self._timer: Timer | None = None

    def start(self) -> None:
        try:
            made = self._socket = opened(self._route, socket.SOCK_STREAM)
        except NotMade as why:
            self._finish(not_made(str(why), self.not_bound) if why.bound else not_made(self.no_socket))
            return
        error = made.connect_ex(address(self._route.address, self._route.port))
        if error in (0, errno.EINPROGRESS):
            self._reactor.watch(made.fileno(), WRITABLE, self._settled)
            self._step(self._too_late)
        elif error in UNREACHABLE:
            self._unreachable()
        else:
            self._finish(not_made(self.not_bound))

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._socket is not None:
            self._reactor.unwatch(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def _step(self, late: Callback) -> None:
        """A step begins; ``late`` is called when its time is over."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._reactor.later(self._route.timeout_us / 1e6, late)

    def _finish(self, outcome: Outcome) -> None:
        self.close()
        self._done(outcome)

    def _settled(self, _events: int) -> None:
        """The connection is there, or has failed."""
        assert self._socket is not None
        error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error == 0:
            self._connected()
        elif error == errno.ETIMEDOUT:
            self._too_late()
        else:
            self._refused()

    def _connected(self) -> None:
        self._finish(Outcome(True))

    def _too_late(self) -> None:
        self._finish(Outcome(False, "TCP connection to {rs} timeout."))

    def _refused(self) -> None:
        self._finish(Outcome(False, "TCP connection to {rs} failed."))

    def _unreachable(self) -> None:
        """There is no way there; the original has no words for it."""
        self._finish(Outcome(False))
