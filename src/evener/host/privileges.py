"""Limits and privileges: descriptors, chroot, group, user. In that order, after everything is open."""

from __future__ import annotations

import ctypes
import os
import resource
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from evener.host import capabilities
from evener.text.record import dataclass

CLONE_NEWUSER: Final = 0x10000000


class PrivilegeFailure(Exception):
    """The sentence to print."""


@dataclass(frozen=True, slots=True)
class Privileges:
    uid: int | None = None
    gid: int | None = None
    chroot: str = ""  #: ``auto``: an empty directory without a name
    capabilities: Sequence[int] = ()  #: what is kept of the capabilities, by their numbers
    final: bool = False  #: programs that are run get no more than we have


def raise_descriptor_limit(wanted: int) -> int:
    """Give this process ``wanted`` descriptors, or as many as it may have; returns the soft limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limits in ((wanted, max(wanted, hard)), (min(wanted, hard), hard)):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            return limits[0]
        except (OSError, ValueError):
            continue
    return soft


def _shut_in(directory: str) -> None:
    if directory == "auto":
        import tempfile

        os.chdir(made := tempfile.mkdtemp(prefix="evener-"))
        os.rmdir(made)
        directory = "."
    try:
        os.chroot(directory)
    except PermissionError:  # in a user namespace of one's own it needs no privileges
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER):
            raise
        os.chroot(directory)
    os.chdir("/")


def drop(privileges: Privileges) -> None:
    """Irreversible. Raises PrivilegeFailure."""
    if privileges.chroot:
        try:
            _shut_in(privileges.chroot)
        except OSError as error:
            raise PrivilegeFailure(f"Cannot chroot({privileges.chroot}): {error.strerror}.") from None
    if privileges.gid:
        try:
            if os.getuid() == 0:
                os.setgroups([])
            os.setgid(privileges.gid)
        except OSError as error:
            raise PrivilegeFailure(f"Cannot set gid {privileges.gid}: {error.strerror}.") from None
    capabilities.keep(privileges.capabilities)
    if privileges.uid:
        try:
            os.setuid(privileges.uid)
        except OSError as error:
            raise PrivilegeFailure(f"Cannot set uid {privileges.uid}: {error.strerror}.") from None
    if not capabilities.settle(privileges.capabilities):
        raise PrivilegeFailure("Failed to preserve capabilities.")
    if privileges.final:
        capabilities.forbid_new()


def renice(priority: int | None) -> None:
    """A better or worse place among the processes of the machine, if the system lets us."""
    if priority is not None:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, priority)


def keep_to(cpus: set[int]) -> None:
    """Run on these processors only, as far as there are any of them; without any: where we may."""
    usable = cpus & os.sched_getaffinity(0)
    if usable:
        with suppress(OSError):
            os.sched_setaffinity(0, usable)


def allow_core_dumps() -> None:
    """As far as the system lets us: changing the identity has forbidden them."""
    for limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        with suppress(OSError, ValueError):
            resource.setrlimit(limit, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    capabilities.set_dumpable()
