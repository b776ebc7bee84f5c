"""Which received packets are adverts for an instance, and which are counted and dropped.

The checks are those of RFC 3768 7.1 and RFC 9568 7.1 with keepalived's extensions, cheapest first, so
that a flood of rubbish costs little: lengths, TTL, version, authentication and interval look at a few
bytes; the checksum follows; Scapy dissects only what is left, and an advert equal to the last accepted one is
recognised as a whole. Each kind of complaint is logged once until the master changes (``forgive``).

Not knowing: sockets. What arrives is a ``Received``, filled from an IPv4 header or from ancillary data.
"""

from __future__ import annotations

import hmac
import socket
from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple

from evener.keepalived.vrrp.messages import AdvertReceived, Log
from evener.keepalived.vrrp.plan import Auth, Family, GlobalOptions, Instance, Peer
from evener.keepalived.vrrp.sequence import Count, Replays
from evener.text.record import dataclass
from evener.wire import ah, vrrp, vrrp_hmac

AUTH_TYPES = (0, 1, 2)


class Received(NamedTuple):
    """A VRRP packet. ``ttl`` and ``destination`` are None when the kernel did not say.

    ``length`` is the PDU's length according to the IP header (None: not known apart from the PDU).
    ``guard`` is what came before it when that is the header of AH: it and the IPv4 header.
    """

    source: bytes
    destination: bytes | None
    ttl: int | None
    pdu: bytes
    length: int | None = None
    guard: bytes = b""


class Complaint(Enum):
    """What can be wrong; each is logged once until forgiven."""

    LENGTH = auto()
    TTL = auto()
    VERSION = auto()
    AUTH_TYPE = auto()
    AUTH_MISMATCH = auto()
    PASSWORD = auto()
    INTERVAL = auto()
    TYPE = auto()
    CHECKSUM = auto()
    CAST = auto()
    OWNER = auto()
    ADDRESS_COUNT = auto()
    ADDRESSES = auto()
    UNKNOWN_PEER = auto()
    PEER_TTL = auto()
    TRAILER = auto()
    CLOCK = auto()


@dataclass(slots=True)
class Stats:
    """The counters of one instance, named as keepalived's JSON and statistics file name them."""

    advert_rcvd: int = 0
    advert_sent: int = 0
    become_master: int = 0
    release_master: int = 0
    packet_len_err: int = 0
    advert_interval_err: int = 0
    ip_ttl_err: int = 0
    invalid_type_rcvd: int = 0
    addr_list_err: int = 0
    invalid_authtype: int = 0
    authtype_mismatch: int = 0
    auth_failure: int = 0
    pri_zero_rcvd: int = 0
    pri_zero_sent: int = 0
    version_err: int = 0
    checksum_err: int = 0
    unknown_source_err: int = 0
    owner_ignored: int = 0
    auth_ext_missing: int = 0
    auth_ext_malformed: int = 0
    auth_ext_unknown_key: int = 0
    auth_ext_invalid_hmac: int = 0
    auth_ext_stale: int = 0
    auth_ext_replay: int = 0


class Refused(Exception):
    """The packet is dropped; it has been counted and, if need be, complained about."""


