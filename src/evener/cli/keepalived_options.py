"""How the daemon was asked to run, and the files that say that it does."""

from __future__ import annotations

import os
from dataclasses import field

from evener.host.vrrp_log import LogOptions
from evener.text.record import dataclass

COMM_BYTES = 15
EXIT_OK, EXIT_FATAL, EXIT_CONFIG = 0, 1, 2

PID_FILES = {
    "vrrp": "/run/keepalived_vrrp.pid",
    "checkers": "/run/keepalived_checkers.pid",
    "bfd": "/run/keepalived_bfd.pid",
}
"""Of the children, as the original names them."""

EXCLUDES = {"vrrp": "checkers", "check": "vrrp", "no_bfd": "bfd"}
"""Options of the command line, and the process that is not started with them."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The command line, as far as running is concerned."""

    foreground: bool = False
    log: LogOptions = field(default_factory=LogOptions)
    pid_file: str = "/run/keepalived.pid"
    pid_files: dict[str, str] = field(default_factory=lambda: dict(PID_FILES))
    respawn: bool = True
    umask_given: bool = False
    without: frozenset[str] = frozenset()
    """Processes that must not be started, by the keys of ``pid_files``."""
    forced: bool = False
    """All others are started, configuration or not."""
    ignore_sigint: bool = False
    core_dump: bool = False
    core_pattern: str | None = None


def already_running(pid_file: str, name: str) -> bool:
    """Whether the pid file names a living process of this name other than ourselves.

    Numbers are used again, in containers soon: one that is another program's now, or of somebody whom nobody
    buries, does not keep us from starting.
    """
    try:
        with open(pid_file, encoding="ascii") as file:
            text = file.read().strip()
    except (OSError, UnicodeDecodeError):
        return False
    if not (text.isascii() and text.isdecimal()) or int(text) == os.getpid():
        return False
    try:
        with open(f"/proc/{text}/stat", encoding="utf-8", errors="replace") as file:
            status = file.read()
    except OSError:
        return False
    comm, _, rest = status.partition("(")[2].rpartition(")")
    return rest.split()[0] != "Z" and comm in (name[:COMM_BYTES], "keepalived")


def write_pid(path: str) -> bool:
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as file:
            file.write(f"{os.getpid()}\n")
    except OSError:
        return False
    return True


def remove_file(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
