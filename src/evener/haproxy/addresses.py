"""Addresses as haproxy.cfg writes them: text in, ``Address`` values out, with the original's complaints.

Decides what ``[family@]host[:port]`` means and whether the place where it stands (a bind line, a server
line, a log line...) may have it. Does not know the keywords. Host names are resolved through the
resolver that is given, which is the C library's by default: the original resolves at parse time too,
and a name that does not resolve on a bind line is a fatal error there.

A port is what follows the last colon, so that ``::1:80`` is port 80 of ``::1``. An address may be a
path (anything with a leading ``/``, or after ``unix@``), an abstract socket, or an inherited
descriptor (``fd@3``).
"""

from __future__ import annotations

import functools
import ipaddress
import os
import re
import socket
import stat
from collections.abc import Callable
from enum import Enum, IntEnum

from evener.haproxy.line import word_bytes
from evener.text.record import dataclass
from evener.vocab.arguments import decimal

Resolve = Callable[[str, int], str | None]
"""(host, AF_INET | AF_INET6 | AF_UNSPEC) -> a printable IP address, or None."""

LONGEST_PATH = 97
"""Leaves room for the suffixes that the original appends to a socket path while it binds."""


class Transport(Enum):
    """What runs over the address: streams, datagrams, or a stream protocol that is not served yet."""

    STREAM = "stream"
    DATAGRAM = "dgram"
    QUIC = "quic"
    REVERSE = "rhttp"


class Allow(IntEnum):
    """What the place of an address permits beside ``host:port``: bits, combined to plain numbers."""

    NOTHING = 0
    NO_PORT = 1  #: the port may be missing
    RANGE = 2  #: ``:80-90``
    OFFSET = 4  #: ``:+5`` and ``:-5``
    DESCRIPTOR = 8  #: ``fd@``
    DATAGRAM = 16
    STREAM = 32
    LATER = 64  #: names are resolved later, by whoever needs the address
    PORT_ZERO = 128  #: ``:0`` means no port
    DATAGRAM_FIRST = 256  #: datagrams are meant where the text does not say
    EXPERIMENTAL = 512  #: ``rhttp@``


BIND = Allow.RANGE | Allow.DESCRIPTOR | Allow.STREAM
SERVER = Allow.NO_PORT | Allow.OFFSET | Allow.STREAM | Allow.DATAGRAM | Allow.LATER | Allow.PORT_ZERO
LOG = (
    Allow.NO_PORT | Allow.DESCRIPTOR | Allow.DATAGRAM | Allow.DATAGRAM_FIRST | Allow.STREAM | Allow.PORT_ZERO
)
SOURCE = Allow.NO_PORT | Allow.RANGE | Allow.STREAM | Allow.PORT_ZERO


class BadAddress(Exception):
    """The text is no address that may stand here; the message is the original's."""


@dataclass(frozen=True, slots=True)
class Address:
    """One address. ``family`` is an ``AF_*`` number; ``host`` a printable IP, a path, or a name.

    ``host`` of an abstract socket begins with a NUL. A name (``resolved`` false) only stands where
    names are resolved later. ``high`` is the end of a port range. ``offset`` marks a port that is added
    to the client's. ``fd`` is the inherited descriptor.
    """

    text: str
    family: int
    host: str = ""
    port: int = 0
    high: int = 0
    offset: bool = False
    fd: int | None = None
    transport: Transport = Transport.STREAM
    resolved: bool = True
    multipath: bool = False

    def __str__(self) -> str:
        return self.text


