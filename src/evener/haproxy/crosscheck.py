"""What only the whole configuration can tell: names that must exist, modes that must agree, timeouts.

One function per question, each over one proxy; they add diagnostics and change nothing. Messages begin as
the original's do, which at this stage has no "parsing [file:line]" any more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from evener.haproxy.addresses import Resolve
from evener.haproxy.checks.parse import misplaced
from evener.haproxy.crosscheck_global import settings
from evener.haproxy.crosscheck_layers import http3_over_tcp, layers
from evener.haproxy.crosscheck_logs import (
    LOG_ONLY,
    formats,
    log_balance,
    log_format,
    log_without_target,
    rule_profiles,
)
from evener.haproxy.crosscheck_modes import cookie_captured, forwarding, http_balance, http_only, switched
from evener.haproxy.crosscheck_references import alerts, local_nodes, renewals, sections_exist
from evener.haproxy.crosscheck_tables import (
    mentioned,
    one_table_a_name,
    partners,
    stick_rules,
    sync_peers,
    tracking,
)
from evener.haproxy.crosscheck_tls import (
    bind_protocols,
    certificates,
    fastcgi,
    internal_client,
    server_protocols,
    verification,
)
from evener.haproxy.expression import Expr, read_expression, unavailable
from evener.haproxy.filters.crosscheck import findings, repeated, sequences
from evener.haproxy.ir import Configuration
from evener.haproxy.members import stands_for
from evener.haproxy.questions import Checks
from evener.haproxy.sample import Place
from evener.haproxy.sections.check_rules import CheckRule
from evener.haproxy.sections.forms import form_of
from evener.haproxy.sections.proxy import Kind, Proxy
from evener.haproxy.sections.reading import BARE
from evener.haproxy.sections.rule_words import Conditional
from evener.haproxy.sections.stats import in_force
from evener.haproxy.server_check import (
    check_addresses,
    lonely_ports,
    related,
    server_cookies,
    updated,
    usable,
)
from evener.haproxy.spelling import spellings
from evener.text.diagnostic import Diagnostic, Diagnostics, Severity

if TYPE_CHECKING:
    from evener.haproxy.sections.spoe_words import SpoeAgent
    from evener.text.span import Span

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
    ``unverified``: the certificates of servers need not be verified.

    The stages are the original's: each is only reached when the one before has found no error.
    """
    checks = Checks(configuration, diagnostics, resolve, lenient, unverified)
    for stage in (declared_once, proxies, internal_client, sections, servers):
        stage(configuration, checks)
        if diagnostics.has_errors:
            return
    settings(checks)
    check_addresses(configuration, diagnostics, resolve, lenient)


def declared_once(configuration: Configuration, checks: Checks) -> None:
    ids: dict[int, Proxy] = {}
    for proxy in configuration.proxies:
        unique_id(proxy, ids, checks)
        if not proxy.disabled:
            for message, span in repeated(proxy):
                checks.diagnostics.alert("repeated-filter", message, span)
    one_table_a_name(configuration, checks)
    verify(configuration, checks, _FIRST)
    for proxy in configuration.proxies:
        renewals(proxy, checks)


_FIRST: Final = ("userlist", "crt-store")
_LAST: Final = ("mailers", "resolvers", "fcgi-app")
"""Sections that are asked about before the proxies, and after them."""


def verify(configuration: Configuration, checks: Checks, kinds: Sequence[str]) -> None:
    for kind in kinds:
        for other in configuration.other:
            if other.kind == kind and other.block is not None:
                asked = form_of(kind).verify
                if asked is not None:
                    asked(other.block, configuration, checks.diagnostics)


def sections(configuration: Configuration, checks: Checks) -> None:
    """What proxies and the smaller sections lack; all of it is told."""
    for proxy in configuration.proxies:
        if not proxy.disabled:
            certificates(proxy, checks)
    local_nodes(checks)
    for name, table in checks.tables.items():
        partners(name, table, checks)
    verify(configuration, checks, _LAST)
    spelling_file(configuration, checks)
    for proxy in configuration.proxies:
        if not proxy.disabled:
            fastcgi(proxy, checks)
            updated(proxy, checks)


def spelling_file(configuration: Configuration, checks: Checks) -> None:
    said = configuration.global_.http1
    if said.h1_case_adjust_file is not None:
        try:
            spellings(said)
        except ValueError as error:
            checks.alert("bad-spelling-file", str(error), said.spans.get("h1_case_adjust_file"))


def engines(proxy: Proxy, checks: Checks) -> None:
    for line in proxy.filters.filter:
        if line.engine is not None:
            agents(proxy, line.engine.agent, checks)


def agents(proxy: Proxy, agent: SpoeAgent, checks: Checks) -> None:
    """The servers of a SPOE engine are a backend's."""
    name = agent.use_backend or ""
    backend = checks.configuration.proxy(name)
    if backend is None or not backend.kind.back:
        message = (
            f"Proxy {proxy.name} : unknown backend '{name}' used by SPOE agent '{agent.name}' "
            f"declared at {agent.span}."
        )
        checks.diagnostics.alert("unknown-backend", message, agent.span, lead=BARE)
    elif backend.mode not in ("spop", "tcp"):
        message = (
            f"Proxy {proxy.name} : backend '{name}' used by SPOE agent '{agent.name}' declared at "
            f"{agent.span} must use SPOP mode."
        )
        checks.diagnostics.alert("wrong-mode", message, agent.span, lead=BARE)


def proxies(configuration: Configuration, checks: Checks) -> None:
    """The original stops at the first one that is wrong; here the errors of the others follow."""
    for defaults in configuration.defaults:
        layers(defaults, checks)
        tracking(defaults, checks)
        mentioned(defaults, checks)
    before = checks.diagnostics.errors
    for proxy in configuration.proxies:
        checks.only_errors = checks.diagnostics.errors > before
        if not proxy.disabled:
            for question in QUESTIONS:
                question(proxy, checks)


