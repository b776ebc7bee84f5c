"""As whom a script runs, and whether it may run at all.

keepalived: a script's own user, else ``script_user``, else the user ``keepalived_script`` if there is one,
else (without enable_script_security) the user of the daemon. With enable_script_security nothing runs as
root whose path somebody else could change.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from typing import NamedTuple

from evener.keepalived.described import Owned
from evener.keepalived.vrrp.plan import GlobalOptions, Program

DEFAULT_USER = "keepalived_script"


class ScriptRefused(Exception):
    """The script must not, or cannot, be run; the text says why."""


class Account(NamedTuple):
    uid: int
    gid: int
    groups: tuple[int, ...]


def account_of(program: Program | Owned, options: GlobalOptions) -> Account:
    """Whom to run a program as; raises ScriptRefused for unknown names."""
    account = _found(program, options)
    return account if options.supplementary_groups else account._replace(groups=(account.gid,))


def shown_account(program: Program | Owned, options: GlobalOptions) -> str:
    """``uid:gid``, for people."""
    try:
        account = account_of(program, options)
    except ScriptRefused:
        return "?"
    return f"{account.uid}:{account.gid}"


def _found(program: Program | Owned, options: GlobalOptions) -> Account:
    if program.user is not None:
        return _lookup(program.user, program.group)
    if options.script_user is not None:
        return _lookup(options.script_user, program.group or options.script_group)
    try:
        return _lookup(DEFAULT_USER, program.group)
    except ScriptRefused:
        if options.script_security:
            raise
    return Account(os.geteuid(), os.getegid(), tuple(os.getgroups()))


def _lookup(user: str, group: str | None) -> Account:
    try:
        entry = pwd.getpwnam(user)
        gid = entry.pw_gid if group is None else grp.getgrnam(group).gr_gid
    except KeyError:
        raise ScriptRefused(f"unknown user or group '{user}'{f' {group}' if group else ''}") from None
    return Account(entry.pw_uid, gid, tuple(os.getgrouplist(user, gid)))


def check_path(program: Program, account: Account, options: GlobalOptions) -> None:
    """Refuse what script security forbids; without it, everything may run."""
    if not options.script_security or account.uid != 0:
        return
    from pathlib import Path

    path = Path(os.path.realpath(program.argv[0]))
    for part in (path, *path.parents):
        found = os.stat(part)
        loose = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not found.st_mode & stat.S_ISVTX
        if found.st_uid != 0 or loose:
            raise ScriptRefused(f"unsafe permissions found for script '{program.argv[0]}' at {part}")
