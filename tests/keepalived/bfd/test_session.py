"""The state machine of a BFD session: its table, its timers, and what two of them do to each other."""

from __future__ import annotations

import itertools

import pytest

from evener.keepalived.bfd.messages import (
    Command,
    Log,
    OpenSource,
    PacketReceived,
    SendPacket,
    SourceFailed,
    SourceOpened,
    TellState,
    TimerExpired,
)
from evener.keepalived.bfd.plan import SessionConfig
from evener.keepalived.bfd.session import OPEN_AGAIN_US, TABLE, Input, Session
from evener.wire.bfd import Diagnostic, Packet, State

MINE, YOURS = 7, 9
CONFIG = SessionConfig("peer", b"\x0a\x00\x00\x02", min_rx_us=50_000, min_tx_us=40_000, multiplier=3)


def made(config: SessionConfig = CONFIG) -> Session:
    return Session(config, MINE, lambda low, high: low)


def heard(state: State, **more: object) -> PacketReceived:
    fields = {"min_tx_us": 1_000_000, "min_rx_us": 50_000, "multiplier": 3} | more
    return PacketReceived(Packet(state, YOURS, MINE, **fields))  # type: ignore[arg-type]


def sent(commands: list[Command]) -> list[Packet]:
    return [command.packet for command in commands if isinstance(command, SendPacket)]


def told(commands: list[Command]) -> list[bool]:
    return [command.up for command in commands if isinstance(command, TellState)]


def up(session: Session, now: int = 0) -> None:
    session.handle(now, SourceOpened())
    session.handle(now, heard(State.INIT))
    session.handle(now, heard(State.UP, min_tx_us=50_000, final=True))
    assert session.state is State.UP


def test_every_pair_is_defined() -> None:
    assert set(TABLE) == set(itertools.product(State, Input))


@pytest.mark.parametrize("pair", [pair for pair in TABLE if pair[0] is not State.ADMIN_DOWN], ids=str)
def test_only_the_table_sets_the_state(pair: tuple[State, Input]) -> None:
    session, (state, happens) = made(), pair
    session.handle(0, SourceOpened())
    session.state = state
    events = {
        Input.OPENED: SourceOpened(),
        Input.FAILED: SourceFailed(),
        Input.PEER_ADMIN_DOWN: heard(State.ADMIN_DOWN),
        Input.PEER_DOWN: heard(State.DOWN),
        Input.PEER_INIT: heard(State.INIT),
        Input.PEER_UP: heard(State.UP),
    }
    if happens is Input.SILENCE:
        session.silent_at = 5
    elif happens is Input.SEND:
        session.send_at = 5
    elif happens is Input.NOTHING:
        session.send_at = session.silent_at = None
    event = events.get(happens, TimerExpired())
    assert session.classify(5, event) is happens
    session.handle(5, event)
    assert session.state is TABLE[pair][1]


def test_it_begins_by_itself_and_slowly() -> None:
    session = made()
    [first] = sent(session.handle(0, SourceOpened()))
    assert (first.state, first.mine, first.yours) == (State.DOWN, MINE, 0)
    assert (first.min_tx_us, first.min_rx_us, first.multiplier) == (1_000_000, 50_000, 3)
    assert session.next_timer() == 900_000
    assert len(sent(session.handle(900_000, TimerExpired()))) == 1


def test_a_passive_one_waits_to_be_spoken_to() -> None:
    session = made(SessionConfig("peer", b"\x0a\x00\x00\x02", passive=True))
    assert sent(session.handle(0, SourceOpened())) == [] and session.next_timer() is None
    [answer] = sent(session.handle(10, heard(State.DOWN)))
    assert answer.state is State.INIT and session.next_timer() is not None
    session.handle(20, heard(State.UP))
    timer = session.silent_at
    assert timer is not None
    session.handle(timer, TimerExpired())
    assert session.state is State.DOWN and session.next_timer() is None, "silent again"


def test_three_steps_to_up() -> None:
    session = made()
    session.handle(0, SourceOpened())
    assert [p.state for p in sent(session.handle(1, heard(State.DOWN)))] == [State.INIT]
    commands = session.handle(2, heard(State.UP, min_tx_us=60_000))
    assert told(commands) == [True]
    [packet] = sent(commands)
    assert (packet.state, packet.poll, packet.min_tx_us, packet.yours) == (State.UP, True, 40_000, YOURS)
    assert session.tx_us == 50_000, "as slowly as the neighbour wishes"
    assert session.silent_at == 2 + 3 * 60_000


