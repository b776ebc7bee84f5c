"""SSL_GET: an HTTP_GET over TLS.

As in the original a server's certificate is not verified, unless the ``SSL`` block names a ``ca``: then a
certificate that the file does not vouch for fails the handshake. Which name a certificate has is not looked
at, since a real server is checked by its address.
"""

from __future__ import annotations

import contextlib
import ssl

from evener.host.checks.attempt import Done
from evener.host.checks.web import WebAttempt
from evener.host.reactor import READABLE, WRITABLE, Reactor
from evener.keepalived.lvs.check_plan import Outcome
from evener.keepalived.lvs.probes import Credentials, Url, WebProbe

READS_A_TURN = 8
"""A record is at most 16 kB; what is left waits for the next turn."""


class NoContext(Exception):
    """The files of the SSL block cannot be used; the text is the original's."""


def context_of(credentials: Credentials) -> ssl.SSLContext:
    """Raises NoContext."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    with contextlib.suppress(ValueError):
        made.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    try:
        if credentials.certificate is not None:
            # Without a password OpenSSL would ask for one on the terminal, and wait.
            made.load_cert_chain(credentials.certificate, credentials.key, credentials.password or "")
    except (OSError, ssl.SSLError, ValueError):
        raise NoContext("SSL error : Cant load certificate file...") from None
    try:
        if credentials.ca is not None:
            made.load_verify_locations(credentials.ca)
            made.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError):
        raise NoContext("SSL error : Cant load CA file...") from None
    return made


class TlsAttempt(WebAttempt):
    slow_read = "Timeout SSL read"

    def __init__(
        self, reactor: Reactor, context: ssl.SSLContext, probe: WebProbe, url: Url, done: Done
    ) -> None:
        super().__init__(reactor, probe, url, done)
        self._context = context

    def _connected(self) -> None:
        assert self._socket is not None
        try:
            wrapped = self._context.wrap_socket(
                self._socket,
                do_handshake_on_connect=False,
                suppress_ragged_eofs=False,
                server_hostname=self._url.sni or None,
            )
        except (OSError, ValueError):  # the name is none, or the connection is gone already
            self._unshaken()
            return
        self._socket = wrapped  # the descriptor, and the time that is left, stay the same
        self._shake(0)

    @property
    def _secured(self) -> ssl.SSLSocket:
        assert isinstance(self._socket, ssl.SSLSocket)
        return self._socket

    def _shake(self, _events: int) -> None:
        try:
            self._secured.do_handshake()
        except ssl.SSLWantReadError:
            self._reactor.watch(self._secured.fileno(), READABLE, self._shake)
        except ssl.SSLWantWriteError:
            self._reactor.watch(self._secured.fileno(), WRITABLE, self._shake)
        except (OSError, ValueError):
            self._unshaken()
        else:
            self._ask()

    def _unshaken(self) -> None:
        self._fail("SSL handshake/communication error connecting to")

    def _readable(self, _events: int) -> None:
        """What TLS has decrypted already makes no descriptor readable: go on until there is no more."""
        if not self._begun:
            self._begun = True
            self._step(lambda: self._fail(self.slow_read))
        for _ in range(READS_A_TURN):
            if self._socket is None or not self._read():
                return
        if self._socket is not None:
            self._reactor.later(0.001, lambda: self._readable(0) if self._socket is not None else None)

    def _read(self) -> bool:
        """One piece; False when there is none now."""
        try:
            data = self._secured.recv(self.read_bytes)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError:  # a connection that ends without a word is an end all the same
            self._complete()
            return False
        if data:
            self._take(data)
            return True
        if self._answer.head is None:
            self._fail("SSL read error from")
        else:
            self._complete()
        return False

    def _finish(self, outcome: Outcome) -> None:
        if self._url.tls_compliant and isinstance(self._socket, ssl.SSLSocket):
            with contextlib.suppress(OSError, ValueError):
                self._socket.unwrap()
        super()._finish(outcome)
