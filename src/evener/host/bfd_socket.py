"""UDP sockets for BFD (RFC 5881, RFC 5883): one to listen on each port in use, one to send from per session.

The listening socket takes both families, so IPv4 addresses arrive mapped into IPv6 ones and are unwrapped
here; without IPv6 in the kernel it takes IPv4 only. The TTL comes with each packet.
"""

from __future__ import annotations

import errno
import random
import socket
import struct
from collections.abc import Iterator

from evener.keepalived.bfd.plan import SessionConfig
from evener.keepalived.bfd.sessions import Arrival
from evener.keepalived.vrrp.plan import Family
from evener.wire import bfd

BATCH = 64
BUFFER_BYTES, ANCILLARY_BYTES = 256, 256
IP_RECVTTL, IP_PKTINFO = 12, 8
TOS_INTERNETWORK_CONTROL = 0xC0
INT = struct.Struct("=i")
MAPPED = bytes(10) + b"\xff\xff"


def port_of(multihop: bool) -> int:
    return bfd.MULTI_HOP_PORT if multihop else bfd.SINGLE_HOP_PORT


class Listener:
    """See the module. Raises OSError when the port is taken."""

    def __init__(self, multihop: bool) -> None:
        self.multihop = multihop
        try:
            self._socket = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        except OSError:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self._prepare(port_of(multihop))
        except OSError:
            self._socket.close()
            raise

    def _prepare(self, port: int) -> None:
        sock = self._socket
        sock.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
        if sock.family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        sock.bind(("", port))

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def arrivals(self) -> Iterator[Arrival]:
        """What has arrived, at most one batch."""
        for _ in range(BATCH):
            try:
                data, ancillary, _, address = self._socket.recvmsg(BUFFER_BYTES, ANCILLARY_BYTES)
            except OSError:
                return
            source = unwrapped(socket.inet_pton(self._socket.family, address[0].partition("%")[0]))
            ttl = destination = None
            for level, kind, value in ancillary:
                if (level, kind) in TTL_KINDS:
                    ttl = int(INT.unpack(value[:4])[0])
                elif (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO):
                    destination = unwrapped(value[:16])
                elif (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO):
                    destination = value[8:12]
            yield Arrival(data, source, destination, ttl, self.multihop)


TTL_KINDS = {(socket.IPPROTO_IP, socket.IP_TTL), (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT)}


def unwrapped(packed: bytes) -> bytes:
    """An IPv4 address out of an IPv6 one that wraps it."""
    return packed[12:] if packed[:12] == MAPPED and len(packed) == 16 else packed


class Source:
    """The socket that one session's packets come from. Raises OSError when there can be none."""

    def __init__(self, config: SessionConfig) -> None:
        self._peer = config.neighbour_text, port_of(config.multihop)
        self._socket = socket.socket(config.family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self._prepare(config)
        except OSError:
            self._socket.close()
            raise

    def _prepare(self, config: SessionConfig) -> None:
        sock = self._socket
        if config.family is Family.INET:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, config.ttl)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, TOS_INTERNETWORK_CONTROL)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, config.ttl)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, TOS_INTERNETWORK_CONTROL)
        address = socket.inet_ntop(config.family, config.source) if config.source else ""
        bind_to_source_port(sock, address)

    def send(self, data: bytes) -> None:
        """Raises OSError."""
        self._socket.sendto(data, self._peer)

    def close(self) -> None:
        self._socket.close()


def bind_to_source_port(sock: socket.socket, address: str) -> None:
    """RFC 5881 section 4: any port of the dynamic range, the same for the session's life."""
    ports = bfd.SOURCE_PORTS
    start = random.randrange(len(ports))
    for offset in range(len(ports)):
        try:
            sock.bind((address, ports[(start + offset) % len(ports)]))
            return
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    raise OSError(errno.EADDRINUSE, "no source port is free")
