"""Tracked processes: which ones are meant, when there are enough, and the delays."""

from __future__ import annotations

import struct
import subprocess
import time
from pathlib import Path

import pytest

from evener.host.reactor import Reactor
from evener.host.track_processes import (
    COMM,
    EVENT,
    EVENT_OFFSET,
    EXEC,
    EXIT,
    FORK,
    Happened,
    ProcessWatch,
    happened,
    matches,
)
from evener.keepalived.vrrp.plan_tracked import TrackedProcess


@pytest.mark.parametrize(
    ("argv", "match", "full", "command", "expected"),
    [
        ("sshd", None, False, "/usr/sbin/sshd", True),
        ("ssh", None, False, "/usr/sbin/sshd", False),
        ("/usr/sbin/sshd", None, True, "/usr/sbin/sshd -D", True),
        ("sshd", None, True, "/usr/sbin/sshd -D", False),
        ("p a b", "exact", True, "p a b", True),
        ("p a b", "exact", True, "p a b c", False),
        ("p", "exact", True, "p", True),
        ("p", "exact", True, "p a", False),
        ("p a", "partial", True, "p a c", True),
        ("p a", "partial", True, "p ab", False),
        ("p a", "initial", True, "p ab", True),
        ("p a x", "initial", True, "p a", False),
        ("p", "initial", True, "p anything", True),
    ],
)
def test_matches(argv: str, match: str | None, full: bool, command: str, expected: bool) -> None:
    process = TrackedProcess("t", tuple(argv.split()), match, full_command=full)
    assert matches(process, b"sshd", [word.encode() for word in command.split()]) is expected


def test_quorum_and_most() -> None:
    process = TrackedProcess("t", ("p",), quorum=2, quorum_max=3)
    assert [process.satisfied_by(n) for n in range(5)] == [False, False, True, True, False]


def test_events_name_processes_and_not_threads() -> None:
    def event(what: int, pid: int, group: int, more: bytes = b"") -> bytes:
        return bytes(EVENT_OFFSET) + EVENT.pack(what, 0, 0, pid, group) + more

    assert happened(event(EXIT, 7, 7)) == Happened(EXIT, 7)
    assert happened(event(EXEC, 7, 7)) == Happened(EXEC, 7)
    assert happened(event(COMM, 8, 7)) is None
    assert happened(event(FORK, 2, 1, struct.pack("=II", 9, 9))) == Happened(FORK, 9, 1)
    assert happened(event(FORK, 1, 1, struct.pack("=II", 10, 9))) is None
    assert happened(event(4, 7, 7)) is None
    assert happened(b"short") is None


def fake(proc: Path, pid: int, name: str, state: str = "S") -> None:
    home = proc / str(pid)
    home.mkdir(parents=True)
    (home / "stat").write_text(f"{pid} ({name}) {state} 1")
    (home / "cmdline").write_bytes(name.encode() + b"\0")


def test_names_with_brackets_and_zombies(tmp_path: Path) -> None:
    fake(tmp_path, 5, "odd) S (name")
    fake(tmp_path, 6, "gone", "Z")
    (tmp_path / "self").mkdir()
    got: list[tuple[str, bool]] = []
    watch = ProcessWatch(Reactor(), lambda name, up: got.append((name, up)), tmp_path)
    watch.watch([TrackedProcess("odd", ("odd) S (name",)), TrackedProcess("gone", ("gone",))])
    assert sorted(got) == [("gone", False), ("odd", True)]
    watch.watch([])


def test_a_lost_quorum_counts_after_its_delay(tmp_path: Path) -> None:
    fake(tmp_path, 5, "p")
    got: list[tuple[str, bool]] = []
    reactor = Reactor()
    watch = ProcessWatch(reactor, lambda name, up: got.append((name, up)), tmp_path)
    watch.watch([TrackedProcess("t", ("p",), terminate_delay_us=50_000)])
    (tmp_path / "5" / "stat").unlink()
    watch.scan()
    assert got == [("t", True)]
    limit = time.monotonic() + 5
    while len(got) < 2 and time.monotonic() < limit:  # a turn ends for any process of the machine
        reactor.turn(0.02)
    assert got == [("t", True), ("t", False)]
    watch.watch([])


def test_a_real_process_is_seen_to_come_and_go() -> None:
    got: list[tuple[str, bool]] = []
    reactor = Reactor()
    watch = ProcessWatch(reactor, lambda name, up: got.append((name, up)))
    command = ["/bin/sleep", "86.4217"]
    watch.watch([TrackedProcess("t", tuple(command), "exact", full_command=True)])
    with subprocess.Popen(command) as process:
        for expected in (2, 3):
            for _ in range(100):
                if len(got) >= expected:
                    break
                reactor.turn(0.05)
            process.kill()
    assert [up for _, up in got] == [False, True, False]
    watch.watch([])
