"""Killing and stopping processes of a router, and looking that nothing has two owners meanwhile."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from lab import Lab, packed

GUARD = "vip_guard"


def processes(lab: Lab, number: int = 0) -> dict[str, int]:
    """Of a router, by what they are called: the guard hangs below init, and is found by its namespace.

    Of several with one name, the oldest: a script is called like its helper until it is executed.
    """
    space = os.stat(f"/run/netns/{lab.spaces[number]}")
    found: dict[str, int] = {}
    for entry in sorted(Path("/proc").glob("[0-9]*"), key=lambda entry: int(entry.name)):
        with suppress(OSError, ValueError):
            theirs = os.stat(entry / "ns" / "net")
            if (theirs.st_ino, theirs.st_dev) == (space.st_ino, space.st_dev):
                found.setdefault((entry / "comm").read_text("ascii").strip(), int(entry.name))
    return found


def kill(lab: Lab, *names: str, how: signal.Signals = signal.SIGKILL) -> None:
    known = processes(lab)
    for name in names:
        os.kill(known[name], how)


def never_two_owners(lab: Lab, seconds: float, *addresses: str) -> None:
    """The backup first: were an address to move between the two looks, that is not two owners."""
    shared = {packed(address) for address in addresses or (lab.link.vip,)}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        theirs = shared.intersection(lab.addresses(1))
        assert not theirs.intersection(lab.addresses(0)), "two owners"
