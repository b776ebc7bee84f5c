"""Questions about servers that need their whole proxy, or other ones: names, ports, tracking, addresses."""

from __future__ import annotations

from evener.haproxy.addresses import Resolve, Transport, literal_address
from evener.haproxy.expression import read_expression, unavailable
from evener.haproxy.ir import Configuration
from evener.haproxy.questions import Checks
from evener.haproxy.sample import Place
from evener.haproxy.scope import Failure
from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.sections.reading import AT, BARE, NOT_EXECUTED, SERVER_LEAD
from evener.haproxy.sections.servers import Server
from evener.text.diagnostic import Diagnostics


def related(proxy: Proxy, checks: Checks) -> None:
    """Servers have names of their own, and what they name exists."""
    doubles(proxy, checks.diagnostics)
    for server in proxy.server if proxy.kind.back else ():
        healthcheck(proxy, server, checks)
        fast_open(proxy, server, checks)
        if server.options.track is not None:
            tracking(proxy, server, checks.servers(), checks.diagnostics)


def updated(proxy: Proxy, checks: Checks) -> None:
    for server in proxy.server if proxy.kind.back else ():
        resolvers(proxy, server, checks)


def usable(proxy: Proxy, checks: Checks) -> None:
    """Whether the servers' addresses are of a kind that can be used, and checked."""
    for server in proxy.server if proxy.kind.back else ():
        transport(proxy, server, checks.diagnostics)
        port(proxy, server, checks.diagnostics)
        if server.options.pool_conn_name is not None:
            connection_name(proxy, server, server.options.pool_conn_name, checks.diagnostics)


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
    message = f"'server {proxy.name}/{server.name}' : {told} : {why}."
    diagnostics.alert("bad-expression", message, server.span, lead=SERVER_LEAD)


def check_addresses(
    configuration: Configuration, diagnostics: Diagnostics, resolve: Resolve, lenient: bool
) -> None:
    """Names that do not resolve; ``lenient``: they are no error."""
    proxies = [proxy for proxy in configuration.backends if not proxy.disabled]
    fine = [
        address(proxy, server, diagnostics, resolve, lenient) for proxy in proxies for server in proxy.server
    ]
    if not all(fine):
        diagnostics.alert("unresolved", "Failed to initialize server(s) addr.", None, lead=BARE)


def doubles(proxy: Proxy, diagnostics: Diagnostics) -> None:
    """A server with a name that a template has taken."""
    names: dict[str, int] = {}  # of templates: two server lines are compared when they are read
    for template in proxy.server_template:
        line = template.span.line if template.span else 0
        names.update((f"{template.prefix}{n}", line) for n in range(template.low, template.high + 1))
    for server in proxy.server:
        line = server.span.line if server.span else 0
        first = names.get(server.name)
        if first is not None and first != line:
            diagnostics.alert(
                "duplicate-server",
                f"'server {proxy.name}/{server.name}' : another server named '{server.name}' was already "
                f"defined at line {first}, please use a distinct name.",
                server.span,
                lead=SERVER_LEAD,
            )


def transport(proxy: Proxy, server: Server, diagnostics: Diagnostics) -> None:
    """Datagrams are for log backends."""
    if server.address.transport is Transport.DATAGRAM and proxy.mode != "log":
        message = f"unsupported transport for server address in '{proxy.mode}' backend."
        diagnostics.alert("unsupported-transport", message, server.span, lead=AT)
    if server.address.transport is Transport.REVERSE:
        message = f"evener: '{server.address.text}' is not executed yet."
        diagnostics.notice(NOT_EXECUTED, message, server.span)


def port(proxy: Proxy, server: Server, diagnostics: Diagnostics) -> None:
    """A check needs a port: the server's, its own, or that of a connect rule."""
    options = server.options
    has_port = server.address.port or server.address.offset or server.address.host[:1] in ("/", "\0")
    reverse = server.address.transport is Transport.REVERSE
    if (
        not options.check
        or options.port
        or reverse
        or has_port
        or (options.addr is not None and options.addr.port)
    ):
        return
    if options.addr is None and (not server.address.resolved or server.address.host in ("0.0.0.0", "::", "")):
        return  # no address yet either: the original says nothing
    rules = proxy.checks.tcp_check if proxy.option.tcp_check else proxy.checks.http_check
    connects = [rule for rule in rules if rule.words[0] == "connect"]
    if server.address.host.startswith("/") or any("port" in rule.words for rule in connects[:1]):
        return
    tail = " nor tcp_check rule 'connect' with port information" if connects else ""
    message = (
        f"config: proxy '{proxy.name}': server '{server.name}' has neither service port nor check port{tail}."
    )
    diagnostics.alert("no-check-port", message, server.span, lead=BARE)


def healthcheck(proxy: Proxy, server: Server, checks: Checks) -> None:
    name = server.options.healthcheck
    if name is not None and checks.configuration.section("healthcheck", name) is None:
        message = (
            f"'server {proxy.name}/{server.name}' : parsing [{server.span}]: healthcheck section "
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
            f"'server {proxy.name}/{server.name}' : server has tfo activated, the backend should be "
            "configured with at least 'conn-failure', 'empty-response' and 'response-timeout' or we wouldn't "
            "be able to retry the connection on failure."
        )
        checks.warning("early-data-lost", message, server.span, lead=AT)


def lonely_ports(proxy: Proxy, checks: Checks) -> None:
    """Persistence by RDP cookies goes by the servers' ports."""
    if proxy.persistence.persist is None or not proxy.kind.back:
        return
    for server in proxy.server:
        if server.address.offset or not server.address.port:
            message = f"RDP cookie persistence will not work for server '{server.name}' because it lacks an "
            message = f"{proxy.word} '{proxy.name}' : {message}explicit port number."
            checks.warning("no-explicit-port", message, server.span)


def server_cookies(proxy: Proxy, checks: Checks) -> None:
    """Cookies and redirections of servers need HTTP."""
    for server in proxy.server if not proxy.http and proxy.kind.back else ():
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
    where = f"'server {proxy.name}/{server.name}' : "
    if server.options.check:
        message = f"{where}unable to enable checks and tracking at the same time!"
        diagnostics.alert("check-and-track", message, server.span, lead=SERVER_LEAD)
        return
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
    methods = server.options.init_addr or ("last", "libc")
    if lenient and "none" not in methods:
        methods = (*methods, "none")
    service = server.address.host.startswith("_")  # RFC 2782: a name that only a DNS server can tell
    for method in methods:
        if literal_address(method) is not None:
            return True
        if (
            method == "libc"
            and not service
            and resolve(server.address.host, server.address.family) is not None
        ):
            return True
        if method == "none":
            if "libc" in methods:
                diagnostics.notice(
                    "unresolved",
                    f"'server {proxy.name}/{server.name}' : could not resolve address "
                    f"'{server.address.host}', disabling server.",
                    server.span,
                    lead=AT,
                )
            return True
    why = "no method found to resolve" if service else "could not resolve"
    message = f"'server {proxy.name}/{server.name}' : {why} address '{server.address.host}'."
    diagnostics.alert("unresolved", message, server.span, lead=AT)
    return False
