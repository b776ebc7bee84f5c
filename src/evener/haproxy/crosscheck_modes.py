"""What a proxy says that needs ``mode http`` and is ignored without it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from evener.haproxy.questions import Checks
from evener.haproxy.sections.proxy import Proxy

#: Options of HTTP by the side that has them.
_FRONT: Final = (
    "http_drop_response_trailers", "http_ignore_probes", "idle_close_on_response",
    "accept_unsafe_violations_in_http_request", "http_use_proxy_header", "disable_h2_upgrade",
)  # fmt: skip
_BACK: Final = (
    "checkcache", "http_drop_request_trailers", "prefer_last_server",
    "accept_unsafe_violations_in_http_response", "http_pretend_keepalive",
)  # fmt: skip
_BOTH: Final = ("http_buffer_request", "http_no_delay")
_COOKIE: Final = 63
"""How much of a captured cookie is kept where nothing is said."""
HTTP_OPTIONS: Final = frozenset(name.replace("_", "-") for name in (*_FRONT, *_BACK, *_BOTH))


def upgrades(proxy: Proxy, checks: Checks) -> bool:
    """Whether connections of a tcp proxy may become HTTP ones: by a rule, or by going to an HTTP backend."""
    if any(rule.action == "switch-mode" for rule in proxy.rules.tcp_request_content):
        return True
    if not proxy.kind.front:
        return False
    rules = proxy.switching.use_backend
    targets = [rule.value for rule in rules if rule.format is None]
    if proxy.switching.default_backend is not None:
        targets.append(proxy.switching.default_backend)
    found = (checks.backends.get(name) for name in targets)
    return len(targets) < len(rules) or any(target is not None and target.http for target in found)


def needs_http(proxy: Proxy) -> Iterator[tuple[str, str, bool]]:
    """(what, how it goes on, whether the proxy has it) of what tcp proxies cannot do."""
    rules = proxy.rules
    stats = proxy.stats
    yield "'stats' statement", "as it requires", bool(stats.enable or stats.uri)
    yield "'capture' statement", "as it requires", proxy.logging.capture_cookie is not None
    yield "'monitor-uri' statement", "as it requires", proxy.connections.monitor_uri is not None
    for name, present in (
        ("http-request", rules.http_request),
        ("http-response", rules.http_response),
        ("http-after-response", rules.http_after_response),
        ("redirect", rules.redirect),
    ):
        yield f"'{name}' rules", "as they require", bool(present)
    option = proxy.option
    mine = (*(_FRONT if proxy.kind.front else ()), *(_BACK if proxy.kind.back else ()), *_BOTH)
    for field in mine:
        yield f"'option {field.replace('_', '-')}'", "as it requires", bool(getattr(option, field))


def http_balance(proxy: Proxy, checks: Checks) -> None:
    if proxy.mode != "tcp":
        return
    if proxy.persistence.cookie is not None:
        message = f"cookie will be ignored for {proxy.word} '{proxy.name}' (needs 'mode http')."
        checks.warning("needs-http", message, proxy.span)
    if proxy.balancing.balance is not None and proxy.balancing.balance.algorithm in (
        "uri",
        "url_param",
        "hdr",
    ):
        checks.warning(
            "needs-http",
            f"Layer 7 hash not possible for {proxy.word} '{proxy.name}' (needs 'mode http'). "
            "Falling back to round robin.",
            proxy.span,
        )


def cookie_captured(proxy: Proxy, checks: Checks) -> None:
    """No more of a cookie is kept than ``tune.http.cookielen``."""
    said, capture = checks.configuration.global_.tune_http_cookielen, proxy.logging.capture_cookie
    most = _COOKIE if said is None or said == -1 else said
    if capture is not None and capture.length > most:
        message = f"truncating capture length to {most} bytes for {proxy.word} '{proxy.name}'."
        checks.warning("capture-cut", message, proxy.span)


def http_only(proxy: Proxy, checks: Checks) -> None:
    for what, how, present in needs_http(proxy) if not (proxy.http or upgrades(proxy, checks)) else ():
        if present:
            message = f"{what} ignored for {proxy.word} '{proxy.name}' {how} HTTP mode."
            checks.warning("needs-http", message, proxy.span)


def forwarding(proxy: Proxy, checks: Checks) -> None:
    """Options that add headers; the original asks about them last."""
    said = [field for field in ("forwarded", "forwardfor", "originalto") if getattr(proxy.option, field)]
    for field in said if not (proxy.http or upgrades(proxy, checks)) else ():
        message = f"'option {field}' ignored for {proxy.word} '{proxy.name}' as it requires HTTP mode."
        checks.warning("needs-http", message, proxy.span)


def switched(proxy: Proxy, checks: Checks) -> None:
    """Connections that become HTTP ones need a backend that speaks it."""
    leads_on = proxy.switching.default_backend is not None or proxy.switching.use_backend
    if (
        proxy.mode == "tcp"
        and (proxy.server or proxy.server_template)
        and not leads_on
        and upgrades(proxy, checks)
    ):
        message = f"'switch-mode http' configured for a tcp {proxy.word} with no backend. Incoming "
        message += "connections upgraded to HTTP cannot be routed to TCP servers"
        checks.warning("no-http-backend", f"Proxy '{proxy.name}' : {message}", proxy.span)
