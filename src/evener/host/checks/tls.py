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
from evener.host.reactor import READABLE, Reactor
from evener.keepalived.lvs.check_plan import Outcome
from evener.keepalived.lvs.probes import Credentials, Url, WebProbe

RECEIVE_BYTES = 65536


class NoContext(Exception):
    """The files of the SSL block cannot be used; the text is the original's."""


def context_of(credentials: Credentials) -> ssl.SSLContext:
    """Raises NoContext."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # which Python has set
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


def told(error: Exception) -> tuple[str, ...]:
    """What TLS found wrong, for the log; the original's line has a place in OpenSSL's source, too."""
    reason = error.reason if isinstance(error, ssl.SSLError) else None
    if not reason:
        return ()
    text = reason.replace("_", " ").lower()
    if isinstance(error, ssl.SSLCertVerificationError):
        text = f"{text}: {error.verify_message}"
    return (f"SSL error '{text}' of server {{rs}}",)


class TlsAttempt(WebAttempt):
    """TLS is spoken through two buffers: the connection stays an ordinary one, and is read in bounded pieces.

    What is sent (a hello, a key, a request) fits the buffer of a new connection.
    """

    slow_read = "Timeout SSL read"

    def __init__(
        self, reactor: Reactor, context: ssl.SSLContext, probe: WebProbe, url: Url, done: Done
    ) -> None:
        super().__init__(reactor, probe, url, done)
        self._context = context
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None
        self.cut = False
        """The connection ended, and TLS had not."""

    def _connected(self) -> None:
        assert self._socket is not None
        try:
            self._tls = self._context.wrap_bio(self._in, self._out, server_hostname=self._url.sni or None)
        except (ValueError, TypeError):  # it is no name
            self._unshaken()
            return
        self._reactor.watch(self._socket.fileno(), READABLE, self._shake)
        self._shake(0)

    def _shake(self, events: int) -> None:
        """The time is what is left of that for connecting."""
        assert self._tls is not None
        if events and not self._receive():
            return
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._send()
        except (OSError, ValueError) as error:
            self._send()  # an alert says why
            self._unshaken(*told(error))
        else:
            self._ask()

    def _unshaken(self, *notes: str) -> None:
        self._fail("SSL handshake/communication error connecting to", *notes)

    def _put(self, data: bytes) -> None:
        assert self._tls is not None
        self._tls.write(data)
        self._send()

    def _send(self) -> None:
        assert self._socket is not None
        data = self._out.read()
        with contextlib.suppress(OSError):  # the reading side notices
            if data:
                self._socket.send(data)

    def _receive(self) -> bool:
        """Take what has come, or its end; False when nothing has."""
        assert self._socket is not None
        try:
            data = self._socket.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return False
        except OSError:  # a connection that ends without a word is an end all the same
            data = b""
        if data:
            self._in.write(data)
        else:
            self._in.write_eof()
        return True

    def _readable(self, _events: int) -> None:
        self._begin()
        if self._receive():
            while self._socket is not None and self._read():
                pass

    def _read(self) -> bool:
        """One piece of what has come; False when there is no more."""
        assert self._tls is not None
        try:
            data = self._tls.read(self.read_bytes)
        except ssl.SSLWantReadError:
            return False
        except OSError:
            self.cut = True
            self._complete()
            return False
        if data:
            self._take(data)
            return True
        self._over()
        return False

    def _over(self) -> None:
        """TLS has ended."""
        if self._answer.head is None:
            self._fail("SSL read error from")
        else:
            self._complete()

    def _finish(self, outcome: Outcome) -> None:
        if self._url.tls_compliant and self._tls is not None and self._socket is not None:
            with contextlib.suppress(OSError, ValueError):
                self._tls.unwrap()
            self._send()
        super()._finish(outcome)
