"""The commands of the control socket: what a line asks for, what follows, and what is answered.

    help                                     this list
    show services [VIRTUAL]                  who is there, as a table; ``json`` behind it for programs
    show stats [VIRTUAL]                     the same with counters of the engine
    show overrides                           what operators have changed
    show metrics                             Prometheus text
    set weight VIRTUAL REAL NUMBER           instead of that of configuration and checks
    drain | disable | enable VIRTUAL REAL    see ``overrides``
    clear VIRTUAL [REAL]                     forget what operators have changed
    flush VIRTUAL [REAL]                     end connections, where the engine can

A virtual server is called ``10.0.0.5:80/tcp``, ``[fd00::5]:80/tcp``, ``fwmark:7`` or ``group:NAME/tcp`` (or
without the protocol where that is clear), or as the configuration calls it, in quotes; a real server
``10.1.0.1:80``.
An answer that begins with ``error:`` is one.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from typing import Any, Protocol

from evener.keepalived.lvs.director import Director, Step
from evener.keepalived.lvs.ipvs import DestinationKey, ServiceKey, Traffic
from evener.keepalived.lvs.metrics import metrics
from evener.keepalived.lvs.overrides import NONE, Override, Wish
from evener.keepalived.lvs.picture import Counted, Row, call, place, rows
from evener.keepalived.lvs.planned import MOST_WEIGHT, destination_key
from evener.keepalived.lvs.pool import Real
from evener.keepalived.lvs.service import VirtualService
from evener.text.record import dataclass

LONGEST_NUMBER = 5


class Machine(Protocol):
    """What the commands need beside the director."""

    @property
    def engine(self) -> str: ...

    def traffic(self) -> Counted: ...

    def disconnect(self, key: ServiceKey, destinations: list[DestinationKey]) -> int | None:
        """None: the engine cannot end connections."""


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    step: Step = Step()


class Wrong(Exception):
    """The command cannot be carried out; the text says why."""


def answer(line: str, director: Director, machine: Machine) -> Answer:
    """Never raises, whatever the line is."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        return Answer(f"error: {error}\n")
    if not words:
        return Answer("")
    try:
        return _Command(director, machine).run(words)
    except Wrong as error:
        return Answer(f"error: {error}\n")


class _Command:
    def __init__(self, director: Director, machine: Machine) -> None:
        self._director = director
        self._machine = machine

    def run(self, words: list[str]) -> Answer:
        match words:
            case ["help"]:
                return Answer(_help())
            case ["show", "metrics"]:
                return Answer(metrics(self._rows(counted=True)))
            case ["show", "overrides", *rest] if rest in ([], ["json"]):
                return Answer(self._overrides(bool(rest)))
            case ["show", ("services" | "stats") as what, *rest]:
                return self._show(what, rest)
            case ["set", "weight", virtual, real, number]:
                return self._override(virtual, real, lambda old: replace(old, weight=_weight(number)))
            case [("drain" | "disable" | "enable") as verb, virtual, real]:
                return self._override(virtual, real, lambda old: replace(old, wish=WISHES[verb]))
            case ["clear", virtual, *rest] if len(rest) <= 1:
                return self._clear(virtual, rest)
            case ["flush", virtual, *rest] if len(rest) <= 1:
                return Answer(self._flush(virtual, rest))
        raise Wrong(f"unknown command {' '.join(words[:2])!r}, try help")

    # -- showing

    def _rows(self, counted: bool, only: str | None = None) -> list[Row]:
        found = self._machine.traffic() if counted else {}
        return rows(self._director, self._machine.engine, found, only)

    def _show(self, what: str, rest: list[str]) -> Answer:
        as_json = rest[-1:] == ["json"]
        names = rest[:-1] if as_json else rest
        if len(names) > 1:
            raise Wrong("one virtual server, or none for all")
        only = self._virtual(names[0]).plan.name if names else None
        found = self._rows(what == "stats", only)
        if as_json:
            return Answer(json.dumps([_plain(row, what == "stats") for row in found]) + "\n")
        return Answer("".join(_table(row, what == "stats") for row in found))

    def _overrides(self, as_json: bool) -> str:
        found = [
            {"virtual_server": name, "real_server": place(address, port), "override": str(override)}
            for (name, address, port), override in self._director.overrides.items()
        ]
        if as_json:
            return json.dumps(found) + "\n"
        return "".join(
            f"{each['virtual_server']}  {each['real_server']}  {each['override']}\n" for each in found
        )

    # -- changing

    def _override(self, virtual: str, real: str, change: Callable[[Override], Override]) -> Answer:
        service = self._virtual(virtual)
        found = self._real(service, real)
        override = change(found.override)
        step = self._director.override((service.plan.name, found.plan.address, found.plan.port), override)
        return Answer(f"{call(service)} {place(found.plan.address, found.plan.port)}: {override}\n", step)

    def _clear(self, virtual: str, rest: list[str]) -> Answer:
        service = self._virtual(virtual)
        reals = [self._real(service, rest[0])] if rest else list(service.pool.reals.values())
        changed = [real for real in reals if real.override != NONE]
        steps = [
            self._director.override((service.plan.name, real.plan.address, real.plan.port), NONE)
            for real in changed
        ]
        return Answer(f"{len(changed)} cleared\n", _joined(steps))

    def _flush(self, virtual: str, rest: list[str]) -> str:
        service = self._virtual(virtual)
        wanted = [self._real(service, rest[0])] if rest else None
        ended = 0
        reals = list(service.pool.reals.values()) if wanted is None else wanted
        for key in service.plan.members:
            count = self._machine.disconnect(key, [destination_key(key, real.plan) for real in reals])
            if count is None:
                raise Wrong(f"the engine {self._machine.engine} cannot end connections")
            ended += count
        return f"{ended} ended\n"

    # -- finding

    def _virtual(self, name: str) -> VirtualService:
        found = [each for each in self._director.services.values() if name in _names(each)]
        if len(found) != 1:
            raise Wrong(
                f"{'several virtual servers are' if found else 'no virtual server is'} called {name!r}"
            )
        return found[0]

    def _real(self, service: VirtualService, name: str) -> Real:
        found = [
            real
            for real in service.pool.reals.values()
            if name in (place(real.plan.address, real.plan.port), real.plan.shown)
            or place(real.plan.address, real.plan.port).rpartition(":")[0].strip("[]") == name
        ]
        if len(found) != 1:
            few = "several real servers of it are" if found else "no real server of it is"
            raise Wrong(f"{few} called {name!r}")
        return found[0]


