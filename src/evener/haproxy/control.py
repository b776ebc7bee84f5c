"""What the control process offers to those who ask or order: the runtime API and the signals.

One object that holds the parts (plan, fleet, statistics, facts) and the few means that are not theirs:
carrying out commands and writing cells. Made by the process that runs; by tests with stand-ins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Protocol

from evener.haproxy.captured import Captured
from evener.haproxy.commands import Command
from evener.haproxy.fleet import Fleet
from evener.haproxy.info import ProcessFacts
from evener.haproxy.inquiry import Inquiry
from evener.haproxy.newcomers import SpareRows
from evener.haproxy.plan import BackendPlan, FrontendPlan, Plan, ServerPlan
from evener.haproxy.sample import Sample
from evener.haproxy.server_state import FarmSettings, Server, ServerSettings
from evener.haproxy.sharing import Change
from evener.haproxy.stats import Cells, Statistics
from evener.text.record import dataclass


class EventRing(Protocol):
    """A ring of messages, as far as the runtime API shows it."""

    @property
    def description(self) -> str: ...
    @property
    def dropped(self) -> int: ...
    @property
    def first(self) -> int: ...
    @property
    def end(self) -> int: ...
    def get(self, number: int, /) -> bytes | None: ...


class WritableCells(Cells, Protocol):
    def set(self, row: int, column: int, value: int, /) -> None: ...


def _nothing(*_arguments: object) -> None:
    """The default of a means that this process has not."""


@dataclass(slots=True)
class Control:
    """``perform`` carries commands out; ``resolve`` turns a
    host into (family, address), None when it is no address."""

    plan: Plan
    fleet: Fleet
    statistics: Statistics
    facts: ProcessFacts
    cells: WritableCells
    now: Callable[[], float]
    wall: Callable[[], float]
    perform: Callable[[Sequence[Command]], None]
    stop: Callable[[str], None] = _nothing
    share: Callable[[Sequence[Change]], None] = _nothing  #: change lists in all processes
    set_variable: Callable[[str, Sample], None] = _nothing  #: the same for process variables
    environment: Mapping[str, str] = field(default_factory=dict)
    startup_log: list[str] = field(default_factory=list)
    sockets: list[tuple[str, str]] = field(default_factory=list)  #: (address, level)
    rings: Mapping[str, EventRing] = field(default_factory=dict)
    default_servers: Callable[[str], bool] = lambda _backend: False
    settings: Callable[[ServerPlan], ServerSettings] = lambda _server: ServerSettings()
    """What the control plane needs of the line of a server that is made at run time."""
    farm_settings: Callable[[BackendPlan], FarmSettings] = lambda _backend: FarmSettings()
    spare: SpareRows | None = None
    say: Callable[[str, str], None] = _nothing  #: severity and sentence for the terminal
    forget: Callable[[Server], None] = _nothing  #: a server was deleted: no more checks
    inquire: Callable[..., Inquiry] = lambda *_question: Inquiry()  #: ask all workers
    leave: Callable[[int], None] = _nothing  #: end at once, with that exit code
    invalid: Captured = field(default_factory=Captured)
    buffer_size: int = 16384
    anonymous_key: int = 0
    profiling: str = "auto"  #: ``profiling.tasks`` as it stands

    def frontend(self, name: str) -> FrontendPlan | None:
        return next((f for f in self.plan.frontends if name in (f.name, f"#{f.id}")), None)
