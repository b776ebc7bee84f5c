"""What a proxy says that needs ``mode http`` and is ignored without it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from evener.haproxy.questions import Checks
from evener.haproxy.sections.proxy import Proxy

#: Options of HTTP by the side that has them.
_FRONT: Final = (
    "http_drop_response_trailers", "http_ignore_probes", "idle_close_on_response",
    "accept_unsafe_violations_in_http_request", "http_use_proxy_header",
)  # fmt: skip
_BACK: Final = (
    "checkcache", "http_drop_request_trailers", "prefer_last_server",
    "accept_unsafe_violations_in_http_response", "http_pretend_keepalive",
)  # fmt: skip
_BOTH: Final = ("http_buffer_request", "http_no_delay")


def upgrades(proxy: Proxy) -> bool:
    """Whether a rule turns connections of a tcp proxy into HTTP ones."""
    return any(rule.action == "switch-mode" for rule in proxy.rules.tcp_request_content)


def needs_http(proxy: Proxy) -> Iterator[tuple[str, str, bool]]:
    """(what, how it goes on, whether the proxy has it) of what tcp proxies cannot do."""
    rules = proxy.rules
    stats = proxy.stats
    yield "'stats' statement", "as it requires", bool(stats.enable or stats.uri)
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
    if proxy.mode != "tcp" or upgrades(proxy):
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


def http_only(proxy: Proxy, checks: Checks) -> None:
    for what, how, present in needs_http(proxy) if not (proxy.http or upgrades(proxy)) else ():
        if present:
            message = f"{what} ignored for {proxy.word} '{proxy.name}' {how} HTTP mode."
            checks.warning("needs-http", message, proxy.span)


def forwarding(proxy: Proxy, checks: Checks) -> None:
    """Options that add headers; the original asks about them last."""
    for field in ("forwarded", "forwardfor", "originalto") if not (proxy.http or upgrades(proxy)) else ():
        if getattr(proxy.option, field) is not None:
            message = f"'option {field}' ignored for {proxy.word} '{proxy.name}' as it requires HTTP mode."
            checks.warning("needs-http", message, proxy.span)
