"""``option external-check``: the command, its arguments and its environment, and what its end means.

The command gets four arguments (the proxy's address and port, the server's address and port; ``NOT_USED``
where there is none) and its facts once more as environment variables (manual, ``external-check
command``). It says by its exit status alone how the server is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field
from typing import Final

from evener.haproxy.checks.outcome import CheckStatus, Outcome
from evener.text.record import dataclass

NOT_USED: Final = "NOT_USED"


@dataclass(frozen=True, slots=True)
class External:
    """The part that is known from the configuration. ``environment``: what the command finds beside its
    own variables."""

    command: str
    path: str = ""
    proxy: str = ""
    proxy_id: int = 0
    proxy_address: str = NOT_USED
    proxy_port: str = NOT_USED
    protocol: str = "tcp"
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """The server as it stands when the check begins."""

    name: str
    id: int
    address: str
    port: int
    maxconn: int
    connections: int
    tls: bool = False


def invocation(check: External, target: Target) -> tuple[list[str], dict[str, str]]:
    """(words of the command, environment)."""
    local = target.address.startswith(("/", "\0"))
    port = NOT_USED if local else str(target.port)
    address = target.address.lstrip("\0")
    words = [check.command, check.proxy_address, check.proxy_port, address, port]
    variables = {
        "PATH": check.path,
        "HAPROXY_PROXY_NAME": check.proxy,
        "HAPROXY_PROXY_ID": str(check.proxy_id),
        "HAPROXY_PROXY_ADDR": _used(check.proxy_address),
        "HAPROXY_PROXY_PORT": _used(check.proxy_port),
        "HAPROXY_SERVER_NAME": target.name,
        "HAPROXY_SERVER_ID": str(target.id),
        "HAPROXY_SERVER_ADDR": address,
        "HAPROXY_SERVER_PORT": _used(port),
        "HAPROXY_SERVER_MAXCONN": str(target.maxconn),
        "HAPROXY_SERVER_CURCONN": str(target.connections),
        "HAPROXY_SERVER_SSL": str(int(target.tls)),
        "HAPROXY_SERVER_PROTO": check.protocol,
    }
    return words, {**check.environment, **variables}


def _used(text: str) -> str:
    return "" if text == NOT_USED else text


def ended(status: int, duration: int) -> Outcome:
    """From a wait status."""
    if not os.WIFEXITED(status):
        return Outcome(CheckStatus.PROCERR, -1, "", duration)
    code = os.WEXITSTATUS(status)
    return Outcome(CheckStatus.PROCERR if code else CheckStatus.PROCOK, code, "", duration)
