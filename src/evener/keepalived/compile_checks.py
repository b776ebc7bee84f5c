"""The checkers of a real server, from the IR to the plan: timings inherited, addresses and requests made.

A timing that a checker does not set is that of its real server, then that of the virtual server, then the
default of the kind: DNS_CHECK retries three times and waits delay_loop between, MISC_CHECK does not retry,
HTTP_GET and SSL_GET wait three seconds; ``warmup`` is ``delay_loop`` unless it is set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from evener.keepalived.arguments import SECOND
from evener.keepalived.blocks.virtual_server import RealServer, VirtualServer
from evener.keepalived.checkers.common import Checker, Connection
from evener.keepalived.checkers.http import HttpGet, SslGet, UrlSettings, status_range
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
from evener.keepalived.compile import first
from evener.keepalived.compile_tracks import tracked_files
from evener.keepalived.complete_tracks import own_weight
from evener.keepalived.ir import Configuration
from evener.keepalived.lvs import probes
from evener.keepalived.lvs.check_plan import Check, Timing
from evener.keepalived.vrrp.plan import Program
from evener.text.record import dataclass

DEFAULT_DELAY_LOOP = 60 * SECOND
DEFAULT_CONNECT_TIMEOUT = 5 * SECOND
DEFAULT_HELO = "smtpchecker.keepalived.org"
FILLER = b"keepalived check - "
UDP_PAYLOAD_BYTES = 32
GOOD_STATUSES = ((200, 299),)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a checker stands."""

    configuration: Configuration
    virtual: VirtualServer
    real: RealServer

    def inherited(self, name: str, own: Any = None) -> Any:
        """What the checker, its real server or its virtual server says; None where none does."""
        return first(own, getattr(self.real, name), getattr(self.virtual, name))

    @property
    def alpha(self) -> bool:
        return bool(first(self.real.alpha, self.virtual.alpha))


def compile_checks(
    configuration: Configuration, virtual_server: VirtualServer, real_server: RealServer
) -> tuple[Check, ...]:
    """All checks of a real server, those of one kind in the order in which they are written."""
    place = Place(configuration, virtual_server, real_server)
    return tuple(
        check
        for name, make in _KINDS.items()
        for made in getattr(real_server, name)
        for check in make(place, made)
    )


def _timing(place: Place, made: Checker, retry: int = 1, delay: int | None = 1 * SECOND) -> Timing:
    delay_loop = first(place.inherited("delay_loop", made.delay_loop), DEFAULT_DELAY_LOOP)
    settings = place.configuration.global_defs
    return Timing(
        delay_loop_us=delay_loop,
        retry=first(place.inherited("retry", made.retry), retry),
        delay_before_retry_us=first(
            place.inherited("delay_before_retry", made.delay_before_retry), delay, delay_loop
        ),
        warmup_us=first(place.inherited("warmup", made.warmup), delay_loop),
        alpha=bool(first(made.alpha, place.alpha)),
        log_all_failures=bool(made.log_all_failures or settings.checker_log_all_failures),
    )


def _route(place: Place, made: Connection) -> probes.Route:
    address, port = place.real.name
    if made.connect_ip is not None:
        address = made.connect_ip
    # The original binds to no port without an address; of another family it can be in a host block only.
    source = made.bindto if made.bindto is not None and made.bindto.version == address.version else None
    return probes.Route(
        address=address.packed,
        port=first(made.connect_port, port),
        source=source.packed if source else b"",
        source_port=(made.bind_port or 0) if source else 0,
        interface=made.bind_if or "",
        mark=made.fwmark or 0,
        timeout_us=first(place.inherited("connect_timeout", made.connect_timeout), DEFAULT_CONNECT_TIMEOUT),
    )


def _tcp(place: Place, made: TcpCheck) -> Iterator[Check]:
    yield Check(probes.TcpProbe("TCP_CHECK", _route(place, made)), _timing(place, made))


def _ping(place: Place, made: PingCheck) -> Iterator[Check]:
    yield Check(probes.PingProbe("PING_CHECK", _route(place, made)), _timing(place, made))


def _udp(place: Place, made: UdpCheck) -> Iterator[Check]:
    reply, mask = made.require_reply or (b"", b"")
    payload = made.payload or (FILLER * 2)[:UDP_PAYLOAD_BYTES]
    probe = probes.UdpProbe(
        "UDP_CHECK",
        _route(place, made),
        payload,
        require_reply=made.require_reply is not None,
        reply=reply,
        mask=mask,
        least=first(made.min_reply_length, 0),
        most=first(made.max_reply_length, 255),
    )
    yield Check(probe, _timing(place, made))


def _dns(place: Place, made: DnsCheck) -> Iterator[Check]:
    probe = probes.DnsProbe("DNS_CHECK", _route(place, made), made.dns_name or "", made.type or "SOA")
    yield Check(probe, _timing(place, made, retry=3, delay=None))


