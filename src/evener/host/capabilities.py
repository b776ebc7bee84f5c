"""Capabilities of this process, which Python's own library does not know: kept over a change of identity.

``keep`` before it, ``settle`` after it; without names neither does anything.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import ctypes

PR_SET_DUMPABLE: Final = 4
PR_SET_KEEPCAPS: Final = 8
PR_SET_NO_NEW_PRIVS: Final = 38
_VERSION_3: Final = 0x20080522  #: of the kernel's interface: two words of 32 capabilities


def _libc() -> ctypes.CDLL:
    import ctypes

    return ctypes.CDLL(None, use_errno=True)


def keep(numbers: Sequence[int]) -> None:
    """What is permitted now stays permitted when root becomes somebody else."""
    if numbers and os.geteuid() == 0:
        _libc().prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)


def settle(numbers: Sequence[int]) -> bool:
    """Of what is permitted, only these are in effect from now on. False: the kernel does not let us."""
    if not numbers or os.geteuid() == 0:
        return True
    import ctypes

    header = struct.pack("=Ii", _VERSION_3, 0)
    found = ctypes.create_string_buffer(24)
    if _libc().capget(header, found) < 0:
        return False
    words = struct.unpack("=6I", found.raw)
    allowed = words[1] | words[4] << 32
    wanted = sum(1 << number for number in numbers)
    kept = wanted & allowed
    low, high = kept & 0xFFFFFFFF, kept >> 32
    if _libc().capset(header, struct.pack("=6I", low, low, 0, high, high, 0)) < 0:
        return False
    return bool(kept == wanted)


def forbid_new() -> None:
    """Programs that are run from now on get no rights by their owner or by their file."""
    _libc().prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def set_dumpable() -> None:
    _libc().prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
