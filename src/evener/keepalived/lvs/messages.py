"""What the decisions about services ask for beside changes of the engine: words to the world.

The kernel is always brought up to date first; then these are carried out, in order.
"""

from __future__ import annotations

from dataclasses import field

from evener.keepalived.vrrp.plan import Program
from evener.text.record import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """One of those below."""


@dataclass(frozen=True, slots=True)
class Log(Command):
    message: str


@dataclass(frozen=True, slots=True)
class Run(Command):
    """A notify script. ``wait``: the process is about to end, and waits for it a while."""

    program: Program
    wait: bool = False


@dataclass(frozen=True, slots=True)
class Tell(Command):
    """A line for the FIFOs, or none. The rest is for SNMP: the virtual server, and which of its servers."""

    line: str
    service: object = field(default=None, compare=False, repr=False)
    real: object = field(default=None, compare=False, repr=False)
    up: bool = field(default=False, compare=False)
    stopping: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Alert(Command):
    """A mail; the subject goes on after ``[router_id]``."""

    subject: str
    body: str
