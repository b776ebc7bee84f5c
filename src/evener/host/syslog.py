"""Sending log messages: the envelope of each syslog format, and the sockets.

It knows levels, facilities and formats (manual, ``log`` keyword); it does not know what a message
says. A ``Sender`` serves one list of targets. Envelopes are kept for the second they are valid in, so
a request log costs one concatenation and one ``send`` per target. Nothing here blocks or raises: a
message that cannot be sent at once is dropped and counted, as the original does.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Sequence
from enum import IntEnum
from functools import partial

from evener.text.record import dataclass

LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
FACILITIES = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "auth2", "ftp",
    "ntp", "audit", "alert", "cron2",
    "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
)  # fmt: skip
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Level(IntEnum):
    EMERG = 0
    ALERT = 1
    CRIT = 2
    ERR = 3
    WARNING = 4
    NOTICE = 5
    INFO = 6
    DEBUG = 7


@dataclass(frozen=True, slots=True)
class Target:
    """One ``log`` line. ``fd`` (stdout, stderr, fd@) or a datagram address; an address of bytes or a
    path is a unix socket. ``length`` bounds the whole message, its final newline excluded.
    ``sample`` is (ranges, size): a message is sent when its 1-based rank modulo size is in a range."""

    address: tuple[str, int] | str | None = None
    fd: int | None = None
    family: int = socket.AF_INET
    format: str = ""  #: none: rfc3164 with a host name (``log-send-hostname``), else local
    facility: int = 16
    level: int = Level.DEBUG
    minimum: int = Level.EMERG
    length: int = 1024
    sample: tuple[tuple[tuple[int, int], ...], int] | None = None
    sink: Callable[[bytes, bytes], bool] | None = None  #: takes the messages instead of a socket
    options: tuple[tuple[int, int, int], ...] = ()  #: of the socket: level, name, value


Envelope = Callable[[int, float, bytes], bytes]
"""(priority, wall clock, structured data) -> what stands before the message."""
NO_DATA = b"-"


@dataclass(frozen=True, slots=True)
class Identity:
    """What envelopes say about the sender."""

    tag: str = "haproxy"
    pid: int = 0
    hostname: str | None = None  #: with ``log-send-hostname``


def bsd_date(now: float) -> str:
    """``Nov 22 09:20:23`` in local time."""
    t = time.localtime(now)
    return f"{MONTHS[t.tm_mon - 1]} {t.tm_mday:2d} {t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d}"


def iso_date(now: float) -> str:
    """``2026-11-22T11:34:06.304744+00:00`` in local time."""
    t = time.localtime(now)
    micros = int(now * 1_000_000) % 1_000_000
    sign, offset = ("-", -t.tm_gmtoff) if t.tm_gmtoff < 0 else ("+", t.tm_gmtoff)
    zone = f"{sign}{offset // 3600:02d}:{offset % 3600 // 60:02d}"
    return time.strftime("%Y-%m-%dT%H:%M:%S", t) + f".{micros:06d}{zone}"


def _bsd(identity: Identity, host: str | None) -> Envelope:
    host = f"{host} " if host else ""
    middle = f" {host}{identity.tag}[{identity.pid}]: ".encode()
    second = -1
    date = b""

    def envelope(priority: int, now: float, _data: bytes) -> bytes:
        nonlocal second, date
        if int(now) != second:
            second = int(now)
            date = bsd_date(now).encode()
        return b"<%d>%b%b" % (priority, date, middle)

    return envelope


def _rfc5424(identity: Identity) -> Envelope:
    host = identity.hostname or "-"

    def envelope(priority: int, now: float, data: bytes) -> bytes:
        head = f"<{priority}>1 {iso_date(now)} {host} {identity.tag} {identity.pid} - "
        return b"%b%b " % (head.encode(), data)

    return envelope


def envelope_of(form: str, identity: Identity) -> Envelope:
    """The envelope of one of the manual's formats; without a name, what ``log-send-hostname`` asks for."""
    table: dict[str, Envelope] = {
        "raw": lambda _priority, _now, _data: b"",
        "short": lambda priority, _now, _data: b"<%d>" % (priority & 7),
        "priority": lambda priority, _now, _data: b"<%d>" % priority,
        "timed": lambda priority, now, _data: f"<{priority & 7}>{iso_date(now)} ".encode(),
        "iso": lambda _priority, now, _data: f"{iso_date(now)} ".encode(),
    }
    if form == "rfc5424":
        return _rfc5424(identity)
    hosts = {"local": None, "rfc3164": identity.hostname or "localhost"}
    return table.get(form) or _bsd(identity, hosts.get(form, identity.hostname))


#: Formats whose envelopes are the same for a whole second.
STEADY = frozenset({"", "rfc3164", "local", "raw", "short", "priority"})

