"""Which port a health check would connect to: it must be said somewhere.

The server's own port, the check's, that of the check's address, or those of the ``connect`` steps; the first
step must then be a ``connect``. It does not know how a check is run.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from evener.haproxy.addresses import Transport
from evener.haproxy.ir import Configuration
from evener.haproxy.sections.healthcheck import contents
from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.sections.servers import Server

Step = Sequence[str]

_SILENT: Final = ("comment", "set-var", "set-var-fmt", "unset-var")
"""Steps that exchange nothing."""
_OWN_STEPS: Final[Sequence[Step]] = (("send",), ("expect",))
"""What the checks do that are not told step by step: all of them begin to speak at once."""
_PORT: Final = re.compile(r":[0-9]+$")


def port_missing(proxy: Proxy, server: Server, configuration: Configuration) -> str:
    """What to say of a check that has no port; empty when there is nothing to say."""
    if not server.options.check or has_port(server) or (proxy.option.external_check and not _section(server)):
        return ""
    told = _steps(proxy, server, configuration)
    if not told:
        return "."
    steps = [step for step in told if step[0].partition("(")[0] not in _SILENT]
    if not steps or not _tells_port(steps[0]):
        return " nor tcp_check rule 'connect' with port information."
    if all(_tells_port(step) for step in steps if step[0] == "connect"):
        return ""
    return ", and a tcp_check rule 'connect' with no port information."


def has_port(server: Server) -> bool:
    """Whether there is a port without the steps, or none is needed."""
    options, address = server.options, server.address
    absolute = address.port and not address.offset
    if options.port or absolute or address.transport is Transport.REVERSE:
        return True
    if options.addr is not None:
        return bool(options.addr.port)
    return not address.resolved or address.host[:1] in ("/", "\0") or address.host in ("0.0.0.0", "::", "")


def _section(server: Server) -> bool:
    return server.options.healthcheck is not None


def _steps(proxy: Proxy, server: Server, configuration: Configuration) -> Sequence[Step]:
    section = configuration.section("healthcheck", server.options.healthcheck or "")
    if _section(server) and section is not None:
        kind, _, rules = contents(section)
        return _exchanges(rules) or ([("connect",)] if kind == "tcp-check" else _OWN_STEPS)
    option, checks = proxy.option, proxy.checks
    if option.httpchk is not None:
        steps = _exchanges([rule.words for rule in checks.http_check])
        # The request of the option comes first, unless one that is told takes its place.
        return steps if any(step[0] == "send" for step in steps) else [*_OWN_STEPS, *steps]
    if option.tcp_check:
        return [rule.words for rule in checks.tcp_check]
    greets = (option.smtpchk, option.mysql_check, option.pgsql_check, option.redis_check, option.ldap_check)
    said = (*greets, option.ssl_hello_chk, option.spop_check)
    return _OWN_STEPS if any(value is not None and value is not False for value in said) else ()


def _exchanges(rules: Sequence[Step]) -> list[Step]:
    return [step for step in rules if step[0] not in ("disable-on-404", "send-state")]


def _tells_port(step: Step) -> bool:
    if step[0] != "connect":
        return False
    told = step[step.index("addr") + 1 :][:1] if "addr" in step else ()
    return "port" in step or any(_PORT.search(text) for text in told)
