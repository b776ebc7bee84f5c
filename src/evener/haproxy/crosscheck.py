"""What only the whole configuration can tell: names that must exist, modes that must agree, timeouts.

One function per question, each over one proxy; they add diagnostics and change nothing. Messages begin as
the original's do, which at this stage has no "parsing [file:line]" any more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from evener.haproxy.addresses import Resolve
from evener.haproxy.checks.parse import misplaced
from evener.haproxy.crosscheck_modes import http_balance, http_only
from evener.haproxy.crosscheck_tables import check_tables
from evener.haproxy.crosscheck_tls import certificates, fastcgi, verification
from evener.haproxy.expression import Expr, read_expression, unavailable
from evener.haproxy.filters.crosscheck import findings, repeated
from evener.haproxy.ir import Configuration
from evener.haproxy.questions import Checks
from evener.haproxy.sample import Place
from evener.haproxy.sections.balancing import Balance
from evener.haproxy.sections.check_rules import CheckRule
from evener.haproxy.sections.proxy import Kind, Proxy
from evener.haproxy.sections.reading import BARE
from evener.haproxy.sections.rule_words import Conditional
from evener.haproxy.server_check import check_addresses, check_servers
from evener.text.diagnostic import Diagnostic, Diagnostics, Severity

_TIMEOUTS: Final = (
    "While not properly invalid, you will certainly encounter various problems",
    "with such a configuration. To fix this, please ensure that all following",
    "timeouts are set to a non-zero value: 'client', 'connect', 'server'.",
)


def check(
    configuration: Configuration,
    diagnostics: Diagnostics,
    resolve: Resolve,
    lenient: bool,
    unverified: bool = False,
) -> None:
    """Add what is wrong between sections. ``lenient``: names that do not resolve are no error;
    ``unverified``: the certificates of servers need not be verified."""
    checks = Checks(configuration, diagnostics, resolve, lenient, unverified)
    ids: dict[int, Proxy] = {}
    for proxy in configuration.proxies:
        unique_id(proxy, ids, checks)
        if proxy.disabled:
            continue
        for question in QUESTIONS:
            question(proxy, checks)
    check_tables(configuration, checks)
    check_servers(configuration, diagnostics)
    for proxy in configuration.proxies if not diagnostics.has_errors else ():
        for question in LATER if not proxy.disabled else ():
            question(proxy, checks)
    if not diagnostics.has_errors:
        check_addresses(configuration, diagnostics, resolve, lenient)


def unique_id(proxy: Proxy, ids: dict[int, Proxy], checks: Checks) -> None:
    if proxy.id is None:
        return
    other = ids.setdefault(proxy.id, proxy)
    if other is not proxy:
        checks.alert(
            "duplicate-id",
            f"{proxy.word} {proxy.name} reuses same custom id as {other.word} {other.name} "
            f"(declared at {other.span}).",
            proxy.spans.get("id"),
            lead="config : parsing [{place}]: ",
        )


def has_binds(proxy: Proxy, checks: Checks) -> None:
    if proxy.kind.front and not proxy.bind:
        checks.warning(
            "no-bind",
            f"{proxy.word} '{proxy.name}' has no 'bind' directive. Please declare it as a backend if this "
            "was intended.",
            proxy.span,
        )


def default_backend(proxy: Proxy, checks: Checks) -> None:
    name = proxy.switching.default_backend
    if name is None or not proxy.kind.front:
        return
    span = proxy.switching.spans.get("default_backend", proxy.span)
    target = checks.backends.get(name)
    if target is None:
        checks.alert("unknown-backend", missing(proxy, "default_backend", name), span)
    elif target.name == proxy.name:
        checks.alert(
            "backend-loop", f"Proxy '{proxy.name}': loop detected for default_backend: '{name}'.", span
        )
    elif proxy.http and target.mode != "http":
        checks.alert("mode-mismatch", incompatible(proxy, target, "as its default backend"), span)
    elif proxy.kind is Kind.LISTEN and proxy.server:
        checks.warning(
            "servers-never-used",
            f"In proxy '{proxy.name}', the 'default_backend' rule always has precedence over the servers, "
            "which will never be used.",
            span,
        )


def missing(proxy: Proxy, keyword: str, name: str) -> str:
    return f"Proxy '{proxy.name}': unable to find required {keyword}: '{name}'."


def incompatible(proxy: Proxy, target: Proxy, how: str) -> str:
    return (
        f"{proxy.mode} {proxy.word} '{proxy.name}' ({proxy.span}) tries to use incompatible {target.mode} "
        f"{target.word} '{target.name}' ({target.span}) {how} (see 'mode')."
    )


def switching_rules(proxy: Proxy, checks: Checks) -> None:
    for rule in proxy.switching.use_backend if proxy.kind.front else ():
        for problem in rule.problems:
            checks.diagnostics.add(problem)
        if rule.format is not None or rule.problems:
            continue
        target = checks.backends.get(rule.value)
        if target is None:
            checks.alert("unknown-backend", missing(proxy, "use_backend", rule.value), rule.span)
        elif target.name == proxy.name:
            message = f"Proxy '{proxy.name}': loop detected for use_backend: '{rule.value}'."
            checks.alert("backend-loop", message, rule.span)
        elif proxy.http and target.mode != "http":
            how = "in a 'use_backend' rule"
            checks.alert("mode-mismatch", incompatible(proxy, target, how), rule.span)


def use_server_rules(proxy: Proxy, checks: Checks) -> None:
    names = {server.name for server in proxy.server}
    names.update(
        f"{template.prefix}{number}"
        for template in proxy.server_template
        for number in range(template.low, template.high + 1)
    )
    rules: tuple[Conditional, ...] = proxy.switching.use_server
    for rule in rules:
        for problem in rule.problems:
            checks.diagnostics.add(problem)
        if rule.format is None and not rule.problems and rule.value not in names:
            checks.alert(
                "unknown-server",
                f"{proxy.word} '{proxy.name}' : unable to find server '{rule.value}' referenced in a "
                "'use-server' rule.",
                rule.span,
            )


def balance_expression(proxy: Proxy, checks: Checks) -> None:
    asked = proxy.balancing.balance
    if asked is None:
        return
    if proxy.mode == "log" or asked.algorithm in LOG_ONLY:
        log_balance(proxy, asked, checks)
        return
    if asked.algorithm != "hash":
        return
    expr = read_expression(asked.argument or "")
    where = f"'balance hash' expression '{asked.argument}'"
    if not isinstance(expr, Expr):
        code, message = "bad-expression", f"failed to parse {where} in : {expr.message}."
    else:
        missing = unavailable(expr, Place.BE_SERVER.bit)
        if missing is None:
            return
        code, message = (
            "sample-not-available",
            (
                f"error detected while parsing {where} which requires information from {missing}, "
                "which is not available here."
            ),
        )
    checks.alert(code, message, proxy.span, lead=f"{proxy.word} '{proxy.name}' [{{place}}]: ")


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
        if not isinstance(expr, Expr):
            wrong = f"log {proxy.word} '{proxy.name}': failed to initialize: {expr.message} "
            wrong += '(from converter list argument in "balance log-hash").'
    elif proxy.mode != "log" and asked.algorithm == "log-hash":
        message = f"Unusable balance algorithm for {proxy.word} '{proxy.name}' (needs 'mode log'). "
        checks.warning("log-balance", message + "Falling back to round robin.", None)
    if wrong:
        checks.alert("bad-log-balance", wrong, None, lead="")


def error_sections(proxy: Proxy, checks: Checks) -> None:
    for used in proxy.errors.errorfiles:
        if used.section not in checks.errors:
            checks.alert(
                "unknown-http-errors",
                f"proxy '{proxy.name}': unknown http-errors section '{used.section}' (at {used.span}).",
                used.span,
            )


def timeouts(proxy: Proxy, checks: Checks) -> None:
    """The original's rule: the client's on a proxy that listens, the two others where there are servers."""
    wanted = [proxy.timeout.client] if proxy.kind.front else []
    if proxy.kind.back and (proxy.server or proxy.server_template):
        # A tunnel's timeout holds where nothing but a tunnel can be.
        server = proxy.timeout.server or (None if proxy.http else proxy.timeout.tunnel)
        wanted += [proxy.timeout.connect, server]
    if proxy.mode in ("tcp", "http") and not all(wanted):
        message = f"missing timeouts for {proxy.word} '{proxy.name}'."
        found = Diagnostic("missing-timeouts", Severity.WARNING, message, proxy.span, None, _TIMEOUTS, BARE)
        checks.diagnostics.add(found)


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
        httplog or option.tcplog is not None or logging.log_format or logging.log_format_sd
    )
    targets = [log for log in logging.log if not log.is_global or checks.configuration.global_.log]
    if wanted and not targets:
        message = f"log format ignored for {proxy.word} '{proxy.name}' since it has no log address."
        checks.warning("log-format-without-log", message, proxy.span)


def check_rules(proxy: Proxy, checks: Checks) -> None:
    """Rules of the proxy itself; about those of its defaults nothing is said."""
    inherited = proxy.origin.checks if proxy.origin is not None else None
    http = proxy.checks.http_check[len(inherited.http_check) if inherited else 0 :]
    tcp = proxy.checks.tcp_check[len(inherited.tcp_check) if inherited else 0 :]
    steps = [rule for rule in http if rule.words[0] not in ("disable-on-404", "send-state")]
    check_order(proxy, "http-check", bool(proxy.option.httpchk is not None), http, checks)
    check_order(proxy, "tcp-check", False, tcp, checks)
    for rules, keyword, option, set_ in (
        (steps, "http-check", "httpchk", proxy.option.httpchk is not None),
        (tcp, "tcp-check", "tcp-check", bool(proxy.option.tcp_check)),
    ):
        if rules and not set_:
            checks.warning(
                "check-rules-ignored",
                f"{proxy.word} '{proxy.name}' uses {keyword} rules without 'option {option}', so the rules "
                "are ignored.",
                rules[0].span,
            )


def check_order(proxy: Proxy, keyword: str, http: bool, rules: Sequence[CheckRule], checks: Checks) -> None:
    """Whether each step may stand where it does."""
    found = misplaced([rule.words for rule in rules], http)
    if found is not None:
        rule = rules[found[0]]
        message = f"'{keyword} {rule.words[0]}' : {found[1]}."
        checks.alert("misplaced-check-rule", message, rule.span, lead="config : parsing [{place}] : ")


def external_check(proxy: Proxy, checks: Checks) -> None:
    command, path = proxy.checks.external_check_command, proxy.checks.external_check_path
    for name, value in (("command", command), ("path", path)):
        if value is not None and proxy.kind.back and not proxy.option.external_check:
            checks.warning(
                "check-rules-ignored",
                f"'external-check {name}' will be ignored for {proxy.word} '{proxy.name}' "
                "(requires 'option external-check').",
                proxy.span,
            )
    if proxy.kind.back and command is not None and not command.startswith("/") and path is None:
        checks.alert(
            "external-check",
            f"Proxy '{proxy.name}': 'external-check command' does not have a leading '/' and "
            "'external-check path' is not set.",
            proxy.span,
        )
    if not proxy.option.external_check:
        return
    option = f"Proxy '{proxy.name}' : 'option external-check'"
    span = proxy.option.spans.get("external_check")
    if checks.configuration.global_.external_check is None:
        checks.alert("external-check", f"{option} unable to find required 'global.external-check'.", span)
    if proxy.checks.external_check_command is None:
        checks.alert("external-check", f"{option} unable to find required 'external-check command'.", span)
    if not any(known.words[0] == "insecure-fork-wanted" for known in checks.configuration.global_.known):
        message = (
            f"Proxy '{proxy.name}' : 'insecure-fork-wanted' not enabled in the global section, "
            "'option external-check' will likely fail."
        )
        checks.warning("external-check", message, span)


def state_file(proxy: Proxy, checks: Checks) -> None:
    wanted = proxy.connections.load_server_state_from_file == "global"
    if wanted and proxy.kind.back and checks.configuration.global_.server_state_file is None:
        checks.warning(
            "no-state-file",
            f"backend '{proxy.name}' configured to load server state file from global section "
            "'server-state-file' directive. Unfortunately, 'server-state-file' is not set!",
            proxy.span,
        )


def filters(proxy: Proxy, checks: Checks) -> None:
    caches = {other.name[:32] for other in checks.configuration.other if other.kind == "cache"}
    for message, span in repeated(proxy):
        checks.diagnostics.alert("repeated-filter", message, span)
    for message, span in findings(proxy, caches):
        checks.alert("bad-filter", message, span)


Question = Callable[[Proxy, Checks], None]
QUESTIONS: Final[tuple[Question, ...]] = (
    log_format,
    has_binds,
    default_backend,
    switching_rules,
    use_server_rules,
    balance_expression,
    error_sections,
    external_check,
    check_rules,
    http_balance,
    timeouts,
    state_file,
    filters,
)
#: Asked when the others have found no error.
LATER: Final[tuple[Question, ...]] = (log_without_target, http_only, certificates, verification, fastcgi)
