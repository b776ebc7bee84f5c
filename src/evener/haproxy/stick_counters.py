"""How many entries a transaction or a session may track: ``tune.stick-counters``."""

from __future__ import annotations

from typing import Final

from evener.haproxy.scope import Scope

DEFAULT: Final = 3


def ceiling(scope: Scope) -> int:
    """How many numbers there are: ``tune.stick-counters``."""
    return DEFAULT if scope.stick_counters is None else scope.stick_counters
