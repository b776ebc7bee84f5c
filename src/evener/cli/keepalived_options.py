"""How the daemon was asked to run, and the files that say that it does."""

from __future__ import annotations

import os
from dataclasses import field
from pathlib import Path

from evener.host.vrrp_log import LogOptions
from evener.text.record import dataclass

COMM_BYTES = 15
EXIT_OK, EXIT_FATAL, EXIT_CONFIG = 0, 1, 2

PID_FILES = {
    "vrrp": Path("/run/keepalived_vrrp.pid"),
    "checkers": Path("/run/keepalived_checkers.pid"),
    "bfd": Path("/run/keepalived_bfd.pid"),
}
"""Of the children, as the original names them."""

EXCLUDES = {"vrrp": "checkers", "check": "vrrp", "no_bfd": "bfd"}
"""Options of the command line, and the process that is not started with them."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The command line, as far as running is concerned."""

    foreground: bool = False
    log: LogOptions = field(default_factory=LogOptions)
    pid_file: Path = Path("/run/keepalived.pid")
    pid_files: dict[str, Path] = field(default_factory=lambda: dict(PID_FILES))
    respawn: bool = True
    umask_given: bool = False
    without: frozenset[str] = frozenset()
    """Processes that must not be started, by the keys of ``pid_files``."""
    forced: bool = False
    """All others are started, configuration or not."""
    ignore_sigint: bool = False
    core_dump: bool = False
    core_pattern: str | None = None


def already_running(pid_file: Path, name: str) -> bool:
    """Whether the pid file names a living process of this name other than ourselves.

    Numbers are used again, in containers soon: one that is another program's now, or of somebody whom nobody
    buries, does not keep us from starting.
    """
    try:
        text = pid_file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return False
    if not (text.isascii() and text.isdecimal()) or int(text) == os.getpid():
        return False
    try:
        status = Path("/proc", text, "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    comm, _, rest = status.partition("(")[2].rpartition(")")
    return rest.split()[0] != "Z" and comm in (name[:COMM_BYTES], "keepalived")


def write_pid(path: Path) -> bool:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{os.getpid()}\n", encoding="ascii")
    except OSError:
        return False
    return True


def remove_file(path: Path) -> None:
    try:
        path.unlink()
    except OSError:
        pass
