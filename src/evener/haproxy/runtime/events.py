"""``show events``: the rings that log lines go to, and what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from evener.haproxy.runtime_api import Answer, Session, Told, command

_HEAD: Final = (
    "Supported events sinks are listed below. Add -0(zero), -w(wait), -n(new). Any key to stop.\n"
    "    stdout     : type=fd, 0 dropped, standard output (fd#1)\n"
    "    stderr     : type=fd, 0 dropped, standard error (fd#2)\n"
)
_STREAMS: Final = ("stdout", "stderr")
_OPTIONS: Final = frozenset("wn0")


@command(
    "show events",
    "show events [<sink>] [-w] [-n] [-0]",
    ok=("show events",),
    bad=("show events none",),
)
def show_events(session: Session, words: Sequence[str]) -> Answer:
    """show event sink state"""
    rings = session.control.rings
    if not words:
        return _HEAD + "".join(
            f"    {name:<10} : type=buffer, {ring.dropped} dropped, {ring.description}\n"
            for name, ring in rings.items()
        )
    if words[0] in _STREAMS:
        return Told("Nothing to report for this sink")
    ring = rings.get(words[0])
    if ring is None:
        return Told("No such event sink")
    options = "".join(word.removeprefix("-") for word in words[1:])
    if not _OPTIONS.issuperset(options):
        return Told("unknown option")
    if "w" in options:
        return Told("evener: waiting for new events ('-w') is not executed yet.")
    if "n" in options:
        return None
    end = "\0" if "0" in options else "\n"
    return "".join(message.decode("utf-8", "surrogateescape") + end for message in ring.messages())
