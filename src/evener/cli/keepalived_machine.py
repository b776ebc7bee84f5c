"""What reading a keepalived.conf asks of this machine: interfaces, users, programs."""

from __future__ import annotations

import grp
import os
import pwd
import socket
from functools import cache
from glob import glob

from evener.keepalived.reading import Program, Surroundings
from evener.keepalived.route_words import c_number


def surroundings() -> Surroundings:
    """The machine as it is now."""
    return Surroundings(interfaces(), program, user_exists, os.path.isdir, iproute_names, vrf_table, resolves)


def interfaces() -> frozenset[str] | None:
    try:
        return frozenset(name for _, name in socket.if_nameindex())
    except OSError:
        return None


def program(argv: tuple[str, ...]) -> Program:
    """Whether the program can be run. How safe it is to run is looked at when it is run."""
    name = argv[0]
    path = name if "/" in name else _which(name)
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


IPROUTE_DIRECTORIES = ("/usr/share/iproute2", "/usr/lib/iproute2", "/etc/iproute2")
"""The later one wins."""


@cache
def iproute_names(kind: str, directories: tuple[str, ...] = IPROUTE_DIRECTORIES) -> dict[str, int]:
    """The names that iproute2 gives to numbers in its file ``kind``."""
    found: dict[str, int] = {}
    for directory in directories:
        base = os.path.join(directory, kind)
        extra = sorted(glob(os.path.join(base + ".d", "*.conf")))
        for path in (base, *extra):
            found.update(names_in(path))
    return found


def names_in(path: str) -> dict[str, int]:
    """Lines of ``NUMBER NAME``; what is not such a line is skipped, as iproute2 does."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read(1 << 20).splitlines()
    except OSError:
        return {}
    found: dict[str, int] = {}
    for line in lines:
        words = line.partition("#")[0].split()
        number = c_number(words[0], (1 << 32) - 1) if len(words) == 2 else None
        if number is not None:
            found[words[1]] = number
    return found


def vrf_table(name: str) -> int | None:
    """The routing table of a VRF interface; None when there is none of that name."""
    from evener.host.netlink.link import vrf_table_of

    return vrf_table_of(name)


def resolves(host: str, service: str) -> bool:
    """Asks the machine's resolver, as the original does while it reads."""
    try:
        return bool(socket.getaddrinfo(host, service, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError, ValueError):
        return False


def _which(name: str) -> str | None:
    import shutil

    return shutil.which(name)
