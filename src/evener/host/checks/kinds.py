"""Which class makes the attempts of which kind of check, and what attempts share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from evener.host.checks.attempt import Attempt, Done, Hopeless
from evener.host.checks.datagram import DnsAttempt, PingAttempt, UdpAttempt
from evener.host.checks.misc import MiscAttempt, Programs
from evener.host.checks.smtp import SmtpAttempt
from evener.host.checks.stream import StreamAttempt
from evener.host.checks.web import WebAttempt
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
        if any(isinstance(probe, WebProbe) and probe.tls is not None for probe in probes):
            import evener.host.checks.tls  # noqa: F401

    def ping_number(self) -> int:
        self._pings = (self._pings + 1) & 0xFFFF
        return self._pings

    def forget_contexts(self) -> None:
        """Files may have changed."""
        self._contexts.clear()


def _web(tools: Tools, probe: Any, part: int, done: Done) -> Attempt:
    if probe.tls is None:
        return WebAttempt(tools.reactor, probe, probe.urls[part], done)
    from evener.host.checks.tls import NoContext, TlsAttempt

    try:
        context = tools.context(probe.tls)
    except NoContext as why:
        return Hopeless(str(why), done)
    return TlsAttempt(tools.reactor, context, probe, probe.urls[part], done)


ATTEMPTS: dict[str, Callable[[Tools, Any, int, Done], Attempt]] = {
    "TCP_CHECK": lambda tools, probe, _part, done: StreamAttempt(tools.reactor, probe.route, done),
    "HTTP_GET": _web,
    "SSL_GET": _web,
    "SMTP_CHECK": lambda tools, probe, _part, done: SmtpAttempt(tools.reactor, probe, done),
    "DNS_CHECK": lambda tools, probe, _part, done: DnsAttempt(tools.reactor, probe, done),
    "UDP_CHECK": lambda tools, probe, _part, done: UdpAttempt(tools.reactor, probe, done),
    "PING_CHECK": lambda tools, probe, _part, done: PingAttempt(
        tools.reactor, probe, tools.ping_number(), done
    ),
    "MISC_CHECK": lambda tools, probe, _part, done: MiscAttempt(tools.reactor, tools.programs, probe, done),
}
"""Made at intervals; the kinds that are missing are told their results from outside."""
