"""HTTP_GET: one request over a connection, its answer read until the server closes.

Connecting has the route's time, the wait for the answer again, and the rest of the answer again: an answer
that trickles in is late however often a byte comes. ``tls`` adds the handshake.
"""

from __future__ import annotations

from evener.host.checks.attempt import Done
from evener.host.checks.regexes import Overrun, matches
from evener.host.checks.stream import StreamAttempt
from evener.host.reactor import READABLE, Reactor
from evener.keepalived.lvs.check_plan import Outcome
from evener.keepalived.lvs.probes import Url, WebProbe
from evener.wire.http_answer import HttpAnswer

READ_BYTES = 65536
REGEX_BYTES = 1 << 20
"""How much of a body a regex sees."""
ANSWER_BYTES = 32 << 20
"""A longer answer fails the check."""


class WebAttempt(StreamAttempt):
    """One url."""

    no_socket = "WEB connection fail to create socket. Rescheduling."
    not_bound = "WEB socket bind failed. Rescheduling"
    slow_read = "Timeout HTTP read"
    read_bytes = READ_BYTES

    def __init__(self, reactor: Reactor, probe: WebProbe, url: Url, done: Done) -> None:
        super().__init__(reactor, probe.route, done)
        self._url = url
        self._answer = HttpAnswer(url.digest is not None, REGEX_BYTES if url.regex else 0)
        self._begun = False

    def _connected(self) -> None:
        self._ask()

    def _ask(self) -> None:
        """A request fits the buffer of a connection that has carried nothing yet."""
        assert self._socket is not None
        try:
            self._put(self._url.request)
        except OSError:
            self._fail("Cannot send get request to")
            return
        self._reactor.watch(self._socket.fileno(), READABLE, self._readable)
        self._step(lambda: self._fail("Timeout WEB read"))

    def _put(self, data: bytes) -> None:
        assert self._socket is not None
        self._socket.send(data)

    def _begin(self) -> None:
        """Something of the answer has come: from now on there is so much time for the rest."""
        if not self._begun:
            self._begun = True
            self._step(lambda: self._fail(self.slow_read))

    def _readable(self, _events: int) -> None:
        assert self._socket is not None
        self._begin()
        try:
            data = self._socket.recv(self.read_bytes)
        except BlockingIOError:
            return
        except OSError:
            self._fail("Read error with")
            return
        if not data:
            self._complete()
        else:
            self._take(data)

    def _take(self, data: bytes) -> None:
        self._answer.feed(data)
        if self._answer.hopeless:
            self._fail("Read, no data received from ")
        elif self._answer.received > ANSWER_BYTES:
            self._fail("Too much data received from")

    def _complete(self) -> None:
        """The answer is all there is."""
        answer, url = self._answer, self._url
        if answer.head is None:
            self._fail("Read, no data received from ")
            return
        if not any(low <= answer.status <= high for low, high in url.statuses):
            self._fail("HTTP status code error to")
            return
        notes = () if answer.length in (None, answer.received) else (self._mismatch(),)
        if url.digest is not None and url.digest != answer.digest:
            self._finish(Outcome(False, "MD5 digest error to", notes=notes))
        elif url.regex is not None and not self._matched():
            self._finish(Outcome(False, "Regex match failed", notes=notes))
        else:
            what = "Regex match" if url.regex else "MD5 digest" if url.digest else "HTTP status code"
            self._finish(Outcome(True, what, notes=notes))

    def _matched(self) -> bool:
        assert self._url.regex is not None
        try:
            return matches(self._url.regex, bytes(self._answer.body))
        except Overrun:
            return False

    def _mismatch(self) -> str:
        answer, url = self._answer, self._url
        return (
            f"http_check for RS {{rs}} VS {{vs}} url {url.virtualhost}{url.path}:"
            f" content_length ({answer.length}) does not match received bytes ({answer.received})"
        )

    def _fail(self, how: str, *notes: str) -> None:
        self._finish(Outcome(False, how, notes=notes))

    def _too_late(self) -> None:
        self._fail("Timeout connecting")

    def _refused(self) -> None:
        self._fail("Connection failed")

    def _unreachable(self) -> None:
        self._fail("HTTP/SSL_CHECK - network unreachable")