WISHES = {"drain": Wish.DRAIN, "disable": Wish.DISABLED, "enable": Wish.ENABLED}


def _names(service: VirtualService) -> tuple[str, ...]:
    short = call(service)
    return short, short.partition("/")[0], service.plan.name, service.plan.shown


def _weight(text: str) -> int:
    """``isdecimal`` and ``isascii``, because ``int`` also reads signs, blanks and other alphabets."""
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER and int(text) <= MOST_WEIGHT):
        raise Wrong(f"a weight is a number from 0 to {MOST_WEIGHT}")
    return int(text)


def _joined(steps: Iterable[Step]) -> Step:
    steps = list(steps)
    return Step(
        tuple(change for step in steps for change in step.changes),
        tuple(command for step in steps for command in step.commands),
    )


def _plain(row: Row, counted: bool) -> dict[str, Any]:
    found = asdict(row)
    for each in (found, *found["real_servers"]):
        traffic = each.pop("traffic")
        if counted:
            each.update(traffic)
    return found


def _table(row: Row, counted: bool) -> str:
    quorum = f"quorum {'up' if row.quorum_up else 'down'} ({row.weight}/{row.quorum})"
    lines = [
        f"{row.name}  {row.scheduler}  {row.engine}  {quorum}{_sorry(row)}{_counts(row.traffic, counted)}"
    ]
    for real in row.real_servers:
        checks = f"checks {real.checks - real.failed_checks}/{real.checks}"
        override = f"  override {real.override}" if real.override != "none" else ""
        line = f"  {real.name}  {real.method}  {real.state}  weight {real.weight}  {checks}"
        lines.append(f"{line}{_counts(real.traffic, counted)}{override}")
    return "\n".join(lines) + "\n"


def _sorry(row: Row) -> str:
    if row.sorry_server is None:
        return ""
    return f"  sorry server {row.sorry_server}{' active' if row.sorry_active else ''}"


def _counts(traffic: Traffic, counted: bool) -> str:
    if not counted:
        return ""
    return f"  connections {traffic.connections}  active {traffic.active}  inactive {traffic.inactive}"


def _help() -> str:
    return "\n".join(line[4:] for line in (__doc__ or "").splitlines() if line.startswith("    ")) + "\n"
