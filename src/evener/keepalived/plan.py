"""What the daemon executes: a part for each of its processes."""

from __future__ import annotations

from dataclasses import field

from evener.keepalived.bfd.plan import BfdPlan
from evener.keepalived.lvs.plan import CheckerPlan
from evener.keepalived.vrrp.plan import Program, VrrpPlan
from evener.text.record import dataclass


@dataclass(frozen=True, slots=True)
class Errand:
    """A script that the parent waits for, so many seconds at most."""

    program: Program
    timeout_s: int = 10


@dataclass(frozen=True, slots=True)
class ReloadTime:
    """A file that says when to reload; ``repeat``: a time of day comes every day."""

    path: str
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class SavedText:
    """The configuration as it is executed, and the directory in which it is kept."""

    directory: str
    text: str


@dataclass(frozen=True, slots=True)
class ParentPlan:
    """What the parent itself does. ``reload_file`` is emptied before a reload reads, and removed after."""

    startup: Errand | None = None
    shutdown: Errand | None = None
    patience_s: int = 10
    reload_file: str | None = None
    reload_log: str | None = None
    umask: int | None = None
    reload_time: ReloadTime | None = None
    saved: SavedText | None = None


@dataclass(frozen=True, slots=True)
class DaemonPlan:
    """Made by ``compile_daemon.compile_daemon`` of a complete configuration."""

    vrrp: VrrpPlan
    checker: CheckerPlan = field(default_factory=CheckerPlan)
    parent: ParentPlan = ParentPlan()
    bfd: BfdPlan = BfdPlan()
