"""Dates as logs, headers and converters write them.

A proxy writes the same second thousands of times, so the text of the last seconds is remembered. Month
and day names are English whatever the locale. ``%N`` is nanoseconds, an extension of ``strftime``.
"""

from __future__ import annotations

import calendar
import re
import time
from functools import lru_cache
from typing import Final

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _clf(when: time.struct_time, zone: str) -> bytes:
    return (
        f"{when.tm_mday:02d}/{MONTHS[when.tm_mon - 1]}/{when.tm_year:04d}:"
        f"{when.tm_hour:02d}:{when.tm_min:02d}:{when.tm_sec:02d}{zone}"
    ).encode("ascii")


@lru_cache(maxsize=64)
def clf_utc(second: int) -> bytes:
    """``09/Jul/2014:14:31:50 +0000``"""
    return _clf(time.gmtime(second), " +0000")


@lru_cache(maxsize=64)
def clf_local(second: int) -> bytes:
    """The same in local time with its offset."""
    when = time.localtime(second)
    sign, offset = ("-", -when.tm_gmtoff) if when.tm_gmtoff < 0 else ("+", when.tm_gmtoff)
    return _clf(when, f" {sign}{offset // 3600:02d}{offset % 3600 // 60:02d}")


@lru_cache(maxsize=64)
def _local_second(second: int) -> bytes:
    return _clf(time.localtime(second), "")


def log_local(moment: float) -> bytes:
    """``09/Jul/2014:14:31:50.123``, local time."""
    milliseconds = int(moment * 1000)
    return b"%b.%03d" % (_local_second(milliseconds // 1000), milliseconds % 1000)


@lru_cache(maxsize=64)
def http_date(second: int) -> bytes:
    """RFC 9110 section 5.6.7: ``Sun, 06 Nov 1994 08:49:37 GMT``."""
    when = time.gmtime(second)
    return (
        f"{DAYS[when.tm_wday]}, {when.tm_mday:02d} {MONTHS[when.tm_mon - 1]} {when.tm_year:04d} "
        f"{when.tm_hour:02d}:{when.tm_min:02d}:{when.tm_sec:02d} GMT"
    ).encode("ascii")


_HTTP_DATES: Final = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        r"[a-z]{3}, (?P<d>\d\d) (?P<m>[a-z]{3}) (?P<y>\d{4}) (?P<t>\d\d:\d\d:\d\d) GMT",
        r"[a-z]+day, (?P<d>\d\d)-(?P<m>[a-z]{3})-(?P<y>\d\d) (?P<t>\d\d:\d\d:\d\d) GMT",
        r"[a-z]{3} (?P<m>[a-z]{3}) (?P<d>[ \d]\d) (?P<t>\d\d:\d\d:\d\d) (?P<y>\d{4})",
    )
)


@lru_cache(maxsize=64)
def parse_http_date(text: bytes) -> int | None:
    """Seconds since the epoch of a date in one of the three forms of RFC 9110 5.6.7; None when it is none."""
    line = text.decode("latin-1") if len(text) < 40 and text.isascii() else ""
    match = next((found for form in _HTTP_DATES if (found := form.fullmatch(line))), None)
    month = match["m"].capitalize() if match is not None else ""
    if match is None or month not in MONTHS:
        return None
    year, day = int(match["y"]), int(match["d"])
    if year < 100:
        year += 1900 if year >= 70 else 2000
    hour, minute, second = map(int, match["t"].split(":"))
    if year < 1970 or not 1 <= day <= 31 or hour > 23 or minute > 59 or second > 60:
        return None
    return calendar.timegm((year, MONTHS.index(month) + 1, day, hour, minute, second))


_NANOSECONDS: Final = re.compile(r"%(?:%|([1-9])?N)")


def strftime(form: str, microseconds: int, *, local: bool) -> bytes:
    """``form`` for a date in microseconds since the epoch; ``%3N`` is three digits of the fraction."""
    second, fraction = divmod(microseconds, 1_000_000)
    digits = f"{fraction * 1000:09d}"

    def respell(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%%"
        return digits[: int(match[1])] if match[1] else digits

    form = _NANOSECONDS.sub(respell, form)
    when = time.localtime(second) if local else time.gmtime(second)
    if not local:
        form = form.replace("%z", "+0000")
    return time.strftime(form, when).encode("utf-8", "surrogateescape")