@functools.lru_cache(maxsize=4096)
def resolve_name(host: str, family: int) -> str | None:
    """The first address of ``host``, IPv4 preferred as the original does; None when there is none."""
    try:
        found = socket.getaddrinfo(host, None, family, socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return None
    found.sort(key=lambda entry: entry[0] != socket.AF_INET)
    return str(found[0][4][0]) if found else None


class Names:
    """How what is named in an address is found: hosts by ``resolve``, variables by ``variable``."""

    def __init__(self, variable: Callable[[str], str | None], resolve: Resolve = resolve_name) -> None:
        self.variable = variable
        self._resolve = resolve

    def __call__(self, host: str, family: int) -> str | None:
        return self._resolve(host, family)


_VARIABLE = re.compile(r"\$(?:\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))")


def expand(text: str, variable: Callable[[str], str | None]) -> str:
    """An address with its variables replaced, which happens outside of quotes too; unset ones are empty."""
    return _VARIABLE.sub(lambda found: variable(found[1] or found[2] or "") or "", text)


_DIGITS = re.compile(r"[0-9.]+")
#: By far the most addresses: four numbers and a port, of a stream.
_PLAIN = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,3}){3}):([0-9]{1,5})")
_LIKE_SERVER = Allow.STREAM | Allow.DATAGRAM_FIRST
_STREAM_UNIX = (socket.AF_UNIX, Transport.STREAM)
_PREFIXES: dict[str, tuple[socket.AddressFamily, Transport]] = {
    "ipv4@": (socket.AF_INET, Transport.STREAM),
    "ipv6@": (socket.AF_INET6, Transport.STREAM),
    "tcp@": (socket.AF_UNSPEC, Transport.STREAM),
    "tcp4@": (socket.AF_INET, Transport.STREAM),
    "tcp6@": (socket.AF_INET6, Transport.STREAM),
    "mptcp@": (socket.AF_UNSPEC, Transport.STREAM),
    "mptcp4@": (socket.AF_INET, Transport.STREAM),
    "mptcp6@": (socket.AF_INET6, Transport.STREAM),
    "udp@": (socket.AF_UNSPEC, Transport.DATAGRAM),
    "udp4@": (socket.AF_INET, Transport.DATAGRAM),
    "udp6@": (socket.AF_INET6, Transport.DATAGRAM),
    "quic@": (socket.AF_UNSPEC, Transport.QUIC),
    "quic4@": (socket.AF_INET, Transport.QUIC),
    "quic6@": (socket.AF_INET6, Transport.QUIC),
    "unix@": _STREAM_UNIX,
    "uxst@": _STREAM_UNIX,
    "uxdg@": (socket.AF_UNIX, Transport.DATAGRAM),
    "abns@": _STREAM_UNIX,
    "abnsz@": _STREAM_UNIX,
}
_EITHER = frozenset(("ipv4@", "ipv6@", "unix@", "abns@", "abnsz@"))
"""Prefixes that say nothing about streams or datagrams."""
_KINDS = {"stream+": Transport.STREAM, "dgram+": Transport.DATAGRAM}


def parse_address(text: str, allow: int, resolve: Resolve = resolve_name) -> Address:
    """One address; raises BadAddress with the original's words."""
    plain = _PLAIN.fullmatch(text)
    if plain and allow & _LIKE_SERVER == Allow.STREAM and 0 < (port := int(plain[2])) < 65536:
        known = literal_address(plain[1])
        if known is not None:
            return Address(
                text, int(known[0]), known[1], port, port, transport=Transport.STREAM, resolved=True
            )
    body, forced = text, None
    if "$" in text:
        body = expand(text, resolve.variable if isinstance(resolve, Names) else os.environ.get)
        if not body:
            raise BadAddress(f"'{text}' resolves to an empty address (environment variable missing?)")
    for kind, transport in _KINDS.items():
        if body.startswith(kind):
            body, forced = body[len(kind) :], transport
    if body.startswith(("fd@", "sockpair@")):
        return _descriptor(text, body, allow)
    if body.startswith("rhttp@") and allow & Allow.EXPERIMENTAL:
        return Address(text, int(socket.AF_UNSPEC), transport=Transport.REVERSE)
    if body.startswith("rhttp@"):
        raise BadAddress(
            f"Address '{text}' is experimental, must be allowed via a global 'expose-experimental-directives'"
        )
    at = body.find("@") + 1
    prefix = body[:at] if body[:at] in _PREFIXES else ""
    usual = (socket.AF_UNIX if body.startswith("/") else socket.AF_UNSPEC), _usual(allow)
    family, transport = _PREFIXES.get(prefix, usual)
    if prefix in _EITHER:
        transport = _usual(allow)
    transport = forced or transport
    if family == socket.AF_UNIX:
        made = _path(text, body[len(prefix) :], prefix, transport)
    else:
        made = _inet(text, body[len(prefix) :], family, transport, allow, resolve, prefix.startswith("mptcp"))
    _check_transport(made, allow)
    return made


def _usual(allow: int) -> Transport:
    """The transport meant where the text does not say: datagrams only where they come first (logs)."""
    return Transport.DATAGRAM if allow & Allow.DATAGRAM_FIRST else Transport.STREAM


def _check_transport(made: Address, allow: int) -> None:
    if made.transport is Transport.QUIC:
        raise BadAddress(
            f"unsupported stream protocol for datagram family {int(made.family)} address '{made.text}'; "
            "QUIC is not compiled in if this is what you were looking for."
        )
    if made.transport is Transport.DATAGRAM and not allow & Allow.DATAGRAM:
        raise BadAddress(f"dgram-type address not acceptable in '{made.text}'")
    if made.transport is Transport.STREAM and not allow & Allow.STREAM:
        raise BadAddress(f"stream-type address not acceptable in '{made.text}'")


