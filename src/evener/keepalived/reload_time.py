"""When a reload is due: the first line of reload_time_file, and the time it stands for.

``HH:MM:SS``, or a date before it (``YY-MM-DD`` or ``YYYY-MM-DD``), with ``Z`` behind it for UTC. Without a
date it is the next time of day that comes. Reads no clock and no file.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from evener.text.record import dataclass

FORMATS = {8: "%H:%M:%S", 17: "%y-%m-%d %H:%M:%S", 19: "%Y-%m-%d %H:%M:%S"}
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Due:
    """Seconds since 1970, and whether a date was named (then it comes once)."""

    at: int
    dated: bool


def due(line: str, now: float) -> Due | str:
    """When ``line`` asks for a reload, or why it asks for none, for the log."""
    utc = line.endswith("Z")
    text = line.removesuffix("Z")
    form = FORMATS.get(len(text))
    if form is None or not text.isascii() or any(c not in "0123456789-: " for c in text):
        return f"Reload time {line} format is incorrect - ignoring"
    try:
        told = time.strptime(text, form)
    except ValueError:
        return f"Reload date/time {line} invalid - ignoring"
    dated = len(text) > len("HH:MM:SS")
    to_tuple: Callable[[float], time.struct_time] = time.gmtime if utc else time.localtime
    day = told[:3] if dated else to_tuple(now)[:3]
    if dated:
        at = _seconds(day, told, utc)
        return Due(at, True) if at > now else f"Reload time {line} is in the past - ignoring"
    at = _seconds(day, told, utc)
    if at <= now:
        at = _seconds((day[0], day[1], day[2] + 1), told, utc)
    return Due(at, False)


def _seconds(day: tuple[int, ...], told: time.struct_time, utc: bool) -> int:
    import calendar

    moment = (day[0], day[1], day[2], told.tm_hour, told.tm_min, told.tm_sec, 0, 0, -1)
    return calendar.timegm(moment) if utc else int(time.mktime(moment))
