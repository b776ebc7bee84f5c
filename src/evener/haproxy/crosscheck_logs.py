"""What only a whole proxy can tell about its logs: whether formats fit its mode and have targets."""

from __future__ import annotations

from typing import Final

from evener.haproxy.crosscheck_tables import RULES, own_rules
from evener.haproxy.expression import Expr, read_expression
from evener.haproxy.questions import Checks
from evener.haproxy.sections.balancing import Balance
from evener.haproxy.sections.proxy import Proxy


def formats(proxy: Proxy, checks: Checks) -> None:
    """Log formats that could not be read; those of a defaults section are told at the first proxy."""
    before = len(checks.diagnostics)
    checks.diagnostics.release((proxy.kind.value, proxy.name))
    if proxy.origin is not None:
        checks.diagnostics.release(("defaults", proxy.origin.name))
    checks.broken_format = len(checks.diagnostics) > before


def uses_httplog(proxy: Proxy) -> bool:
    return proxy.option.httplog is not None or proxy.option.httpslog is True


def log_format(proxy: Proxy, checks: Checks) -> None:
    option = proxy.option
    if proxy.kind.front and uses_httplog(proxy) and not proxy.http:
        name = "option httplog" if option.httplog is not None else "option httpslog"
        checks.warning(
            "log-format-needs-http",
            f"'{name}' not usable with {proxy.word} '{proxy.name}' (needs 'mode http'). "
            "Falling back to 'option tcplog'.",
            option.spans.get("httplog", option.spans.get("httpslog", proxy.span)),
            lead="parsing [{place}] : ",
        )


def log_without_target(proxy: Proxy, checks: Checks) -> None:
    if not proxy.kind.front:
        return
    option, logging = proxy.option, proxy.logging
    httplog = uses_httplog(proxy)
    wanted = proxy.mode in ("tcp", "http") and (
        checks.broken_format
        or httplog
        or option.tcplog is not None
        or any(fmt is not None and fmt.items for fmt in (logging.log_format, logging.log_format_sd))
    )
    if wanted and not checks.configuration.logs(proxy):
        message = f"log format ignored for {proxy.word} '{proxy.name}' since it has no log address."
        checks.warning("log-format-without-log", message, proxy.span)


def rule_profiles(proxy: Proxy, checks: Checks) -> None:
    """Profiles that ``do-log`` names."""
    for rule in own_rules(proxy, RULES):
        name = rule.arguments[0] if rule.action == "do-log" else ""
        if name and name not in checks.configuration.log_profiles:
            message = f"Proxy '{proxy.name}': do-log action: profile '{name}' is invalid."
            checks.alert("unknown-log-profile", message, rule.span)


#: What log backends balance by, and what only they can.
LOG_BALANCE: Final = ("roundrobin", "random", "sticky", "log-hash")
LOG_ONLY: Final = ("sticky", "log-hash")


def log_balance(proxy: Proxy, asked: Balance, checks: Checks) -> None:
    """Log backends have their own algorithms."""
    wrong = ""
    if proxy.mode == "log" and asked.algorithm not in LOG_BALANCE:
        wrong = f"in {proxy.word} '{proxy.name}': \"balance\" only supports 'roundrobin', 'random', 'sticky' "
        wrong += "and 'log-hash'."
    elif proxy.mode == "log" and asked.algorithm == "log-hash":
        expr = read_expression(f"str(),{asked.argument}")
        hashing = proxy.balancing.hash_type
        start = f"log {proxy.word} '{proxy.name}': failed to initialize: "
        if not isinstance(expr, Expr):
            wrong = start + f'{expr.message} (from converter list argument in "balance log-hash").'
        elif hashing is not None and hashing.method == "consistent":
            wrong = start + 'unsupported hash method (from "hash-type").'
    elif proxy.mode != "log" and asked.algorithm == "log-hash":
        message = f"Unusable balance algorithm for {proxy.word} '{proxy.name}' (needs 'mode log'). "
        checks.warning("log-balance", message + "Falling back to round robin.", None)
    if wrong:
        checks.alert("bad-log-balance", wrong, None, lead="")
