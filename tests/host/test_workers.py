"""Real processes: each is ended, and each loop is bounded."""

import os
import signal
import time
from pathlib import Path

from evener.host.daemon import ServiceManager, write_pid_file
from evener.host.reactor import READABLE, WRITABLE, Reactor
from evener.host.workers import Channel, Crew


def serve(index: int, channel: Channel) -> None:
    """A worker that ends with ``stop``, and fails with ``fail``."""
    reactor = Reactor()

    def read(_events: int) -> None:
        for message in channel.receive():
            if message[0] == "stop":
                reactor.stop()
            elif message[0] == "exit":
                os._exit(message[1])

    reactor.watch(channel.fileno(), READABLE, read)
    reactor.run()


def turn_until(reactor: Reactor, done: object, seconds: float = 10.0) -> None:
    assert callable(done)
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        reactor.turn(0.2)
    assert done()


def test_workers_obey_and_are_reaped() -> None:
    reactor = Reactor()
    ended: list[tuple[int, int]] = []
    crew = Crew(reactor, lambda worker, status: ended.append((worker.index, status)))
    crew.start(2, serve)
    assert len({worker.pid for worker in crew.workers}) == 2
    crew.tell("stop")
    turn_until(reactor, lambda: len(ended) == 2)
    assert sorted(ended) == [(0, 0), (1, 0)]
    assert crew.workers == []
    reactor.close()


def test_a_crash_is_told_with_its_status() -> None:
    reactor = Reactor()
    ended: list[int] = []
    crew = Crew(reactor, lambda worker, status: ended.append(os.waitstatus_to_exitcode(status)))
    crew.start(1, serve)
    crew.tell("exit", 3)
    turn_until(reactor, lambda: ended == [3])
    crew.start(1, serve)
    crew.kill()
    turn_until(reactor, lambda: ended == [3, -signal.SIGKILL])
    reactor.close()


def test_workers_die_with_their_parent() -> None:
    reader, writer = os.pipe()
    parent = os.fork()
    if parent == 0:
        reactor = Reactor()
        crew = Crew(reactor, lambda worker, status: None)
        crew.start(1, serve)
        os.write(writer, b"%d" % crew.workers[0].pid)
        time.sleep(30)
        os._exit(0)
    os.close(writer)
    int(os.read(reader, 20))
    os.kill(parent, signal.SIGTERM)
    _, status = os.waitpid(parent, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGTERM
    # The worker inherited the writing end: end of file means that it is gone.
    assert os.read(reader, 20) == b""
    os.close(reader)


def test_reactor_timers_and_signals() -> None:
    reactor = Reactor()
    seen: list[str] = []
    reactor.later(0.02, lambda: seen.append("late"))
    reactor.later(0.0, lambda: seen.append("early"))
    reactor.later(0.0, lambda: seen.append("never")).cancel()
    reactor.on_signal(signal.SIGUSR1, lambda: seen.append("signal"))
    os.kill(os.getpid(), signal.SIGUSR1)
    turn_until(reactor, lambda: len(seen) == 3)
    assert seen.index("early") < seen.index("late")
    assert "never" not in seen
    reactor.close()


def test_reactor_unwatch() -> None:
    reactor = Reactor()
    reader, writer = os.pipe()
    seen: list[int] = []
    reactor.watch(writer, WRITABLE, seen.append)
    reactor.turn(1)
    reactor.unwatch(writer)
    reactor.turn(0)
    assert len(seen) == 1
    reactor.close()
    os.close(reader)
    os.close(writer)


def test_notify_and_pid_file(tmp_path: Path, monkeypatch: object) -> None:
    import socket

    import pytest

    assert isinstance(monkeypatch, pytest.MonkeyPatch)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"{tmp_path}/n")
        manager.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", f"{tmp_path}/n")
        told = ServiceManager()
        told.tell("READY=1")
        assert manager.recv(100) == b"READY=1"
    told.tell("READY=1")
    told.close()
    ServiceManager().tell("to nobody")
    path = tmp_path / "pid"
    path.write_text("999999 a longer content\n")
    write_pid_file(str(path), 42)
    assert path.read_text() == "42\n"


def echo(index: int, channel: Channel) -> None:
    reactor = Reactor()

    def read(_events: int) -> None:
        for message in channel.receive():
            channel.tell(*message)
            while not channel.flush():  # until the parent has read, or is gone
                time.sleep(0.001)

    reactor.watch(channel.fileno(), READABLE, read)
    reactor.run()


def test_a_message_may_be_longer_than_a_packet() -> None:
    reactor = Reactor()
    heard: list[list[object]] = []
    crew = Crew(reactor, lambda worker, status: None, lambda worker, message: heard.append(message))
    crew.start(1, echo)
    for text in ("\x01" * 100_000, "+", "x" * 400_000):
        crew.tell("say", text)
        turn_until(reactor, lambda: bool(heard) and crew.settled())
        assert heard.pop() == ["say", text]
    crew.kill()
    turn_until(reactor, lambda: not crew.workers)
    reactor.close()
