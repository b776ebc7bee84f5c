"""IR to the plan of the checker process: virtual servers with their members, methods, weights and checks.

Like ``compile``, it cannot fail: what cannot be executed was reported while the configuration was read. Here
stands what a setting that was not given means, and which addresses a virtual_server_group stands for.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from ipaddress import ip_address
from typing import Any

from evener.keepalived.blocks import virtual_server as ir
from evener.keepalived.blocks.global_defs import GlobalDefs
from evener.keepalived.blocks.group_lines import members as addresses
from evener.keepalived.blocks.group_lines import port_of
from evener.keepalived.compile import _buffer, _fifo, _program, first, snmp_of
from evener.keepalived.compile_checks import compile_checks
from evener.keepalived.compile_mail import mail_of
from evener.keepalived.describe_globals import Process, describe
from evener.keepalived.ends import shown_server
from evener.keepalived.ir import Configuration
from evener.keepalived.lvs import plan
from evener.keepalived.lvs.ipvs import (
    FULL_MASK,
    Forwarding,
    Method,
    Service,
    ServiceFlags,
    ServiceKey,
    TunnelChecksum,
    TunnelType,
)
from evener.keepalived.twins import Pattern, Twin, entries
from evener.keepalived.vrrp.plan import Family, Scheduling
from evener.keepalived.vrrp.plan_machine import Buffers
from evener.text.record import setters
from evener.text.slots import copied

PROTOCOL = {"TCP": socket.IPPROTO_TCP, "UDP": socket.IPPROTO_UDP, "SCTP": socket.IPPROTO_SCTP}
DEFAULT_SCHEDULER = "wlc"
DEFAULT_PERSISTENCE_S = 360
CHECKSUMS = frozenset(each.value for each in TunnelChecksum)


class Compiled:
    """What twins became, by the name of their pattern: most stay the same when a file is read again."""

    __slots__ = ("forms",)

    def __init__(self) -> None:
        self.forms: dict[str, tuple[plan.VirtualServer, dict[str, plan.VirtualServer]]] = {}


def compile_lvs(configuration: Configuration, compiled: Compiled | None = None) -> plan.CheckerPlan:
    """The plan of a complete configuration (``resolve.load``); ``compiled`` is kept from one to the next."""
    twins = _Twins(configuration, compiled or Compiled())
    servers = (
        twins.virtual(server) if isinstance(server, Twin) else _virtual(configuration, server)
        for server in entries(configuration.virtual_server)
    )
    return plan.CheckerPlan(_options(configuration), tuple(server for server in servers if server.members))


def _options(configuration: Configuration) -> plan.CheckerOptions:
    settings = configuration.global_defs
    user = settings.script_user
    fifo = _fifo(settings.notify_fifo, settings.notify_fifo_script)
    if fifo is not None and configuration.vrrp_instance:
        fifo = replace(fifo, script=None)  # the VRRP process starts the reader
    return plan.CheckerOptions(
        flush=settings.lvs_flush,
        flush_on_stop=None if settings.lvs_flush_on_stop is None else settings.lvs_flush_on_stop or "all",
        timeouts_s=_timeouts(settings.lvs_timeouts),
        init_notifies=bool(settings.rs_init_notifies),
        log_all_failures=bool(settings.checker_log_all_failures),
        checker_mails=not settings.no_checker_emails,
        router_id=settings.router_id or "",
        notify_fifo=fifo,
        lvs_notify_fifo=_fifo(settings.lvs_notify_fifo, settings.lvs_notify_fifo_script),
        mail=mail_of(settings),
        scheduling=Scheduling(
            nice=settings.checker_priority,
            rt_priority=settings.checker_rt_priority,
            rlimit_rttime_us=settings.checker_rlimit_rttime,
            cpu_affinity=settings.checker_cpu_affinity,
            no_swap=settings.checker_no_swap,
        ),
        instance=configuration.instance or "",
        namespace=configuration.net_namespace_ipvs,
        marking=_marking(settings),
        buffers=Buffers(
            command=_buffer(settings, "lvs_netlink_cmd_rcv_bufs"),
            monitor=_buffer(settings, "lvs_netlink_monitor_rcv_bufs"),
        ),
        process_name=settings.checker_process_name,
        script_user=user.name if user else None,
        script_group=user.group if user else None,
        script_security=settings.enable_script_security,
        described=(*describe(configuration, Process.CHECKER), *_described_tls(configuration)),
        snmp=snmp_of(configuration),
    )


def _described_tls(configuration: Configuration) -> Iterator[str]:
    made = configuration.ssl
    yield "------< SSL definitions >------"
    given = (
        (title, getattr(made, name))
        for title, name in (("CA-file", "ca"), ("Certificate file", "certificate"), ("Key file", "key"))
        if made is not None and getattr(made, name)
    )
    shown = [f" {title} : {value}" for title, value in given]
    yield from shown or [" Using autogen SSL context"]


def _marking(settings: GlobalDefs) -> plan.Marking | None:
    if settings.nftables_ipvs is None:
        return None
    usual = plan.Marking()
    return plan.Marking(
        settings.nftables_ipvs or usual.table,
        first(settings.nftables_ipvs_priority, usual.priority),
        first(settings.nftables_ipvs_start_fwmark, usual.first),
    )


def _timeouts(given: tuple[tuple[str, int], ...]) -> tuple[int, int, int] | None:
    found = dict(given)
    if not any(found.values()):
        return None
    return found.get("tcp", 0), found.get("tcpfin", 0), found.get("udp", 0)


# -- virtual servers ------------------------------------------------------------------------------------


def _virtual(configuration: Configuration, made: ir.VirtualServer) -> plan.VirtualServer:
    settings = configuration.global_defs
    members = tuple(_members(configuration, made))
    key = members[0] if members else ServiceKey(Family.INET, 0, b"", 0)
    return plan.VirtualServer(
        name=identity(made),
        shown=shown_server(made),
        members=members,
        service=_service(made, key),
        real_servers=tuple(_real(configuration, made, real) for real in made.real_server),
        sorry=_sorry(made),
        group=made.name.group or "",
        quorum=first(made.quorum, 1),
        hysteresis=first(made.hysteresis, 0),
        alpha=made.alpha,
        omega=made.omega,
        ha_suspend=made.ha_suspend,
        quorum_up=_program(made.quorum_up),
        quorum_down=_program(made.quorum_down),
        mail=_mails(settings, made.smtp_alert),
        settings=_settings(made, made, made.virtualhost, made.inhibit_on_failure),
    )


def _settings(own: Any, around: ir.VirtualServer, virtualhost: str | None, inhibit: bool) -> plan.Settings:
    """Of a virtual server, or of a real server in it."""
    names = ("connect_timeout", "delay_loop", "retry", "delay_before_retry", "warmup")
    timeout, loop, *rest = (first(getattr(own, name), getattr(around, name)) for name in names)
    usual = plan.Settings()
    timeout, loop = first(timeout, usual.connect_timeout_us), first(loop, usual.delay_loop_us)
    way, weight = forwarding(around.lvs_method), first(around.weight, 1)
    return _same(timeout, loop, *rest, virtualhost, bool(inhibit), way, own.snmp_name, weight)


@cache
def _same(*values: Any) -> plan.Settings:
    """Servers by the thousand have the same."""
    return plan.Settings(*values)


_KEY = setters(Service)["key"]
_VIRTUAL = setters(plan.VirtualServer)
_NAME, _SHOWN, _MEMBERS = _VIRTUAL["name"], _VIRTUAL["shown"], _VIRTUAL["members"]
_COMMON, _REALS = _VIRTUAL["service"], _VIRTUAL["real_servers"]
_REAL = setters(plan.RealServer)


_Form = tuple[plan.VirtualServer, Mapping[str, plan.VirtualServer], dict[str, plan.VirtualServer]]
"""What a pattern became; twins of it by their words: as they were compiled before, and now."""
_NOTHING: Mapping[str, plan.VirtualServer] = {}


class _Twins:
    """What is like another virtual server (``alike``) differs from it in names only."""

    def __init__(self, configuration: Configuration, compiled: Compiled) -> None:
        self._configuration = configuration
        self._before, compiled.forms = compiled.forms, {}
        self._compiled = compiled
        self._patterns: dict[Pattern, _Form] = {}
        self._reals: dict[tuple[int, str, str], plan.RealServer] = {}
        """Of a pattern, by address and port: many virtual servers have the same real servers."""

    def virtual(self, made: Twin) -> plan.VirtualServer:
        form = self._patterns.get(made.pattern)
        if form is None:
            form = self._patterns[made.pattern] = self._form(made.pattern)
        pattern, before, now = form
        twin = now[made.text] = before.get(made.text) or self._made(made, pattern)
        return twin

    def _form(self, of: Pattern) -> _Form:
        """A twin depends on its words and on what its pattern became: with that, it is what it was."""
        pattern = _virtual(self._configuration, of.server)
        before, known = self._before.get(pattern.name, (None, _NOTHING))
        now: dict[str, plan.VirtualServer] = {}
        self._compiled.forms[pattern.name] = pattern, now
        return pattern, known if before == pattern else _NOTHING, now

    def _made(self, made: Twin, pattern: plan.VirtualServer) -> plan.VirtualServer:
        twin, service = copied(pattern), copied(pattern.service)
        words, protocol = made.words(), made.pattern.server.protocol
        packed, text = _address(words[0], made.pattern.sixes[0])
        port = int(words[1])
        known = pattern.members[0]
        key = ServiceKey(known.family, known.protocol, packed, port)
        _KEY(service, key)
        _NAME(twin, f"{text} {port} {protocol}" if protocol else f"{text} {port}")
        _SHOWN(twin, f"[{text}]:{(protocol or 'none').lower()}:{port}")
        _MEMBERS(twin, (key,))
        _COMMON(twin, service)
        _REALS(twin, self._real_servers(made, words, pattern.real_servers))
        return twin

    def _real_servers(
        self, made: Twin, words: list[str], patterns: tuple[plan.RealServer, ...]
    ) -> tuple[plan.RealServer, ...]:
        known, found = self._reals, []
        places = zip(patterns, words[2::2], words[3::2], strict=True)
        for index, (pattern, address, port) in enumerate(places):
            place = id(pattern), address, port
            real = known.get(place)
            if real is None:
                real = known[place] = self._real(made, index, pattern, address, port)
            found.append(real)
        return tuple(found)

    def _real(
        self, made: Twin, index: int, pattern: plan.RealServer, address: str, port: str
    ) -> plan.RealServer:
        if pattern.checks:  # they name the server, too
            block = made.block()
            return _real(self._configuration, block, block.real_server[index])
        twin = copied(pattern)
        packed, text = _address(address, len(pattern.address) > 4)
        _REAL["address"](twin, packed)
        _REAL["port"](twin, int(port))
        _REAL["shown"](twin, _shown(made.pattern.server, text, int(port)))
        return twin


def _address(text: str, six: bool) -> tuple[bytes, str]:
    """Packed, and as messages show it. Of IPv4 one spelling was let in; the library takes long to read it."""
    if not six:
        return socket.inet_pton(socket.AF_INET, text), text
    address = ip_address(text)
    return address.packed, str(address)


def identity(made: ir.VirtualServer) -> str:
    """What stands behind ``virtual_server``, and the protocol."""
    return " ".join([*made.name.words(), *([made.protocol] if made.protocol else [])])


def _mails(settings: GlobalDefs, own: bool | None, usual: bool = False) -> bool:
    """A real server does not ask its virtual server, and sends mail unless that is forbidden."""
    return bool(first(own, settings.smtp_alert_checker, settings.smtp_alert, usual))


def _real(configuration: Configuration, server: ir.VirtualServer, made: ir.RealServer) -> plan.RealServer:
    address, port = made.name
    return plan.RealServer(
        address=address.packed,
        port=port,
        shown=_shown(server, address, port),
        forwarding=forwarding(made.lvs_method or server.lvs_method),
        weight=first(made.weight, server.weight, 1),
        upper=first(made.uthreshold, 0),
        lower=first(made.lthreshold, 0),
        inhibit=bool(first(made.inhibit_on_failure, server.inhibit_on_failure)),
        alpha=bool(first(made.alpha, server.alpha)),
        notify_up=_program(made.notify_up),
        notify_down=_program(made.notify_down),
        mail=_mails(configuration.global_defs, made.smtp_alert, usual=True),
        checks=compile_checks(configuration, server, made),
        settings=_settings(made, server, made.virtualhost, False),
    )


def _sorry(made: ir.VirtualServer) -> plan.SorryServer | None:
    if made.sorry_server is None:
        return None
    address, port = made.sorry_server
    return plan.SorryServer(
        address.packed,
        port,
        _shown(made, address, port),
        forwarding(made.sorry_server_lvs_method or made.lvs_method),
        made.sorry_server_inhibit,
    )


def _shown(server: ir.VirtualServer, address: Any, port: int) -> str:
    return f"[{address}]:{(server.protocol or 'none').lower()}:{port}"


def forwarding(words: tuple[str, ...] | None) -> Forwarding:
    """``NAT``, ``DR``, ``TUN [type ipip|gue port N|gre] [nocsum|csum|remcsum]``."""
    if not words:
        return Forwarding()
    method, *rest = words
    tunnel, port, checksum = TunnelType.IPIP, 0, TunnelChecksum.NONE
    for index, word in enumerate(rest):
        if word == "type" and index + 1 < len(rest):
            tunnel = TunnelType(rest[index + 1])
        elif word == "port" and index + 1 < len(rest):
            port = int(rest[index + 1])
        elif word in CHECKSUMS:
            checksum = TunnelChecksum(word)
    return Forwarding(Method(method), tunnel, port, checksum)


def _service(made: ir.VirtualServer, key: ServiceKey) -> Service:
    persistent = made.persistence_timeout or (DEFAULT_PERSISTENCE_S if made.persistence_granularity else 0)
    flags = ServiceFlags.PERSISTENT if persistent else ServiceFlags(0)
    if made.ops:
        flags |= ServiceFlags.ONE_PACKET
    for flag, *given in (
        (ServiceFlags.SCHED1, made.flag_1, made.sh_fallback, made.mh_fallback),
        (ServiceFlags.SCHED2, made.flag_2, made.sh_port, made.mh_port),
        (ServiceFlags.SCHED3, made.flag_3),
    ):
        if any(given):
            flags |= flag
    prefix, mask = granularity(made.persistence_granularity, key.family)
    return Service(
        key,
        made.lvs_sched or DEFAULT_SCHEDULER,
        flags,
        persistent,
        prefix,
        made.persistence_engine or "",
        mask,
    )


def granularity(text: str | None, family: Family) -> tuple[int, bytes]:
    """The length of a prefix, and the netmask where that is not one of a prefix (IPv4)."""
    if text is None or (family is Family.INET6 and "." in text):
        return FULL_MASK[family], b""
    if family is Family.INET6:
        return int(text), b""
    mask = socket.inet_aton(text)
    number = int.from_bytes(mask, "big")
    length = number.bit_count()
    solid = number == (0xFFFFFFFF << (32 - length)) & 0xFFFFFFFF
    return length, b"" if solid else mask


# -- groups ---------------------------------------------------------------------------------------------


def _members(configuration: Configuration, made: ir.VirtualServer) -> Iterator[ServiceKey]:
    """The services that a virtual server is made of."""
    identity = made.name
    protocol = PROTOCOL.get(made.protocol or "", 0)
    if identity.address is not None:
        yield _address_key(identity.address, protocol, identity.port)
    elif identity.fwmark is not None:
        yield ServiceKey(_family(made), 0, b"", 0, identity.fwmark)
    else:
        group = next((g for g in configuration.virtual_server_group if g.name == identity.group), None)
        for line in group.values if group else ():
            yield from _entries(line, made, protocol)


def _family(made: ir.VirtualServer) -> Family:
    """Of a mark: as it says, else that of the servers."""
    if made.ip_family is not None:
        return Family.INET6 if made.ip_family == "inet6" else Family.INET
    servers = [real.name[0] for real in made.real_server] + (
        [made.sorry_server[0]] if made.sorry_server else []
    )
    return Family.INET6 if servers and servers[0].version == 6 else Family.INET


def _address_key(address: Any, protocol: int, port: int) -> ServiceKey:
    return ServiceKey(Family.INET if address.version == 4 else Family.INET6, protocol, address.packed, port)


def _entries(line: tuple[str, ...], made: ir.VirtualServer, protocol: int) -> Iterator[ServiceKey]:
    if line[0] == "fwmark":
        family = _family(made)
        if len(line) > 2:
            family = Family.INET6 if line[2] == "inet6" else Family.INET
        yield ServiceKey(family, 0, b"", 0, int(line[1]))
        return
    port = port_of(line)
    for each in addresses(line):
        yield _address_key(each, protocol, port)
