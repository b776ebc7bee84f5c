"""What reading a keepalived.conf asks of this machine: interfaces, users, programs."""

from __future__ import annotations

import grp
import os
import pwd
import socket
import stat
from functools import cache
from glob import glob

from evener.keepalived.reading import Program, Surroundings
from evener.keepalived.route_words import c_number
from evener.keepalived.scripts import User


def surroundings() -> Surroundings:
    """The machine as it is now."""
    return Surroundings(
        interfaces(),
        program,
        user_exists,
        os.path.isdir,
        iproute_names,
        vrf_table,
        resolves,
        cpus=os.sysconf("SC_NPROCESSORS_ONLN"),
    )


def interfaces() -> frozenset[str] | None:
    try:
        return frozenset(name for _, name in socket.if_nameindex())
    except OSError:
        return None


def program(argv: tuple[str, ...], user: User | None, secure: bool) -> Program:
    """Whether a script can be run, and how safely. Root's must not be what others may write."""
    name = argv[0]
    if name.startswith("<") and name[1:].lstrip(" \t").startswith("/"):
        return Program.A_FILE
    path = name if "/" in name else _which(name)
    try:
        real = os.path.realpath(path or "", strict=True)
        found = os.stat(real)
    except (OSError, ValueError):
        return Program.MISSING
    if path is None:
        return Program.MISSING
    uid, gid = _ids(user)
    if not _executable(found, uid, gid):
        return Program.NOT_EXECUTABLE
    becomes_root = (found.st_uid == 0 and found.st_mode & stat.S_ISUID) or (
        found.st_gid == 0 and found.st_mode & stat.S_ISGID
    )
    if uid and gid and not becomes_root:
        return Program.FINE
    states = [_safety(path, secure), _safety(real, secure)]
    return next((bad for bad in (Program.INSECURE, Program.MISSING, Program.UNSAFE) if bad in states), FINE)


FINE = Program.FINE


def _ids(user: User | None) -> tuple[int, int]:
    if user is None:
        return os.getuid(), os.getgid()
    try:
        known = pwd.getpwnam(user.name)
        return known.pw_uid, grp.getgrnam(user.group).gr_gid if user.group else known.pw_gid
    except (KeyError, ValueError):
        return os.getuid(), os.getgid()


def _executable(found: os.stat_result, uid: int, gid: int) -> bool:
    if uid == 0:
        return bool(found.st_mode & 0o111)
    if uid == found.st_uid:
        return bool(found.st_mode & stat.S_IXUSR)
    return bool(found.st_mode & (stat.S_IXGRP if gid == found.st_gid else stat.S_IXOTH))


def _safety(path: str, secure: bool) -> Program:
    """Every directory on the way is one, and nothing on it is written by others than root."""
    if not path.startswith("/"):
        return Program.MISSING
    names = [part for part in path.split("/") if part not in ("", ".")]
    places = ["/", *("/" + "/".join(names[: n + 1]) for n in range(len(names)))]
    for place in places:
        try:
            found = os.lstat(place)
        except OSError:
            return Program.MISSING
        mode = found.st_mode
        last = place == places[-1]
        if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode) if last else stat.S_ISDIR(mode)):
            return Program.INSECURE
        shared = (stat.S_ISDIR(mode) and not mode & stat.S_ISVTX) or stat.S_ISREG(mode)
        written = (found.st_gid and mode & stat.S_IWGRP) or mode & stat.S_IWOTH
        if found.st_uid or (shared and written):
            return Program.INSECURE if secure else Program.UNSAFE
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
