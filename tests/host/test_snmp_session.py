"""The connection to a master agent, over real sockets: one that is slow, dead or mad delays nobody."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from evener.host.snmp_session import FLUSH_US, RETRY_US, SnmpSession, where
from evener.host.vrrp_loop import Loop
from evener.keepalived.snmp.agent import ANSWER_US, Subagent, Tree
from evener.keepalived.snmp.mib import Column, scalars
from evener.keepalived.snmp.vrrp_traps import Trap
from evener.wire.agentx import Kind, Oid, Pdu, Variable

ROOT: Oid = (1, 3, 6, 1, 4, 1, 77)
TREE = Tree(ROOT, "TEST", (scalars(ROOT, Column(1, Kind.INTEGER, lambda *_: 5)),))
OPENED = struct.pack("!BBBBIIII", 1, Pdu.RESPONSE, 0x10, 0, 9, 0, 1, 8) + bytes(8)


class Stand:
    """A master that does what the test says, and a clock that only the test moves."""

    def __init__(self, path: Path) -> None:
        self.now, self.said, self.masters = 0, list[str](), list[socket.socket]()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(5)
        self.loop = Loop()
        agent = Subagent([TREE], None)
        loop = self.loop
        self.session = SnmpSession(
            agent, f"unix:{path}", loop.watch, loop.unwatch, lambda: self.now, self.said.append
        )

    def accept(self) -> socket.socket:
        self.listener.settimeout(5)
        master, _ = self.listener.accept()
        master.settimeout(5)
        self.masters.append(master)
        return master

    def turn(self) -> None:
        for _ in range(3):
            self.loop.turn([0])

    def at(self, now: int) -> None:
        self.now = now
        self.session.run(now)

    def close(self) -> None:
        self.session.close()
        for one in (self.listener, *self.masters, self.loop):
            one.close()


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    made = Stand(tmp_path / "agentx")
    yield made
    made.close()


def pdus(data: bytes) -> list[int]:
    found = []
    while data:
        found.append(data[1])
        data = data[20 + int.from_bytes(data[16:20], "big") :]
    return found


def test_a_session_is_opened_used_and_closed(stand: Stand) -> None:
    master = stand.accept()
    assert pdus(master.recv(4096)) == [Pdu.OPEN]
    master.sendall(OPENED)
    stand.turn()
    assert pdus(master.recv(4096)) == [Pdu.REGISTER, Pdu.ADD_CAPABILITIES]
    stand.session.trap(Trap(ROOT, (Variable(ROOT, Kind.INTEGER, 1),)))
    assert pdus(master.recv(4096)) == [Pdu.NOTIFY]
    stand.session.close()
    assert pdus(master.recv(4096)) == [Pdu.CLOSE]
    assert master.recv(4096) == b""


def test_one_that_never_answers_is_left_and_tried_again(stand: Stand) -> None:
    master = stand.accept()
    assert stand.session.next_timer() == ANSWER_US
    stand.at(ANSWER_US)
    assert master.recv(4096) and not master.recv(4096)
    assert stand.session.next_timer() == ANSWER_US + RETRY_US
    stand.at(ANSWER_US + RETRY_US)
    assert pdus(stand.accept().recv(4096)) == [Pdu.OPEN]
    stand.at(2 * ANSWER_US + RETRY_US)
    assert sum("does not answer" in line for line in stand.said) == 1, "the same reason is said once"


@pytest.mark.parametrize(
    "rubbish", [b"\0" * 100, b"GET / HTTP/1.1\r\n\r\n" * 9, OPENED[:16] + b"\xff\xff\xff\xff"]
)
def test_one_that_is_mad_is_left(stand: Stand, rubbish: bytes) -> None:
    master = stand.accept()
    master.sendall(rubbish)
    stand.turn()
    assert stand.session.next_timer() == RETRY_US
    assert any("AgentX" in line for line in stand.said)


def test_one_that_goes_away_is_looked_for(stand: Stand) -> None:
    stand.accept().close()
    stand.turn()
    assert stand.session.next_timer() == RETRY_US
    stand.listener.close()
    stand.at(RETRY_US)
    assert stand.session.next_timer() == 2 * RETRY_US


def test_one_that_does_not_read_is_not_waited_for(stand: Stand) -> None:
    master = stand.accept()
    master.recv(4096)
    master.sendall(OPENED)
    stand.turn()
    long = Trap(ROOT, (Variable(ROOT, Kind.OCTETS, b"x" * 60_000),))
    for _ in range(4):
        stand.session.trap(long)
    assert stand.session.next_timer() == FLUSH_US, "what the kernel does not take is offered again"
    for _ in range(60):
        stand.session.trap(long)
    assert any("does not read" in line for line in stand.said)


def test_no_master_at_all(tmp_path: Path) -> None:
    said: list[str] = []
    loop = Loop()
    session = SnmpSession(
        Subagent([TREE], None), str(tmp_path / "none"), loop.watch, loop.unwatch, lambda: 0, said.append
    )
    session.trap(Trap(ROOT, ()))
    assert session.next_timer() == RETRY_US
    assert any("no session with the master agent" in line for line in said)
    session.close()
    loop.close()


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (None, "/var/agentx/master"),
        ("unix:/x/y", "/x/y"),
        ("/x/y", "/x/y"),
        ("tcp:127.0.0.1:1705", ("127.0.0.1", 1705)),
        ("udp:1.2.3.4:705", ("1.2.3.4", 705)),
        ("localhost:7", ("127.0.0.1", 7)),
        ("10.0.0.1", ("10.0.0.1", 705)),
        ("tcp6:[::1]:706", ("::1", 706, 0, 0)),
        ("[::1]", ("::1", 705, 0, 0)),
        ("1705", ("127.0.0.1", 1705)),
    ],
)
def test_where_a_master_is(told: str | None, found: object) -> None:
    assert where(told)[1] == found


@pytest.mark.parametrize("told", ["tcp:no.such.name:705", "tcp:1.2.3.4:x", "::::"])
def test_names_are_not_looked_up(told: str) -> None:
    with pytest.raises((OSError, ValueError)):
        where(told)
