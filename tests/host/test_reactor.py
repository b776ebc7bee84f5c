"""The control process's loop."""

from __future__ import annotations

from evener.host.reactor import CROWDED, Reactor


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
