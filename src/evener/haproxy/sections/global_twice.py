"""Words of ``global`` that may only be said once, and what is said the second time.

The first value holds. Most complaints do not refuse the file, in the original's way.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from evener.haproxy.line import Line
from evener.haproxy.sections.reading import TIGHT, Place
from evener.haproxy.sections.value_checks import as_c_int
from evener.text.diagnostic import Diagnostic, Severity
from evener.text.record import dataclass


@dataclass(frozen=True, slots=True)
class Twice:
    """``same`` is what the word stands for, where two words do; ``old`` is said of it every time."""

    sentence: str = "'{name}' already specified. Continuing."
    severity: Severity = Severity.ALERT
    fatal: bool = False
    lead: str | None = None
    same: str = ""
    old: str = ""


_USER: Final = Twice("user/uid already specified. Continuing.", same="user")
_BASE: Final = Twice("'{name}' already specified.", fatal=True)
_WARNED: Final = Twice(severity=Severity.WARNING)
_CAPTURED: Final = Twice("'{name}' is already configured.", fatal=True, same="capture")

ONCE: Final[dict[str, Twice]] = {
    "user": _USER,
    "uid": _USER,
    "group": Twice("gid/group was already specified. Continuing.", same="group"),
    "gid": Twice("group/gid already specified. Continuing.", same="group"),
    "chroot": Twice("'chroot' is already specified. Continuing.\n", Severity.WARNING),
    "tune.ssl.capture-buffer-size": _CAPTURED,
    "tune.ssl.capture-cipherlist-size": replace(
        _CAPTURED,
        old="'{name}' is deprecated and will be removed in version 2.7. Please use "
        "'tune.ssl.capture-buffer-size' instead.",
    ),
    "spread-checks": Twice("spread-checks already specified. Continuing.", lead=TIGHT),
    **dict.fromkeys(
        ("ca-base", "crt-base", "key-base", "shm-stats-file", "shm-stats-file-max-objects"), _BASE
    ),
    **dict.fromkeys(
        (
            "cluster-secret", "fd-hard-limit", "log-send-hostname", "maxconnrate", "maxpipes",
            "maxsessrate", "maxsslrate", "server-state-base", "server-state-file", "stats-file", "ulimit-n",
        ),
        Twice(),
    ),
    **dict.fromkeys(
        (
            "pidfile", "tune.maxaccept", "tune.maxpollevents", "tune.rcvbuf.client", "tune.rcvbuf.server",
            "tune.sndbuf.client", "tune.sndbuf.server",
        ),
        _WARNED,
    ),
}  # fmt: skip


NUMBERS: Final = frozenset(
    ("fd-hard-limit", "gid", "maxconnrate", "maxpipes", "maxsessrate", "maxsslrate", "uid", "ulimit-n")
)
"""Words whose value may be 0, which is as good as not said."""
LOOSE: Final = frozenset(
    ("server-state-base", "server-state-file", "shm-stats-file", "shm-stats-file-max-objects", "stats-file")
)
"""Words after whose value nothing is looked at."""


def first_time(name: str, line: Line, place: Place) -> bool:
    """Whether the word was not said before; says so otherwise."""
    word = ONCE.get(name)
    count = len(line.words)
    if word is None or (count > 2 and name not in LOOSE) or (count < 2 and name != "log-send-hostname"):
        return True
    if word.old:
        old = word.old.replace("{name}", name)
        place.diagnostics.warning("deprecated-word", old, line.span(0), lead=TIGHT)
    meant = f"twice {word.same or name}"
    if meant not in place.told:
        if name not in NUMBERS or as_c_int(line.words[1]) != 0:
            place.told.add(meant)
        return True
    message = word.sentence.replace("{name}", name)
    place.diagnostics.add(
        Diagnostic("already-said", word.severity, message, line.span(0), lead=word.lead, fatal=word.fatal)
    )
    return False
