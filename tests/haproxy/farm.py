"""Hand-made plans for tests of the control plane: a few backends without a configuration file."""

from collections.abc import Sequence
from typing import Any

from evener.haproxy.columns import Column
from evener.haproxy.commands import Command, Say, SetCell
from evener.haproxy.fleet import Fleet
from evener.haproxy.ir import Configuration
from evener.haproxy.plan import BackendPlan, BindPlan, FrontendPlan, Plan, ServerPlan
from evener.haproxy.sections.proxy import Kind, Proxy
from evener.haproxy.server_state import FarmSettings, ServerSettings
from evener.text.span import Source, Span

AF_INET = 2


def make_plan(servers: dict[str, Sequence[dict[str, Any]]], frontends: Sequence[str] = ("f",)) -> Plan:
    """Backends by name with the fields of their servers (``name``, ``backup``, ``disabled``...)."""
    row = 1
    defaults = Proxy(Kind.DEFAULTS, "d", mode="http", spans={"mode": Span(Source("cfg"), 1)})
    plan = Plan(Configuration(defaults=(defaults,)), [], [], 0, 1)
    for index, name in enumerate(frontends):
        front = Proxy(Kind.FRONTEND, name, mode="http")
        frontend = FrontendPlan(index, 2 + index, name, row, True, front, maxconn=100)
        frontend.binds.append(BindPlan(f"{name}:1", AF_INET, "127.0.0.1", 0, row + 1))
        plan.frontends.append(frontend)
        row += 2
    for index, (name, lines) in enumerate(servers.items()):
        proxy = Proxy(Kind.BACKEND, name, mode="http")
        backend = BackendPlan(index, 2 + len(frontends) + index, name, row, True, proxy)
        row += 1
        for number, line in enumerate(lines):
            fields: dict[str, Any] = {
                "index": number, "id": number + 1, "name": f"s{number + 1}", "row": row, "family": AF_INET,
                "address": "127.0.0.1", "port": 8000 + number, "weight": 1, "maxconn": 0, "backup": False,
                "disabled": False, "ir": None, "backend": backend,
            }  # fmt: skip
            backend.servers.append(ServerPlan(**{**fields, **line}))
            row += 1
        plan.backends.append(backend)
        plan.names[name] = index
    plan.rows = row
    return plan


class Cells:
    """The shared segment as a dictionary."""

    def __init__(self) -> None:
        self.values: dict[tuple[int, int], int] = {}

    def get(self, row: int, column: int) -> int:
        return self.values.get((row, column), 0)

    def set(self, row: int, column: int, value: int) -> None:
        self.values[row, column] = value

    def add(self, row: int, column: int, delta: int) -> int:
        self.values[row, column] = self.get(row, column) + delta
        return self.values[row, column]

    def raise_to(self, row: int, column: int, value: int) -> None:
        self.values[row, column] = max(value, self.get(row, column))

    def clear(self, row: int) -> None:
        self.values = {key: value for key, value in self.values.items() if key[0] != row}

    def rate(self, row: int, column: int, count: int = 0) -> int:
        return self.get(row, column)


def make_fleet(
    plan: Plan,
    settings: dict[str, ServerSettings] | None = None,
    farms: FarmSettings = FarmSettings(),  # noqa: B008 - frozen
    cells: Cells | None = None,
    now: float = 0.0,
) -> Fleet:
    """``settings`` by ``backend/server``."""
    known = settings or {}
    cells = cells or Cells()
    return Fleet(
        plan,
        lambda p: known.get(f"{p.backend.name}/{p.name}", ServerSettings()),
        lambda _p: farms,
        cells.get,
        now,
    )


def said(commands: Sequence[Command]) -> list[str]:
    return [f"{c.level} {c.text}" for c in commands if isinstance(c, Say)]


def cells_set(commands: Sequence[Command], column: Column) -> list[int]:
    return [c.value for c in commands if isinstance(c, SetCell) and c.column is column]
