"""What tracked things do to an instance: hold it in fault, or move its effective priority.

``ScriptRecord`` turns the results of a vrrp_script into up and down (rise, fall). ``Tracking`` turns
the states of everything an instance watches into (pending, faulty, priority); it is recomputed whole
on each change, since lists are short and a sum that is never adjusted step by step cannot drift.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from evener.keepalived.vrrp.plan import OWNER_PRIORITY, Script, Track, TrackKind

Watched = tuple[TrackKind, str]

LEAST_ADJUSTMENT, MOST_ADJUSTMENT = -253, 253

UNTOLD: Final[dict[TrackKind, int | None]] = {
    TrackKind.INTERFACE: 1,
    TrackKind.SOURCE: 1,
    TrackKind.SCRIPT: None,
    TrackKind.FILE: None,
    TrackKind.PROCESS: None,
    TrackKind.BFD: 0,
}
"""What is assumed of a thing before we are told; None: it has to be waited for."""


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


def standing(base: int, tracks: Iterable[Track], known: Mapping[Watched, int]) -> Standing:
    """Judge an instance of priority ``base``; things absent from ``known`` have no state yet.

    What has not been looked at once (a script, a file, a process) makes the instance wait when its weight
    is 0, and adds nothing otherwise; a BFD session is down and anything else up until we are told.
    """
    pending = faulty = False
    total = 0
    for track in tracks:
        value = known.get((track.kind, track.name), UNTOLD[track.kind])
        if value is None:
            pending |= track.weight == 0
        elif track.kind is TrackKind.FILE:
            added = file_adjustment(track, value)
            if added < LEAST_ADJUSTMENT:
                faulty = True
            else:
                total += added
        elif track.weight == 0:
            faulty |= bool(value) == track.reverse
        else:
            total += adjustment(track, bool(value))
    return Standing(pending, faulty, effective_priority(base, total))


def file_adjustment(track: Track, value: int) -> int:
    """The manual, "Track files": the number times the weight; less than -253 is a fault.

    With weight 0 any number but 0 is a fault, and with ``reverse`` 0 is.
    """
    if track.weight == 0:
        return LEAST_ADJUSTMENT - 1 if bool(value) != track.reverse else 0
    product = value * track.weight * (-1 if track.reverse else 1)
    return max(LEAST_ADJUSTMENT - 1, min(MOST_ADJUSTMENT, product))


class ScriptRecord:
    """The results of one vrrp_script. ``up`` is None until it has run once (unless init_fail).

    keepalived counts on one scale: below ``rise`` is down. The first result decides alone, whatever
    rise and fall say; afterwards it takes ``rise`` successes, or ``fall`` failures, in a row.
    """

    __slots__ = ("fall", "level", "name", "ran", "rise", "up")

    def __init__(self, script: Script) -> None:
        self.name = script.name
        self.ran = False
        self.rise = script.rise
        self.fall = script.fall
        self.up: bool | None = False if script.init_fail else None
        self.level = 0 if script.init_fail else script.rise - 1

    def record(self, ok: bool) -> bool:
        """Note a result; True when the script's state changed (or became known)."""
        self.ran = True
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