def _smtp(place: Place, made: SmtpCheck) -> Iterator[Check]:
    """Each ``host`` is a check of its own; without one, and with settings of its own, the block is one.

    When checks are made is a matter of the block, though a ``host`` may say it: the last one counts.
    """
    helo = (made.helo_name or DEFAULT_HELO).encode("utf-8", "surrogateescape")
    timing = _timing(place, _timed(made))
    own = any(getattr(made, name) is not None for name in _CONNECTION_WORDS)
    for each in ((made,) if own or not made.host else ()) + tuple(made.host):
        yield Check(probes.SmtpProbe("SMTP_CHECK", _route(place, each), helo), timing)


def _timed(made: SmtpCheck) -> SmtpCheck:
    said = {
        name: first(*(getattr(each, name) for each in (*reversed(made.host), made))) for name in _TIMING_WORDS
    }
    return replace(made, **said)


_TIMING_WORDS = ("retry", "delay_before_retry", "warmup", "delay_loop", "alpha", "log_all_failures")
_CONNECTION_WORDS = (
    "connect_ip", "connect_port", "bindto", "bind_port", "bind_if", "connect_timeout", "fwmark"
)  # fmt: skip


def _misc(place: Place, made: MiscCheck) -> Iterator[Check]:
    if made.misc_path is None or not made.misc_path.argv:
        return
    user = made.user
    probe = probes.MiscProbe(
        "MISC_CHECK",
        Program(made.misc_path.argv, user.name if user else None, user.group if user else None),
        (made.misc_timeout or 0) * SECOND or first(place.virtual.delay_loop, DEFAULT_DELAY_LOOP),
        made.misc_dynamic,
    )
    yield Check(probe, _timing(place, made, retry=0))


def _web(place: Place, made: HttpGet | SslGet) -> Iterator[Check]:
    route = _route(place, made)
    tls = None
    if isinstance(made, SslGet):
        ssl = place.configuration.ssl
        tls = (
            probes.Credentials(ssl.certificate, ssl.key, ssl.password, ssl.ca)
            if ssl
            else probes.Credentials()
        )
    urls = tuple(_url(place, made, url, route) for url in made.url if url.path is not None)
    if urls:
        kind = "HTTP_GET" if tls is None else "SSL_GET"
        probe = probes.WebProbe(kind, route, urls, tls, bool(made.fast_recovery))
        yield Check(probe, _timing(place, made, delay=3 * SECOND))


def _url(place: Place, made: HttpGet | SslGet, url: UrlSettings, route: probes.Route) -> probes.Url:
    assert url.path is not None
    virtualhost = first(url.virtualhost, made.virtualhost, place.real.virtualhost, place.virtual.virtualhost)
    sni = first(made.sni_name or None, url.virtualhost, made.virtualhost, place.virtual.virtualhost)
    compliant = getattr(url, "tls_compliant", None) or getattr(made, "tls_compliant", None)
    return probes.Url(
        path=url.path,
        request=request_of(url.path, made.http_protocol or "1.0", virtualhost or host_of(route)),
        statuses=_statuses(url.status_code),
        digest=bytes.fromhex(url.digest) if url.digest else None,
        regex=_regex(url),
        virtualhost=url.virtualhost or "",
        sni=sni or "" if made.enable_sni or made.sni_name is not None else "",
        tls_compliant=bool(compliant),
    )


def host_of(route: probes.Route) -> str:
    text = str(route)  # [address]:port: the brackets belong to IPv6 only
    return text if len(route.address) == 16 else text.replace("[", "").replace("]", "")


def request_of(path: str, protocol: str, host: str) -> bytes:
    version = "1.1" if protocol.startswith("1.1") else "1.0"
    close = "Connection: close\r\n" if protocol in ("1.0C", "1.0c", "1.1") else ""
    text = f"GET {path} HTTP/{version}\r\nUser-Agent: KeepAliveClient\r\n{close}Host: {host}\r\n\r\n"
    return text.encode("utf-8", "surrogateescape")


def _statuses(words: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    return tuple(filter(None, map(status_range, words))) or GOOD_STATUSES


def _regex(url: UrlSettings) -> probes.Regex | None:
    if url.regex is None:
        return None
    options = tuple(sorted(set(url.regex_options)))
    first_, last = url.regex_min_offset or 0, url.regex_max_offset
    return probes.Regex(url.regex, options, url.regex_no_match, first_, last)


def _file(place: Place, made: FileCheck) -> Iterator[Check]:
    file = next((file for file in tracked_files(place.configuration) if file.name == made.track_file), None)
    if file is None:
        return
    weight, reverse = made.weight or own_weight(place.configuration, "file", file.name)
    yield Check(probes.FileProbe("FILE_CHECK", file, weight, bool(reverse)))


def _bfd(place: Place, made: BfdCheck) -> Iterator[Check]:
    if made.bfd_name is not None:
        alpha = bool(first(made.alpha, place.alpha))
        yield Check(probes.BfdProbe("BFD_CHECK", made.bfd_name), Timing(alpha=alpha))


_KINDS: dict[str, Callable[[Place, Any], Iterator[Check]]] = {
    "misc_check": _misc,
    "smtp_check": _smtp,
    "tcp_check": _tcp,
    "ping_check": _ping,
    "udp_check": _udp,
    "http_get": _web,
    "ssl_get": _web,
    "dns_check": _dns,
    "bfd_check": _bfd,
    "file_check": _file,
}
