"""Raw sockets for adverts: what keepalived's peers expect of them on the wire.

IPv4: our own header (type of service 0xc0, TTL 255, id counting from 1, the same id for every unicast
copy). IPv6: the kernel's header, hop limit 255 for multicast and 64 (or unicast_ttl) for unicast, source
given with each packet. One ``AdvertSocket`` serves all instances of one interface, family and group.

It decides nothing: packets come out as ``Received`` with the VRID beside them, in batches that are bounded
so that timers are not starved. When foreign packets come in floods, ``shield`` has the kernel drop them.
"""

from __future__ import annotations

import ctypes
import socket
import struct
import time
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from evener.host.vrrp_filter import advert_filter
from evener.keepalived.vrrp.admission import Received
from evener.keepalived.vrrp.messages import SendAdvert
from evener.keepalived.vrrp.plan import Auth, Family, GlobalOptions, Instance
from evener.keepalived.vrrp.plan_machine import RxPolicy
from evener.keepalived.vrrp.sequence import Count, Sequence
from evener.text.record import dataclass
from evener.wire import ah, vrrp, vrrp_hmac
from evener.wire.checksum import checksum

BATCH = 64
BUFFER_BYTES = 2048
ANCILLARY_BYTES = 256
# Not in Python's socket module.
IP_MULTICAST_ALL, IPV6_MULTICAST_ALL, IP_MTU_DISCOVER_NEVER = 49, 29, 0
IP_MTU_DISCOVER = 10
SO_ATTACH_FILTER, SO_DETACH_FILTER, SO_BINDTODEVICE = 26, 27, 25
TC_PRIO_CONTROL = 7

PKTINFO6 = struct.Struct("=16si")
INT = struct.Struct("=i")


class Place(NamedTuple):
    """What instances must have in common to share a socket."""

    interface: str | None
    family: Family
    group: bytes | None
    ah: bool = False


def place_of(config: Instance, options: GlobalOptions) -> Place:
    default = options.mcast_group4 if config.family is Family.INET else options.mcast_group6
    group = None if config.unicast else config.mcast_group or default
    return Place(config.wire, config.family, group, config.auth is Auth.AH)


class Arrival(NamedTuple):
    """A packet long enough to have a VRID."""

    vrid: int
    received: Received


class AdvertSocket:
    """See the module. ``index`` is the interface's (0 without one)."""

    def __init__(self, place: Place, index: int, options: GlobalOptions) -> None:
        self.place = place
        self.index = index
        self._socket = socket.socket(
            place.family,
            socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK,
            ah.PROTOCOL if place.ah else vrrp.PROTOCOL,
        )
        try:
            self._prepare(options)
        except OSError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def _prepare(self, options: GlobalOptions) -> None:
        sock = self._socket
        if self.place.interface is not None:
            sock.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, self.place.interface.encode() + b"\0")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, TC_PRIO_CONTROL)
        if self.place.family is Family.INET:
            self._prepare4()
        else:
            self._prepare6()

    def set_buffer(self, size: int) -> None:
        """The receive buffer; 0 leaves it to the kernel."""
        if size:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)

    def _prepare4(self) -> None:
        sock, group = self._socket, self.place.group
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
        # With IP_HDRINCL the header is ours, DF included; this only keeps the kernel from setting it.
        sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_MTU_DISCOVER_NEVER)
        if group is None:
            return
        where = struct.pack("=4s4si", group, bytes(4), self.index)
        sock.setsockopt(socket.IPPROTO_IP, IP_MULTICAST_ALL, 0)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, where)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, where)

    def _prepare6(self) -> None:
        sock, group = self._socket, self.place.group
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, vrrp.TOS_INTERNETWORK_CONTROL)
        if group is None:
            return
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, vrrp.TTL)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, self.index)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, struct.pack("=16si", group, self.index))

    def arrivals(self) -> Iterator[Arrival]:
        """What has arrived, at most one batch; rubbish too short to have a VRID comes with VRID 0."""
        receive = self._receive4 if self.place.family is Family.INET else self._receive6
        for _ in range(BATCH):
            try:
                received = receive()
            except OSError:
                return  # nothing left (or an ICMP error, which is not our business)
            if received is not None:
                yield Arrival(received.pdu[1] if len(received.pdu) > 1 else 0, received)

    def _receive4(self) -> Received | None:
        packet = self._socket.recv(BUFFER_BYTES)
        datagram = vrrp.split_ipv4(packet)
        if datagram is None:
            return None
        source, destination, ttl, _, length, payload = datagram
        if self.place.ah:
            guard = packet[: (packet[0] & 15) * 4 + ah.HEADER_BYTES]
            length -= ah.HEADER_BYTES
            return Received(source, destination, ttl, payload[ah.HEADER_BYTES :], length, guard)
        return Received(source, destination, ttl, payload, length)

    def _receive6(self) -> Received:
        pdu, ancillary, _, address = self._socket.recvmsg(BUFFER_BYTES, ANCILLARY_BYTES)
        hops = destination = None
        for level, kind, data in ancillary:
            if level == socket.IPPROTO_IPV6 and kind == socket.IPV6_HOPLIMIT:
                hops = int(INT.unpack(data[:4])[0])
            elif level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO:
                destination = data[:16]
        source = socket.inet_pton(socket.AF_INET6, address[0].partition("%")[0])
        return Received(source, destination, hops, pdu)

    def shield(self, users: Iterable[Instance], options: GlobalOptions) -> None:
        """Have the kernel drop what is not for these, but for samples."""
        program = advert_filter(users, options)
        code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
        buffer = ctypes.create_string_buffer(code)
        descriptor = struct.pack("@HP", len(program), ctypes.addressof(buffer))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, descriptor)

    def unshield(self) -> None:
        self._socket.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)

    def send(self, packet: bytes | bytearray, source: bytes, destination: bytes) -> None:
        """Send an IPv4 packet, or an IPv6 payload from ``source``; raises OSError."""
        text = text_of(destination)
        if self.place.family is Family.INET:
            self._socket.sendto(packet, (text, 0))
            return
        info = PKTINFO6.pack(source, self.index)
        scope = self.index if destination[:1] == b"\xff" or destination[:2] == b"\xfe\x80" else 0
        ancillary = [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, info)]
        self._socket.sendmsg([packet], ancillary, 0, (text, 0, 0, scope))

    def set_unicast_hops(self, hops: int) -> None:
        if self.place.family is Family.INET6:
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, hops)


