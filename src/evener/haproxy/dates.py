"""Dates as logs, headers and converters write them.

A proxy writes the same second thousands of times, so the text of the last seconds is remembered. Month
and day names are English whatever the locale. ``%N`` is nanoseconds, an extension of ``strftime``.
"""

from __future__ import annotations

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
