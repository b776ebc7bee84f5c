"""keepalived_check.data: one check, in the original's lines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from evener.keepalived.lvs.checking import CheckView, Course
from evener.keepalived.lvs.checking_talks import WebCourse
from evener.keepalived.lvs.probes import (
    USUAL_PAYLOAD,
    BfdProbe,
    DnsProbe,
    FileProbe,
    MiscProbe,
    PingProbe,
    Regex,
    Route,
    SmtpProbe,
    UdpProbe,
    Url,
    WebProbe,
)
from evener.keepalived.vrrp.describe import SECOND
from evener.keepalived.vrrp.describe_tracked import quoted
from evener.keepalived.vrrp.plan import Program

DEFAULT_RETRY_DELAY_US = {"HTTP_GET": 3 * SECOND, "SSL_GET": 3 * SECOND, "DNS_CHECK": 0}


def lines_of(view: CheckView, account: Callable[[Program], str]) -> Iterator[str]:
    course, timing, probe = view.course, view.course.check.timing, view.course.check.probe
    yield f" {view.title}"
    yield f"   Enabled = {_yes(view.enabled or isinstance(probe, FileProbe))}"
    yield f"   Up = {_yes(course.up)}"
    yield f"   Has run = {_yes(course.run)}"
    yield f"   Current weight = {course.offset or course.weight or 0}"
    if not isinstance(probe, FileProbe):
        yield f"   Alpha = {_yes(timing.alpha)}"
        yield f"   Delay loop = {timing.delay_loop_us} us"
        yield f"   Warmup = {timing.warmup_us} us"
        yield f"   Retries = {timing.retry}"
        if timing.retry:
            yield f"   Delay before retry = {timing.delay_before_retry_us} us"
            yield f"   Retries iterations = {course.retried}"
        default = DEFAULT_RETRY_DELAY_US.get(probe.kind, SECOND)
        yield f"   Default delay before retry = {default} us"
    yield f"   Log all failures = {_yes(timing.log_all_failures)}"
    route = getattr(probe, "route", None)
    if route is not None:
        yield "   Connection"
        yield from _route(route)
    web = f", http protocol {_protocol(probe)}" if isinstance(probe, WebProbe) else ""
    yield f"   Keepalive method = {probe.kind}{web}"
    yield from (f"   {line}" for line in _own(view, account))


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _set(value: bool) -> str:
    return "set" if value else "unset"


def _route(route: Route) -> Iterator[str]:
    yield f"     Dest = {route}"
    if route.source:
        yield f"     Bind to = {Route(route.source, route.source_port)}"
    if route.interface:
        yield f"     Bind i/f = {route.interface}"
    if route.mark:
        yield f"     Mark = {route.mark}"
    yield f"     Timeout = {route.timeout_us / SECOND:.6f}"


def _own(view: CheckView, account: Callable[[Program], str]) -> Iterator[str]:
    """What belongs to the kind."""
    probe: Any = view.course.check.probe
    match probe:
        case WebProbe():
            yield from _web(probe, view.course)
        case SmtpProbe():
            yield f"helo = {probe.helo.decode('utf-8', 'replace')}"
        case DnsProbe():
            yield f"Type = {probe.type}"
            yield f"Name = {probe.name or '.'}"
        case UdpProbe():
            yield from _packets(probe)
        case PingProbe():
            yield "  ICMP seq no = 0"
        case MiscProbe():
            yield from _program(probe, view, account)
        case FileProbe():
            yield f"  Tracked file = {probe.file.name}"
            yield "  Reloaded = No"
        case BfdProbe():
            yield f"Name = {probe.name}"
            yield f"Alpha is {'ON' if view.course.check.timing.alpha else 'OFF'}"


def _packets(probe: UdpProbe) -> Iterator[str]:
    usual = probe.payload == USUAL_PAYLOAD
    yield "Payload specified = no" if usual else f"Payload len = {len(probe.payload)}"
    yield f"Require reply = {_yes(probe.require_reply)}"
    if probe.require_reply:
        yield f"  Min reply length = {probe.least}"
        yield f"  Max reply length = {probe.most}"
        yield f"  Reply data len = {len(probe.reply)}"
        if probe.reply:
            yield f"  Reply data mask = {_yes(any(probe.mask))}"


def _program(probe: MiscProbe, view: CheckView, account: Callable[[Program], str]) -> Iterator[str]:
    yield f"script = {quoted(probe.program)}"
    yield f"timeout = {probe.timeout_us // SECOND}"
    yield f"dynamic = {'YES' if probe.dynamic else 'NO'}"
    yield f"uid:gid = {account(probe.program)}"
    moment = time.strftime("%a %b %e %H:%M:%S %Y", time.gmtime(view.began_s))
    yield f"Last ran = {view.began_s:.6f} ({moment}.{int(view.began_s % 1 * SECOND):06})"


# -- the web


def _protocol(probe: WebProbe) -> str:
    head = probe.urls[0].request
    if b" HTTP/1.1\r\n" in head:
        return "1.1"
    return "1.0C" if b"\r\nConnection: close\r\n" in head else "1.0"


def _web(probe: WebProbe, course: Course) -> Iterator[str]:
    yield f"Enable SNI {_set(any(url.sni for url in probe.urls))}"
    yield f"Fast recovery {_set(probe.fast_recovery)}"
    if probe.tls is not None:
        yield f"tls_compliant {_set(all(url.tls_compliant for url in probe.urls))}"
    for url in probe.urls:
        yield f"Checked url = {url.path}"
        yield from (f"  {line}" for line in _url(url))
    if isinstance(course, WebCourse) and course.failed is not None:
        yield f"Failed URL = {probe.urls[course.failed].path}"


def _url(url: Url) -> Iterator[str]:
    if url.digest is not None:
        yield f"digest = {url.digest.hex()}"
    yield f"tls_compliant {_set(url.tls_compliant)}"
    yield "HTTP Status Code(s)"
    for low, high in url.statuses:
        yield f"  {low}" if low == high else f"  {low}-{high}"
    if url.virtualhost:
        yield f"Virtual host = {url.virtualhost}"
    if url.sni:
        yield f"SNI name = {url.sni}"
    if url.regex is not None:
        yield from _regex(url.regex)


def _regex(regex: Regex) -> Iterator[str]:
    yield f'Regex = "{regex.pattern}"'
    if regex.negated:
        yield "Regex no match"
    if regex.last is not None:
        yield f"Regex min offset = {regex.first}, max_offset = {regex.last}"
    elif regex.first:
        yield f"Regex min offset = {regex.first}"
    yield f"Regex options:{''.join(f' {option}' for option in regex.options)}"
