"""Listening sockets: opened as the original opens them, before privileges are dropped.

TCP sockets get SO_REUSEADDR and SO_REUSEPORT, so that a new process can bind while the old one still
listens (``-sf``). A unix socket is bound under a temporary name and renamed over the old one, which
makes the takeover atomic. An inherited descriptor (``fd@``) is used as it is. What fails is a
``BindFailure`` with the sentence to print; retrying and giving up is the caller's decision.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterable
from pathlib import Path

from evener.host import net_namespaces
from evener.text.record import dataclass
from evener.wire import tcp_md5

IP_TRANSPARENT = 19
IPV6_TRANSPARENT = 75
TCP_MAXSEG = 2
TCP_USER_TIMEOUT = 18
TCP_SAVE_SYN = 27
TCP_FASTOPEN = 23


class BindFailure(Exception):
    """The sentence after ``Binding [file:line] for frontend f: ``; ``errno`` of the failed call."""

    def __init__(self, text: str, errno: int) -> None:
        super().__init__(text)
        self.errno = errno


@dataclass(frozen=True, slots=True)
class Listen:
    """Where and how to listen. ``address`` is a printable IP, a path, or NUL plus an abstract name."""

    family: int
    address: str
    port: int = 0
    fd: int | None = None
    backlog: int = 0
    interface: str = ""
    namespace: str | None = None
    v4v6: bool = False
    v6only: bool = False
    transparent: bool = False
    defer_accept: bool = False
    fast_open: bool = False
    mss: int = 0
    md5: bytes | None = None  #: key of TCP's signatures
    user_timeout: int = 0
    save_syn: int = 0
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    share_port: bool = True  #: with other processes (SO_REUSEPORT)

    @property
    def backlog_or_default(self) -> int:
        return self.backlog or 4096


def open_listener(listen: Listen) -> socket.socket:
    """A listening, non-blocking socket. Raises BindFailure."""
    try:
        with net_namespaces.inside(listen.namespace):
            opened = _open(listen)
    except OSError as error:
        told = f"cannot enter namespace '{listen.namespace}' ({error.strerror})"
        raise BindFailure(told, error.errno or 0) from None
    if listen.md5 is not None:
        with contextlib.suppress(OSError):
            key = tcp_md5.key_of(
                opened.family, bytes(16 if opened.family == socket.AF_INET6 else 4), listen.md5, anyone=True
            )
            opened.setsockopt(socket.IPPROTO_TCP, tcp_md5.TCP_MD5SIG_EXT, key)
    return opened


def _open(listen: Listen) -> socket.socket:
    if listen.fd is not None:
        return _inherited(listen)
    if listen.family == socket.AF_UNIX:
        return _unix(listen)
    return _inet(listen)


def open_datagram(listen: Listen) -> socket.socket:
    """A bound, non-blocking datagram socket. Raises BindFailure."""
    if listen.fd is not None:
        opened = socket.socket(fileno=listen.fd)
    else:
        opened = socket.socket(listen.family, socket.SOCK_DGRAM)
        where = f"[{listen.address}:{listen.port}]"
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if listen.share_port:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            opened.bind((listen.address, listen.port))
        except OSError as error:
            opened.close()
            protocol = "udp6" if listen.family == socket.AF_INET6 else "udp4"
            text = f"protocol {protocol}: cannot bind socket ({error.strerror}) for {where}."
            raise BindFailure(text, error.errno or 0) from None
    opened.setblocking(False)
    return opened


def _inherited(listen: Listen) -> socket.socket:
    assert listen.fd is not None
    try:
        opened = socket.socket(fileno=listen.fd)
        opened.listen(listen.backlog_or_default)
    except OSError as error:
        raise BindFailure(
            f"cannot use inherited descriptor {listen.fd} ({error.strerror}).", error.errno or 0
        ) from None
    opened.setblocking(False)
    return opened


def _inet(listen: Listen) -> socket.socket:
    protocol = "tcpv6" if listen.family == socket.AF_INET6 else "tcpv4"
    where = f"[{listen.address}:{listen.port}]"
    opened = socket.socket(listen.family, socket.SOCK_STREAM)
    call = "bind"
    try:
        _options(opened, listen)
        opened.bind((listen.address, listen.port))
        call = "listen to"
        opened.listen(listen.backlog_or_default)
    except OSError as error:
        opened.close()
        text = f"protocol {protocol}: cannot {call} socket ({error.strerror}) for {where}."
        raise BindFailure(text, error.errno or 0) from None
    opened.setblocking(False)
    return opened


def _options(opened: socket.socket, listen: Listen) -> None:
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if listen.share_port:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if listen.interface:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, listen.interface.encode() + b"\0")
    if listen.family == socket.AF_INET6:
        # v4v6 is the system's default in the manual; only an explicit v6only keeps IPv4 out.
        if listen.v6only or listen.v4v6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(listen.v6only))
        if listen.transparent:
            opened.setsockopt(socket.IPPROTO_IPV6, IPV6_TRANSPARENT, 1)
    elif listen.transparent:
        opened.setsockopt(socket.IPPROTO_IP, IP_TRANSPARENT, 1)
    for option, value in (
        (TCP_MAXSEG, listen.mss),
        (TCP_USER_TIMEOUT, listen.user_timeout),
        (TCP_SAVE_SYN, listen.save_syn),
        (socket.TCP_DEFER_ACCEPT, int(listen.defer_accept)),
        (TCP_FASTOPEN, listen.backlog_or_default if listen.fast_open else 0),
    ):
        if value:
            # The original warns about an option the kernel refuses and goes on listening.
            with contextlib.suppress(OSError):
                opened.setsockopt(socket.IPPROTO_TCP, option, value)


def set_options(opened: socket.socket, options: Iterable[tuple[int, int, int]]) -> None:
    """(level, name, value) each; one that the kernel refuses is not set."""
    for level, name, value in options:
        with contextlib.suppress(OSError):
            opened.setsockopt(level, name, value)


def _unix(listen: Listen) -> socket.socket:
    abstract = listen.address.startswith("\0")
    path = listen.address if abstract else f"{listen.address}.{os.getpid()}.tmp"
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    call = "bind"
    try:
        if not abstract:
            Path(path).unlink(missing_ok=True)
        opened.bind(path)
        if not abstract:
            call = "change UNIX socket ownership"
            _own(path, listen)
        call = "listen to"
        opened.listen(listen.backlog_or_default)
        if not abstract:
            call = "rename"
            os.rename(path, listen.address)
    except OSError as error:
        opened.close()
        if not abstract:
            with contextlib.suppress(OSError):
                os.unlink(path)
        text = f"protocol unix_stream: cannot {call} UNIX socket ({error.strerror}) [{listen.address}]."
        raise BindFailure(text.replace("\0", "@"), error.errno or 0) from None
    opened.setblocking(False)
    return opened


def _own(path: str, listen: Listen) -> None:
    if listen.uid is not None or listen.gid is not None:
        os.chown(path, -1 if listen.uid is None else listen.uid, -1 if listen.gid is None else listen.gid)
    if listen.mode is not None:
        os.chmod(path, listen.mode)


def pause_listener(opened: socket.socket) -> bool:
    """Refuse connections without giving the address up: False where the kernel cannot (unix sockets)."""
    if opened.family == socket.AF_UNIX:
        return False
    try:
        opened.shutdown(socket.SHUT_RD)
    except OSError:
        return False
    return True


def resume_listener(opened: socket.socket, backlog: int) -> bool:
    try:
        opened.listen(backlog)
    except OSError:
        return False
    return True


def open_patiently(
    listen: Listen,
    retry: Callable[[int], bool],
    opening: Callable[[Listen], socket.socket] = open_listener,
) -> socket.socket:
    """Open; after each failure ``retry(errno)`` decides (and waits, and tells the old process to let go)."""
    while True:
        try:
            return opening(listen)
        except BindFailure as failure:
            if not retry(failure.errno):
                raise