@lru_cache(maxsize=1024)
def text_of(packed: bytes) -> str:
    """An address as sendto wants it."""
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)


def buffer_size(users: Iterable[Instance], policy: RxPolicy, mtu: int) -> int:
    """What instances on one socket ask for together: a size of their own, or what the policy makes of it."""
    return sum(config.rx_buffer or _policy_size(config, policy, mtu) for config in users)


def _policy_size(config: Instance, policy: RxPolicy, mtu: int) -> int:
    if policy.size is not None:
        return policy.size
    if not policy.unit:
        return 0
    return policy.multiplier * (mtu if policy.unit == "MTU" else advert_bytes(config))


def advert_bytes(config: Instance) -> int:
    """The length of an advert, the IP header included."""
    size = 4 if config.family is Family.INET else 16
    length = (
        vrrp.HEADER_BYTES + size * len(config.advertised) + (vrrp.AUTH_BYTES if config.version == 2 else 0)
    )
    length += ah.HEADER_BYTES if config.auth is Auth.AH else 0
    length += vrrp_hmac.TRAILER_BYTES if config.hmac is not None else 0
    return length + (vrrp.IPV4_HEADER_BYTES if config.family is Family.INET else 40)


@dataclass(slots=True)
class Copy:
    """An advert to one destination, built once."""

    destination: bytes
    packet: bytearray


class AdvertSender:
    """The adverts of one instance, built once per priority and source and sent many times."""

    def __init__(self, config: Instance, options: GlobalOptions) -> None:
        self.config = config
        self._group = place_of(config, options).group
        self._options = options
        self._addresses = tuple(a.packed for a in config.advertised)
        self._built: dict[tuple[int, bytes], list[Copy]] = {}
        self._id = 0
        auth = config.hmac
        self._signing = auth if auth is not None and auth.signs and auth.key(auth.active) else None
        self._sequence = Sequence(self._signing) if self._signing else None

    def send(
        self, command: SendAdvert, via: AdvertSocket, source: bytes, count: Count | None = None
    ) -> list[OSError]:
        """Carry out the command; returns what went wrong, copy by copy. ``count`` is AH's."""
        self._id = self._id % 0xFFFF + 1
        errors: list[OSError] = []
        copies = self.copies(command.priority, source)
        if self._sequence is not None:
            self._sign(copies, source, self._sequence.next(time.time_ns()))
        number = count.next() if count is not None and self.config.auth is Auth.AH else 0
        for copy in copies:
            if self.config.family is Family.INET:
                vrrp.stamp(copy.packet, self._id)
            if number:
                ah.sign(copy.packet, self.config.password, number, unicast=self.config.unicast)
            try:
                via.send(copy.packet, source, copy.destination)
            except OSError as error:
                errors.append(error)
        return errors

    def _sign(self, copies: list[Copy], source: bytes, sequence: int) -> None:
        """Put a new trailer into each copy, in the place that was kept for it."""
        auth = self._signing
        assert auth is not None
        key = auth.key(auth.active) or b""
        start = vrrp.IPV4_HEADER_BYTES if self.config.family is Family.INET else 0
        for copy in copies:
            end = len(copy.packet) - vrrp_hmac.TRAILER_BYTES
            pdu = bytes(copy.packet[start:end])
            copy.packet[end:] = vrrp_hmac.build(auth.active, key, sequence, pdu, source)
            if self.config.family is Family.INET6:
                # What the kernel of the original does: the checksum is of all that is sent.
                copy.packet[6:8] = b"\0\0"
                whole = bytes(copy.packet)
                head = vrrp.pseudo_header(source, copy.destination, len(whole))
                copy.packet[6:8] = checksum(head + whole).to_bytes(2, "big")

    def copies(self, priority: int, source: bytes) -> list[Copy]:
        key = (priority, source)
        if key not in self._built:
            self._built[key] = [self._build(priority, source, to) for to in self._destinations()]
        return self._built[key]

    def _destinations(self) -> list[bytes]:
        return [peer.packed for peer in self.config.peers] if self._group is None else [self._group]

    def _build(self, priority: int, source: bytes, destination: bytes) -> Copy:
        config = self.config
        advert = vrrp.Advert(
            config.version,
            config.vrid,
            priority,
            config.advert_cs,
            self._addresses,
            int(config.auth),
            b"" if config.auth is Auth.AH else config.password,
        )
        covered = destination
        if config.old_checksum and config.unicast and config.family is Family.INET:
            covered = self._options.mcast_group4
        pdu = vrrp.encode(advert, source, covered, as_v2=config.v3_checksum_as_v2)
        if self._signing is not None:
            pdu += bytes(vrrp_hmac.TRAILER_BYTES)
        if config.family is Family.INET6:
            return Copy(destination, bytearray(pdu))
        ttl = vrrp.TTL if config.unicast_ttl is None else config.unicast_ttl
        packet = vrrp.ipv4_packet(pdu, source, destination, ttl)
        return Copy(destination, ah.wrap(packet) if config.auth is Auth.AH else packet)
