"""What this program says it is, and what it says it can do.

It answers as the version whose manual it follows; the part after the second dash names evener. A feature
is listed with ``+`` only when it runs; the names are the original's, because configurations and test
suites ask for them (``.if feature(X)``, ``haproxy -cc``).
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from evener import __version__

BRANCH: Final = "3.5"
VERSION: Final = f"{BRANCH}-dev5-evener{__version__}"
DATE: Final = "2026/08/21"
"""The date of the manual that is followed."""
HOME: Final = "https://haproxy.org/"

#: PCRE2 stands for "regular expressions are Perl's": Python's are, but for a few constructs.
_PRESENT = """
    EPOLL GETADDRINFO HAVE_TCP_MD5SIG HAVE_WORKING_TCP_MD5SIG LINUX_SPLICE LINUX_TPROXY PCRE2 PRCTL PROMEX
    THREAD TPROXY ZLIB
"""
PRESENT: Final = frozenset(_PRESENT.split())
_ABSENT = """
    51DEGREES ACCEPT4 ACME BACKTRACE CLOSEFROM CPU_AFFINITY CRYPT_H DEVICEATLAS DL ECH ENGINE EVPORTS
    FCGI H2 KQUEUE KTLS LIBATOMIC LIBCRYPT LINUX_CAP LUA MATH
    MEMORY_PROFILING NETFILTER NS OBSOLETE_LINKER OPENSSL OPENSSL_AWSLC OPENSSL_WOLFSSL PCRE PCRE2_JIT
    PCRE_JIT POLL PROCCTL PTHREAD_EMULATION QUIC QUIC_OPENSSL_COMPAT RT SHM_OPEN SLZ SPOE SSL
    STATIC_PCRE STATIC_PCRE2 TFO THREAD_DUMP TRACE WURFL
"""
ABSENT: Final = frozenset(_ABSENT.split())
_CHECKED = "ACME CPU_AFFINITY FCGI H2 KTLS LUA NETFILTER NS OPENSSL SLZ SPOE SSL TFO TRACE"
CHECKED: Final = frozenset(_CHECKED.split())
"""Features of the original whose words are read and checked, whether or not all of them are executed.

Where a file is only checked (``haproxy -c``, ``evener check``) the conditions that ask for them hold, so that
what they guard is checked as the original would; where it is run they hold only if they run.
"""
ENABLED: Final = frozenset({"EPOLL", "FAST-FORWARD", "GETADDRINFO", "REUSEPORT", "SPLICE"})
"""What ``enabled()`` answers to when no option turns it off."""


def feature_list() -> str:
    """``-51DEGREES +EPOLL ...`` in alphabetical order, as ``-vv`` shows it."""
    return " ".join(("+" if name in PRESENT else "-") + name for name in sorted(PRESENT | ABSENT))


class Version(NamedTuple):
    """Compares like versions: 3.5-dev5 < 3.5-rc1 < 3.5 < 3.5.1 < 3.6."""

    major: int
    minor: int
    patch: int
    stage: int
    step: int
    commits: int


_VERSION = re.compile(
    r"v?([0-9]*)(?:\.([0-9]*))?(?:\.([0-9]*))?(?:-(dev|rc|pre)?([0-9]*))?(?:-[0-9a-f]{6,})?(?:-([0-9]+)(?![.\w]))?"
)
_STAGES = {"dev": 0, "rc": 1, "pre": 1}
_RELEASED = 2


def parse_version(text: str) -> Version:
    """Missing components are zero; anything that does not look like a version is version 0."""
    match = _VERSION.match(text)
    if match is None:
        return Version(0, 0, 0, _RELEASED, 0, 0)
    major, minor, patch, stage, step, commits = match.groups()
    kind = _STAGES.get(stage or "", _RELEASED)
    return Version(_int(major), _int(minor), _int(patch), kind, _int(step), _int(commits))


def _int(digits: str | None) -> int:
    return int(digits[:9]) if digits else 0


THIS: Final = parse_version(VERSION)