def _descriptor(text: str, body: str, allow: int) -> Address:
    prefix, _, number = body.partition("@")
    if prefix == "fd" and not allow & Allow.DESCRIPTOR:
        raise BadAddress(f"a file descriptor is not acceptable here in '{text}'")
    fd = decimal(number)
    if fd is None:
        raise BadAddress(f"file descriptor '{number}' is not a valid integer in '{text}'")
    family = socket.AF_UNIX
    transport = Transport.STREAM
    try:
        mode = os.fstat(fd).st_mode
        if stat.S_ISSOCK(mode):
            with socket.socket(fileno=os.dup(fd)) as inherited:
                family = inherited.family
                if inherited.type == socket.SOCK_DGRAM:
                    transport = Transport.DATAGRAM
        elif not allow & Allow.DATAGRAM:
            raise BadAddress(f"cannot use file descriptor '{fd}' : Socket operation on non-socket.")
    except (OSError, OverflowError):
        raise BadAddress(f"cannot use file descriptor '{fd}' : Bad file descriptor.") from None
    return Address(text, int(family), fd=fd, transport=transport)


def _path(text: str, path: str, prefix: str, transport: Transport) -> Address:
    if len(word_bytes(path)) > LONGEST_PATH:
        raise BadAddress(f"socket path '{path}' too long (max {LONGEST_PATH})")
    abstract = "\0" if prefix in ("abns@", "abnsz@") else ""
    return Address(text, int(socket.AF_UNIX), host=abstract + path, transport=transport)


def _inet(
    text: str, body: str, family: int, transport: Transport, allow: int, resolve: Resolve, multipath: bool
) -> Address:
    if body.startswith("[") and body.endswith("]"):
        host, port = body, ""
    else:
        host, _, port = body.rpartition(":") if ":" in body else (body, "", "")
    low, high, offset = _port(text, port, allow)
    if not port and not allow & Allow.NO_PORT and host == body.rstrip(":"):
        raise BadAddress(f"missing port specification in '{text}'")
    family, host, resolved = _host(text, host, family, allow, resolve)
    return Address(
        text, int(family), host, low, high, offset, None, transport, resolved, multipath
    )  # fmt: skip


def _port(text: str, port: str, allow: int) -> tuple[int, int, bool]:
    """(port, end of the range, whether it is an offset)."""
    if not port:
        return 0, 0, False
    if port[0] in "+-":
        if not allow & Allow.OFFSET:
            raise BadAddress(f"port offset not permitted here in '{text}'")
        value = _number(text, port[1:])
        return (value if port[0] == "+" else -value), 0, True
    first, dash, last = port.partition("-")
    low = _number(text, first)
    _in_range(first, low, allow)
    if not dash:
        return low, low, False
    if not allow & Allow.RANGE:
        raise BadAddress(f"port range not permitted here in '{text}'")
    if not last:
        raise BadAddress("invalid port ''")
    high = _number(text, last)
    _in_range(last, high, allow)
    if high < low:
        raise BadAddress(f"invalid port range '{port}'")
    return low, high, False


def _in_range(word: str, value: int, allow: int) -> None:
    if value > 65535 or (value == 0 and not allow & Allow.PORT_ZERO):
        raise BadAddress(f"invalid port '{word}'")


def _number(text: str, port: str) -> int:
    value = decimal(port)
    if value is None:
        wrong = next((c for c in port if not "0" <= c <= "9"), "")
        raise BadAddress(f"invalid character '{wrong}' in port number '{port}' in '{text}'")
    return value


def _host(text: str, host: str, family: int, allow: int, resolve: Resolve) -> tuple[int, str, bool]:
    """(family, printable address or name, whether it is an address)."""
    if host in ("", "*"):
        family = family or socket.AF_INET
        return family, "::" if family == socket.AF_INET6 else "0.0.0.0", True
    literal = literal_address(host[1:-1] if host[0] == "[" and host[-1] == "]" else host)
    if literal is not None and family in (socket.AF_UNSPEC, literal[0]):
        return literal[0], literal[1], True
    if allow & Allow.LATER:
        return family, host, False
    named = all(c.isalnum() or c in "-._" for c in host) and literal is None
    found = resolve(host, family) if named else None
    if found is None:
        raise BadAddress(f"invalid address: '{host}' in '{text}'")
    return (socket.AF_INET6 if ":" in found else socket.AF_INET), found, True


def literal_address(host: str) -> tuple[int, str] | None:
    """The family and canonical text of a numeric address (also ``127.1``), or None."""
    if ":" in host:
        try:
            return socket.AF_INET6, str(ipaddress.IPv6Address(host))
        except ValueError:
            return None
    if not _DIGITS.fullmatch(host):
        return None
    try:
        return socket.AF_INET, socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None


def parse_addresses(text: str, allow: int = BIND, resolve: Resolve = resolve_name) -> list[Address]:
    """The addresses of a bind line, separated by commas."""
    made = []
    words = text.split(",")
    if len(words) > 1 and not words[-1]:
        words.pop()
    for word in words:
        if not word:
            raise BadAddress("'' resolves to an empty address (environment variable missing?)")
        made.append(parse_address(word, allow, resolve))
    return made
