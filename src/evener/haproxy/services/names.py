"""The services that ``use-service`` names: what answers instead of a server."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from evener.vocab.registry import Declaration, Registry

SERVICES: Final[Registry[Declaration]] = Registry("service")
SERVICES.declare(
    Declaration(
        "prometheus-exporter",
        "prometheus-exporter",
        "Answers with all counters, in the format that Prometheus reads. What is asked for may be narrowed "
        "in the query: ``scope`` (global, frontend, backend, server, listener, resolvers, sticktable), "
        "``metrics``, ``no-maint``, ``extra-counters``.",
        ("http-request use-service prometheus-exporter if { path /metrics }",),
        ("tcp-request content use-service prometheus-exporter",),
        facts=MappingProxyType({"rulesets": ("http-request",)}),
    )
)
SERVICES.freeze()