Direct = tuple[int, bytes, int, Callable[[bytes, bytes], object]]
"""A datagram socket, what stands before each message now, the most bytes of both with a final newline, and
who takes envelope and message when the socket does not."""

Sink = Callable[[bytes, bytes], bool]
"""(envelope, message): takes a whole message that is not sent through a socket of ours."""


class Outlet:
    """One target with its socket, opened at the first message and again after an error."""

    __slots__ = ("_own", "_rank", "_refused", "_socket", "envelope", "target")

    def __init__(self, target: Target, identity: Identity | None) -> None:
        self.target = target
        self.envelope = envelope_of(target.format, identity or Identity())
        self._socket: socket.socket | None = None
        self._rank = 0
        self._own: socket.socket | None = None
        self._refused = False

    def sampled(self) -> bool:
        if self.target.sample is None:
            return True
        ranges, size = self.target.sample
        self._rank = self._rank % size + 1
        return any(low <= self._rank <= high for low, high in ranges)

    def emit(self, head: bytes, message: bytes) -> bool:
        """Send a message with what stands before it; what is too long is cut."""
        target = self.target
        if target.sink is not None:
            return target.sink(head, message[: max(target.length - 1 - len(head), 0)])
        data = (head + message)[: target.length - 1] + b"\n"
        if target.fd is not None:
            return self._write(target.fd, data)
        # A connected UDP socket reports the ICMP error of an earlier message instead of sending
        # this one, and a restarted /dev/log must be connected again: hence a second try.
        return self._datagram(data) or self._datagram(data)

    @staticmethod
    def _write(fd: int, data: bytes) -> bool:
        try:
            return os.write(fd, data) == len(data)
        except OSError:
            return False

    def _datagram(self, data: bytes) -> bool:
        try:
            if self._socket is None:
                self._socket = self._connected()
            self._socket.send(data)
            return True
        except BlockingIOError:
            return False
        except OSError:
            if self._socket is not None and self.target.family == socket.AF_UNIX:
                self._socket.close()
                self._socket = None
            return False

    def _connected(self) -> socket.socket:
        opened = socket.socket(self.target.family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            for option in self.target.options:
                opened.setsockopt(*option)
            opened.connect(self.target.address or "/dev/log")
        except OSError:
            opened.close()
            raise
        return opened

    def direct(self) -> int | None:
        """The number of a connected socket that stays open for whoever sends by himself; None without one."""
        target = self.target
        if target.sink or target.sample or target.fd is not None or target.format not in STEADY:
            return None
        try:
            if self._own is None:
                self._own = self._connected()
            elif self._refused:  # a restarted receiver has a socket of the same name
                self._own.connect(target.address or "/dev/log")
        except OSError:
            return None
        self._refused = False
        return self._own.fileno()

    def again(self, head: bytes, message: bytes) -> bool:
        """What the direct socket did not take."""
        self._refused = True
        return self.emit(head, message)

    def close(self) -> None:
        for opened in (self._socket, self._own):
            if opened is not None:
                opened.close()
        self._socket = self._own = None


class Sender:
    """Sends messages to every target whose level admits them."""

    def __init__(
        self, targets: Sequence[Target], identity: Identity, drop: Callable[[], object] = lambda: None
    ) -> None:
        self._outlets = [Outlet(target, identity) for target in targets]
        self._drop = drop  #: called for each message that is lost
        self.dropped = 0

    def __bool__(self) -> bool:
        return bool(self._outlets)

    def send(self, level: int, message: bytes, structured: bytes = NO_DATA) -> None:
        """Send ``message`` (without newline) at ``level`` 0..7: cut where too long, not at all when empty."""
        if not message:
            return
        now = time.time()
        for outlet in self._outlets:
            target = outlet.target
            if level > target.level or not outlet.sampled():
                continue
            # The minimum level raises what is more urgent down to itself (manual, ``log``).
            priority = target.facility * 8 + max(level, target.minimum)
            if not outlet.emit(outlet.envelope(priority, now, structured), message):
                self._lose()

    def direct(self, level: int) -> list[Direct] | None:
        """Where messages of a level go within this second; None when only ``send`` can tell."""
        now = time.time()
        found: list[Direct] = []
        for outlet in self._outlets:
            target = outlet.target
            if level > target.level:
                continue
            number = outlet.direct()
            if number is None:
                return None
            head = outlet.envelope(target.facility * 8 + max(level, target.minimum), now, NO_DATA)
            found.append((number, head, target.length, partial(self._again, outlet)))
        return found

    def _again(self, outlet: Outlet, head: bytes, message: bytes) -> None:
        if not outlet.again(head, message):
            self._lose()

    def _lose(self) -> None:
        self.dropped += 1
        self._drop()

    def close(self) -> None:
        for outlet in self._outlets:
            outlet.close()
