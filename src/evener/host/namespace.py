"""Network namespaces by their names, as ``ip netns`` keeps them.

``enter`` is for a whole process, and there is no way back; ``within`` makes something there and returns.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from typing import TypeVar

CLONE_NEWNET = 0x40000000
HOME = "/run/netns"
FIRST = "/proc/1/ns/net"
T = TypeVar("T")


def enter(name: str) -> str | None:
    """What went wrong, or None. A name that is a path is refused."""
    if not name or "/" in name or "\0" in name or name in (".", ".."):
        return f"'{name}' is no name of a network namespace"
    return _enter(f"{HOME}/{name}")


def _enter(path: str) -> str | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return f"Failed to open {path}"
    try:
        if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET):
            return f"setns() failed with error {ctypes.get_errno()}"
    finally:
        os.close(descriptor)
    return None


def within(name: str | None, make: Callable[[], T]) -> T:
    """What ``make`` returns in a namespace: None is where we are, empty is that of process 1. Sockets stay
    in the namespace that they were made in. Raises OSError."""
    if name is None:
        return make()

    import threading

    made: list[T] = []
    wrong: list[OSError] = []

    def work() -> None:  # a thread has a namespace of its own
        problem = enter(name) if name else _enter(FIRST)
        try:
            if problem is not None:
                raise OSError(0, problem)
            made.append(make())
        except OSError as error:
            wrong.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if wrong:
        raise wrong[0]
    return made[0]
