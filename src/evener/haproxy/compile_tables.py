"""The stick tables of a configuration: those of proxies, and those of peers sections.

Decides which tables exist, what each keeps (a table that stick rules use also remembers servers), and
how they are found by name: a proxy's by the name of the proxy, a peers section's as ``section/table``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from evener.haproxy.ir import Configuration
from evener.haproxy.sections.stick_values import StickTable
from evener.haproxy.stick_data import Stored, lay_out
from evener.haproxy.stick_table import Table

Make = Callable[[Table], Any]
"""Gives the memory of a table; raises MemoryError."""


def declared(configuration: Configuration) -> Iterator[tuple[str, StickTable]]:
    for section in configuration.other:
        for name, table in section.tables:
            yield f"{section.name}/{name}", table
    for proxy in configuration.proxies:
        if proxy.persistence.stick_table is not None:
            yield proxy.name, proxy.persistence.stick_table


def tables(configuration: Configuration, make: Make | None) -> dict[str, Table]:
    """Every table by name, in order of declaration. Without ``make`` there are none to be used."""
    if make is None:
        return {}
    remembering = {
        rule.table or proxy.name for proxy in configuration.proxies for rule in proxy.persistence.stick
    }
    made: dict[str, Table] = {}
    for name, ir in declared(configuration):
        if name in made:
            continue
        stored = list(ir.store)
        if name in remembering:
            stored += [Stored("server_id"), Stored("server_key")]
        table = made[name] = Table(name, ir, lay_out(stored))
        table.native = make(table)
    return made
