"""What proxies refer to by name among the smaller sections: it must be there.

``mailers`` of ``email-alert``, applications of ``use-fcgi-app`` and ``filter fcgi-app``, ``resolvers`` of
``do-resolve``, engines of ``send-spoe-group``, ``errorfiles`` of replies. What samples name is asked in
``crosscheck_tables``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from evener.haproxy.questions import Checks
from evener.haproxy.replies import ReplyWords
from evener.haproxy.rule import Rule
from evener.haproxy.sections.proxy import Proxy

_RULES: Final = ("tcp_request_content", "tcp_response_content", "http_request", "http_response")
_INCOMPLETE: Final = (
    "'email-alert' will be ignored for {} '{}' (the presence any of 'email-alert from', 'email-alert level' "
    "'email-alert mailers', 'email-alert myhostname', or 'email-alert to' requires each of 'email-alert "
    "from', 'email-alert mailers' and 'email-alert to' to be present)."
)
IMPLIED: Final = "default"
"""The resolvers section that is there without being written."""


def sections_exist(proxy: Proxy, checks: Checks) -> None:
    mailers(proxy, checks)
    applications(proxy, checks)
    for rule in rules(proxy):
        if rule.action == "do-resolve":
            resolvers(proxy, rule, checks)
        elif rule.action == "send-spoe-group":
            engines(proxy, rule, checks)
        else:
            pages(proxy, rule, checks)


def rules(proxy: Proxy) -> Iterator[Rule]:
    for name in _RULES:
        yield from getattr(proxy.rules, name)


def alerts(proxy: Proxy, checks: Checks) -> None:
    """Mails about servers need a sender, a receiver and somebody to carry them."""
    said = proxy.alerts
    if not said.complete and any((said.sender, said.level, said.mailers, said.myhostname, said.to)):
        checks.warning("incomplete-alerts", _INCOMPLETE.format(proxy.word, proxy.name), proxy.span)


def mailers(proxy: Proxy, checks: Checks) -> None:
    said = proxy.alerts
    if said.complete and checks.configuration.section("mailers", said.mailers or "") is None:
        message = f"Proxy '{proxy.name}': unable to find mailers '{said.mailers}'."
        checks.alert("unknown-mailers", message, said.spans.get("mailers"))


def local_nodes(checks: Checks) -> None:
    """A ``peers`` section in which this node is not named is dropped."""
    for other in reversed(checks.configuration.other):
        if other.kind != "peers" or other.block is None:
            continue
        from evener.haproxy.sections.peers import named_local

        section, here = other.block, named_local(checks.resolve)
        if here and not section.disabled and all(p.name != here for p in (*section.peer, *section.server)):
            message = f"Removing incomplete section 'peers {section.name}' (no peer named '{here}')."
            checks.warning("no-local-peer", message, section.span)


def applications(proxy: Proxy, checks: Checks) -> None:
    named = [(known.words[1], known.span) for known in proxy.known if known.words[0] == "use-fcgi-app"]
    named += [(line.name, line.span) for line in proxy.filters.filter if line.kind == "fcgi-app"]
    for name, span in named[:1]:
        if checks.configuration.section("fcgi-app", name) is None:
            checks.alert("unknown-fcgi-app", f"proxy '{proxy.name}' : fcgi-app '{name}' not found.", span)


def renewals(proxy: Proxy, checks: Checks) -> None:
    """``ssl-f-use ... acme <name>``"""
    for known in proxy.known:
        words = known.words
        if words[0] != "ssl-f-use" or "acme" not in words[1:-1] or not proxy.kind.front:
            continue
        name = words[words.index("acme") + 1]
        if checks.configuration.section("acme", name) is None:
            message = f"acme '{name}' was used on a crt line [{known.span}], but no '{name}' section exists!"
            checks.alert("unknown-acme", message, known.span)


def resolvers(proxy: Proxy, rule: Rule, checks: Checks) -> None:
    """``do-resolve(<var>,<resolvers>[,<family>])``"""
    inside = rule.words[0].partition("(")[2].rstrip(")").split(",")
    name = inside[1].strip() if len(inside) > 1 else ""
    if name and name != IMPLIED and checks.configuration.section("resolvers", name) is None:
        message = f"Proxy '{proxy.name}': Can't find resolvers section '{name}' for {rule.action} action."
        checks.alert("unknown-resolvers", message, rule.span)


def engines(proxy: Proxy, rule: Rule, checks: Checks) -> None:
    """``send-spoe-group <engine> <group>``"""
    if len(rule.words) < 3:
        return
    name, group = rule.words[1:3]
    known = {line.engine.name for line in proxy.filters.filter if line.engine is not None}
    if name not in known:
        used = f"unable to find SPOE engine '{name}' used by the send-spoe-group '{group}'."
        checks.alert("unknown-engine", f"Proxy '{proxy.name}': {used}", rule.span)


def pages(proxy: Proxy, rule: Rule, checks: Checks) -> None:
    """``return ... errorfiles <name>``"""
    for reply in rule.arguments:
        if not isinstance(reply, ReplyWords) or reply.kind != "errorfiles":
            continue
        if reply.payload not in checks.errors:
            used = f"unknown http-errors section '{reply.payload}' referenced by an http reply ."
            checks.alert("unknown-http-errors", f"Proxy '{proxy.name}': {used}", rule.span)
