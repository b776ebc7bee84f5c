"""What a check of a real server is: its timing, and the probe that is made. Times are microseconds.

A probe is one attempt: what is sent and what has to come back, one class for each kind. ``timing`` says when
attempts are made and how many have to fail. What becomes of an attempt is an ``Outcome``.
"""

from __future__ import annotations

from evener.keepalived.arguments import SECOND
from evener.text.record import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    delay_loop_us: int = 60 * SECOND
    retry: int = 1
    """Attempts after the first failed one before the check counts as failed."""
    delay_before_retry_us: int = 1 * SECOND
    warmup_us: int = 60 * SECOND
    """The first attempt is made at a random time within it."""
    alpha: bool = False
    """The check counts as failed until it has succeeded."""
    log_all_failures: bool = False


@dataclass(frozen=True, slots=True)
class Probe:
    """The classes of ``probes`` derive from it."""

    kind: str
    """As the configuration calls it: ``TCP_CHECK``."""


@dataclass(frozen=True, slots=True)
class Check:
    probe: Probe
    timing: Timing = Timing()


@dataclass(frozen=True, slots=True)
class CheckId:
    """Which check: the virtual server's name, the real server's address and port, the check's place."""

    virtual_server: str
    address: bytes
    port: int
    index: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one attempt."""

    ok: bool
    text: str = ""
    """For the log, as the original words it (without the name of the server)."""
    weight: int | None = None
    """A weight that the attempt asks for (MISC_CHECK with misc_dynamic)."""
    made: bool = True
    """False: the attempt could not even be made (no descriptor left); it says nothing about the server."""
    notes: tuple[str, ...] = ()
    """Remarks for the log that do not depend on how the attempt ended."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a check has found out, for the service: sent for its first result, and for each that differs."""

    up: bool
    first: bool = False
    """It is the first result of the check."""
    weight: int | None = None
    """The server shall have this weight, whatever is configured (MISC_CHECK with misc_dynamic)."""
    offset: int = 0
    """What is added to the server's configured weight (FILE_CHECK)."""
    mail: str = ""
    """What an alert by mail says about the change; empty where none is due."""


@dataclass(frozen=True, slots=True)
class CheckState:
    """What a check counts as; ``run``: it has had a result. ``weight`` and ``offset`` as in ``Report``."""

    up: bool
    run: bool = False
    weight: int | None = None
    offset: int = 0
