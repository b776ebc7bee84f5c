"""Files and processes that instances track, as the helper process watches them (see host/scripts)."""

from __future__ import annotations

from dataclasses import field

from evener.text.record import dataclass


@dataclass(frozen=True, slots=True)
class TrackedFile:
    """A file that holds a number. ``initial`` is written at the start: always, or when there is no file."""

    name: str
    path: str
    initial: int | None = None
    overwrite: bool = False
    weight: int = field(default=1, compare=False)
    reverse: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class TrackedProcess:
    """Processes of which at least ``quorum`` and at most ``quorum_max`` (None: any number) shall run.

    ``argv[0]`` is compared with the process's name, or with its command line when ``full_command`` is set
    or parameters count. ``match``: None (no parameters are looked at), ``exact``, ``initial`` (the last one
    may go on) or ``partial`` (more may follow).
    """

    name: str
    argv: tuple[str, ...]
    match: str | None = None
    quorum: int = 1
    quorum_max: int | None = None
    fork_delay_us: int = 0
    terminate_delay_us: int = 0
    full_command: bool = False
    weight: int = field(default=0, compare=False)
    reverse: bool = field(default=False, compare=False)

    def satisfied_by(self, count: int) -> bool:
        return self.quorum <= count and (self.quorum_max is None or count <= self.quorum_max)


@dataclass(frozen=True, slots=True)
class TrackedSession:
    """A BFD session whose state the VRRP process hears of."""

    name: str
    weight: int = 0
    reverse: bool = False
