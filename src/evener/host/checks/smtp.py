"""SMTP_CHECK: a conversation, each line of which has the time of a step."""

from __future__ import annotations

from evener.host.checks.attempt import Done
from evener.host.checks.stream import StreamAttempt
from evener.host.reactor import READABLE, Reactor
from evener.keepalived.lvs.check_plan import Outcome
from evener.keepalived.lvs.probes import SmtpProbe
from evener.keepalived.lvs.smtp_talk import SmtpTalk

READ_BYTES = 4096


class SmtpAttempt(StreamAttempt):
    no_socket = "SMTP_CHECK connection failed to create socket. Rescheduling."
    not_bound = "SMTP_CHECK socket bind failed. Rescheduling."

    def __init__(self, reactor: Reactor, probe: SmtpProbe, done: Done) -> None:
        super().__init__(reactor, probe.route, done)
        self._talk = SmtpTalk(probe.helo, str(probe.route))

    def _connected(self) -> None:
        assert self._socket is not None
        self._reactor.watch(self._socket.fileno(), READABLE, self._readable)
        self._step(self._silent)

    def _readable(self, _events: int) -> None:
        assert self._socket is not None
        try:
            data = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._fail("Read failure from server")
            return
        answer = self._talk.heard(data)
        if self._talk.done:
            self._finish(Outcome(True))
        elif self._talk.failed:
            self._finish(Outcome(False, self._talk.failed))
        elif answer:
            self._say(answer)

    def _say(self, answer: bytes) -> None:
        """A line of an empty connection's buffer always fits."""
        assert self._socket is not None
        try:
            self._socket.send(answer)
        except OSError:
            self._fail("Write failure to server")
            return
        self._step(self._silent)

    def _fail(self, how: str) -> None:
        self._finish(Outcome(False, f"{how} {self._route}"))

    def _silent(self) -> None:
        self._fail("Read timeout from server")

    def _too_late(self) -> None:
        self._fail("Connection timeout to server")

    def _refused(self) -> None:
        self._fail("Could not connect to server")

    def _unreachable(self) -> None:
        where = str(self._route).rpartition(":")[0].strip("[]")
        self._finish(Outcome(False, f"Network unreachable for server {where} - real server {{pair}}"))
