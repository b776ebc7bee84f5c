"""``show events``: the rings that log lines go to, and what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from evener.haproxy.control import EventRing
from evener.haproxy.runtime_api import Answer, Follow, Session, Told, command

PAUSE: Final = 0.05  #: seconds between looks at a ring that is followed

_HEAD: Final = (
    "Supported events sinks are listed below. Add -0(zero), -w(wait), -n(new). Any key to stop.\n"
    "    stdout     : type=fd, 0 dropped, standard output (fd#1)\n"
    "    stderr     : type=fd, 0 dropped, standard error (fd#2)\n"
)
_STREAMS: Final = ("stdout", "stderr")
_OPTIONS: Final = frozenset("wn0")


class Reader:
    """Goes through a ring, message by message; what was overwritten meanwhile is passed over."""

    def __init__(self, ring: EventRing, number: int, end: str) -> None:
        self._ring, self._number, self._end = ring, number, end

    def more(self) -> str:
        """Everything that has come since the last time."""
        texts = []
        self._number = max(self._number, self._ring.first)
        while (message := self._ring.get(self._number)) is not None:
            texts.append(message.decode("utf-8", "surrogateescape") + self._end)
            self._number += 1
        return "".join(texts)


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
    end = "\0" if "0" in options else "\n"
    reader = Reader(ring, ring.end if "n" in options else 0, end)
    return Follow(PAUSE, reader.more) if "w" in options else reader.more()