def servers(configuration: Configuration, checks: Checks) -> None:
    """What the original asks when everything is put together; the first error is the last one."""
    for proxy in configuration.proxies:
        if not proxy.disabled and not checks.diagnostics.has_errors:
            usable(proxy, checks)
            forwarding(proxy, checks)
            for message, span in sequences(proxy):
                checks.alert("bad-filter-sequence", message, span)


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
    for name, span in ignored(proxy, "default_backend"):
        default_target(proxy, name, span, checks)
    if proxy.switching.default_backend is not None and proxy.kind.front:
        said = proxy.switching.spans.get("default_backend") or proxy.span
        default_target(proxy, proxy.switching.default_backend, said, checks)


def ignored(proxy: Proxy, word: str) -> list[tuple[str, Span]]:
    """What a backend names where nothing is chosen, which must be there all the same."""
    found = [(known.words[1], known.span) for known in proxy.known if known.words[0] == word]
    if word == "default_backend":
        del found[:-1]
    return [(name, span) for name, span in found if span is not None and "%" not in name]


def default_target(proxy: Proxy, name: str, span: Span | None, checks: Checks) -> None:
    target = checks.backends.get(name)
    if target is None:
        checks.alert("unknown-backend", missing(proxy, "default_backend", name), span)
    elif target.name == proxy.name:
        checks.alert(
            "backend-loop", f"Proxy '{proxy.name}': loop detected for default_backend: '{name}'.", span
        )
    elif proxy.http and target.mode != "http":
        checks.alert("mode-mismatch", incompatible(proxy, target, "as its default backend"), span)
    elif proxy.kind is Kind.LISTEN and (proxy.server or proxy.server_template):
        checks.warning(
            "servers-never-used",
            f"In proxy '{proxy.name}', the 'default_backend' rule always has precedence over the servers, "
            "which will never be used.",
            span,
        )


def missing(proxy: Proxy, keyword: str, name: str) -> str:
    return f"Proxy '{proxy.name}': unable to find required {keyword}: '{name}'."


def incompatible(proxy: Proxy, target: Proxy, how: str) -> str:
    mode = "syslog" if target.mode == "log" else target.mode
    return (
        f"{proxy.mode} {proxy.word} '{proxy.name}' ({proxy.span}) tries to use incompatible {mode} "
        f"{target.word} '{target.name}' ({target.span}) {how} (see 'mode')."
    )


def broken_target(rule: Conditional, start: str, checks: Checks) -> None:
    """The format of a name that could not be read, which is only said here."""
    for problem in rule.problems:
        if problem.severity is Severity.ALERT:
            message = f"Parsing [{rule.span}{start}{problem.message}"
            checks.alert("bad-target", message, problem.span)
        else:
            checks.add(problem)


def switching_rules(proxy: Proxy, checks: Checks) -> None:
    for name, span in ignored(proxy, "use_backend"):
        switching_target(proxy, name, span, checks)
    for rule in proxy.switching.use_backend if proxy.kind.front else ():
        start = f"]: failed to parse use_backend rule '{rule.value}' : "
        broken_target(rule, start, checks)
        if rule.format is not None or rule.problems:
            continue
        switching_target(proxy, rule.value, rule.span, checks)


def switching_target(proxy: Proxy, name: str, span: Span | None, checks: Checks) -> None:
    target = checks.backends.get(name)
    if target is None:
        checks.alert("unknown-backend", missing(proxy, "use_backend", name), span)
    elif target.name == proxy.name:
        message = f"Proxy '{proxy.name}': loop detected for use_backend: '{name}'."
        checks.alert("backend-loop", message, span)
    elif proxy.http and target.mode != "http":
        how = "in a 'use_backend' rule"
        checks.alert("mode-mismatch", incompatible(proxy, target, how), span)


def use_server_rules(proxy: Proxy, checks: Checks) -> None:
    names = {server.name for server in proxy.server}
    rules: tuple[Conditional, ...] = proxy.switching.use_server
    for rule in rules:
        broken_target(rule, f"]; use-server rule failed to parse log-format '{rule.value}' : ", checks)
        if rule.format is not None or rule.problems or rule.value in names:
            continue
        if not any(stands_for(template, rule.value) for template in proxy.server_template):
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


def page_rules(proxy: Proxy, checks: Checks) -> None:
    """Who may see the statistics page is said in one way."""
    stats = in_force(proxy)
    if stats is not None and stats.http_request and (stats.auth or stats.realm):
        message = "stats 'auth'/'realm' and 'http-request' can't be used at the same time."
        checks.alert("two-ways-to-authenticate", f"proxy '{proxy.name}': {message}", None, lead="")


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
        checks.add(found)


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
    for message, span in findings(proxy, caches):
        checks.alert("bad-filter", message, span)


Question = Callable[[Proxy, Checks], None]
QUESTIONS: Final[tuple[Question, ...]] = (
    bind_protocols,
    http3_over_tcp,
    http_balance,
    log_format,
    has_binds,
    check_rules,
    external_check,
    alerts,
    default_backend,
    switching_rules,
    use_server_rules,
    stick_rules,
    layers,
    tracking,
    rule_profiles,
    switched,
    sync_peers,
    page_rules,
    formats,
    balance_expression,
    sections_exist,
    mentioned,
    timeouts,
    cookie_captured,
    state_file,
    related,
    verification,
    log_without_target,
    error_sections,
    http_only,
    server_cookies,
    lonely_ports,
    filters,
    engines,
    server_protocols,
)
