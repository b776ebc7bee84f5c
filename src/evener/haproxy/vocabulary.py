"""Loads the vocabulary of samples and rules: every module of fetches, converters and actions, once.

Whoever reads configurations calls ``load_vocabulary`` first; nothing registers by accident of import
order, and afterwards the registries are frozen.
"""

from __future__ import annotations

from evener.haproxy.action import ACTIONS
from evener.haproxy.sample import CONVERTERS, FETCHES
from evener.vocab.registry import load_package


def load_vocabulary() -> None:
    """Import the declarations and freeze the registries; further calls cost nothing."""
    if len(FETCHES):
        return
    for package in ("fetches", "converters", "actions"):
        load_package(f"evener.haproxy.{package}")
    for registry in (FETCHES, CONVERTERS, ACTIONS):
        registry.freeze()
