"""What reading a keepalived.conf asks of this machine: interfaces, users, programs."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import socket

from evener.keepalived.reading import Program, Surroundings


def surroundings() -> Surroundings:
    """The machine as it is now."""
    return Surroundings(interfaces(), program, user_exists, os.path.isdir)


def interfaces() -> frozenset[str] | None:
    try:
        return frozenset(name for _, name in socket.if_nameindex())
    except OSError:
        return None


def program(argv: tuple[str, ...]) -> Program:
    """Whether the program can be run. How safe it is to run is looked at when it is run."""
    name = argv[0]
    path = name if "/" in name else shutil.which(name)
    if path is None or "\0" in path or not os.path.isfile(path) or not os.access(path, os.X_OK):
        return Program.MISSING
    return Program.FINE


def user_exists(user: str, group: str | None) -> bool:
    try:
        pwd.getpwnam(user)
        if group is not None:
            grp.getgrnam(group)
    except (KeyError, ValueError):
        return False
    return True
