"""A connection to a message bus: from connecting to messages, and to the end. It waits for nothing.

Everything is bounded: a message that is too large is passed over as it comes, one that cannot be read ends
the connection, and so does a bus that does not take what it is sent.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from evener.host.reactor import READABLE, WRITABLE, Reactor, Timer
from evener.wire.dbus import (
    BEGIN,
    BUS_NAME,
    BUS_PATH,
    HEAD_BYTES,
    OK,
    Kind,
    Malformed,
    Message,
    auth_line,
    body,
    decode,
    encode,
    size_of,
    unix_addresses,
)

SYSTEM_BUS = "unix:path=/var/run/dbus/system_bus_socket"
READ_BYTES = 1 << 16
LARGEST_MESSAGE = 1 << 16
MOST_WAITING = 1 << 23
"""Bytes that the bus has not taken yet."""
LONGEST_LINE = 1024
PATIENCE_S = 10.0
"""Until the bus has to have answered who we are."""


def system_bus() -> str:
    """Where the system's bus is, for whoever starts the daemon."""
    return os.environ.get("DBUS_SYSTEM_BUS_ADDRESS") or SYSTEM_BUS


class Connection:
    """``joined`` is called when messages can be sent, ``heard`` with each one that comes, ``lost`` when it is
    over (then this one is of no use any more). Raises OSError when there is nothing to connect to."""

    def __init__(
        self,
        reactor: Reactor,
        address: str,
        joined: Callable[[], None],
        heard: Callable[[Message], None],
        lost: Callable[[str], None],
    ) -> None:
        self._reactor, self._joined, self._heard, self._lost = reactor, joined, heard, lost
        self._socket = _connect(address)
        self._received = bytearray()
        self._waiting = bytearray(auth_line(os.geteuid()))
        self._passing_over = 0
        self._authenticated = False
        self._hello = 0
        self._serial = 0
        self._open = True
        self._patience: Timer = reactor.later(PATIENCE_S, self._too_slow)
        self._watch()

    def close(self) -> None:
        if self._open:
            self._open = False
            self._patience.cancel()
            self._reactor.unwatch(self._socket.fileno())
            self._socket.close()

    def call_bus(self, member: str, signature: str = "", *values: object) -> int:
        """A call of the bus itself; returns what its reply will be ``reply_to``."""
        call = Message(
            Kind.CALL,
            0,
            path=BUS_PATH,
            interface=BUS_NAME,
            member=member,
            destination=BUS_NAME,
            signature=signature,
            body=body(signature, *values),
        )
        return self.send(call)

    def send(self, message: Message) -> int:
        """Give ``message`` a serial number, which is returned, and send it, soon."""
        self._serial = self._serial % 0xFFFFFFFF + 1
        if self._open:
            self._waiting += encode(message._replace(serial=self._serial))
            self._write()
        return self._serial

    def finish(self, patience_s: float = 0.5) -> None:
        """Have everything sent, and close."""
        if self._open and self._waiting:
            self._socket.settimeout(patience_s)
            try:
                self._socket.sendall(self._waiting)
            except OSError:
                pass  # nobody will hear it
        self.close()

    # -- the socket ----------------------------------------------------------------------------

    def _watch(self) -> None:
        if self._open:
            events = READABLE | (WRITABLE if self._waiting else 0)
            self._reactor.watch(self._socket.fileno(), events, self._ready)

    def _ready(self, events: int) -> None:
        if events & WRITABLE and self._waiting:
            self._write()
        if events & READABLE and self._open:
            self._read()

    def _write(self) -> None:
        try:
            sent = self._socket.send(self._waiting)
            del self._waiting[:sent]
        except BlockingIOError:
            pass
        except OSError as error:
            self._end(error.strerror or "cannot write")
            return
        if len(self._waiting) > MOST_WAITING:
            self._end("the bus takes nothing")
        self._watch()

    def _read(self) -> None:
        try:
            data = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(error.strerror or "cannot read")
            return
        if not data:
            self._end("the bus closed the connection")
            return
        self._received += data
        try:
            self._understand()
        except Malformed as mistake:
            self._end(f"not understood: {mistake}")

    def _end(self, why: str) -> None:
        if self._open:
            self.close()
            self._lost(why)

    def _too_slow(self) -> None:
        self._end("the bus does not answer")

    # -- what comes ----------------------------------------------------------------------------

    def _understand(self) -> None:
        if not self._authenticated and not self._authenticate():
            return
        while self._open and self._pass_over() and len(self._received) >= HEAD_BYTES:
            size = size_of(bytes(self._received[:HEAD_BYTES]))
            if size > LARGEST_MESSAGE:
                self._passing_over = size
                continue
            if len(self._received) < size:
                return
            message = decode(bytes(self._received[:size]))
            del self._received[:size]
            self._receive(message)

    def _pass_over(self) -> bool:
        """Throw away what is left of a message that is too large; True when nothing of it is."""
        gone = min(self._passing_over, len(self._received))
        del self._received[:gone]
        self._passing_over -= gone
        return not self._passing_over

    def _authenticate(self) -> bool:
        line, end, rest = self._received.partition(b"\r\n")
        if not end:
            if len(line) > LONGEST_LINE:
                raise Malformed("no answer to who we are")
            return False
        if not line.startswith(OK):
            raise Malformed("we are not let in")
        self._received = rest
        self._authenticated = True
        self._waiting += BEGIN
        self._hello = self.call_bus("Hello")
        return True

    def _receive(self, message: Message) -> None:
        if self._hello and message.reply_to == self._hello:
            self._hello = 0
            if message.kind is not Kind.RETURN:
                raise Malformed("we are not let in")
            self._patience.cancel()
            self._joined()
        else:
            self._heard(message)


def _connect(address: str) -> socket.socket:
    places = unix_addresses(address)
    refused = OSError(0, f"no unix socket in '{address}'")
    for place in places:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        try:
            made.connect(place)
        except OSError as error:
            made.close()
            refused = error
            continue
        return made
    raise refused
