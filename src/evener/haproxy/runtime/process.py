"""Commands about the process itself: what it has loaded, the schema of its answers, aids for developers."""

from __future__ import annotations

from collections.abc import Sequence

from evener.haproxy.commands import Say
from evener.haproxy.runtime.frontends import leading_number
from evener.haproxy.runtime_api import Answer, Delayed, Level, Session, command
from evener.haproxy.services.stats_schema import schema


@command("show schema json", "show schema json", ok=("show schema json",), bad=("show schema",))
def show_schema(_session: Session, _words: Sequence[str]) -> Answer:
    """report schema used for stats"""
    return schema() + "\n"


@command("show libs", "show libs", level=Level.OPERATOR, ok=("show libs",), bad=("user;show libs",))
def show_libs(_session: Session, _words: Sequence[str]) -> Answer:
    """show loaded object files and libraries"""
    found: dict[str, tuple[int, int]] = {}
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        for line in maps:
            words = line.split(maxsplit=5)
            if len(words) == 6 and words[5].startswith("/") and (".so" in words[5] or "python" in words[5]):
                low, high = (int(end, 16) for end in words[0].split("-"))
                path = words[5].strip()
                start = found.get(path, (low, high))[0]
                found[path] = min(start, low), high - 1
    return "".join(
        f"{low:#018x}-{high:#018x} ({high - low:#09x}) {path}\n" for path, (low, high) in found.items()
    )


@command(
    "debug dev delay",
    "debug dev delay [ms]",
    level=Level.ADMIN,
    mode="expert",
    ok=("expert-mode on;debug dev delay 1",),
    bad=("debug dev delay 1",),
)
def debug_dev_delay(session: Session, words: Sequence[str]) -> Answer:
    """sleep that long before the answer"""
    return Delayed((leading_number(words[0]) if words else 100) / 1000)


@command(
    "debug dev log",
    "debug dev log [msg] ...",
    level=Level.ADMIN,
    mode="expert",
    ok=("expert-mode on;debug dev log hello",),
    bad=("debug dev log hello",),
)
def debug_dev_log(session: Session, words: Sequence[str]) -> Answer:
    """send this message to the log of every proxy"""
    text = " ".join(words)
    session.control.perform(
        [Say(6, text, "NOTICE", frontend=each.index) for each in session.control.plan.frontends]
    )
    return None


@command(
    "debug dev exit",
    "debug dev exit [code]",
    level=Level.ADMIN,
    mode="expert",
    ok=("expert-mode on;debug dev exit 3",),
    bad=("debug dev exit 3",),
)
def debug_dev_exit(session: Session, words: Sequence[str]) -> Answer:
    """immediately exit the process"""
    session.control.leave(leading_number(words[0]) & 255 if words else 0)
    return None
