"""Questions about servers that need their whole proxy, or other ones: names, ports, tracking, addresses."""

from __future__ import annotations

from evener.haproxy.addresses import Resolve, Transport, literal_address
from evener.haproxy.check_ports import port_missing
from evener.haproxy.expression import read_expression, unavailable
from evener.haproxy.ir import Configuration
from evener.haproxy.members import asked, called, distinct, first_twin, lines_of, multiplied
from evener.haproxy.questions import Checks
from evener.haproxy.sample import Place
from evener.haproxy.scope import Failure
from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.sections.reading import AT, BARE, NOT_EXECUTED, SERVER_LEAD
from evener.haproxy.sections.servers import Server, ServerTemplate
from evener.text.diagnostic import Diagnostics


def related(proxy: Proxy, checks: Checks) -> None:
    """Servers have names of their own, and what they name exists."""
    doubles(proxy, checks.diagnostics)
    for server in distinct(proxy) if proxy.kind.back else ():
        healthcheck(proxy, server, checks)
        if server.options.track is not None and server.options.check:
            message = f"{called(proxy, server)} : unable to enable checks and tracking at the same time!"
            checks.diagnostics.alert("check-and-track", message, server.span, lead=SERVER_LEAD)
    for server in asked(proxy, checks.diagnostics):
        fast_open(proxy, server, checks)
        if server.options.track is not None and not server.options.check:
            tracking(proxy, server, checks.servers(), checks.diagnostics)


def updated(proxy: Proxy, checks: Checks) -> None:
    for server in asked(proxy, checks.diagnostics):
        resolvers(proxy, server, checks)


def usable(proxy: Proxy, checks: Checks) -> None:
    """Whether the servers' addresses are of a kind that can be used, and checked."""
    for server in distinct(proxy) if proxy.kind.back else ():
        transport(proxy, server, checks.diagnostics)
        port(proxy, server, checks)
        if server.options.pool_conn_name is not None:
            connection_name(proxy, server, server.options.pool_conn_name, checks.diagnostics)
        if checks.diagnostics.has_errors:
            return  # the original's first one is its last


def connection_name(proxy: Proxy, server: Server, text: str, diagnostics: Diagnostics) -> None:
    """``pool-conn-name`` must be something that is known before there is a connection."""
    result = read_expression(text)
    if isinstance(result, Failure):
        why = result.message
    elif (what := unavailable(result, Place.BE_SERVER.bit)) is not None:
        why = f"fetch method '{text}' extracts information from '{what}', none of which is available here."
    else:
        return
    told = "error detected while parsing sni or pool-conn-name expressions"
    message = f"{called(proxy, server)} : {told} : {why}."
    diagnostics.alert("bad-expression", message, server.span, lead=SERVER_LEAD)


def check_addresses(
    configuration: Configuration, diagnostics: Diagnostics, resolve: Resolve, lenient: bool
) -> None:
    """Names that do not resolve; ``lenient``: they are no error."""
    proxies = [proxy for proxy in configuration.backends if not proxy.disabled]
    fine = [
        address(proxy, server, diagnostics, resolve, lenient)
        for proxy in proxies
        for server in asked(proxy, diagnostics)
    ]
    if not all(fine):
        diagnostics.alert("unresolved", "Failed to initialize server(s) addr.", None, lead=BARE)


def doubles(proxy: Proxy, diagnostics: Diagnostics) -> None:
    """Names that a template has taken, or takes; two server lines are compared when they are read."""
    before: list[Server | ServerTemplate] = []
    for line in lines_of(proxy) if proxy.server_template else ():
        twin = first_twin(line, before)
        if twin is not None:
            name, other = twin
            who = called(proxy, next(multiplied(line)) if isinstance(line, ServerTemplate) else line)
            at = other.span.line if other.span else 0
            message = f"{who} : another server named '{name}' was already defined at line {at}, please use a "
            diagnostics.alert("duplicate-server", f"{message}distinct name.", line.span, lead=SERVER_LEAD)
        before.append(line)


def transport(proxy: Proxy, server: Server, diagnostics: Diagnostics) -> None:
    """Datagrams are for log backends."""
    if server.address.transport is Transport.DATAGRAM and proxy.mode != "log":
        message = f"unsupported transport for server address in '{proxy.mode}' backend."
        diagnostics.alert("unsupported-transport", message, server.span, lead=AT)
    if server.address.transport is Transport.REVERSE:
        message = f"evener: '{server.address.text}' is not executed yet."
        diagnostics.notice(NOT_EXECUTED, message, server.span)


def port(proxy: Proxy, server: Server, checks: Checks) -> None:
    missing = port_missing(proxy, server, checks.configuration)
    if missing:
        who = f"config: proxy '{proxy.name}': server '{server.name}'"
        message = f"{who} has neither service port nor check port{missing}"
        checks.diagnostics.alert("no-check-port", message, server.span, lead=BARE)


def healthcheck(proxy: Proxy, server: Server, checks: Checks) -> None:
    name = server.options.healthcheck
    if name is not None and checks.configuration.section("healthcheck", name) is None:
        message = (
            f"{called(proxy, server)} : parsing [{server.span}]: healthcheck section "
            f"'*healthcheck-{name}' not found for server '{server.name}'."
        )
        checks.alert("unknown-healthcheck", message, server.span, lead=AT)


