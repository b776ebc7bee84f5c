"""Stick tables and configurations with them, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evener.cli.assemble import make_table
from evener.haproxy.ir import Configuration
from evener.haproxy.reader import ReadOptions
from evener.haproxy.resolve import load
from evener.haproxy.sections.stick_values import StickTable
from evener.haproxy.stick_data import Stored, lay_out
from evener.haproxy.stick_table import Table
from evener.text.diagnostic import Diagnostics, FatalConfiguration

HEAD = "defaults\n mode http\n timeout connect 1s\n timeout server 1s\n timeout client 1s\n"


def configuration(text: str, where: Path) -> tuple[Configuration, Diagnostics]:
    path = where / "F"
    path.write_text(HEAD + text)
    found = Diagnostics()
    try:
        return load([str(path)], found, ReadOptions()), found
    except FatalConfiguration:  # some errors end the reading
        return Configuration(), found


def table(kind: str, *store: Stored, length: int | None = None, **fields: Any) -> Table:
    ir = StickTable(kind, fields.pop("size", 100), length, store=store, **fields)
    made = Table("t", ir, lay_out(store))
    made.native = make_table(made)
    return made
