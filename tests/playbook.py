"""Scripts for state machines in virtual time: given an event, expect exactly these commands.

    book = Playbook(Machine(config))
    book.on(Started(), Notify(Told.BACKUP, 100)).then(State.BACKUP)
    book.fires(3.609375, SendAdvert(100), ...).then(State.MASTER)

Log lines are left out of the comparison unless one is expected; everything else must match, in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from clock import Clock

from evener.keepalived.vrrp.messages import Command, Event, Log, TimerExpired
from evener.keepalived.vrrp.plan import State


class StateMachine(Protocol):
    state: State

    def handle(self, now: int, event: Event) -> Sequence[Command]: ...

    def next_timer(self) -> int | None: ...


class Playbook:
    """One machine, one clock."""

    def __init__(self, machine: StateMachine, clock: Clock | None = None) -> None:
        self.machine = machine
        self.clock = clock or Clock()
        self.logged: list[str] = []

    def on(self, event: Event, *expected: Any) -> Playbook:
        """Let ``event`` happen now; ``expected`` are the commands (or their types) that must come back."""
        commands = self.machine.handle(self.clock.now, event)
        self.logged += [c.message for c in commands if isinstance(c, Log)]
        logs_matter = any(isinstance(e, Log) or e is Log for e in expected)
        got = [c for c in commands if logs_matter or not isinstance(c, Log)]
        assert len(got) == len(expected), f"{event}: expected {expected}, got {got}"
        for have, want in zip(got, expected, strict=True):
            matches = isinstance(have, want) if isinstance(want, type) else have == want
            assert matches, f"{event}: expected {want}, got {have}"
        return self

    def fires(self, after: float, *expected: Any) -> Playbook:
        """The next timer must be due exactly ``after`` seconds from now; move there and let it expire."""
        due = self.machine.next_timer()
        assert due is not None, "no timer is running"
        assert due - self.clock.now == round(after * 1_000_000), f"due in {(due - self.clock.now) / 1e6} s"
        self.clock.now = due
        return self.on(TimerExpired(), *expected)

    def wait(self, seconds: float) -> Playbook:
        """Let time pass in which nothing is due."""
        due = self.machine.next_timer()
        self.clock.advance(seconds)
        assert due is None or due > self.clock.now, "a timer is due while nothing should happen"
        return self

    def then(self, state: State) -> Playbook:
        assert self.machine.state is state, f"expected {state.name}, is {self.machine.state.name}"
        return self

    def said(self, text: str) -> Playbook:
        assert any(text in line for line in self.logged), f"{text!r} is not in {self.logged}"
        return self
