"""``wait``: let time pass, or until something may be removed.

What is waited for is looked at in growing steps, as the original does: after half of the time that has
passed, and at least ten times altogether.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from evener.haproxy.runtime.backends import why_not
from evener.haproxy.runtime.newcomers import removable
from evener.haproxy.runtime_api import INFO, Answer, Delayed, Level, Session, Told, command

_DURATION: Final = re.compile(r"(\d{1,9})(us|ms|s|m|h|d)?\Z", re.ASCII)
_SECONDS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_HELP: Final = """\
Usage: wait {-h|<duration>} [condition [args...]]
  - '-h' displays this help
  - <duration> is the maximum wait time, optionally suffixed by the unit among
    'us', 'ms', 's', 'm', 'h', and 'd'. ; the default unit is milliseconds.
  - <condition> indicates what to wait for, no longer than the specified
    duration. Supported conditions are:
    - <none> : by default, just sleep for the specified duration.
    - srv-removable <px>/<sv> : wait for this server to become removable.
"""

Look = Callable[[], tuple[bool, str]]
"""(whether that may change, why it is not so yet); nothing: it is."""


@command(
    "wait",
    "wait {-h|<delay_ms>} cond [args...]",
    level=Level.ADMIN,
    ok=("wait 1", "wait -h", "set server b/s1 state maint; wait 1s srv-removable b/s1"),
    bad=(
        "wait x",
        "wait 1 srv-removable",
        "wait 1 srv-removable b",
        "wait 1 srv-removable b/s1",
        "wait 1 frob",
    ),
)
def wait(session: Session, words: Sequence[str]) -> Answer:
    """wait the specified delay or condition (-h to see list)"""
    if words[:1] == ["-h"]:
        return Told(_HELP, INFO)
    match = _DURATION.match(words[0]) if words else None
    if match is None:
        return Told("Invalid duration." if words else "Expects a duration in milliseconds.")
    seconds = int(match[1]) * _SECONDS[match[2] or "ms"]
    if len(words) == 1:
        return Delayed(seconds, Told("Done.", INFO))
    if words[1] == "be-removable" and len(words) < 3:
        return Told("Missing backend name.")
    if words[1] == "be-removable":
        look: Look = partial(backend_removable, session, words[2])
        return look_again(session, look, seconds, session.control.now())
    if words[1] != "srv-removable":
        return Told(_HELP)
    if len(words) < 3:
        return Told("Missing server name (<backend>/<server>).")
    if "/" not in words[2] or words[2].endswith("/"):
        return Told("Require 'backend/server'.")
    return look_again(session, lambda: server_removable(session, words[2]), seconds, session.control.now())


def server_removable(session: Session, name: str) -> tuple[bool, str]:
    backend, _, server_name = name.partition("/")
    fleet = session.control.fleet
    if fleet.farm(backend) is None:
        return False, "No such backend."
    server = fleet.find(backend, server_name)
    return removable(session, server) if server is not None else (False, "No such server.")


def backend_removable(session: Session, name: str) -> tuple[bool, str]:
    farm = session.control.fleet.farm(name)
    return why_not(session, farm) if farm is not None else (False, "No such backend.")


def look_again(session: Session, look: Look, total: float, started: float) -> Told | Delayed:
    """The answer now, or when to look again."""
    hopeful, why = look()
    if not why:
        return Told("Done.", INFO)
    if not hopeful:
        return Told(f"Failed. {why}")
    elapsed = session.control.now() - started
    left = total - elapsed
    if left <= 0:
        return Told(f"Wait delay expired. {why}")
    pause = min(left, max(0.001, min(elapsed / 2 + 0.001, total / 10)))
    return Delayed(pause, again=lambda: look_again(session, look, total, started))
