"""A socket as a route asks for it: mark, interface and source address set, not yet connected."""

from __future__ import annotations

import errno
import socket

from evener.keepalived.lvs.probes import Route

UNREACHABLE = frozenset(
    {
        errno.ENETUNREACH,
        errno.EHOSTUNREACH,
        errno.ECONNREFUSED,
        errno.EHOSTDOWN,
        errno.ENETDOWN,
        errno.ECONNRESET,
        errno.ECONNABORTED,
        errno.ETIMEDOUT,
    }
)
"""What connect(2) says of the other side; anything else is a defect on this one, and no result."""


class NotMade(Exception):
    """There is no socket like that: ``bound`` is False when there was none at all. The text says why.

    ``packets`` is the text where checks of packets have another one.
    """

    def __init__(self, text: str, bound: bool, packets: str = "") -> None:
        super().__init__(text)
        self.bound = bound
        self.packets = packets or text


def address(packed: bytes, port: int) -> tuple[str, int]:
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed), port


def opened(route: Route, kind: int, protocol: int = 0) -> socket.socket:
    """A non-blocking socket of ``kind``; raises NotMade."""
    try:
        made = socket.socket(route.family, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, protocol)
    except OSError as error:
        raise NotMade(error.strerror or str(error), bound=False) from None
    try:
        if route.mark or route.interface or route.source:
            _equip(made, route)
    except NotMade:
        made.close()
        raise
    return made


def _equip(made: socket.socket, route: Route) -> None:
    try:
        if route.mark:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, route.mark)
    except OSError as error:
        text = f"Error setting fwmark {route.mark} to socket: {error.strerror}"
        raise NotMade(text, bound=True) from None
    try:
        if route.interface:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, route.interface.encode())
    except OSError as error:
        text = f"Checker can't bind to device {route.interface}: {error.strerror}"
        raise NotMade(text, bound=True) from None
    try:
        if route.source:
            made.bind(address(route.source, route.source_port))
    except OSError as error:
        text = f"bind failed. errno: {error.errno}, error: {error.strerror}"
        raise NotMade(f"Checker bind failed: {error.strerror}", bound=True, packets=text) from None