class Admission:
    """The checks of one instance, its counters, and the complaints made so far."""

    __slots__ = (
        "_addresses",
        "_complained",
        "_config",
        "_group4",
        "_last",
        "_last_event",
        "_peers",
        "_replays",
        "_strict_unicast",
        "count",
        "logs",
        "stats",
        "wall_ns",
    )

    def __init__(self, config: Instance, options: GlobalOptions, stats: Stats | None = None) -> None:
        self._config = config
        self._addresses = frozenset(a.packed for a in config.advertised)
        self._group4 = options.mcast_group4
        self._peers = {peer.packed: peer for peer in config.peers}
        self._strict_unicast = config.unicast and (config.check_unicast_src or options.check_unicast_src)
        self._complained: set[Complaint] = set()
        self._last: Received | None = None
        self._last_event: AdvertReceived | None = None
        self._replays = Replays(config.hmac) if config.hmac else None
        self.count = Count()
        self.wall_ns: Callable[[], int] = lambda: 0
        """The wall clock; only auth_hmac asks for it."""
        self.stats = stats or Stats()
        self.logs: list[Log] = []

    def forgive(self) -> None:
        """The master changed: what is wrong with its adverts may be logged anew."""
        self._complained.clear()
        self._last = None

    @property
    def last_advert(self) -> AdvertReceived | None:
        """The last one that was let through."""
        return self._last_event

    def remember(self, before: Admission) -> None:
        """After a reload: what was heard must not be heard again."""
        if self._config.hmac == before._config.hmac:
            self._replays = before._replays
        self.count = before.count

    def admit(self, received: Received) -> AdvertReceived | None:
        """The event a packet amounts to, or None when it is dropped. ``logs`` has what there is to say."""
        # A signed advert is never the same as the one before.
        if received == self._last and self._replays is None and not received.guard:
            event = self._last_event
            assert event is not None
        else:
            try:
                event = self._judge(received)
            except Refused:
                return None
            self._last, self._last_event = received, event
        self.stats.advert_rcvd += 1
        self.stats.pri_zero_rcvd += event.priority == 0
        return event

    def _judge(self, received: Received) -> AdvertReceived:
        whole, trailer = received, b""
        if self._replays is not None:
            received, trailer = self._cut(received)
        head = self._check_shape(received)
        self._check_origin(received, head)
        if self._replays is not None:
            self._authenticate(received, trailer)
        if self._config.version == 2:
            self._check_v2(received, head)
        if head.type != vrrp.ADVERTISEMENT:
            self.stats.invalid_type_rcvd += 1
            self._refuse(
                Complaint.TYPE,
                f"Invalid packet type from {_name(received)}. {head.type} and expect {vrrp.ADVERTISEMENT}",
            )
        # The kernel of an IPv6 sender puts the trailer under the checksum as well.
        self._check_integrity(received if self._config.family is Family.INET else whole)
        self._check_destination(received, head)
        self._compare_content(received, head)
        return AdvertReceived(head.priority, head.interval_cs * 10_000, received.source)

    def _cut(self, received: Received) -> tuple[Received, bytes]:
        """The advert without its trailer, which its length gives away."""
        head = vrrp.header(received.pdu)
        if head is None:
            return received, b""
        length = vrrp.expected_length(head, 4 if self._config.family is Family.INET else 16)
        if len(received.pdu) != length + vrrp_hmac.TRAILER_BYTES:
            return received, b""
        total = None if received.length is None else received.length - vrrp_hmac.TRAILER_BYTES
        return received._replace(pdu=received.pdu[:length], length=total), received.pdu[length:]

    def _authenticate(self, received: Received, data: bytes) -> None:
        """auth_hmac: cheapest first, and nothing is remembered of an advert that is not genuine."""
        auth, replays, name = self._config.hmac, self._replays, _name(received)
        assert auth is not None and replays is not None
        if not data:
            if auth.insists:
                self._forged("missing", f"missing authentication trailer from {name}")
            return
        if self._config.unicast and received.source not in self._peers:
            self.stats.unknown_source_err += 1
            self._refuse(Complaint.UNKNOWN_PEER, f"unicast source address {name} not a unicast peer")
        trailer, now = vrrp_hmac.parse(data), self.wall_ns()
        if trailer.extension != vrrp_hmac.EXTENSION or trailer.reserved:
            self._forged("malformed", f"malformed authentication trailer from {name}")
        skew = replays.skew_s(now, trailer.sequence)
        if not replays.fresh(now, trailer.sequence):
            what = f"clock skew {skew} sec exceeds window {auth.window_s} sec"
            self._forged("stale", f"stale authentication trailer from {name}, {what}")
        key = auth.key(trailer.key_id)
        if key is None:
            self._forged("unknown_key", f"unknown authentication key id {trailer.key_id} from {name}")
        elif not vrrp_hmac.genuine(trailer, data, key, received.pdu, received.source):
            self._forged("invalid_hmac", f"invalid authentication HMAC from {name}")
        elif not replays.accept(now, received.source, trailer.sequence):
            self._forged("replay", f"replayed authentication trailer from {name}")
        if auth.timed and abs(skew) > auth.window_s // 2:
            what = f"authentication clock skew {skew} sec from {name}"
            self._complain(Complaint.CLOCK, f"{what} approaching window {auth.window_s} sec")

    def _forged(self, counter: str, message: str) -> None:
        counter = f"auth_ext_{counter}"
        setattr(self.stats, counter, getattr(self.stats, counter) + 1)
        self._refuse(Complaint.TRAILER, message)

    def _check_shape(self, received: Received) -> vrrp.Header:
        head = vrrp.header(received.pdu)
        got = len(received.pdu)
        expected = vrrp.HEADER_BYTES
        if head is not None:
            expected = vrrp.expected_length(head, 4 if self._config.family is Family.INET else 16)
        if head is None or got != expected or (received.length is not None and received.length != got):
            self.stats.packet_len_err += 1
            size = "long" if got > expected else "short"
            raise self._refused(
                Complaint.LENGTH,
                f"vrrp packet from {_name(received)} too {size}, length {got} and expect {expected}",
            )
        return head

    def _check_origin(self, received: Received, head: vrrp.Header) -> None:
        if not self._config.unicast and received.ttl is not None and received.ttl != vrrp.TTL:
            self.stats.ip_ttl_err += 1
            self._refuse(
                Complaint.TTL,
                f"invalid TTL/HL from {_name(received)}. Received {received.ttl} and expect {vrrp.TTL}",
            )
        if head.version != self._config.version:
            self.stats.version_err += 1
            self._refuse(
                Complaint.VERSION,
                f"wrong VRRP version from {_name(received)}."
                f" Received {head.version} and expect {self._config.version}",
            )

    def _check_v2(self, received: Received, head: vrrp.Header) -> None:
        ours = self._config.auth
        if head.auth_type not in AUTH_TYPES:
            self.stats.invalid_authtype += 1
            self._refuse(Complaint.AUTH_TYPE, f"Invalid auth type from {_name(received)}: {head.auth_type}")
        if head.auth_type != ours:
            self.stats.authtype_mismatch += 1
            self._refuse(
                Complaint.AUTH_MISMATCH,
                f"received a {head.auth_type} auth from {_name(received)}, expecting {int(ours)}!",
            )
        if ours is Auth.PASS:
            password = received.pdu[-vrrp.AUTH_BYTES :]
            if not hmac.compare_digest(password, self._config.password.ljust(vrrp.AUTH_BYTES, b"\0")):
                self.stats.auth_failure += 1
                self._refuse(Complaint.PASSWORD, f"received an invalid passwd from {_name(received)}!")
        if ours is Auth.AH:
            self._check_ah(received)
        if head.interval_cs != self._config.advert_cs:
            # RFC 3768 7.1: MUST be discarded.
            self.stats.advert_interval_err += 1
            self._refuse(
                Complaint.INTERVAL,
                f"advertisement interval mismatch with {_name(received)}"
                f" mine={self._config.advert_cs // 100} sec rcv'd={head.interval_cs // 100} sec",
            )

    def _check_ah(self, received: Received) -> None:
        config, size = self._config, len(received.guard) - ah.HEADER_BYTES
        head = ah.parse(received.guard[size:]) if size >= vrrp.IPV4_HEADER_BYTES else None
        problem = "no AH header"
        if head is not None:
            ours = ah.digest_of(config.password, received.guard + received.pdu, size, unicast=config.unicast)
            if head.next_header != vrrp.PROTOCOL or not hmac.compare_digest(ours, head.digest):
                problem = "invalid IPSEC HMAC-MD5 value. Due to fields mutation or bad password !"
            elif head.spi != received.source:
                problem = "invalid IPSEC SPI value"
            elif self.count.accept(head.sequence):
                return
            else:
                done = f"sequence number {head.sequence} already processed. Packet dropped."
                problem = f"{done} Local({self.count.last})"
        self.stats.auth_failure += 1
        self._refuse(Complaint.PASSWORD, f"IPSEC-AH : {problem}")

    def _check_integrity(self, received: Received) -> None:
        config = self._config
        destination = received.destination
        if destination is None:
            return
        good = vrrp.intact(received.pdu, received.source, destination, as_v2=config.v3_checksum_as_v2)
        if not good and config.old_checksum and config.unicast:
            good = vrrp.intact(received.pdu, received.source, self._group4)
        if not good:
            self.stats.checksum_err += 1
            self._refuse(Complaint.CHECKSUM, f"Invalid VRRPv{config.version} checksum from {_name(received)}")

    def _check_destination(self, received: Received, head: vrrp.Header) -> None:
        config = self._config
        if received.destination is not None and _is_multicast(received.destination) == config.unicast:
            self.stats.addr_list_err += 1
            want, got = ("un", "mult") if config.unicast else ("mult", "un")
            self._refuse(
                Complaint.CAST,
                f"Expected {want}icast packet but received {got}icast packet from {_name(received)}",
            )
        if (config.strict or config.owner_ignores_adverts) and config.owner:
            self.stats.owner_ignored += 1
            self._refuse(
                Complaint.OWNER, f"Dropping packet(s) from {_name(received)} since we are address owner"
            )
        peer = self._peers.get(received.source)
        if peer is None and self._strict_unicast:
            self.stats.unknown_source_err += 1
            name = socket.inet_ntop(config.family, received.source)
            self._refuse(Complaint.UNKNOWN_PEER, f"unicast source address {name} not a unicast peer")
        if peer is not None and not _ttl_fits(peer, received.ttl):
            self.stats.ip_ttl_err += 1
            self._refuse(Complaint.PEER_TTL, f"TTL/HL {received.ttl} from {_name(received)} out of range")

    def _compare_content(self, received: Received, head: vrrp.Header) -> None:
        """Differences that are worth a word but no reason to ignore the master."""
        config = self._config
        if config.version == 3 and head.interval_cs != config.advert_cs:
            self._complain(
                Complaint.INTERVAL,
                f"advertisement interval mismatch ours = {config.advert_cs} centi-sec"
                f" rcv'd={head.interval_cs} centi-sec",
            )
        if head.addresses != len(config.advertised):
            self.stats.addr_list_err += 1
            expected = f"expected {len(config.advertised)} VIPs"
            self._complain(Complaint.ADDRESS_COUNT, f"{expected} but received {head.addresses}")
            return
        if config.skip_check_adv_addr and self._last is not None and self._last.source == received.source:
            return
        missing = self._addresses.difference(vrrp.dissect(received.pdu, config.family).addresses)
        if missing:
            self.stats.addr_list_err += 1
            name = socket.inet_ntop(config.family, min(missing))
            self._complain(
                Complaint.ADDRESSES,
                f"ip address associated with VRID {config.vrid} not present in advert"
                f" from {_name(received)}: {name}",
            )

    def _refuse(self, complaint: Complaint, message: str) -> None:
        raise self._refused(complaint, message)

    def _refused(self, complaint: Complaint, message: str) -> Refused:
        self._complain(complaint, message)
        return Refused()

    def _complain(self, complaint: Complaint, message: str) -> None:
        if complaint not in self._complained:
            self._complained.add(complaint)
            self.logs.append(Log(f"({self._config.name}) {message}"))


def _is_multicast(packed: bytes) -> bool:
    return packed[0] & 0xF0 == 0xE0 if len(packed) == 4 else packed[0] == 0xFF


def _ttl_fits(peer: Peer, ttl: int | None) -> bool:
    if ttl is None:
        return True
    low = 0 if peer.min_ttl is None else peer.min_ttl
    return low <= ttl <= (255 if peer.max_ttl is None else peer.max_ttl)


def _name(received: Received) -> str:
    family = socket.AF_INET if len(received.source) == 4 else socket.AF_INET6
    return socket.inet_ntop(family, received.source)
