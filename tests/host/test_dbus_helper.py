"""The helper on a bus that behaves, and on one that does not; and the VRRP process's end of it."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evener.host import dbus_process, vrrp_bus
from evener.host.dbus_process import BUSY, MOST_ASKS, DbusHelper
from evener.host.vrrp_bus import BusEnd, deeds
from evener.host.vrrp_log import LogOptions, LogSink
from evener.host.vrrp_loop import Loop, clock
from evener.keepalived.dbus.objects import BusPlan
from evener.keepalived.vrrp.messages import Notify, SendGarp, Told
from evener.keepalived.vrrp.plan import GlobalOptions, Instance, State, VrrpPlan
from evener.keepalived.vrrp.plan_machine import BusOptions
from evener.keepalived.vrrp.router import Router
from evener.wire.dbus import BUS_NAME, BUS_PATH, HEAD_BYTES, Kind, Message, body, decode, encode, size_of

NAME = "org.keepalived.Vrrp1"
PATH = "/org/keepalived/Vrrp1/Instance/eth0/51/IPv4"
PLAN = BusPlan(NAME, "/org/keepalived/Vrrp1/Vrrp", {"VI_1": PATH})
PEER, VRRP = "org.freedesktop.DBus.Peer", "org.keepalived.Vrrp1.Vrrp"


class Talk:
    """The bus's side of one connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        connection.settimeout(10)
        self._stream = connection.makefile("rb")
        self._serial = 100

    def admit(self) -> None:
        assert self._stream.readline().startswith(b"\0AUTH EXTERNAL ")
        self._connection.sendall(b"OK 0123\r\n")
        assert self._stream.readline() == b"BEGIN\r\n"
        hello = self.read()
        assert (hello.member, hello.path) == ("Hello", BUS_PATH)
        self.reply(hello, "s", ":1.5")

    def read(self) -> Message:
        head = self._stream.read(HEAD_BYTES)
        return decode(head + self._stream.read(size_of(head) - HEAD_BYTES))

    def write(self, data: bytes) -> None:
        self._connection.sendall(data)

    def send(self, message: Message) -> int:
        self._serial += 1
        self.write(encode(message._replace(serial=self._serial)))
        return self._serial

    def reply(self, call: Message, signature: str, *values: object) -> None:
        answer = Message(Kind.RETURN, 0, reply_to=call.serial, sender=BUS_NAME, signature=signature)
        self.send(answer._replace(body=body(signature, *values)))

    def told(self, member: str) -> None:
        """The bus tells something about our name."""
        signal_ = Message(Kind.SIGNAL, 0, BUS_PATH, BUS_NAME, member, sender=BUS_NAME, signature="s")
        self.send(signal_._replace(body=body("s", NAME)))

    def call(self, path: str, interface: str, member: str) -> int:
        return self.send(Message(Kind.CALL, 0, path, interface, member, sender=":1.9"))

    def gone(self) -> bool:
        return self._stream.read(1) == b""

    def close(self) -> None:
        self._stream.close()
        self._connection.close()


class World:
    """A bus, the helper in a thread, and the VRRP process's end of the socket to it."""

    def __init__(self, home: Path, plan: BusPlan) -> None:
        self.log: list[str] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(home / "bus"))
        self._listener.listen()
        self._listener.settimeout(10)
        self.vrrp, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.vrrp.settimeout(10)
        self._far = far
        self._talks: list[Talk] = []
        self._helper = threading.Thread(target=lambda: DbusHelper(far, plan, {"VI_1": 1}, self._note).serve())  # type: ignore[arg-type]
        self._helper.start()

    def _note(self, message: str, detail: bool = False) -> None:
        self.log.append(message)

    def accept(self) -> Talk:
        self._talks.append(Talk(self._listener.accept()[0]))
        return self._talks[-1]

    def joined(self) -> Talk:
        """Until it has asked for its name."""
        talk = self.accept()
        talk.admit()
        said = [talk.read() for _ in range(3)]
        assert [message.member for message in said] == ["VrrpStarted", "VrrpStatusChange", "RequestName"]
        assert said[1].number() == 1
        assert said[2].words() == (NAME,)
        talk.reply(said[2], "u", 1)
        return talk

    def tell(self, *words: Any) -> None:
        self.vrrp.send(json.dumps(words).encode())

    def asked(self) -> Any:
        return json.loads(self.vrrp.recv(1 << 16))

    def ended(self) -> bool:
        self._helper.join(10)
        return not self._helper.is_alive()

    def close(self) -> None:
        self.vrrp.close()
        assert self.ended()
        for talk in self._talks:
            talk.close()
        self._listener.close()
        self._far.close()


