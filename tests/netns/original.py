"""The programs that the laboratories run, and what the original that is here can do."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache

PROGRAMS = {
    "evener": [sys.executable, "-m", "evener.cli.keepalived"],
    "keepalived": [os.environ.get("EVENER_KEEPALIVED", "keepalived")],
}


def original_has_bfd() -> bool:
    """One that is built with it locks the file in any case."""
    return original_has("BFD")


@cache
def original_has(option: str) -> bool:
    """Not every keepalived is built with everything."""
    asked = subprocess.run([*PROGRAMS["keepalived"], "-v"], capture_output=True, text=True, check=False)
    return f" {option}" in asked.stdout + asked.stderr


@cache
def release() -> tuple[int, ...]:
    """Of the keepalived that is here."""
    asked = subprocess.run([*PROGRAMS["keepalived"], "-v"], check=False, capture_output=True, text=True)
    found = re.search(r"v(\d+)\.(\d+)", asked.stdout + asked.stderr)
    return tuple(map(int, found.groups())) if found else (0,)