def resolvers(proxy: Proxy, server: Server, checks: Checks) -> None:
    """The section that keeps the server's address up to date."""
    named = [known.words[1] for known in server.options.known if known.words[0] == "resolvers"]
    if named and checks.configuration.section("resolvers", named[-1]) is None:
        message = (
            f"{proxy.word} '{proxy.name}', server '{server.name}': unable to find required resolvers "
            f"'{named[-1]}'"
        )
        checks.alert("unknown-resolvers", message, server.span)


_RETRIES = {"conn-failure", "empty-response", "response-timeout"}


def fast_open(proxy: Proxy, server: Server, checks: Checks) -> None:
    """Data sent too early must be sent again."""
    if server.options.tfo and not set(proxy.connections.retry_on or ()) >= _RETRIES:
        message = (
            f"{called(proxy, server)} : server has tfo activated, the backend should be "
            "configured with at least 'conn-failure', 'empty-response' and 'response-timeout' or we wouldn't "
            "be able to retry the connection on failure."
        )
        checks.warning("early-data-lost", message, server.span, lead=AT)


def lonely_ports(proxy: Proxy, checks: Checks) -> None:
    """Persistence by RDP cookies goes by the servers' ports."""
    if proxy.persistence.persist is None or not proxy.kind.back:
        return
    for server in asked(proxy, checks.diagnostics):
        if server.address.offset or not server.address.port:
            message = f"RDP cookie persistence will not work for server '{server.name}' because it lacks an "
            message = f"{proxy.word} '{proxy.name}' : {message}explicit port number."
            checks.warning("no-explicit-port", message, server.span)


def server_cookies(proxy: Proxy, checks: Checks) -> None:
    """Cookies and redirections of servers need HTTP."""
    for server in asked(proxy, checks.diagnostics) if not proxy.http else ():
        if server.options.redir is not None:
            message = "server cannot have cookie or redirect prefix in non-HTTP mode."
            checks.alert("needs-http", f"{proxy.word} '{proxy.name}' : {message}", server.span)
        if server.options.cookie is not None:
            message = (
                f"{proxy.word} '{proxy.name}' : ignoring cookie for server '{server.name}' as HTTP mode is "
                "disabled."
            )
            checks.warning("needs-http", message, server.span)


def tracking(
    proxy: Proxy, server: Server, by_name: dict[str, dict[str, Server]], diagnostics: Diagnostics
) -> None:
    """``track`` must lead to a server that is checked, and not back to itself."""
    where = f"{called(proxy, server)} : "
    seen: set[str] = {f"{proxy.name}/{server.name}"}
    backend, current = proxy.name, server
    while current.options.track is not None:
        wanted, slash, name = current.options.track.rpartition("/")
        backend = wanted if slash else backend
        if backend not in by_name:
            message = f"{where}unable to find required proxy '{backend}' for tracking."
            diagnostics.alert("unknown-server", message, server.span, lead=AT)
            return
        found = by_name[backend].get(name)
        if found is None:
            message = f"{where}unable to find required server '{name}' for tracking."
            diagnostics.alert("unknown-server", message, server.span, lead=AT)
            return
        full = f"{backend}/{name}"
        if full in seen:
            message = (
                f"{where}unable to track {full} as it belongs to a tracking chain looping back to "
                f"{proxy.name}/{server.name}."
            )
            diagnostics.alert("tracking-loop", message, server.span, lead=AT)
            return
        seen.add(full)
        current = found
    if not current.options.check and not current.options.agent_check:
        message = (
            f"{where}unable to use {backend}/{current.name} for tracking as it does not have any check nor "
            "agent enabled."
        )
        diagnostics.alert("tracked-not-checked", message, server.span, lead=AT)


def address(proxy: Proxy, server: Server, diagnostics: Diagnostics, resolve: Resolve, lenient: bool) -> bool:
    """Whether the server's name resolves, or need not."""
    if server.address.resolved:
        return True
    host = server.address.host
    where = f"{called(proxy, server)} : "
    service = host.startswith("_")  # RFC 2782: a name that only a DNS server can tell
    failed = False
    for method in methods(server, lenient):
        if method == "libc" and not service:
            if resolve(host, server.address.family) is not None:
                return True
            failed = True
        elif method == "none" or literal_address(method) is not None:
            if failed:
                then = "disabling server" if method == "none" else "falling back to configured address"
                message = f"{where}could not resolve address '{host}', {then}."
                diagnostics.notice("unresolved", message, server.span, lead=AT)
            return True
    why = "could not resolve" if failed else "no method found to resolve"
    diagnostics.alert("unresolved", f"{where}{why} address '{host}'.", server.span, lead=AT)
    return False


def methods(server: Server, lenient: bool) -> tuple[str, ...]:
    """``init-addr``; a server whose address is kept up to date may begin without one."""
    waits = any(known.words[0] == "resolvers" for known in server.options.known)
    said = server.options.init_addr or (("last", "libc", "none") if waits else ("last", "libc"))
    return said if not lenient or "none" in said else (*said, "none")
