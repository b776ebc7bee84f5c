"""What only a whole proxy can tell about its filters: names that must exist, lines that must be written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from evener.haproxy.filters.chain import caches_of, compresses
from evener.haproxy.filters.names import COMPRESSING
from evener.haproxy.sections.filters import FilterLine
from evener.haproxy.sections.proxy import Proxy
from evener.text.span import Span

Finding = tuple[str, Span | None]
_RULES = ("tcp_request_content", "tcp_response_content", "http_request", "http_response")
_EXPLICIT = "require an explicit filter declaration to use"


def findings(proxy: Proxy, caches: set[str]) -> Iterator[Finding]:
    """What is wrong, in the original's words, and where it stands."""
    yield from _caches(proxy, caches)
    yield from _explicit(proxy)
    yield from _limits(proxy)


def repeated(proxy: Proxy) -> Iterator[Finding]:
    """Filters of which there can be one only."""
    names: set[str] = set()
    sides: set[str] = set()
    for line in proxy.filters.filter:
        if line.limit is not None and line.name in names:
            yield (
                f"'filter' : bwlim filter '{line.name}' already declared for proxy '{proxy.name}'\n",
                line.span,
            )
        names.add(line.name)
        for side in ("comp-req", "comp-res") if line.kind == "compression" else (line.kind,):
            if side in COMPRESSING and side in sides:
                yield f"'filter' : {proxy.name}: Proxy supports only one {side} filter\n", line.span
                break
            sides.add(side)


def _caches(proxy: Proxy, caches: set[str]) -> Iterator[Finding]:
    lines = {line.name: line.span for line in proxy.filters.filter if line.kind == "cache"}
    for name in dict.fromkeys([*caches_of(proxy), *lines]):
        if name[:32] not in caches:
            message = f"unable to find the cache '{name}' referenced by the filter 'cache'."
            yield f"config: {proxy.word} '{proxy.name}': {message}", lines.get(name, proxy.span)


def _explicit(proxy: Proxy) -> Iterator[Finding]:
    lines = proxy.filters.filter
    if not any(line.kind not in ("cache", "fcgi-app", *COMPRESSING) for line in lines):
        return
    who = f"config: {proxy.word} '{proxy.name}'"
    if compresses(proxy) and not any(line.kind in COMPRESSING for line in lines):
        yield f"{who}: {_EXPLICIT} HTTP compression", proxy.span
    named = {line.name for line in lines if line.kind == "cache"}
    for name in caches_of(proxy):
        if name not in named:
            yield f"{who}: {_EXPLICIT} the cache '{name}'.", proxy.span


def _limits(proxy: Proxy) -> Iterator[Finding]:
    known: dict[str, FilterLine] = {
        line.name: line for line in proxy.filters.filter if line.limit is not None
    }
    rules: list[Any] = [rule for name in _RULES for rule in getattr(proxy.rules, name)]
    for rule in rules:
        if rule.action != "set-bandwidth-limit":
            continue
        name, limit, period = rule.arguments
        line = known.get(name)
        who = f"Proxy '{proxy.name}'"
        if line is None:
            yield (
                f"{who}: unable to find bwlim filter '{name}' referenced by set-bandwidth-limit rule.",
                rule.span,
            )
        elif line.limit is not None and line.limit.key is not None and (limit or period):
            what = "limit" if limit else "period"
            yield (
                f"{who}: set-bandwidth-limit rule cannot define a {what} for a shared bwlim filter.",
                rule.span,
            )


def sequences(proxy: Proxy) -> Iterator[Finding]:
    """Names in ``filter-sequence`` that are no filters of the proxy."""
    known = {line.name for line in proxy.filters.filter} | {line.kind for line in proxy.filters.filter}
    for line in proxy.filters.filter_sequence:
        side = "response" if line.response else "request"
        for name in line.names:
            if name not in known:
                what = f"invalid filter name: '{name}' is not defined on the proxy"
                yield (
                    f"{proxy.name}: error while postparsing {side} filter-sequence '{name}' : {what}",
                    line.span,
                )
                break
