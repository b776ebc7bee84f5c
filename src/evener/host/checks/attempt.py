"""What an attempt is: begun once, it calls ``done`` with its outcome once, unless it is closed before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from evener.keepalived.lvs.check_plan import Outcome

Done = Callable[[Outcome], None]


class Attempt(Protocol):
    def start(self) -> None:
        """Begin; the outcome may come before this returns."""

    def close(self) -> None:
        """Give it up: ``done`` is not called any more, and nothing stays open."""


def not_made(*notes: str) -> Outcome:
    """The attempt says nothing of the server; ``notes`` say why."""
    return Outcome(False, made=False, notes=notes)


class Hopeless:
    """An attempt that cannot succeed; the note says why."""

    def __init__(self, note: str, done: Done) -> None:
        self._note = note
        self._done = done

    def start(self) -> None:
        self._done(Outcome(False, notes=(self._note,)))

    def close(self) -> None:
        """Nothing is open."""
