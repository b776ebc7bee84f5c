"""The subagent against a scripted master: opening, registering, answering, setting, pings, and loss."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from evener.keepalived.snmp.agent import ANSWER_US, MOST_WAITING, PING_US, Lost, Phase, Subagent, Tree
from evener.keepalived.snmp.mib import Column, Setting, Table, numbered
from evener.wire import agentx
from evener.wire.agentx import Decoder, Error, Kind, Message, Oid, Pdu, Variable

ROOT: Oid = (1, 3, 6, 1, 4, 1, 77)
COLUMN: Oid = (*ROOT, 1, 1)
SESSION = 42


def write(state: Any, place: int, value: int) -> None:
    state[place] = value


TABLE = Table(
    (*ROOT, 1),
    lambda state: numbered(range(len(state))),
    (
        Column(
            1,
            Kind.INTEGER,
            lambda state, place: state[place],
            Setting(lambda _, value: Error.NONE if value < 100 else Error.WRONG_VALUE, write),
        ),
    ),
)


def pdu(kind: Pdu, payload: bytes = b"", session: int = SESSION) -> bytes:
    return struct.pack("!BBBBIIII", 1, kind, 0x10, 0, session, 7, 8, len(payload)) + payload


def oid(name: Oid) -> bytes:
    return struct.pack(f"!BBBB{len(name)}I", len(name), 0, 0, 0, *name)


def heard(data: bytes) -> list[Message]:
    """What the subagent answered."""
    return [message for message in Decoder().feed(data) if message.pdu is Pdu.RESPONSE]


def kinds(data: bytes) -> list[int]:
    found = []
    while data:
        found.append(data[1])
        data = data[20 + int.from_bytes(data[16:20], "big") :]
    return found


def opened(state: list[int]) -> Subagent[list[int]]:
    agent = Subagent([Tree(ROOT, "TEST", (TABLE,))], state)
    assert kinds(agent.connected(0)) == [Pdu.OPEN]
    answer = pdu(Pdu.RESPONSE, struct.pack("!IHH", 0, 0, 0))
    assert kinds(agent.received(1, answer)) == [Pdu.REGISTER, Pdu.ADD_CAPABILITIES]
    return agent


def test_it_answers_what_it_has() -> None:
    agent = opened([5, 6])
    (answer,) = heard(agent.received(2, pdu(Pdu.GET, oid((*COLUMN, 2)) + oid(()))))
    assert answer.variables == (Variable((*COLUMN, 2), Kind.INTEGER, 6),)
    (answer,) = heard(agent.received(2, pdu(Pdu.GET_NEXT, oid(ROOT) + oid(()))))
    assert answer.variables == (Variable((*COLUMN, 1), Kind.INTEGER, 5),)


def test_bulk_goes_on_until_the_end() -> None:
    agent = opened(list(range(30)))
    request = struct.pack("!HH", 0, 50) + oid(ROOT) + oid(())
    (answer,) = heard(agent.received(2, pdu(Pdu.GET_BULK, request)))
    assert [variable.value for variable in answer.variables] == [*range(30), None]


def test_bulk_is_bounded() -> None:
    agent = opened(list(range(5000)))
    request = struct.pack("!HH", 0, 0xFFFF) + oid(ROOT) + oid(())
    (answer,) = heard(agent.received(2, pdu(Pdu.GET_BULK, request)))
    assert 100 <= len(answer.variables) <= 512


def change(value: int, place: int = 1) -> bytes:
    return struct.pack("!HH", Kind.INTEGER, 0) + oid((*COLUMN, place)) + struct.pack("!i", value)


def test_what_is_set_is_tested_first_and_can_be_undone() -> None:
    state = [5, 6]
    agent = opened(state)
    (answer,) = heard(agent.received(2, pdu(Pdu.TEST_SET, change(9) + change(100, 2))))
    assert (answer.error, answer.at, state) == (Error.WRONG_VALUE, 2, [5, 6])
    (answer,) = heard(agent.received(2, pdu(Pdu.TEST_SET, change(9))))
    assert (answer.error, state) == (0, [5, 6])
    (answer,) = heard(agent.received(2, pdu(Pdu.COMMIT_SET)))
    assert (answer.error, state) == (0, [9, 6])
    (answer,) = heard(agent.received(2, pdu(Pdu.UNDO_SET)))
    assert (answer.error, state) == (0, [5, 6])
    assert agent.received(2, pdu(Pdu.CLEANUP_SET)) == b""


def test_traps_wait_for_the_session_and_not_for_ever() -> None:
    agent = Subagent([Tree(ROOT, "TEST", (TABLE,))], [1])
    for _ in range(MOST_WAITING + 9):
        assert agent.notify(ROOT, ()) == b""
    agent.connected(0)
    said = kinds(agent.received(1, pdu(Pdu.RESPONSE, struct.pack("!IHH", 0, 0, 0))))
    assert said.count(Pdu.NOTIFY) == MOST_WAITING
    assert kinds(agent.notify(ROOT, ())) == [Pdu.NOTIFY]
    agent.disconnected()
    agent.notify(ROOT, ())
    agent.disconnected()
    agent.connected(2)
    assert Pdu.NOTIFY not in kinds(agent.received(3, pdu(Pdu.RESPONSE, struct.pack("!IHH", 0, 0, 0))))


def test_others_contexts_and_sessions_are_refused() -> None:
    agent = opened([1])
    (answer,) = heard(agent.received(2, pdu(Pdu.GET, oid(COLUMN) + oid(()), session=1)))
    assert answer.error == Error.NOT_OPEN
    foreign = struct.pack("!BBBBIIII", 1, Pdu.GET, 0x18, 0, SESSION, 7, 8, 8) + b"\0\0\0\2ab\0\0"
    (answer,) = heard(agent.received(2, foreign))
    assert answer.error == Error.UNSUPPORTED_CONTEXT


def test_it_pings_and_gives_up_without_an_answer() -> None:
    agent = opened([1])
    assert agent.next_timer() == 1 + PING_US
    assert kinds(agent.tick(1 + PING_US)) == [Pdu.PING]
    agent.received(2 + PING_US, pdu(Pdu.RESPONSE, struct.pack("!IHH", 0, 0, 0)))
    again = 1 + 2 * PING_US
    assert kinds(agent.tick(again)) == [Pdu.PING]
    with pytest.raises(Lost):
        agent.tick(again + ANSWER_US)


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", pdu(Pdu.CLOSE, bytes(4)), pdu(Pdu.GET, b"\xff\0\0\0")]
)
def test_a_master_that_talks_nonsense_or_goodbye_is_lost(said: bytes) -> None:
    with pytest.raises(Lost):
        opened([1]).received(2, said)


def test_a_refused_session_is_lost_and_a_refused_tree_is_told() -> None:
    agent = Subagent([Tree(ROOT, "TEST", (TABLE,))], [1])
    agent.connected(0)
    with pytest.raises(Lost):
        agent.received(1, pdu(Pdu.RESPONSE, struct.pack("!IHH", 0, 266, 0)))
    agent = opened([1])
    refusal = agentx.respond(Message(Pdu.REGISTER, SESSION, 0, 2), error=Error.DUPLICATE_REGISTRATION)
    agent.received(2, refusal)
    assert (agent.refused, agent.phase) == (["TEST"], Phase.OPEN)
