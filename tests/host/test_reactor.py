"""The control process's loop."""

from __future__ import annotations

import socket
import time

import pytest

from evener.host import reactor as module
from evener.host.reactor import CROWDED, EVENTS_A_TURN, READABLE, Reactor


def test_cancelled_timers_do_not_pile_up() -> None:
    reactor = Reactor()
    ran: list[int] = []
    kept = [reactor.later(0, lambda number=number: ran.append(number)) for number in range(3)]
    for _ in range(4 * CROWDED):
        reactor.later(3600, lambda: None).cancel()
    assert len(reactor._timers) <= CROWDED
    reactor.turn(0)
    reactor.turn(0.01)
    assert ran == [0, 1, 2] and all(timer.callback is None for timer in kept)
    reactor.close()


def test_what_arrived_during_a_standstill_was_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is paused must not take answers that are there for silence."""
    monkeypatch.setattr(module, "STALLED_S", 0.01)
    reactor, late, heard = Reactor(), [], []  # type: ignore[var-annotated]
    pairs = [socket.socketpair() for _ in range(3 * EVENTS_A_TURN)]
    for here, there in pairs:
        timer = reactor.later(0.01, lambda here=here: late.append(here))  # type: ignore[misc]

        def answered(_events: int, here: socket.socket = here, timer: module.Timer = timer) -> None:
            heard.append(here.recv(1))
            timer.cancel()

        reactor.watch(here.fileno(), READABLE, answered)
        there.send(b"x")
    time.sleep(0.05)
    reactor.turn(0)
    assert len(heard) == len(pairs) and not late
    for here, there in pairs:
        here.close()
        there.close()
    reactor.close()
