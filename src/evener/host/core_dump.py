"""Core files of a daemon that crashes: --core-dump and --core-dump-pattern.

The limit is raised for the daemon's own processes; scripts get back what there was before. The pattern is
the machine's, and is put back at the end.
"""

from __future__ import annotations

import resource
from collections.abc import Callable

PATTERN = "/proc/sys/kernel/core_pattern"

_before: list[tuple[int, int]] = []
"""The limits there were before they were raised."""


def allow(complain: Callable[[str], None]) -> None:
    """Let this process and those it forks leave core files, of any size."""
    try:
        limits = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (OSError, ValueError) as error:
        complain(f"Failed to set core file size: {error}")
        return
    _before.append(limits)


def allow_no_more() -> None:
    """In a process that starts scripts: their limits are those of before."""
    if _before:
        resource.setrlimit(resource.RLIMIT_CORE, _before.pop())


def use_pattern(pattern: str, complain: Callable[[str], None]) -> Callable[[], None]:
    """Name core files like this; returns what puts the old pattern back."""
    try:
        with open(PATTERN, encoding="utf-8") as file:
            before = file.read()
        _write(pattern)
    except OSError:
        complain("Unable to read/write core_pattern")
        return lambda: None
    return lambda: _put_back(before)


def _put_back(pattern: str) -> None:
    try:
        _write(pattern)
    except OSError:
        pass  # it was writable a moment ago; nothing more can be done


def _write(pattern: str) -> None:
    with open(PATTERN, "w", encoding="utf-8") as file:
        file.write(pattern)
