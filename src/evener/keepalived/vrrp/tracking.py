"""What tracked things do to an instance: hold it in fault, or move its effective priority.

``ScriptRecord`` turns the results of a vrrp_script into up and down (rise, fall). ``Tracking`` turns
the states of everything an instance watches into (pending, faulty, priority); it is recomputed whole
on each change, since lists are short and a sum that is never adjusted step by step cannot drift.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from evener.keepalived.vrrp.plan import OWNER_PRIORITY, Script, Track, TrackKind

Watched = tuple[TrackKind, str]


class Standing(NamedTuple):
    """``pending``: a decisive script has not finished once. ``faulty``: something decisive is down."""

    pending: bool
    faulty: bool
    priority: int


def effective_priority(base: int, adjustment: int) -> int:
    """The manual: an owner's priority is never changed, and nobody else reaches 255 or 0."""
    if base == OWNER_PRIORITY:
        return base
    return max(1, min(OWNER_PRIORITY - 1, base + adjustment))


def adjustment(track: Track, up: bool) -> int:
    """What a track with a weight adds: a positive weight while up, a negative one while down."""
    sign = -1 if track.reverse else 1
    counts = up if track.weight > 0 else not up
    return sign * track.weight if counts else 0


def standing(base: int, tracks: Iterable[Track], known: Mapping[Watched, bool]) -> Standing:
    """Judge an instance of priority ``base``; things absent from ``known`` have no state yet.

    A script without a result makes the instance wait when its weight is 0, and adds nothing otherwise;
    anything else is up until we are told that it is not.
    """
    pending = faulty = False
    total = 0
    for track in tracks:
        up = known.get((track.kind, track.name), None if track.kind is TrackKind.SCRIPT else True)
        if up is None:
            pending |= track.weight == 0
        elif track.weight == 0:
            faulty |= up == track.reverse
        else:
            total += adjustment(track, up)
    return Standing(pending, faulty, effective_priority(base, total))


class ScriptRecord:
    """The results of one vrrp_script. ``up`` is None until it has run once (unless init_fail).

    keepalived counts on one scale: below ``rise`` is down. The first result decides alone, whatever
    rise and fall say; afterwards it takes ``rise`` successes, or ``fall`` failures, in a row.
    """

    __slots__ = ("fall", "level", "name", "rise", "up")

    def __init__(self, script: Script) -> None:
        self.name = script.name
        self.rise = script.rise
        self.fall = script.fall
        self.up: bool | None = False if script.init_fail else None
        self.level = 0 if script.init_fail else script.rise - 1

    def record(self, ok: bool) -> bool:
        """Note a result; True when the script's state changed (or became known)."""
        return self._succeeded() if ok else self._failed()

    def _succeeded(self) -> bool:
        top = self.rise + self.fall - 1
        if self.level < self.rise - 1:
            self.level += 1
            return False
        changed = self.level == self.rise - 1
        self.level = top
        self.up = True
        return changed

    def _failed(self) -> bool:
        if self.level > self.rise and self.up is not None:
            self.level -= 1
            return False
        changed = self.up is not False
        self.level = 0
        self.up = False
        return changed
