"""Converters between integers and the texts of dates (manual section 7.3.1).

Formats are those of strftime(3); ``%N`` is a fraction and known to the converters that take milliseconds
or microseconds. Whatever the unit of the date, the offset of these is in seconds, as in the original
(whose manual says otherwise). Dates outside what the C library can write give no sample.
"""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from evener.haproxy.arguments import ArgumentError
from evener.haproxy.dates import DAYS, MONTHS
from evener.haproxy.dates import http_date as write_http_date
from evener.haproxy.sample import Type, converter

Run = Callable[..., Any]
STR: Final = Type.STR
SINT: Final = Type.SINT
#: Years beyond these cannot be told from mistakes, and some C libraries fail on them.
_FIRST: Final = -62135596800
_LAST: Final = (1 << 55) + (1 << 40)
_BITS: Final = (1 << 55) - 1  #: whole seconds have no more, so that none is negative

_SPECIAL: Final = re.compile(r"%(?:%|([1-9])?(N)|([zZ]))")


def _writer(form: str, local: bool) -> Callable[[int], bytes | None]:
    """The text of a second, without fractions. The last few are remembered: logs repeat them."""
    if not local:
        form = _SPECIAL.sub(lambda m: {"z": "+0000", "Z": "GMT"}.get(m[3], m[0]), form)

    @lru_cache(maxsize=16)
    def write(second: int) -> bytes | None:
        if not _FIRST <= second <= _LAST:
            return None
        try:
            text = time.strftime(form, time.localtime(second) if local else time.gmtime(second))
        except (ValueError, OverflowError, OSError):
            return None
        return text.encode("utf-8", "surrogateescape")

    return write


def _seconds(form: str, offset: int, local: bool) -> Run:
    write = _writer(_SPECIAL.sub(lambda m: f"%{m[0]}" if m[2] else m[0], form), local)
    return lambda value: write((value & _BITS) + offset)


def _fractions(form: str, offset: int, unit: int, local: bool) -> Run:
    """``unit`` is how many make a second. The fraction goes in place of a mark in the remembered text."""
    write = _writer(_SPECIAL.sub(lambda m: f"\x01{m[1] or 9}" if m[2] else m[0], form), local)
    digits = len(str(unit)) - 1

    def run(value: int) -> bytes | None:
        second, rest = divmod(value, unit)
        text = write(second + offset)
        if text is None or b"\x01" not in text:
            return text
        fraction = b"%0*d" % (digits, rest)
        padded = fraction.ljust(9, b"0")
        return _MARK.sub(lambda m: padded[: int(m[1])], text)

    return run


_MARK: Final = re.compile(rb"\x01([1-9])")
_FORMS: Final[dict[str, Any]] = {"ok": ["{}(%Y-%m-%d)", "{}(%H:%M,3600)"], "bad": ["{}(%Y,x)", "{}(a,1,2)"]}


def _examples(name: str) -> dict[str, Any]:
    return {kind: [text.format(name) for text in texts] for kind, texts in _FORMS.items()}


@converter("ltime", SINT, STR, **_examples("ltime"))
def ltime(format: str, offset: int = 0) -> Run:
    """Seconds since the epoch as text of strftime(3) in local time; the offset is added before."""
    return _seconds(format, offset, True)


@converter("utime", SINT, STR, **_examples("utime"))
def utime(format: str, offset: int = 0) -> Run:
    """Seconds since the epoch as text of strftime(3) in UTC; the offset is added before."""
    return _seconds(format, offset, False)


@converter("ms_ltime", SINT, STR, **_examples("ms_ltime"))
def ms_ltime(format: str, offset: int = 0) -> Run:
    """As ``ltime`` for milliseconds; ``%N`` is the fraction, ``%3N`` its first three digits."""
    return _fractions(format, offset, 1000, True)


@converter("ms_utime", SINT, STR, **_examples("ms_utime"))
def ms_utime(format: str, offset: int = 0) -> Run:
    """As ``utime`` for milliseconds; ``%N`` is the fraction, ``%3N`` its first three digits."""
    return _fractions(format, offset, 1000, False)


@converter("us_ltime", SINT, STR, **_examples("us_ltime"))
def us_ltime(format: str, offset: int = 0) -> Run:
    """As ``ltime`` for microseconds; ``%N`` is the fraction, ``%3N`` its first three digits."""
    return _fractions(format, offset, 1_000_000, True)


@converter("us_utime", SINT, STR, **_examples("us_utime"))
def us_utime(format: str, offset: int = 0) -> Run:
    """As ``utime`` for microseconds; ``%N`` is the fraction, ``%3N`` its first three digits."""
    return _fractions(format, offset, 1_000_000, False)


_UNITS: Final = {"": 1, "s": 1, "ms": 1000, "us": 1_000_000}


def _check_unit(offset: int | None = None, unit: str | None = None) -> None:
    if (unit or "") not in _UNITS:
        raise ArgumentError(f"expects 's', 'ms' or 'us', got '{unit}'")


@converter(
    "http_date",
    SINT,
    STR,
    check=_check_unit,
    ok=["http_date", "http_date(3600)", "http_date(0,ms)"],
    bad=["http_date(x)", "http_date(0,h)"],
)
def http_date(offset: int = 0, unit: str = "s") -> Run:
    """A date since the epoch as header fields write it; the offset, in the same unit, is added before.

    With the units ``ms`` and ``us`` the fraction is written behind the seconds.
    """
    scale = _UNITS[unit]

    def run(value: int) -> bytes | None:
        second, rest = divmod(value + offset, scale)
        second &= _BITS
        if not _FIRST <= second <= _LAST:
            return None
        try:
            text = write_http_date(second)
        except (ValueError, OverflowError, OSError):
            return None
        return text if scale == 1 else b"%b.%d GMT" % (text[:-4], rest)

    return run


_DAY: Final = "|".join(DAYS)
_CLOCK: Final = r"(?P<h>\d\d):(?P<m>\d\d):(?P<s>\d\d)"
_MONTH: Final = "(?P<month>" + "|".join(MONTHS) + ")"
_FORMATS: Final = tuple(
    re.compile(form.encode("ascii"))
    for form in (
        rf"(?:{_DAY}), (?P<day>\d\d) {_MONTH} (?P<year>\d{{4}}) {_CLOCK} GMT",
        rf"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?P<day>\d\d)-{_MONTH}-(?P<year>\d\d) {_CLOCK} GMT",
        rf"(?:{_DAY}) {_MONTH} (?P<day>[ \d]\d) {_CLOCK} (?P<year>\d{{4}})",
    )
)
_NUMBER_OF: Final = {month.encode("ascii"): number for number, month in enumerate(MONTHS, 1)}


@converter("date", STR, SINT)
def date() -> Run:
    """The seconds since the epoch of a date in one of the three forms of RFC 9110 section 5.6.7.

    The name of the day need not be the right one. Two-digit years below 69 are of this century.
    """

    def run(value: bytes) -> int | None:
        match = next(filter(None, (form.match(value) for form in _FORMATS)), None)
        if match is None:
            return None
        year = int(match["year"])
        if len(match["year"]) == 2:
            year += 2000 if year < 69 else 1900
        clock = (int(match["h"]), int(match["m"]), int(match["s"]))
        month, day = _NUMBER_OF[match["month"]], int(match["day"])
        return calendar.timegm((year, month, day, *clock)) if year else None

    return run