def test_a_poll_is_answered_at_once_and_ends_with_its_answer() -> None:
    session = made()
    session.handle(0, SourceOpened())
    session.handle(1, heard(State.INIT))
    assert session.polling
    session.handle(2, heard(State.UP, min_tx_us=50_000, final=True))
    assert not session.polling and session.tx_us == 50_000
    [answer] = sent(session.handle(3, heard(State.UP, poll=True, min_rx_us=200_000)))
    assert answer.final and not answer.poll and session.tx_us == 200_000


def test_intervals_do_not_change_without_a_poll() -> None:
    session = made()
    up(session)
    before = session.detection_us
    session.handle(5, heard(State.UP, min_tx_us=9_000_000))
    assert session.detection_us == before and session.silent_at == 5 + before


def test_silence_takes_it_down() -> None:
    session = made()
    up(session)
    commands = session.handle(150_000, TimerExpired())
    assert told(commands) == [False]
    assert [c.message for c in commands if isinstance(c, Log)] == [
        "(peer) Expired after 150 ms (0 usec overdue)",
        "(peer) Entering Down state (Local diagnostic - Control Detection Time Expired,"
        " Remote diagnostic - No Diagnostic)",
    ]
    [packet] = sent(commands)
    assert (packet.state, packet.diagnostic, packet.yours) == (State.DOWN, Diagnostic.EXPIRED, 0)
    assert session.tx_us == 1_000_000


def test_a_neighbour_that_fails_takes_it_down() -> None:
    session = made()
    up(session)
    commands = session.handle(9, heard(State.DOWN, diagnostic=Diagnostic.EXPIRED))
    assert told(commands) == [False]
    [packet] = sent(commands)
    assert packet.diagnostic is Diagnostic.NEIGHBOUR_DOWN


def test_a_neighbour_that_is_switched_off_is_nobodys_failure() -> None:
    session = made()
    up(session)
    assert told(session.handle(9, heard(State.ADMIN_DOWN))) == []
    assert session.state is State.DOWN


def test_on_demand_it_is_quiet() -> None:
    session = made()
    up(session)
    session.handle(9, heard(State.UP, demand=True))
    assert session.send_at is None
    session.handle(10, heard(State.UP))
    assert session.send_at is not None


def test_a_neighbour_that_wants_no_packets_gets_none() -> None:
    session = made()
    up(session)
    session.handle(9, heard(State.UP, min_rx_us=0, poll=True))
    assert session.send_at is None


def test_without_a_socket_it_is_switched_off_and_tries_again() -> None:
    session = made()
    session.handle(0, SourceFailed())
    assert session.state is State.ADMIN_DOWN and session.next_timer() == OPEN_AGAIN_US
    assert session.handle(5, heard(State.DOWN)) == [OpenSource()]
    assert session.peer_discriminator == 0
    assert session.handle(5 + OPEN_AGAIN_US, TimerExpired()) == [OpenSource()]
    session.handle(6 + OPEN_AGAIN_US, SourceOpened())
    assert session.state is State.DOWN  # type: ignore[comparison-overlap]


def test_changed_timers_are_negotiated() -> None:
    session = made()
    up(session)
    changed = SessionConfig("peer", b"\x0a\x00\x00\x02", min_rx_us=20_000, min_tx_us=20_000, multiplier=3)
    [packet] = sent(session.reconfigure(9, changed))
    assert packet.poll and packet.min_tx_us == 20_000
    assert sent(session.reconfigure(10, changed)) == []


def test_two_of_them_find_each_other_and_lose_each_other() -> None:
    ends = [Session(CONFIG, number, lambda low, high: (low + high) // 2) for number in (MINE, YOURS)]
    now, queue, alive = 0, [], True
    for index, end in enumerate(ends):
        queue += [(index, p) for p in sent(end.handle(0, SourceOpened()))]
    for _ in range(400):
        while queue:
            index, packet = queue.pop(0)
            if alive:
                other = 1 - index
                queue += [(other, p) for p in sent(ends[other].handle(now, PacketReceived(packet)))]
        now = min(timer for end in ends if (timer := end.next_timer()) is not None)
        alive = now < 5_000_000
        for index, end in enumerate(ends):
            timer = end.next_timer()
            if timer is not None and timer <= now:
                queue += [(index, p) for p in sent(end.handle(now, TimerExpired()))]
        if 3_000_000 < now < 5_000_000:
            assert all(end.up and end.detection_us == 150_000 and end.tx_us == 50_000 for end in ends)
    assert now > 5_000_000 and not any(end.up for end in ends)
