"""Rules that look at the wrong layer, or too late: bytes where HTTP is spoken, trackers after the session.

Where HTTP is spoken there are no bytes to look at: fetches of the request buffer (layer 6) find nothing
there. Rules are only gone through when some expression of the configuration has such a fetch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from evener.haproxy.acl import AclTest
from evener.haproxy.condition import Condition, tests_of
from evener.haproxy.expression import FETCHED
from evener.haproxy.questions import Checks
from evener.haproxy.rule import Rule
from evener.haproxy.sample import Place, Source, fetch_of
from evener.haproxy.sections.bind import Bind
from evener.haproxy.sections.proxy import Proxy
from evener.text.span import Span

_BYTES: Final = Source.REQUEST_BUFFER | Source.RESPONSE_BUFFER
_CONTENTS: Final = Source.REQUEST_BUFFER | Source.REQUEST_HEADERS | Source.REQUEST | Source.REQUEST_BODY
_ACCEPTED: Final = Place.FE_SESSION.bit
_CONTENT: Final = "tcp-request content"
_ALLOW: Final = "expose-experimental-directives"
RULES: Final = (
    "tcp_request_connection", "tcp_request_session", "tcp_request_content", "tcp_response_content",
    "http_request", "http_response", "http_after_response",
)  # fmt: skip


Tests = dict[str, list[AclTest]]


def named(proxy: Proxy) -> Tests:
    """The ACLs of a proxy by name."""
    acls: Tests = {}
    for test in proxy.rules.acl:
        acls.setdefault(test.name or "", []).append(test)
    return acls


def looks_at(condition: Condition, sources: Source, acls: Tests) -> bool:
    """Whether a condition asks for something from one of the sources."""
    terms = (term for suite in condition.suites for term in suite)
    return any(test.expr.source & sources for term in terms for test in tests_of(term, acls))


def byte_fetches(names: set[str]) -> bool:
    return any(fetch_of(name).source & _BYTES for name in names)


def layers(proxy: Proxy, checks: Checks) -> None:
    """Conditions of HTTP proxies that look at bytes, and trackers that come late, in the original's order."""
    bytes_asked = proxy.http and byte_fetches(FETCHED)
    if not bytes_asked and not proxy.rules.tcp_request_content:
        return
    acls = named(proxy)
    listens = proxy.kind.front or proxy.word == "defaults"
    for rule, condition, span in conditions(proxy):
        if rule is not None and rule.ruleset == _CONTENT and rule.action == "track-sc" and listens:
            late_tracking(proxy, rule, acls, checks)
        if bytes_asked and condition is not None and looks_at(condition, _BYTES, acls):
            message = f"L6 sample fetches ignored on HTTP proxies (declared at {span})."
            checks.warning("bytes-in-http", f"Proxy '{proxy.name}': {message}", span)


def conditions(proxy: Proxy) -> Iterator[tuple[Rule | None, Condition | None, Span | None]]:
    """What has one. Rules of its defaults are asked about there."""
    for line in (*proxy.switching.use_backend, *proxy.switching.use_server):
        yield None, line.condition, line.span
    for stick in proxy.persistence.stick:
        yield None, stick.condition, stick.span
    for name in RULES:
        inherited = len(getattr(proxy.origin.rules, name)) if proxy.origin is not None else 0
        for rule in getattr(proxy.rules, name)[inherited:]:
            yield rule, rule.condition, rule.span


def late_tracking(proxy: Proxy, rule: Rule, acls: Tests, checks: Checks) -> None:
    """A tracker of contents that finds its key by chance, or does not see every request."""
    _, key, table = rule.arguments
    if (table or proxy.name) not in checks.tables:
        return
    start = f"{proxy.word} '{proxy.name}' : a 'tcp-request content track-sc*' rule"
    if not proxy.rules.request_inspect_delay and not key.places & _ACCEPTED:
        message = (
            "explicitly depending on request contents without any 'tcp-request inspect-delay' setting. This "
            "means that this rule will randomly find its contents. This can be fixed by setting the "
            "tcp-request inspect-delay."
        )
        checks.warning("contents-at-random", f"{start} {message}", proxy.span)
    asked = rule.condition is not None and looks_at(rule.condition, _CONTENTS, acls)
    if proxy.http and not key.source & _CONTENTS and not asked:
        message = (
            "not depending on request contents for an HTTP frontend should be executed at the session "
            "level, using a 'tcp-request session' rule (mandatory to track invalid HTTP requests)."
        )
        checks.warning("late-tracking", f"{start} {message}", proxy.span)


def http3_over_tcp(proxy: Proxy, checks: Checks) -> None:
    """``alpn h3`` on a listener that is not QUIC's."""
    for bind in proxy.bind if proxy.http else ():
        if offers_http3(bind) and not any(
            known.words[0] == _ALLOW for known in checks.configuration.global_.known
        ):
            message = f"HTTP/3 on TCP listed via ALPN on frontend '{proxy.name}' at [{bind.span}] relies on "
            message += f"the experimental QMux protocol, must be allowed via a global '{_ALLOW}'."
            checks.alert("experimental-protocol", message, bind.span)


def offers_http3(bind: Bind) -> bool:
    said = {known.words[0]: known.words[1:] for known in bind.options.known}
    names = said.get("alpn", ("",))[0].split(",") if "no-alpn" not in said and "proto" not in said else ()
    return any(name.startswith("h3") and len(name) == 2 for name in names)
