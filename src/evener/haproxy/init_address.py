"""``init-addr``: where the address of a server that has a name comes from at start.

The methods are tried in their order: the address that a state file remembers, the system's resolver, an
address that stands in the list itself, or none: then the server waits in maintenance for one.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable

from evener.haproxy.addresses import Resolve, Transport
from evener.haproxy.plan import Plan, ServerPlan
from evener.haproxy.sections.servers import Server
from evener.haproxy.state_file import Lookup

Told = Callable[[str, str], None]
USUAL = ("last", "libc")


def settle_addresses(plan: Plan, last: Lookup, resolve: Resolve) -> None:
    """Give every server whose name is not resolved its first address, and every one its last port."""
    for backend in plan.backends:
        for server in backend.servers:
            row = last(backend.name, server.name)
            if row is not None and not row.wrong() and server.ir.address.host[:1] not in ("/", "\0"):
                server.port = row.number(18)
            if not server.ir.address.resolved and server.ir.address.transport is Transport.STREAM:
                _settle(server, row.address if row is not None else None, resolve)


def _settle(plan: ServerPlan, last: str | None, resolve: Resolve) -> None:
    server: Server = plan.ir
    plan.address = ""
    for method in server.options.init_addr or USUAL:
        if method == "none":
            return
        found = last if method == "last" else method
        if method == "libc":
            found = resolve(server.address.host, server.address.family)
        address = _address(found)
        if address is not None:
            plan.family = socket.AF_INET if address.version == 4 else socket.AF_INET6
            plan.address = str(address)
            return


def _address(text: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text) if text is not None else None
    except ValueError:
        return None
