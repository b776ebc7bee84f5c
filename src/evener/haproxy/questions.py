"""What the questions about a whole configuration share: the configuration, and where findings go."""

from __future__ import annotations

from evener.haproxy.addresses import Resolve
from evener.haproxy.ir import Configuration
from evener.haproxy.sections.reading import BARE
from evener.text.diagnostic import Diagnostics
from evener.text.span import Span


class Checks:
    """The configuration in question, and where findings go."""

    def __init__(
        self, configuration: Configuration, diagnostics: Diagnostics, resolve: Resolve, lenient: bool
    ) -> None:
        self.configuration = configuration
        self.diagnostics = diagnostics
        self.resolve = resolve
        self.lenient = lenient
        self.backends = {proxy.name: proxy for proxy in configuration.backends}
        self.tables = {proxy.name for proxy in configuration.proxies if proxy.persistence.stick_table}
        self.tables |= {
            f"{section.name}/{line[1]}"
            for section in configuration.other
            for line in section.lines
            if section.kind == "peers" and line[0] == "table" and len(line) > 1
        }
        self.errors = {section.name for section in configuration.http_errors}

    def alert(self, code: str, message: str, span: Span | None, lead: str = BARE) -> None:
        self.diagnostics.alert(code, message, span, lead=lead)

    def warning(self, code: str, message: str, span: Span | None, lead: str = BARE) -> None:
        self.diagnostics.warning(code, message, span, lead=lead)
