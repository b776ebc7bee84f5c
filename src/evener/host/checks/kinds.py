"""Which class makes the attempts of which kind of check, and what attempts share.

A kind is loaded when a plan has it: most plans have one or two.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from evener.host.checks.attempt import Attempt, Done, Hopeless
from evener.host.checks.misc import MiscAttempt, Programs
from evener.host.reactor import Reactor
from evener.keepalived.lvs.check_plan import Probe
from evener.keepalived.lvs.probes import Credentials, WebProbe

if TYPE_CHECKING:
    import ssl


class Tools:
    """What attempts share: the loop, the script helper's programs, and contexts of TLS."""

    def __init__(self, reactor: Reactor) -> None:
        self.reactor = reactor
        self.programs = Programs(reactor)
        self._contexts: dict[Credentials, ssl.SSLContext] = {}
        self._pings = 0

    def context(self, credentials: Credentials) -> ssl.SSLContext:
        """TLS is loaded only where it is used. Raises NoContext."""
        if credentials not in self._contexts:
            from evener.host.checks.tls import context_of

            self._contexts[credentials] = context_of(credentials)
        return self._contexts[credentials]

    def prepare(self, probes: Iterable[Probe]) -> None:
        """Load what takes long before the first attempt."""
        for kind in {kind for probe in probes for kind in _modules(probe)}:
            importlib.import_module(f"evener.host.checks.{kind}")

    def ping_number(self) -> int:
        self._pings = (self._pings + 1) & 0xFFFF
        return self._pings

    def forget_contexts(self) -> None:
        """Files may have changed."""
        self._contexts.clear()


def _modules(probe: Probe) -> tuple[str, ...]:
    """Those of this package that its attempts need."""
    if isinstance(probe, WebProbe):
        return ("web",) if probe.tls is None else ("web", "tls")
    module = MODULES.get(probe.kind)
    return (module,) if module else ()


MODULES = {
    "TCP_CHECK": "stream",
    "SMTP_CHECK": "smtp",
    "DNS_CHECK": "datagram",
    "UDP_CHECK": "datagram",
    "PING_CHECK": "datagram",
}


def _web(tools: Tools, probe: Any, part: int, done: Done) -> Attempt:
    if probe.tls is None:
        from evener.host.checks.web import WebAttempt

        return WebAttempt(tools.reactor, probe, probe.urls[part], done)
    from evener.host.checks.tls import NoContext, TlsAttempt

    try:
        context = tools.context(probe.tls)
    except NoContext as why:
        return Hopeless(str(why), done)
    return TlsAttempt(tools.reactor, context, probe, probe.urls[part], done)


def _tcp(tools: Tools, probe: Any, _part: int, done: Done) -> Attempt:
    from evener.host.checks.stream import StreamAttempt

    return StreamAttempt(tools.reactor, probe.route, done)


def _smtp(tools: Tools, probe: Any, _part: int, done: Done) -> Attempt:
    from evener.host.checks.smtp import SmtpAttempt

    return SmtpAttempt(tools.reactor, probe, done)


def _dns(tools: Tools, probe: Any, _part: int, done: Done) -> Attempt:
    from evener.host.checks.datagram import DnsAttempt

    return DnsAttempt(tools.reactor, probe, done)


def _udp(tools: Tools, probe: Any, _part: int, done: Done) -> Attempt:
    from evener.host.checks.datagram import UdpAttempt

    return UdpAttempt(tools.reactor, probe, done)


def _ping(tools: Tools, probe: Any, _part: int, done: Done) -> Attempt:
    from evener.host.checks.datagram import PingAttempt

    return PingAttempt(tools.reactor, probe, tools.ping_number(), done)


def _misc(tools: Tools, probe: Any, _part: int, done: Done) -> Attempt:
    return MiscAttempt(tools.reactor, tools.programs, probe, done)


ATTEMPTS: dict[str, Callable[[Tools, Any, int, Done], Attempt]] = {
    "TCP_CHECK": _tcp,
    "HTTP_GET": _web,
    "SSL_GET": _web,
    "SMTP_CHECK": _smtp,
    "DNS_CHECK": _dns,
    "UDP_CHECK": _udp,
    "PING_CHECK": _ping,
    "MISC_CHECK": _misc,
}
"""Made at intervals; the kinds that are missing are told their results from outside."""
