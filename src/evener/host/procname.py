"""The name a process shows to ``ps``, ``pidof`` and ``killall``.

Health scripts run ``killall -0 haproxy``: that matches ``comm``, which PR_SET_NAME sets, for every
process of the daemon. ``comm`` holds 15 bytes.
"""

from __future__ import annotations

import ctypes

PR_SET_NAME = 15


def set_process_name(name: str) -> None:
    """Make ``name`` (cut at 15 bytes) the name of this process and of the children it forks."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_NAME, ctypes.c_char_p(name.encode()[:15]), 0, 0, 0)
