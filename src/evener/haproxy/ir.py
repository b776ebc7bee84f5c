"""A whole haproxy.cfg as values: what printing, lint, dry runs and the compiler read.

The parts are the frozen blocks of ``sections``; this is only how they are held together. Spans point
to the source but do not take part in comparisons.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field

from evener.haproxy.sections.global_ import Global
from evener.haproxy.sections.log_sections import LogForward, LogProfile, LogSection, Ring
from evener.haproxy.sections.log_values import Log
from evener.haproxy.sections.other import HttpErrors, OtherSection
from evener.haproxy.sections.proxy import Kind, Proxy
from evener.text.record import dataclass
from evener.text.span import Span

__all__ = ["Configuration", "Global", "HttpErrors", "Kind", "OtherSection", "Proxy"]


@dataclass(frozen=True, slots=True)
class Configuration:
    """``defaults`` and ``proxies`` in the order of the files; ``other`` are sections kept as lines."""

    global_: Global = field(default_factory=Global)
    defaults: tuple[Proxy, ...] = ()
    proxies: tuple[Proxy, ...] = ()
    http_errors: tuple[HttpErrors, ...] = ()
    other: tuple[OtherSection, ...] = ()
    files: tuple[str, ...] = ()
    global_span: Span | None = field(default=None, compare=False)
    log_sections: tuple[LogSection, ...] = field(default=(), compare=False)
    """What the lines of some ``other`` sections mean."""

    @property
    def frontends(self) -> Iterator[Proxy]:
        """Proxies that listen, disabled ones included."""
        return (proxy for proxy in self.proxies if proxy.kind.front)

    @property
    def backends(self) -> Iterator[Proxy]:
        """Proxies that have servers, disabled ones included."""
        return (proxy for proxy in self.proxies if proxy.kind.back)

    def proxy(self, name: str) -> Proxy | None:
        return next((proxy for proxy in self.proxies if proxy.name == name), None)

    def logs(self, proxy: Proxy) -> tuple[Log, ...]:
        """The targets of a proxy, with ``log global`` replaced by the global section's, each of them once."""
        found: list[Log] = []
        for log in proxy.logging.log:
            targets = self.global_.log[: log.length] if log.is_global else (log,)
            found += [one for one in targets if not log.is_global or all(one is not have for have in found)]
        return tuple(found)

    @property
    def rings(self) -> Iterator[Ring]:
        return (section for section in self.log_sections if isinstance(section, Ring))

    @property
    def log_forwards(self) -> Iterator[LogForward]:
        return (section for section in self.log_sections if isinstance(section, LogForward))

    @property
    def log_profiles(self) -> dict[str, LogProfile]:
        return {section.name: section for section in self.log_sections if isinstance(section, LogProfile)}

    def section(self, kind: str, name: str) -> OtherSection | None:
        return next((other for other in self.other if (other.kind, other.name) == (kind, name)), None)
