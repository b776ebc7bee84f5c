"""A question of the control process to all its workers, and what they have answered so far."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from evener.text.record import dataclass


@dataclass(slots=True)
class Inquiry:
    """``missing`` answers have not come yet; a worker may answer in several parts."""

    missing: int = 0
    found: list[Any] = field(default_factory=list)

    def hear(self, last: bool, part: list[Any]) -> None:
        self.found += part
        self.missing -= last
