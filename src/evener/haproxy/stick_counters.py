"""The entries that a transaction tracks: its own by number, else its session's."""

from __future__ import annotations

from typing import Any, Final

from evener.haproxy.scope import Scope

DEFAULT: Final = 3
MOST: Final = 100


def ceiling(scope: Scope) -> int:
    """How many numbers there are: ``tune.stick-counters``."""
    return DEFAULT if scope.stick_counters is None else scope.stick_counters


def tracked(txn: Any, number: int) -> Any:
    """The entry tracked under a number, None when nothing is."""
    slots = txn.tracked
    if slots is not None and number < len(slots) and slots[number] is not None:
        return slots[number]
    slots = txn.session.tracked
    return slots[number] if slots is not None and number < len(slots) else None
