"""What the questions about a whole configuration share: the configuration, and where findings go."""

from __future__ import annotations

from evener.haproxy.addresses import Resolve
from evener.haproxy.ir import Configuration
from evener.haproxy.members import servers_of
from evener.haproxy.sections.reading import BARE
from evener.haproxy.sections.servers import Server
from evener.haproxy.sections.stick_values import StickTable
from evener.text.diagnostic import Diagnostic, Diagnostics, Severity
from evener.text.span import Span


def declared(configuration: Configuration) -> dict[str, StickTable]:
    """Every table by name."""
    found = {
        f"{section.name}/{name}": table for section in configuration.other for name, table in section.tables
    }
    for proxy in configuration.proxies:
        if proxy.persistence.stick_table is not None:
            found[proxy.name] = proxy.persistence.stick_table
    return found


class Checks:
    """The configuration in question, and where findings go."""

    def __init__(
        self,
        configuration: Configuration,
        diagnostics: Diagnostics,
        resolve: Resolve,
        lenient: bool,
        unverified: bool,
    ) -> None:
        self.configuration = configuration
        self.diagnostics = diagnostics
        self.resolve = resolve
        self.lenient = lenient
        self.unverified = unverified
        self.proxies = {proxy.name: proxy for proxy in configuration.proxies}
        self.backends = {proxy.name: proxy for proxy in configuration.backends}
        self.tables = declared(configuration)
        self.only_errors = False  #: warnings are not worth saying any more
        self.broken_format = False  #: a log format of the proxy in question could not be read
        self._servers: dict[str, dict[str, Server]] | None = None
        self.errors = {section.name for section in configuration.http_errors}

    def alert(self, code: str, message: str, span: Span | None, lead: str = BARE) -> None:
        self.diagnostics.alert(code, message, span, lead=lead)

    def warning(self, code: str, message: str, span: Span | None, lead: str = BARE) -> None:
        self.add(Diagnostic(code, Severity.WARNING, message, span, lead=lead))

    def add(self, diagnostic: Diagnostic) -> None:
        if diagnostic.severity is Severity.ALERT or not self.only_errors:
            self.diagnostics.add(diagnostic)

    def servers(self) -> dict[str, dict[str, Server]]:
        """The servers of each backend that is not disabled, by name."""
        if self._servers is None:
            self._servers = {
                proxy.name: {server.name: server for server in servers_of(proxy)}
                for proxy in self.configuration.backends
                if not proxy.disabled
            }
        return self._servers
