"""How the daemon was asked to run, and the files that say that it does."""

from __future__ import annotations

import os
from dataclasses import field
from pathlib import Path

from evener.host.vrrp_log import LogOptions
from evener.text.record import dataclass

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
    without: frozenset[str] = frozenset()
    """Processes that must not be started, by the keys of ``pid_files``."""


def already_running(pid_file: Path) -> bool:
    """Whether the pid file names a living process other than ourselves."""
    try:
        text = pid_file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return False
    if not (text.isascii() and text.isdecimal()) or int(text) == os.getpid():
        return False
    try:
        os.kill(int(text), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


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
