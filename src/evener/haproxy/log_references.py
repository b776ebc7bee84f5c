"""What log lines name and is nowhere: rings, log backends and profiles. Only found when a process starts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from evener.haproxy.ir import Configuration
from evener.haproxy.sections.log_values import Log
from evener.text.diagnostic import Diagnostic, Diagnostics, Severity
from evener.text.span import Span

RING: Final = "ring@"
BACKEND: Final = "backend@"


def check_references(configuration: Configuration, found: Diagnostics) -> None:
    """Complain about every log line that cannot be carried out."""
    made = _Checker(configuration, found)
    for log in configuration.global_.log:
        made.check(
            log, f"global log directive declared in file {_file(log.span)} at line '{_line(log.span)}'"
        )
    for proxy in configuration.proxies:
        made.section(f"proxy section '{proxy.name}'", configuration.logs(proxy))
    for section in configuration.log_forwards:
        made.section(f"log-forward section '{section.name}'", section.log)


def _file(span: Span | None) -> str:
    return span.source.name if span is not None else ""


def _line(span: Span | None) -> int:
    return span.line if span is not None else 0


class _Checker:
    def __init__(self, configuration: Configuration, found: Diagnostics) -> None:
        self.rings = {ring.name for ring in configuration.rings}
        self.modes = {proxy.name: proxy.mode for proxy in configuration.backends}
        self.profiles = configuration.log_profiles
        self.found = found

    def section(self, where: str, logs: Iterable[Log]) -> None:
        for log in logs:
            if not log.is_global:
                place = f"in file '{_file(log.span)}' at line {_line(log.span)}"
                self.check(log, f"log directive declared in {where} {place}")

    def check(self, log: Log, lead: str) -> None:
        wrong = self.wrong(log)
        if wrong:
            self.found.add(
                Diagnostic("unknown-log-target", Severity.ALERT, f"{lead} {wrong}.", None, lead="")
            )

    def wrong(self, log: Log) -> str:
        if log.profile is not None and log.profile not in self.profiles:
            return f"unknown log-profile '{log.profile}'"
        ring, backend = log.target.removeprefix(RING), log.target.removeprefix(BACKEND)
        if ring != log.target and ring not in self.rings:
            return f"uses unknown ring named '{ring}'"
        if backend != log.target:
            mode = self.modes.get(backend)
            if mode is None:
                return f"uses unknown log backend '{backend}'"
            if mode != "log":
                return f"uses incompatible log backend '{backend}'"
        return ""
