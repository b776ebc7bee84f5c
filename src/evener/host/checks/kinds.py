"""Which class makes the attempts of which kind of check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evener.host.checks.attempt import Attempt, Done
from evener.host.checks.stream import StreamAttempt
from evener.host.reactor import Reactor
from evener.text.record import dataclass


@dataclass(slots=True)
class Tools:
    """What attempts share."""

    reactor: Reactor


def _tcp(tools: Tools, probe: Any, _part: int, done: Done) -> Attempt:
    return StreamAttempt(tools.reactor, probe.route, done)


ATTEMPTS: dict[str, Callable[[Tools, Any, int, Done], Attempt]] = {"TCP_CHECK": _tcp}
"""Made at intervals; the kinds that are missing are told their results from outside."""
