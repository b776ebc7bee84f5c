"""virtual_server, real_server and virtual_server_group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from evener.keepalived.arguments import (
    Address,
    AddressAndPort,
    Flag,
    Number,
    OneOf,
    OnlyName,
    OptionalBool,
    OptionalNumber,
    String,
    Timer,
    Value,
)
from evener.keepalived.blocks.common import first_only, overwriting
from evener.keepalived.blocks.group_lines import ServerGroupLine
from evener.keepalived.blocks.lvs_words import Granularity, Method
from evener.keepalived.blocks.server_names import ServerName
from evener.keepalived.checkers.http import HttpGet, SslGet
from evener.keepalived.checkers.probes import (
    BfdCheck,
    DnsCheck,
    FileCheck,
    MiscCheck,
    PingCheck,
    SmtpCheck,
    TcpCheck,
    UdpCheck,
)
from evener.keepalived.declare import Block, Nested, Values, block, collected, word
from evener.keepalived.numbers import INT_MAX, UINT_MAX
from evener.keepalived.scripts import Script, ScriptCommand
from evener.text.record import dataclass
from evener.vocab.arguments import Cursor

SCHEDULERS = ("rr", "wrr", "lc", "wlc", "lblc", "sh", "mh", "dh", "fo", "ovf", "lblcr", "sed", "nq", "twos")
BAD_SCHEDULER = "Invalid lvs_scheduler '{word}' - ignoring"
ENGINE_NAME = 15
RETRY = Number(1, UINT_MAX)


class Protocol(Value):
    """TCP, UDP or SCTP in any case."""

    usage = "TCP|UDP|SCTP"
    good = ("TCP", "udp")
    bad = ("", "ICMP")

    def read(self, cursor: Cursor) -> str:
        word = cursor.take()
        if word.upper() not in ("TCP", "UDP", "SCTP"):
            raise cursor.bad("unknown-protocol", "")
        return word.upper()


def weight_range(text: str) -> Any:
    return word(Number(0, INT_MAX), text, complaint="Real server weight {word} is outside range 0-2147483647")


@block("real_server")
@dataclass(frozen=True, slots=True)
class RealServer(Block):
    """A server behind a virtual server. ``name`` is (address, port)."""

    weight: int | None = weight_range("Its share of the connections.")
    lvs_method: tuple[str, ...] | None = word(Method("real"), "How packets reach it.")
    uthreshold: int | None = word(
        Number(0, UINT_MAX),
        "Connections at most.",
        complaint="Invalid real_server uthreshold '{word}' - ignoring",
    )
    lthreshold: int | None = word(
        Number(0, UINT_MAX),
        "Connections below which it gets new ones again.",
        complaint="Invalid real_server lthreshold '{word}' - ignoring",
    )
    inhibit_on_failure: bool | None = word(
        OptionalBool(),
        "Weight 0 instead of removal when it is down.",
        complaint="Invalid inhibit_on_failure parameter {word}",
    )
    notify_up: ScriptCommand | None = word(
        Script(),
        "Run when it comes up.",
        check=first_only("notify_up", "((null)) notify_up script already specified - ignoring {word}"),
    )
    notify_down: ScriptCommand | None = word(
        Script(),
        "Run when it goes down.",
        check=first_only("notify_down", "((null)) notify_down script already specified - ignoring {word}"),
    )
    alpha: bool | None = word(
        OptionalBool(), "Down until checks have succeeded.", complaint="Invalid alpha parameter {word}"
    )
    retry: int | None = word(
        RETRY, "Checks in a row that have to fail.", complaint="retry value invalid - {word}"
    )
    delay_before_retry: int | None = word(
        Timer(),
        "Seconds until a failed check is repeated.",
        complaint="real server delay_before_retry '{word}' invalid - ignoring",
    )
    warmup: int | None = word(
        Timer(),
        "Seconds over which first checks are spread.",
        complaint="real server warmup '{word}' invalid - ignoring",
    )
    connect_timeout: int | None = word(
        Timer(1, UINT_MAX),
        "Seconds a connection may take.",
        complaint="real server connect_timeout {word} invalid - ignoring",
    )
    delay_loop: int | None = word(
        Timer(1), "Seconds between checks.", complaint="real server delay_loop '{word}' invalid - ignoring"
    )
    smtp_alert: bool | None = word(
        OptionalBool(),
        "Send mail when it goes up or down (it does, unless this or global_defs say no).",
        complaint="Invalid real_server smtp_alert parameter {word}",
    )
    virtualhost: str | None = word(
        String(),
        "The Host header of HTTP checks.",
        missing="real server virtualhost missing",
        check=overwriting("virtualhost", "rs virtualhost"),
    )
    snmp_name: str | None = word(
        OnlyName(), "Its name in SNMP.", missing="real server snmp_name missing or extra parameters"
    )
    misc_check: tuple[MiscCheck, ...] = collected(
        Nested(MiscCheck, good="{ misc_path /bin/true }"), "Run a program.", name="MISC_CHECK"
    )
    smtp_check: tuple[SmtpCheck, ...] = collected(Nested(SmtpCheck), "Ask a mail server.", name="SMTP_CHECK")
    tcp_check: tuple[TcpCheck, ...] = collected(Nested(TcpCheck), "Connect.", name="TCP_CHECK")
    ping_check: tuple[PingCheck, ...] = collected(Nested(PingCheck), "Ping.", name="PING_CHECK")
    udp_check: tuple[UdpCheck, ...] = collected(Nested(UdpCheck), "Send a packet.", name="UDP_CHECK")
    http_get: tuple[HttpGet, ...] = collected(
        Nested(HttpGet, good="{ url { path / } }"), "Ask a web server.", name="HTTP_GET"
    )
    ssl_get: tuple[SslGet, ...] = collected(
        Nested(SslGet, good="{ url { path / } }"), "Ask it over TLS.", name="SSL_GET"
    )
    dns_check: tuple[DnsCheck, ...] = collected(Nested(DnsCheck), "Ask a name server.", name="DNS_CHECK")
    file_check: tuple[FileCheck, ...] = collected(
        Nested(FileCheck, good="{ track_file f }"), "Weight from a file.", name="FILE_CHECK"
    )
    bfd_check: tuple[BfdCheck, ...] = collected(
        Nested(BfdCheck, good="{ name x }"), "State of a BFD session.", name="BFD_CHECK"
    )


def hashing(word: str) -> Callable[..., bool | None]:
    """A flag of the scheduler sh or mh, behind it; beside the other one it is passed over."""

    def check(reading: Any, builder: Any, value: bool, span: Any) -> bool | None:
        chosen = builder.get(("lvs_sched",))
        if chosen not in ("sh", "mh"):
            message = f"{word} only applies to sh scheduler - ignoring"
            reading.alert("wrong-scheduler", message, span)
            return None
        return value if word == "hashed" or word.startswith(chosen) else None

    return check


def beside_sorry(message: str) -> Callable[..., Any]:
    """The guard of what says something about a sorry_server: it stands behind it."""

    def guard(reading: Any, builder: Any, span: Any) -> bool:
        if builder.get(("sorry_server",)) is not None:
            return True
        reading.alert("no-sorry-server", message, span)
        return False

    return guard


def engine_name(reading: Any, builder: Any, value: str, span: Any) -> str:
    """The kernel keeps 15 characters; whether it has such an engine is not known here."""
    if len(value) > ENGINE_NAME:
        message = f"persistence_name too long, truncating - {value}"
        reading.warn("name-too-long", message, span)
    return value[:ENGINE_NAME]


def known_family(reading: Any, builder: Any, value: str, span: Any) -> str | None:
    """The family of a virtual server with an address is that of its address."""
    address = builder.get(("name",)).address
    if address is None or address.version == (4 if value == "inet" else 6):
        return value
    message = "Virtual server specified family {family} conflicts with server family"
    reading.alert("wrong-family", message.format(family=value), span)
    return None


@dataclass(frozen=True, slots=True)
class Scheduling(Block):
    """How connections are shared out."""

    ip_family: str | None = word(
        OneOf("inet", "inet6"),
        "Family of a virtual server with a mark.",
        complaint="unknown address family {word}",
        check=known_family,
        ok=("ip_family inet",),
    )
    lvs_sched: str | None = word(OneOf(*SCHEDULERS), "The IPVS scheduler.", complaint=BAD_SCHEDULER)
    lb_algo: str | None = word(
        OneOf(*SCHEDULERS), "Old spelling of lvs_sched.", sets="lvs_sched", complaint=BAD_SCHEDULER
    )
    hashed: bool = word(Flag(), "Hashed services (always so).", default=False, check=hashing("hashed"))
    ops: bool = word(Flag(), "One packet is one connection (UDP).", default=False)
    flag_1: bool = word(Flag(), "First flag of the scheduler.", name="flag-1", default=False)
    flag_2: bool = word(Flag(), "Second flag of the scheduler.", name="flag-2", default=False)
    flag_3: bool = word(Flag(), "Third flag of the scheduler.", name="flag-3", default=False)
    sh_port: bool = word(
        Flag(), "Scheduler sh counts the port.", name="sh-port", default=False, check=hashing("sh-port")
    )
    sh_fallback: bool = word(
        Flag(),
        "Scheduler sh tries another server.",
        name="sh-fallback",
        default=False,
        check=hashing("sh-fallback"),
    )
    mh_port: bool = word(
        Flag(), "Scheduler mh counts the port.", name="mh-port", default=False, check=hashing("mh-port")
    )
    mh_fallback: bool = word(
        Flag(),
        "Scheduler mh tries another server.",
        name="mh-fallback",
        default=False,
        check=hashing("mh-fallback"),
    )
    lvs_method: tuple[str, ...] | None = word(Method("virtual"), "How packets reach real servers.")
    lb_kind: tuple[str, ...] | None = word(
        Method("virtual"), "Old spelling of lvs_method.", sets="lvs_method"
    )
    persistence_engine: str | None = word(
        String("sip"),
        "What a persistent connection is recognised by.",
        bad=("persistence_engine",),
        check=engine_name,
    )
    persistence_timeout: int | None = word(
        OptionalNumber(1, 2_678_400, 360),
        "Seconds a client stays with its server.",
        complaint="persistence_timeout invalid",
    )
    persistence_granularity: str | None = word(Granularity(), "Clients that belong together.")
    protocol: str | None = word(
        Protocol(), "TCP, UDP or SCTP.", complaint="Unknown protocol {word} - ignoring"
    )


@block("virtual_server")
@dataclass(frozen=True, slots=True)
class VirtualServer(Scheduling):
    """A service that is balanced. ``name`` is a ``server_names.ServerId``."""

    retry: int | None = word(
        RETRY, "Checks in a row that have to fail.", complaint="retry value invalid - {word}"
    )
    delay_before_retry: int | None = word(
        Timer(),
        "Seconds until a failed check is repeated.",
        complaint="virtual server delay before retry '{word}' invalid - ignoring",
    )
    warmup: int | None = word(
        Timer(),
        "Seconds over which first checks are spread.",
        complaint="virtual server warmup '{word}' invalid - ignoring",
    )
    connect_timeout: int | None = word(
        Timer(1, UINT_MAX),
        "Seconds a connection may take.",
        complaint="virtual server connect_timeout {word} invalid - ignoring",
    )
    delay_loop: int | None = word(
        Timer(1), "Seconds between checks.", complaint="virtual server delay loop '{word}' invalid - ignoring"
    )
    inhibit_on_failure: bool = word(
        Flag(), "Weight 0 instead of removal of servers that are down.", default=False
    )
    ha_suspend: bool = word(Flag(), "No checks while the address is not here.", default=False)
    smtp_alert: bool | None = word(
        OptionalBool(),
        "Send mail when the quorum is gained or lost.",
        complaint="Invalid virtual_server smtp_alert parameter {word}",
    )
    virtualhost: str | None = word(
        String(),
        "The Host header of HTTP checks.",
        missing="virtual server virtualhost missing",
        check=overwriting("virtualhost", "vs virtualhost"),
    )
    snmp_name: str | None = word(
        OnlyName(), "Its name in SNMP.", missing="virtual server snmp_name missing or extra parameters"
    )
    alpha: bool = word(Flag(), "Servers are down until checks have succeeded.", default=False)
    omega: bool = word(Flag(), "Run the down scripts at the end.", default=False)
    quorum_up: ScriptCommand | None = word(
        Script(),
        "Run when the quorum is reached.",
        check=first_only("quorum_up", "((null)) quorum_up script already specified - ignoring {word}"),
    )
    quorum_down: ScriptCommand | None = word(
        Script(),
        "Run when the quorum is lost.",
        check=first_only("quorum_down", "((null)) quorum_down script already specified - ignoring {word}"),
    )
    quorum: int | None = word(
        Number(1, UINT_MAX),
        "Weight of servers that has to be up.",
        complaint="Quorum {word} must be in [1, 4294967295]. Setting to 1.",
        fallback=1,
    )
    hysteresis: int | None = word(
        Number(0, UINT_MAX),
        "How far around the quorum nothing changes.",
        complaint="Hysteresis {word} must be in [0, 4294967295] - ignoring",
    )
    weight: int | None = word(
        Number(1, INT_MAX),
        "Weight of real servers that name none.",
        complaint="Virtual server weight {word} is outside range 1-2147483647",
    )
    sorry_server: tuple[Address, int] | None = word(
        AddressAndPort(),
        "Takes over while the quorum is lost.",
        complaint="Invalid sorry server IP address {address} - skipping",
    )
    sorry_server_inhibit: bool = word(
        Flag(),
        "inhibit_on_failure for it.",
        default=False,
        guard=beside_sorry("Ignoring sorry_server inhibit used before or without sorry_server"),
    )
    sorry_server_lvs_method: tuple[str, ...] | None = word(
        Method("sorry"),
        "lvs_method for it.",
        guard=beside_sorry("sorry_server forwarding used without sorry_server"),
    )
    real_server: Sequence[RealServer] = collected(
        Nested(RealServer, AddressAndPort()),
        "A server that does the work.",
        complaint="Invalid real server ip address/port {words} - skipping",
    )


VIRTUAL_SERVER = Nested(VirtualServer, ServerName(), good="10.0.0.5 80 { real_server 10.0.0.7 80 { } }")
SERVER_GROUP = Values(ServerGroupLine(), String("<NAME>"))