@pytest.fixture(name="make")
def worlds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., World]]:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/bus")
    monkeypatch.setattr(dbus_process, "RETRY_S", 0.01)
    made: list[World] = []

    def make(plan: BusPlan = PLAN) -> World:
        made.append(World(tmp_path, plan))
        return made[-1]

    yield make
    for world in made:
        world.close()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_states_requests_and_the_end(make: Callable[..., World]) -> None:
    world = make()
    talk = world.joined()
    world.tell("state", "VI_1", 2)
    change = talk.read()
    assert (change.path, change.member, change.number()) == (PATH, "VrrpStatusChange", 2)
    serial = talk.call(PLAN.vrrp, VRRP, "PrintData")
    assert world.asked() == ["ask", "PrintData", ""]
    world.tell("done", True)
    answer = talk.read()
    assert (answer.kind, answer.reply_to, answer.destination) == (Kind.RETURN, serial, ":1.9")
    talk.call(PATH, f"{NAME}.Instance", "SendGarp")
    assert world.asked() == ["ask", "SendGarp", "VI_1"]
    world.tell("done", False)
    assert talk.read().words() == ("Instance 'eth0/51/IPv4' not found",)
    world.tell("adopt", [NAME, PLAN.vrrp, {}], {})
    assert talk.read().member == "VrrpReloaded"
    world.tell("stop")
    assert talk.read().member == "VrrpStopped"
    assert talk.gone()
    assert world.ended()
    assert world.log == [
        f"Acquired DBus bus {NAME}",
        "Deleted DBus object for instance VI_1",
        "Released DBus",
    ]


def test_nobody_waits_for_an_answer(make: Callable[..., World]) -> None:
    talk = make().joined()
    talk.send(Message(Kind.CALL, 0, "/", PEER, "Ping", sender=":1.9", no_reply=True))
    serial = talk.call("/", PEER, "Ping")
    assert talk.read().reply_to == serial


def test_a_message_that_is_too_large_is_passed_over(make: Callable[..., World]) -> None:
    talk = make().joined()
    size = 1 << 20
    head = encode(Message(Kind.CALL, 7, PLAN.vrrp, VRRP, "PrintData", sender=":1.9", signature="ay"))
    talk.write(head[:4] + struct.pack("<I", size) + head[8:])
    talk.write(bytes(size))
    serial = talk.call("/", PEER, "Ping")
    assert talk.read().reply_to == serial


def test_too_many_requests(make: Callable[..., World]) -> None:
    """One is under way, some wait, and the others are sent away."""
    world = make()
    talk = world.joined()
    for _ in range(MOST_ASKS + 3):
        talk.call(PLAN.vrrp, VRRP, "PrintStats")
    for _ in range(2):
        refused = talk.read()
        assert (refused.kind, refused.error) == (Kind.ERROR, BUSY.name)
    assert world.asked() == ["ask", "PrintStats", ""]


@pytest.mark.parametrize(
    "rubbish",
    [b"x" * 64, b"l\1\0\1\xff\xff\xff\xff" + bytes(8), encode(Message(Kind.CALL, 1))[:15] + b"\xff"],
)
def test_after_rubbish_it_connects_again(make: Callable[..., World], rubbish: bytes) -> None:
    world = make()
    talk = world.joined()
    talk.write(rubbish)
    assert talk.gone()
    world.joined()
    assert world.log.count(f"Lost the name {NAME} on the session bus") == 1


def test_arguments_that_are_not_there_are_not_answered(make: Callable[..., World]) -> None:
    talk = make().joined()
    talk.send(
        Message(Kind.CALL, 0, PATH, "org.freedesktop.DBus.Properties", "Get", sender=":1.9", signature="ss")
    )
    serial = talk.call("/", PEER, "Ping")
    assert talk.read().reply_to == serial


