"""Network namespaces by name: opened once, entered for as long as a socket is made, and left again.

The descriptors are opened before the workers are forked and the privileges dropped; entering needs
CAP_SYS_ADMIN all the same (``setcap``, or root).
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

from evener.haproxy.sections.namespaces import path_of

CLONE_NEWNET: Final = 0x40000000


@cache
def descriptor(name: str) -> int:
    """Raises OSError."""
    return os.open(path_of(name), os.O_RDONLY | os.O_CLOEXEC)


@cache
def home() -> int:
    return os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


@contextmanager
def inside(name: str | None) -> Iterator[None]:
    """Sockets made meanwhile belong to that namespace; None: to ours. Raises OSError."""
    if name is None:
        yield
        return
    ours, theirs = home(), descriptor(name)
    _enter(theirs)
    try:
        yield
    finally:
        _enter(ours)


def _enter(number: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(number, CLONE_NEWNET):
        failure = ctypes.get_errno()
        raise OSError(failure, os.strerror(failure))
