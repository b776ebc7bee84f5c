"""Capture slots: what a frontend keeps of headers and samples for its log, and in which slot.

Slots of a side (request, response) are numbered in the order of the lines that declare them, whatever
these lines are: ``capture request header``, ``declare capture request``, ``http-request capture ...
len``. So they are laid out once per proxy, before its rules are compiled; a rule finds its slot by the
expression it captures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from evener.haproxy.cast import to_bytes
from evener.haproxy.notes import notes
from evener.haproxy.rule import Rule
from evener.haproxy.scope import Slots
from evener.haproxy.sections.logs import Capture
from evener.haproxy.sections.proxy import Proxy
from evener.haproxy.txn import CONTINUE, Txn
from evener.text.span import Span

Policy = Callable[[Txn], int]


def lay_out(proxy: Proxy) -> tuple[Slots, Slots]:
    """The slots of the request and of the response."""
    logging, of = proxy.logging, proxy.rules
    request = [*of.tcp_request_content, *of.http_request]
    response = [*of.http_response, *of.http_after_response]
    return (
        _side(logging.capture_request_header, logging.declare_capture_request, request),
        _side(logging.capture_response_header, logging.declare_capture_response, response),
    )


def _line(span: Span | None) -> int:
    return span.line if span is not None else 0


def _side(headers: Sequence[Capture], declared: Sequence[Capture], rules: Sequence[Rule]) -> Slots:
    found: list[tuple[int, int, bytes | None, int]] = []
    found += [(_line(line.span), line.length, to_bytes(line.name).lower(), 0) for line in headers]
    found += [(_line(line.span), line.length, None, 0) for line in declared]
    for rule in rules:
        if rule.action == "capture" and rule.arguments[2] < 0:
            found.append((_line(rule.span), rule.arguments[1], None, id(rule.arguments[0])))
    slots = Slots()
    for index, (_, length, name, expr) in enumerate(sorted(found, key=lambda each: each[0])):
        slots.lengths.append(length)
        if name is not None:
            slots.headers.append((index, name))
        elif expr:
            slots.rules[expr] = index
    return slots


def headers(slots: Slots, response: bool) -> Policy | None:
    """``capture request|response header``: the last value of each header, cut to the length of its slot."""
    if not slots.headers:
        return None
    wanted = [(index, name, slots.lengths[index]) for index, name in slots.headers]
    count = len(slots.lengths)

    def run(txn: Txn) -> int:
        message = txn.res if response else txn.req
        found = notes(txn)
        kept = found.response_captures if response else found.request_captures
        kept.extend([None] * (count - len(kept)))
        for index, name, length in wanted:
            values = message.all(name) if message is not None else []
            kept[index] = values[-1][:length] if values else None
        return CONTINUE

    return run


def of_answers(frontends: Iterable[tuple[int, Proxy]]) -> Policy | None:
    """What frontends keep of the headers of a server's response, by number, before any rule touches it."""
    kept = {index: headers(lay_out(proxy)[1], response=True) for index, proxy in frontends}
    policies = {index: policy for index, policy in kept.items() if policy is not None}
    if not policies:
        return None

    def run(txn: Txn) -> int:
        policy = policies.get(txn.frontend.index)
        return CONTINUE if policy is None else policy(txn)

    return run
