"""What an operator wants of a real server at run time, above what configuration and checks say.

    enabled    as configured
    drain      weight 0: connections that are open go on, no new ones come
    disabled   out of the pool, as if a check had failed

A weight of the operator's stands above that of the configuration and of checks. Wishes outlive a reload.
"""

from __future__ import annotations

from enum import StrEnum

from evener.text.record import dataclass


class Wish(StrEnum):
    ENABLED = "enabled"
    DRAIN = "drain"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Override:
    wish: Wish = Wish.ENABLED
    weight: int | None = None

    def __str__(self) -> str:
        weight = [] if self.weight is None else [f"weight {self.weight}"]
        return ", ".join([*([] if self.wish is Wish.ENABLED else [self.wish.value]), *weight]) or "none"


NONE = Override()

Place = tuple[str, bytes, int]
"""The virtual server's name, the real server's address and port."""
