"""The checkers of a real_server that are not HTTP: MISC, SMTP, TCP, PING, UDP, DNS, FILE and BFD."""

from __future__ import annotations

from evener.keepalived.arguments import (
    INT_MAX,
    SECOND,
    UINT_MAX,
    Flag,
    Hexadecimal,
    Number,
    OneOf,
    OptionalBool,
    OptionalString,
    String,
)
from evener.keepalived.checkers.common import Checker, Connection
from evener.keepalived.declare import Block, Nested, block, collected, planned
from evener.keepalived.scripts import Script, ScriptCommand, User, UserArgument
from evener.keepalived.tracks import WeightArgument
from evener.text.record import dataclass
from evener.vocab.registry import Status

DNS_TYPES = ("A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA", "RRSIG", "DNSKEY")


@block("MISC_CHECK")
@dataclass(frozen=True, slots=True)
class MiscCheck(Checker):
    """Run a program."""

    misc_path: ScriptCommand | None = planned(Script(with_user=False), "The program.")
    misc_timeout: int | None = planned(Number(0, UINT_MAX // SECOND), "Seconds it may take.")
    misc_dynamic: bool = planned(Flag(), "Its exit code sets the weight.", default=False)
    user: User | None = planned(UserArgument(), "Who runs it.")


@block("SMTP_CHECK/host")
@dataclass(frozen=True, slots=True)
class SmtpHost(Connection):
    """One of several addresses to check."""


@block("SMTP_CHECK")
@dataclass(frozen=True, slots=True)
class SmtpCheck(Connection):
    """Say HELO to a mail server."""

    helo_name: str | None = planned(String(), "The name to say.")
    host: tuple[SmtpHost, ...] = collected(Nested(SmtpHost), "An address to check.", status=Status.PLANNED)


@block("TCP_CHECK")
@dataclass(frozen=True, slots=True)
class TcpCheck(Connection):
    """Connect."""


@block("PING_CHECK")
@dataclass(frozen=True, slots=True)
class PingCheck(Connection):
    """Send an ICMP echo request."""


@block("UDP_CHECK")
@dataclass(frozen=True, slots=True)
class UdpCheck(Connection):
    """Send a packet."""

    payload: bytes | None = planned(Hexadecimal(), "What the packet holds.")
    require_reply: str | None = planned(
        OptionalString("[<HEX_STR>]"), "What has to come back; x is any digit."
    )
    min_reply_length: int | None = planned(Number(0, 65535), "How much has to come back.")
    max_reply_length: int | None = planned(Number(0, 65535), "How much may come back.")


@block("DNS_CHECK")
@dataclass(frozen=True, slots=True)
class DnsCheck(Connection):
    """Ask a name server."""

    type: str | None = planned(
        OneOf(*DNS_TYPES), "Type of record.", complaint="Unknown DNS check type {word} - ignoring"
    )
    dns_name: str | None = planned(String("<DOMAIN>"), "Name to ask for.", name="name")


@block("FILE_CHECK")
@dataclass(frozen=True, slots=True)
class FileCheck(Block):
    """The number in a track_file is the weight."""

    track_file: str | None = planned(String(), "Name of the track_file.")
    weight: tuple[int, bool] | None = planned(WeightArgument(INT_MAX), "What it is multiplied by.")


@block("BFD_CHECK")
@dataclass(frozen=True, slots=True)
class BfdCheck(Block):
    """The server is up while a BFD session is."""

    bfd_name: str | None = planned(
        String(), "Name of the bfd_instance.", name="name", ok=("name x",), bad=("name", "name nowhere")
    )
    alpha: bool | None = planned(OptionalBool(), "The server is down until the session is up.")