@pytest.mark.parametrize("line", [b"REJECTED EXTERNAL\r\n", b"x" * 2000, b""])
def test_a_bus_that_does_not_let_us_in(make: Callable[..., World], line: bytes) -> None:
    """It is tried again and again, and said once."""
    world = make()
    for _ in range(3):
        talk = world.accept()
        talk.write(line)
        if not line:
            talk.close()
    world.joined()
    assert world.log.count(f"Lost the name {NAME} on the session bus") == 1


def test_the_name_comes_and_goes(make: Callable[..., World]) -> None:
    world = make()
    talk = world.joined()
    for what in ("NameAcquired", "NameLost"):
        talk.told(what)
    until(lambda: len(world.log) == 3)
    assert world.log[1:] == [f"{what} the name {NAME} on the session bus" for what in ("Acquired", "Lost")]


def test_a_name_that_cannot_be(make: Callable[..., World]) -> None:
    world = make(BusPlan("nodots", "/a", {}))
    until(lambda: world.log == ["DBus service name 'nodots' is not a name for a bus - no DBus"])


def test_without_the_vrrp_process_it_ends(make: Callable[..., World]) -> None:
    world = make()
    talk = world.joined()
    world.vrrp.close()
    assert world.ended()
    assert talk.gone()


# -- the VRRP process's end ------------------------------------------------------------------------


class Dumps:
    """Notes what is written."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def data(self) -> None:
        self.done.append("data")

    def statistics(self) -> None:
        self.done.append("statistics")

    def clear_statistics(self) -> None:
        self.done.append("cleared")


def test_deeds(monkeypatch: pytest.MonkeyPatch) -> None:
    router, dumps, sent, said, killed = (
        Router(VrrpPlan(instances=(Instance("A", 1, "eth0"),))),
        Dumps(),
        [],
        [],
        [],
    )
    monkeypatch.setattr(os, "kill", lambda pid, number: killed.append((pid, number)))

    def announce(name: str, command: SendGarp) -> None:
        sent.append((name, command.repeat))

    does = deeds(router, dumps, announce, said.append)  # type: ignore[arg-type]
    assert all(does[name]("") for name in ("PrintData", "PrintStats", "PrintStatsClear", "ReloadConfig"))
    assert dumps.done == ["data", "statistics", "cleared"]
    assert killed == [(os.getppid(), signal.SIGHUP)]
    assert not does["SendGarp"]("B")
    assert does["SendGarp"]("A")
    assert sent == []  # it has no addresses to announce
    router.members["A"].machine.state = State.MASTER
    assert does["SendGarp"]("A")
    assert sent == [("A", 1)]
    assert said[-1] == "Sending garps on A on DBus request"


@pytest.fixture(name="loop")
def a_loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


def test_a_helper_that_does_not_read_is_replaced(
    loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    monkeypatch.setattr(vrrp_bus, "PAUSE_US", 0)
    monkeypatch.setattr(vrrp_bus, "SEND_BYTES", 1 << 16)
    pids: list[int] = []
    monkeypatch.setattr(vrrp_bus, "leave_to_end", pids.append)
    end = BusEnd(loop.watch, loop.unwatch, lambda: {"A": 0}, {}, LogSink(LogOptions(syslog=False), "test"))
    plan = VrrpPlan(GlobalOptions(bus=BusOptions()), (Instance("A", 1, "eth0"),))
    end.adopt(VrrpPlan())
    assert end.next_timer() is None
    end.adopt(plan)
    os.kill(end._pid, signal.SIGSTOP)
    for _ in range(10_000):
        end.told("A", Notify(Told.MASTER, 1))
        end.told("A", Notify(Told.MASTER_PRIORITY, 1))
        end.told("G", Notify(Told.MASTER, 1, group=True))
        if pids:
            break
    assert os.waitstatus_to_exitcode(os.waitpid(pids[0], 0)[1]) == -signal.SIGKILL
    assert end.next_timer() is not None
    end.run(clock())
    end.close()
    assert len(pids) == 2
    assert os.waitstatus_to_exitcode(os.waitpid(pids[1], 0)[1]) == 0
