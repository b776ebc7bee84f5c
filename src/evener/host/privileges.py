"""Limits and privileges: descriptors, chroot, group, user. In that order, after everything is open."""

from __future__ import annotations

import os
import resource

from evener.text.record import dataclass


class PrivilegeFailure(Exception):
    """The sentence to print."""


@dataclass(frozen=True, slots=True)
class Privileges:
    uid: int | None = None
    gid: int | None = None
    chroot: str = ""


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


def drop(privileges: Privileges) -> None:
    """Irreversible. Raises PrivilegeFailure."""
    if privileges.chroot:
        try:
            os.chroot(privileges.chroot)
            os.chdir("/")
        except OSError as error:
            raise PrivilegeFailure(f"Cannot chroot({privileges.chroot}): {error.strerror}.") from None
    if privileges.gid:
        try:
            if os.getuid() == 0:
                os.setgroups([])
            os.setgid(privileges.gid)
        except OSError as error:
            raise PrivilegeFailure(f"Cannot set gid {privileges.gid}: {error.strerror}.") from None
    if privileges.uid:
        try:
            os.setuid(privileges.uid)
        except OSError as error:
            raise PrivilegeFailure(f"Cannot set uid {privileges.uid}: {error.strerror}.") from None
