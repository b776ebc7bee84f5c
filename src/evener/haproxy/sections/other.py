"""Every section that is not ``global`` or a proxy.

``http-errors`` is read, because proxies use its files. The lines of the others are kept as they are, beside
what they mean; a notice says when a section is not executed yet.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import Any, Final

from evener.haproxy.sections.errors import ErrorFile
from evener.haproxy.sections.stick_values import StickTable
from evener.text.record import dataclass
from evener.text.span import Span
from evener.vocab.blocks import Keyword, known_word
from evener.vocab.registry import Registry, Status

_WORDS: Final = {
    "acme": "Accounts with certificate authorities that certificates are renewed with.",
    "cache": "Memory in which responses are kept.",
    "crt-store": "Certificates and where their parts are.",
    "fcgi-app": "What a FastCGI application wants to be told.",
    "healthcheck": "A named health check for servers.",
    "log-forward": "Receives log messages and sends them on.",
    "log-profile": "What is logged at which step.",
    "mailers": "Mail servers for alerts.",
    "namespace_list": "Network namespaces that are opened at start.",
    "peers": "Other nodes that tables are shared with.",
    "resolvers": "Name servers and how they are asked.",
    "ring": "Messages kept in memory, and servers they are sent to.",
    "spoe-agent": "An agent that processes the stream.",
    "spoe-group": "Messages sent to an agent together.",
    "spoe-message": "What an agent is told.",
    "traces": "What is traced, and where to.",
    "userlist": "Users, groups and passwords.",
}
EXECUTED: Final = frozenset(
    {
        "cache",
        "healthcheck",
        "log-forward",
        "log-profile",
        "mailers",
        "namespace_list",
        "peers",
        "ring",
        "userlist",
    }
)
"""Sections whose lines others read: nothing is missing when they are used (but other nodes of ``peers``)."""


def section_registry() -> Registry[Keyword]:
    """The sections by name, beside the proxies and ``global``."""
    registry: Registry[Keyword] = Registry("section")
    for name, doc in _WORDS.items():
        status = Status.WORKING if name in EXECUTED else Status.PLANNED
        example = f"{name} x"
        registry.declare(known_word(name, doc, most=1, status=status, example=example, argument="<name>"))
    doc, status = "Error files for proxies.", Status.WORKING
    registry.declare(known_word("http-errors", doc, least=1, most=1, status=status, argument="<name>"))
    registry.freeze()
    return registry


SECTIONS: Final = section_registry()


def main_registry() -> Registry[Keyword]:
    """``global`` and the proxies by name."""
    registry: Registry[Keyword] = Registry("main section")
    for usage, doc in (
        ("global", "What concerns the process: who it runs as, its limits, its logs, its sockets."),
        ("defaults [<name>] [from <defaults>]", "What the proxies after it begin with; with a name also "
         "those that ask for it."),
        ("frontend <name> [from <defaults>]", "Where clients connect, and which backend requests go to."),
        ("backend <name> [from <defaults>]", "Servers, and how they are chosen, checked and spoken to."),
        ("listen <name> [from <defaults>]", "A frontend and a backend in one."),
    ):  # fmt: skip
        name, least = usage.split()[0], int(" <name>" in usage)
        word = known_word(name, doc, least=least, most=3 if "[" in usage else 0, status=Status.WORKING)
        registry.declare(replace(word, signature=usage))
    registry.freeze()
    return registry


MAIN: Final = main_registry()


@dataclass(frozen=True, slots=True)
class OtherSection:
    """A section kept as lines of words. ``words`` is the line that opens it; ``peers`` has ``tables``.

    ``block`` is what the lines mean, of those sections that are a block (``forms``).
    """

    words: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...] = ()
    tables: tuple[tuple[str, StickTable], ...] = ()
    span: Span | None = field(default=None, compare=False)
    block: Any = field(default=None, compare=False)

    @property
    def kind(self) -> str:
        return self.words[0]

    @property
    def name(self) -> str:
        return self.words[1] if len(self.words) > 1 else ""


@dataclass(frozen=True, slots=True)
class HttpErrors:
    """A named collection of error files."""

    name: str
    files: tuple[ErrorFile, ...] = ()
    span: Span | None = field(default=None, compare=False)
