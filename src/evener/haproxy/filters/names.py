"""The filters by name and family, as the original lists them, and which of them are not executed."""

from __future__ import annotations

from typing import Final

NAMES: Final = {
    "bwlim-in": "BWLIM", "bwlim-out": "BWLIM", "cache": "CACHE", "comp-req": "COMP", "comp-res": "COMP",
    "compression": "COMP", "fcgi-app": "FCGI", "spoe": "SPOE", "trace": "TRACE",
}  # fmt: skip
COMPRESSING: Final = ("comp-req", "comp-res", "compression")
PLANNED: Final = ("fcgi-app", "spoe")
