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
    """Of a router, by what they are called: the guard hangs below init, and is found by its namespace."""
    space = os.stat(f"/run/netns/{lab.spaces[number]}")
    found = {}
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            theirs = os.stat(entry / "ns" / "net")
            if (theirs.st_ino, theirs.st_dev) == (space.st_ino, space.st_dev):
                found[(entry / "comm").read_text("ascii").strip()] = int(entry.name)
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
