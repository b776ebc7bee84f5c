"""Which session a packet is for, and what is dropped."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from evener.keepalived.bfd.messages import SendPacket, SourceOpened, TellState
from evener.keepalived.bfd.plan import BfdPlan, SessionConfig
from evener.keepalived.bfd.sessions import NO_SESSION, TOO_MANY_HOPS, Arrival, Sessions
from evener.wire.bfd import Packet, State, encode

HERE, THERE, ELSEWHERE = b"\x0a\x00\x00\x01", b"\x0a\x00\x00\x02", b"\x0a\x00\x00\x03"
A = SessionConfig("a", THERE, source=HERE)
B = SessionConfig("b", ELSEWHERE, multihop=True, max_hops=5)


def made(*configs: SessionConfig) -> Sessions:
    numbers = itertools.count(100)
    sessions = Sessions(BfdPlan(configs), lambda low, high: min(max(next(numbers), low), high))
    for config in configs:
        sessions.tell(0, config.name, SourceOpened())
    return sessions


def arrival(yours: int = 0, state: State = State.DOWN, **more: object) -> Arrival:
    data = encode(Packet(state, 9, yours, 10_000, 10_000, 3))
    fields = {"data": data, "source": THERE, "destination": HERE, "ttl": 255, "multihop": False} | more
    return Arrival(**fields)  # type: ignore[arg-type]


def test_by_address_until_the_discriminator_is_known() -> None:
    sessions = made(A, B)
    assert sessions.receive(1, arrival())
    assert sessions.by_name["a"].state is State.INIT
    sessions.receive(2, arrival(sessions.by_name["a"].discriminator, State.UP))
    assert sessions.by_name["a"].up and not sessions.dropped


@pytest.mark.parametrize(
    ("packet", "why"),
    [
        (arrival(data=b"rubbish"), "too small"),
        (arrival(yours=77), NO_SESSION),
        (arrival(source=ELSEWHERE), NO_SESSION),
        (arrival(destination=ELSEWHERE), NO_SESSION),
        (arrival(multihop=True), NO_SESSION),
        (arrival(ttl=254), TOO_MANY_HOPS),
        (arrival(source=ELSEWHERE, multihop=True, ttl=249), TOO_MANY_HOPS),
    ],
)
def test_what_is_not_for_us_is_dropped_and_counted(packet: Arrival, why: str) -> None:
    sessions = made(A, B)
    steps = sessions.receive(1, packet)
    assert sessions.dropped == {why: 1}
    assert not any(isinstance(step.command, SendPacket) for step in steps)
    assert {session.state for session in sessions.by_name.values()} == {State.DOWN}


def test_the_discriminator_alone_is_enough() -> None:
    sessions = made(A, B)
    number = sessions.by_name["a"].discriminator
    sessions.receive(1, arrival(number, State.INIT, source=ELSEWHERE))
    assert sessions.by_name["a"].up and not sessions.dropped


def test_hops_that_were_allowed() -> None:
    sessions = made(A, B)
    sessions.receive(1, arrival(source=ELSEWHERE, multihop=True, ttl=250))
    assert sessions.by_name["b"].state is State.INIT
    anywhere = made(replace(A, max_hops=255))
    anywhere.receive(1, arrival(ttl=1))
    assert anywhere.by_name["a"].state is State.INIT


def test_a_reload_keeps_what_stays() -> None:
    sessions = made(A, B)
    sessions.receive(1, arrival())
    kept = sessions.by_name["a"]
    fresh, steps = sessions.reload(2, BfdPlan((replace(A, multiplier=9), replace(B, neighbour=THERE))))
    assert fresh == {"b"} and steps == []
    assert sessions.by_name["a"] is kept and kept.config.multiplier == 9
    assert sessions.states() == [("a", TellState(False)), ("b", TellState(False))]
    sessions.reload(3, BfdPlan())
    assert sessions.next_timer() is None and sessions.tick(4) == []
