"""What a health check ended with: the statuses the manual names, and how they are told.

The numbers are those ``show servers state`` prints, so that a state file written by the original can
be read; the sentences are those of its logs and of ``show stat``.
"""

from __future__ import annotations

import errno
import os
import re
from enum import Enum, IntEnum

from evener.text.record import dataclass


class Verdict(IntEnum):
    """``srv_check_result``."""

    UNKNOWN = 0
    NEUTRAL = 1
    FAILED = 2
    PASSED = 3
    CONDITIONAL = 4


class CheckStatus(Enum):
    """(number, short name, sentence, what it means for the server)."""

    UNKNOWN = (0, "UNK", "Unknown", Verdict.UNKNOWN)
    INI = (1, "INI", "Initializing", Verdict.UNKNOWN)
    START = (2, "START", "Check started", Verdict.UNKNOWN)
    CHECKED = (3, "CHECKED", "No status change", Verdict.NEUTRAL)
    HANA = (4, "HANA", "Health analyze", Verdict.FAILED)
    SOCKERR = (5, "SOCKERR", "Socket error", Verdict.FAILED)
    L4OK = (6, "L4OK", "Layer4 check passed", Verdict.PASSED)
    L4TOUT = (7, "L4TOUT", "Layer4 timeout", Verdict.FAILED)
    L4CON = (8, "L4CON", "Layer4 connection problem", Verdict.FAILED)
    L6OK = (9, "L6OK", "Layer6 check passed", Verdict.PASSED)
    L6TOUT = (10, "L6TOUT", "Layer6 timeout", Verdict.FAILED)
    L6RSP = (11, "L6RSP", "Layer6 invalid response", Verdict.FAILED)
    L7TOUT = (12, "L7TOUT", "Layer7 timeout", Verdict.FAILED)
    L7RSP = (13, "L7RSP", "Layer7 invalid response", Verdict.FAILED)
    L7OK = (15, "L7OK", "Layer7 check passed", Verdict.PASSED)
    L7OKC = (16, "L7OKC", "Layer7 check conditionally passed", Verdict.CONDITIONAL)
    L7STS = (17, "L7STS", "Layer7 wrong status", Verdict.FAILED)
    PROCERR = (18, "PROCERR", "External check error", Verdict.FAILED)
    PROCTOUT = (19, "PROCTOUT", "External check timeout", Verdict.FAILED)
    PROCOK = (20, "PROCOK", "External check passed", Verdict.PASSED)

    def __init__(self, number: int, short: str, sentence: str, verdict: Verdict) -> None:
        self.number = number
        self.short = short
        self.sentence = sentence
        self.verdict = verdict

    @property
    def has_code(self) -> bool:
        """Whether a protocol's status code belongs to it."""
        return self.number >= 15

    @property
    def finished(self) -> bool:
        return self.number >= CheckStatus.CHECKED.number


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one check. ``duration`` is in milliseconds, -1 when nothing was run."""

    status: CheckStatus
    code: int = 0
    info: str = ""
    duration: int = 0

    def reason(self) -> str:
        """``reason: Layer7 wrong status, code: 503, info: "Busy", check duration: 0ms``."""
        code = f", code: {self.code}" if self.status.has_code else ""
        info = f', info: "{_ODD.sub(_encoded, self.info)}"' if self.info else ""
        duration = f", check duration: {self.duration}ms" if self.duration >= 0 else ""
        return f"reason: {self.status.sentence}{code}{info}{duration}"


def _encoded(found: re.Match[str]) -> str:
    return "".join(f"<{octet:02X}>" for octet in found[0].encode("utf-8", "surrogateescape"))


_ODD = re.compile(r'[^ -~]|["<>]')
"""What is not shown as it is in a log line."""
_NAMED = {errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE, errno.ETIMEDOUT}


def os_error(number: int) -> str:
    """``ECONNREFUSED returned by OS (Connection refused)``, ``General socket error (No route to host)``."""
    if number in _NAMED:
        return f"{errno.errorcode[number]} returned by OS ({os.strerror(number)})"
    return f"General socket error ({os.strerror(number)})"


Said = tuple[CheckStatus, int, str] | None
"""(status, code, sentence) that a server's words mean; None: more of them are needed."""
