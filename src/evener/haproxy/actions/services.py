"""``use-service``: an answer that is made here instead of by a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from evener.haproxy.action import Words, action, wrong
from evener.haproxy.scope import CompileEnv
from evener.haproxy.services.enquiry import consult
from evener.haproxy.services.names import SERVICES as DECLARED

Run = Callable[[Any], int]
SERVICES: Final = DECLARED.names()


def _read_service(words: Words) -> Sequence[Any]:
    name = words.word("'use-service' expects a service name.")
    if name.startswith("lua."):
        _scripted(name, words)
        words.scope.planned("service", name, words.line.span(words.at - 1))
    elif name not in SERVICES:
        wrong(f"'{name}' unknown service name.")
    elif not words.ruleset.http:
        wrong("Prometheus exporter service only available on 'http-request' rulesets")
    return (name,)


def _scripted(name: str, words: Words) -> None:
    """A service that a Lua script declares, for HTTP or for connections."""
    found = words.scope.scripts.find("service", name)
    if found is None:
        wrong(f"'{name}' unknown service name.")
    elif found.where == ("http",) and not words.ruleset.http:
        wrong("HTTP applets are forbidden from 'tcp-request' rulesets")
    elif found.where == ("tcp",) and words.scope.http:
        wrong("Lua TCP services cannot be used on HTTP proxies")


@action(
    "use-service",
    ("http-request", "tcp-request content"),
    parser=_read_service,
    signature="use-service <name>",
    final=True,
    ok=["use-service prometheus-exporter"],
    bad=["use-service", "use-service nosuch"],
)
def use_service(name: str, *, env: CompileEnv) -> Run:
    """Let a service answer: ``prometheus-exporter`` shows all counters to Prometheus."""
    enquiries = env.enquiries
    if name not in SERVICES:
        return lambda txn: 0

    def run(txn: Any) -> int:
        return consult(txn, enquiries, name, lambda: [txn.req.query.decode("latin-1")])

    return run
