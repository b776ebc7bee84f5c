"""The exporter's metrics about stick tables and resolvers: (name, what it is, lines)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from evener.haproxy.control import Control
from evener.haproxy.stick_table import Table

_RESOLVER: Final = {
    "sent": "Sent", "send_error": "Send error", "valid": "Valid", "update": "Update", "cname": "CNAME",
    "cname_error": "CNAME error", "any_err": "Any errors", "nx": "NX", "timeout": "Timeout",
    "refused": "Refused", "other": "Other", "invalid": "Invalid", "too_big": "Too big",
    "truncated": "Truncated", "outdated": "Outdated",
}  # fmt: skip
KINDS: Final = {"ipv4": "ip"}
_RESOLV_CONF: Final = Path("/etc/resolv.conf")


def table_metrics(control: Control) -> Iterator[tuple[str, str, str]]:
    tables = list(control.plan.tables.values())
    values: tuple[tuple[str, str, Callable[[Table], int]], ...] = (
        ("size", "Stick table size.", lambda table: table.ir.size),
        ("used", "Number of entries used in this stick table.", lambda table: int(table.native.used)),
    )
    for metric, doc, value in values:
        name = f"haproxy_sticktable_{metric}"
        lines = [
            f'{name}{{name="{table.name}",type="{KINDS.get(table.ir.type, table.ir.type)}"}} {value(table)}\n'
            for table in tables
        ]
        if lines:
            yield name, doc, "".join(lines)


def _name_servers(control: Control) -> Iterator[tuple[str, str]]:
    """Those of ``resolvers`` sections, and the system's, which are the section called default."""
    seen = False
    for section in control.plan.configuration.other:
        if section.kind == "resolvers":
            seen = seen or section.name == "default"
            for line in section.lines:
                if line[0] == "nameserver" and len(line) > 1:
                    yield section.name, line[1]
    if not seen:
        try:
            lines = _RESOLV_CONF.read_text("utf-8", "replace").splitlines()[:1000]
        except OSError:
            return
        for text in lines:
            words = text.split()
            if len(words) > 1 and words[0] == "nameserver":
                yield "default", words[1]


def resolver_metrics(control: Control) -> Iterator[tuple[str, str, str]]:
    """Names are not resolved while running: nothing was sent to anybody."""
    servers = list(_name_servers(control))
    for metric, doc in _RESOLVER.items():
        name = f"haproxy_resolver_{metric}"
        lines = "".join(
            f'{name}{{resolver="{owner}",nameserver="{server}"}} 0\n' for owner, server in servers
        )
        if lines:
            yield name, doc, lines
