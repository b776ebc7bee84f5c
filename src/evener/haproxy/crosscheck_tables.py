"""What only the whole configuration can tell about stick tables: that they exist, and take what they get.

Likewise of the other things that arguments of samples name: backends, servers, frontends, user lists. Rules
are asked only when their text speaks of such things at all: walking through every expression of a large
configuration would take longer than everything else that is checked.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Final

from evener.haproxy.acl import AclTest
from evener.haproxy.arguments import REFERENCES, ArgumentKind
from evener.haproxy.cast import castable
from evener.haproxy.condition import Condition
from evener.haproxy.expression import Expr, Reference, references
from evener.haproxy.ir import Configuration
from evener.haproxy.members import stands_for
from evener.haproxy.questions import Checks
from evener.haproxy.rule import Rule
from evener.haproxy.sample import CONVERTERS, FETCHES, Source
from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.sections.reading import NOT_EXECUTED
from evener.haproxy.sections.stick_values import StickTable
from evener.haproxy.stick_table import TYPES
from evener.text.span import Span

_TABLES: Final = r"table|\bsrc_|\bsc\d?_"
_BYTES: Final = Source.RESPONSE_BUFFER | Source.RESPONSE_HEADERS | Source.RESPONSE | Source.RESPONSE_BODY
_DEEP: Final = 6  #: how far values of rules are looked into
_TRACKING: Final = (
    "tcp_request_connection", "tcp_request_session", "tcp_request_content", "http_request", "http_response",
)  # fmt: skip
RULES: Final = (*_TRACKING, "tcp_response_content", "http_after_response")


def stick_rules(proxy: Proxy, checks: Checks) -> None:
    for rule in proxy.persistence.stick:
        name = rule.table or proxy.name
        table = checks.tables.get(name)
        if table is None:
            message = f"Proxy '{proxy.name}': unable to find stick-table '{name}'."
            checks.alert("unknown-table", message, rule.span)
        elif proxy.mode == "tcp" and rule.action == "store-response" and rule.expression.source & _BYTES:
            told = "evener: 'stick store-response' does not look at what the server sends in mode tcp yet."
            checks.diagnostics.notice(NOT_EXECUTED, told, rule.span)
        elif not castable(rule.expression.type, TYPES[table.type]):
            told = f"Proxy '{proxy.name}': type of fetch not usable with type of stick-table '{name}'."
            checks.alert("incompatible-table", told, rule.span)


def own_rules(proxy: Proxy, names: Sequence[str]) -> Iterator[Rule]:
    """Rules of the proxy itself; those of its defaults are asked about there."""
    for name in names:
        rules = getattr(proxy.rules, name)
        if rules:
            yield from rules[len(getattr(proxy.origin.rules, name)) if proxy.origin is not None else 0 :]


def tracking(proxy: Proxy, checks: Checks) -> None:
    """Tables named by ``track-sc``."""
    for rule in own_rules(proxy, _TRACKING):
        if rule.action != "track-sc":
            continue
        number, key, name = rule.arguments
        name = name or proxy.name
        table = checks.tables.get(name)
        if table is None:
            told = f"Proxy '{proxy.name}': unable to find table '{name}' referenced by track-sc{number}."
            checks.alert("unknown-table", told, rule.span)
        elif not castable(key.type, TYPES[table.type]):
            checks.alert(
                "incompatible-table",
                f"Proxy '{proxy.name}': stick-table '{name}' uses a type incompatible with the "
                f"'track-sc{number}' rule.",
                rule.span,
            )


@functools.cache
def speaks() -> re.Pattern[str]:
    """What a text has in it that names something declared elsewhere."""
    names = [
        re.escape(word.name)
        for word in (*FETCHES, *CONVERTERS)
        if any(argument.kind in REFERENCES for argument in word.arguments)
        and not re.search(_TABLES, word.name)
    ]
    return re.compile(f"{_TABLES}|{'|'.join(names)}")


def mentioned(proxy: Proxy, checks: Checks) -> None:
    """Things named by fetches and converters. All of a proxy are told at once."""
    found = [
        (span, told)
        for span, reference, where in named_things(proxy)
        if (told := complaint(reference, where, proxy, checks)) is not None
    ]
    if len(found) == 1:
        checks.alert("unknown-table", found[0][1], found[0][0], lead="parsing [{place}]: ")
    elif found:
        lines = "".join(f"\n        parsing [{span}]: {told}" for span, told in found)
        checks.alert("unknown-table", f"multiple argument resolution errors:{lines}", found[0][0])


def complaint(reference: Reference, where: str, proxy: Proxy, checks: Checks) -> str | None:
    place = f"{where.replace('{}', reference.place)} in proxy '{proxy.name}'"
    if reference.kind is ArgumentKind.TABLE:
        return no_table(reference, place, proxy, checks.tables)
    if reference.kind is ArgumentKind.USERLIST:
        known = checks.configuration.section("userlist", reference.name) is not None
        return None if known else f"unable to find userlist '{reference.name}' referenced in {place}."
    if reference.kind is ArgumentKind.SERVER:
        return no_server(reference.name, place, proxy, checks)
    return no_proxy(reference, place, proxy, checks)


def no_proxy(reference: Reference, place: str, proxy: Proxy, checks: Checks) -> str | None:
    """A frontend or a backend: the one that is named, or that in which it stands."""
    side = reference.kind.value
    if reference.name:
        named = checks.proxies.get(reference.name)
        if named is None or not (named.kind.back if side == "backend" else named.kind.front):
            return f"unable to find {side} '{reference.name}' referenced in {place}."
    elif proxy.word != "defaults" and not (proxy.kind.back if side == "backend" else proxy.kind.front):
        return f"proxy '{proxy.name}', referenced in {place}, has not {side} capability."
    return None


def no_server(name: str, place: str, proxy: Proxy, checks: Checks) -> str | None:
    backend, slash, server = name.rpartition("/")
    if not slash and proxy.word == "defaults":
        return f"backend name must be set in {place}."
    of = checks.backends.get(backend) if slash else proxy
    if of is None:
        return f"unable to find proxy '{backend}' referenced in {place}."
    if of.word == "defaults" or server in {known.name for known in of.server}:
        return None
    for template in of.server_template:
        if stands_for(template, server):
            return None
    return f"unable to find server '{server}' in proxy '{of.name}', referenced in {place}."


def no_table(reference: Reference, place: str, proxy: Proxy, tables: Mapping[str, StickTable]) -> str | None:
    in_defaults = proxy.word == "defaults"
    if not reference.name and in_defaults:
        return f"table name must be set in {place}."
    name = reference.name or proxy.name
    if name in tables:
        return None
    return f"unable to find table '{name}' referenced in {place}."


def named_things(proxy: Proxy) -> Iterator[tuple[Span | None, Reference, str]]:
    """(place, reference, how it is spoken of) of everything that an argument names."""
    inherited = len(proxy.origin.rules.acl) if proxy.origin is not None else 0
    for test in proxy.rules.acl[inherited:]:
        yield from of_test(test, test.span)
    for rule in own_rules(proxy, RULES):
        said = " ".join(rule.words)
        if rule.action != "track-sc" and speaks().search(said):
            kind = rule.ruleset if rule.ruleset.startswith("http") else "tcp-request"
            for expr in expressions(rule.arguments):
                yield from of_expression(expr, rule.span, f"{{}} in {kind} expression")
        yield from of_condition(rule.condition, rule.span)
    failing = proxy.connections.monitor_fail
    for line in (*proxy.switching.use_backend, *proxy.switching.use_server, *failing):
        yield from of_condition(line.condition, line.span)
    logging = proxy.logging
    origin = proxy.origin.logging if proxy.origin is not None else None
    for name in ("log_format", "log_format_sd"):
        fmt = getattr(logging, name)
        if fmt is not None and (origin is None or getattr(origin, name) is not fmt):
            for expr in expressions(fmt):
                yield from of_expression(expr, logging.spans.get(name), "{} in log-format string")


def of_condition(
    condition: Condition | None, span: Span | None
) -> Iterator[tuple[Span | None, Reference, str]]:
    for suite in condition.suites if condition is not None else ():
        for term in suite:
            if term.test is not None:
                yield from of_test(term.test, span)


def of_test(test: AclTest, span: Span | None) -> Iterator[tuple[Span | None, Reference, str]]:
    if speaks().search(" ".join(test.words)):
        yield from of_expression(test.expr, span, "{}", acl=True)


def of_expression(
    expr: Expr, span: Span | None, where: str, acl: bool = False
) -> Iterator[tuple[Span | None, Reference, str]]:
    for reference in references(expr):
        if not optional(reference):
            place = where.replace("{}", reference.place) if acl else where
            yield span, reference, place.replace("sample fetch keyword", "ACL keyword") if acl else place


def optional(reference: Reference) -> bool:
    """``sc0_x([table])``: without a name it is the table that is tracked."""
    of_table = reference.kind is ArgumentKind.TABLE and not reference.written
    return of_table and not reference.converter and reference.keyword.startswith("sc")


def expressions(value: Any, depth: int = 0) -> Iterator[Expr]:
    """Every expression inside the arguments of a rule."""
    if isinstance(value, Expr):
        yield value
    elif isinstance(value, (tuple, list)):
        for one in value:
            yield from expressions(one, depth)
    elif depth < _DEEP and is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from expressions(getattr(value, field.name), depth + 1)


def one_table_a_name(configuration: Configuration, checks: Checks) -> None:
    """A frontend and a backend may share a name, but not when both have a table."""
    seen: dict[str, Proxy] = {}
    for proxy in configuration.proxies:
        table = proxy.persistence.stick_table
        other = seen.setdefault(proxy.name, proxy) if table is not None else proxy
        if table is not None and other is not proxy:
            at = other.persistence.stick_table
            checks.diagnostics.alert(
                "duplicate-table",
                f"stick-table name '{proxy.name}' conflicts with table declared in {other.word} "
                f"'{other.name}' at {at.span if at is not None else ''}.",
                table.span,
            )


def sync_peers(proxy: Proxy, checks: Checks) -> None:
    """The peers section that the declaration of a proxy's table names."""
    table = proxy.persistence.stick_table
    if table is not None and table.peers and checks.configuration.section("peers", table.peers) is None:
        message = f"Proxy '{proxy.name}': unable to find sync peers '{table.peers}'."
        checks.alert("unknown-peers", message, table.span)


def partners(name: str, table: StickTable, checks: Checks) -> None:
    """The other table that a declaration names."""
    if table.write_to is not None and table.write_to not in checks.tables:
        checks.alert(
            "unknown-table",
            f"Proxy '{name}': failed to initialize stick-table: write-to: table '{table.write_to}' "
            "doesn't exist.",
            table.span,
        )
