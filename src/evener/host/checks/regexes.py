"""A regular expression on bytes that somebody else chose, and only for so long.

Python's matcher backtracks without a limit of its own, but lets signal handlers in: a timer of CPU time ends
it, and the search counts as one that found nothing. One compiled pattern serves all checks that have it.
"""

from __future__ import annotations

import re
import signal
from functools import lru_cache
from types import FrameType
from typing import NoReturn

from evener.keepalived.lvs.probes import Regex
from evener.keepalived.regex_options import flags_of
from evener.text.pcre import translate

CPU_SECONDS = 0.05


class Overrun(Exception):
    """The search took too long."""


def matches(regex: Regex, body: bytes) -> bool:
    """Whether the pattern is where it has to be, or is not anywhere it must not be. Raises Overrun."""
    found = _search(_compiled(regex), body, regex.first)
    last = regex.last
    if "firstline" in regex.options:
        newline = body.find(b"\n")
        last = newline if newline >= 0 and (last is None or newline < last) else last
    inside = found is not None and (last is None or found.start() <= last)
    return inside != regex.negated


@lru_cache(maxsize=1024)
def _compiled(regex: Regex) -> re.Pattern[bytes]:
    return translate(regex.pattern, flags=flags_of(regex.options))


def _search(pattern: re.Pattern[bytes], body: bytes, first: int) -> re.Match[bytes] | None:
    before = signal.signal(signal.SIGVTALRM, _overrun)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, CPU_SECONDS)
        try:
            return pattern.search(body, first)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    finally:
        signal.signal(signal.SIGVTALRM, before)


def _overrun(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Overrun
