"""Tracked processes in the helper process: how many of each run, told as enough or not enough.

The kernel's process connector says when a process starts another program, takes another name or ends;
/proc is then asked about that one process; a child is what its parent is, until it starts another program.
Where there is no connector (a container, a network namespace) /proc is read through every second instead.
Zombies do not count: they have ended.

A change counts after ``fork_delay`` when a fork made it, and after ``terminate_delay`` when an end did: a
service that is being restarted need not move an address. What a new program or a new name changes counts at
once. Which of them it was cannot be told from reading through /proc: then the direction decides.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable, Iterable
from typing import NamedTuple

from evener.host.reactor import READABLE, Reactor, Timer
from evener.keepalived.vrrp.plan_machine import Buffer
from evener.keepalived.vrrp.plan_tracked import TrackedProcess

NETLINK_CONNECTOR, CN_IDX_PROC, CN_VAL_PROC, PROC_CN_MCAST_LISTEN = 11, 1, 1, 1
SO_RCVBUFFORCE = 33
DEFAULT = Buffer()
NLMSG_DONE = 3
# Behind struct nlmsghdr (16) and struct cn_msg (20): what, cpu, timestamp, then the event's own fields.
EVENT = struct.Struct("=IIQII")
EVENT_OFFSET = 36
FORK, EXEC, COMM, EXIT = 0x1, 0x2, 0x200, 0x80000000
POLL_S = 1.0
COMMAND_BYTES = 1 << 16
MOST_EVENTS = 4096

Report = Callable[[str, bool], None]


def matches(process: TrackedProcess, name: bytes, command: list[bytes]) -> bool:
    """Whether a process of this name and command line is one that is meant."""
    wanted = [os.fsencode(word) for word in process.argv]
    if not process.full_command and process.match is None:
        return name == wanted[0][:15]
    if not command or command[0] != wanted[0]:
        return False
    ours, theirs = wanted[1:], command[1:]
    if process.match is None:
        return True
    if process.match == "exact":
        return theirs == ours
    if process.match == "partial" or not ours:
        return theirs[: len(ours)] == ours
    last = len(ours) - 1
    return theirs[:last] == ours[:last] and len(theirs) > last and theirs[last].startswith(ours[last])


def describe(pid: int, proc: str | os.PathLike[str]) -> tuple[bytes, list[bytes]] | None:
    """Name and command line of a process; None when it is none (any more)."""
    try:
        with open(f"{os.fspath(proc)}/{pid}/stat", "rb") as file:
            stat = file.read()
        name, _, rest = stat.partition(b"(")[2].rpartition(b")")
        if rest.split()[:1] == [b"Z"]:
            return None
        with open(f"{os.fspath(proc)}/{pid}/cmdline", "rb") as file:
            command = file.read(COMMAND_BYTES)
    except OSError:
        return None
    return name, command.removesuffix(b"\0").split(b"\0") if command else []


def running(process: TrackedProcess) -> int:
    """How many there are just now."""
    found = (describe(int(entry), "/proc") for entry in os.listdir("/proc") if entry.isdecimal())
    return sum(one is not None and matches(process, *one) for one in found)


class Count:
    """One tracked process: who matches, and whether that is enough - now, and as last told."""

    def __init__(self, process: TrackedProcess, reactor: Reactor, report: Report) -> None:
        self.process = process
        self.pids: set[int] = set()
        self._reactor, self._report = reactor, report
        self._enough: bool | None = None
        self._told: bool | None = None
        self._timer: Timer | None = None

    def started(self, pid: int, matches: bool) -> None:
        """A process runs another program, or has another name."""
        if matches:
            self.pids.add(pid)
        else:
            self.pids.discard(pid)
        self._judge(0)

    def forked(self, parent: int, child: int) -> None:
        if parent in self.pids:
            self.pids.add(child)
            self._judge(self.process.fork_delay_us)

    def ended(self, pid: int) -> None:
        self.pids.discard(pid)
        self._judge(self.process.terminate_delay_us)

    def found(self, pids: set[int]) -> None:
        """All of them, whatever happened."""
        self.pids = pids
        enough = self.process.satisfied_by(len(pids))
        self._judge(self.process.fork_delay_us if enough else self.process.terminate_delay_us)

    def _judge(self, delay_us: int) -> None:
        """Only a change begins or ends a delay: what else happens on the machine does not prolong it."""
        enough = self.process.satisfied_by(len(self.pids))
        if enough == self._enough:
            return
        self._enough = enough
        self.end()
        if enough == self._told:
            return
        if delay_us and self._told is not None:
            self._timer = self._reactor.later(delay_us / 1e6, self._tell)
        else:
            self._tell()

    def _tell(self) -> None:
        self._timer = None
        self._told = self._enough
        self._report(self.process.name, bool(self._enough))

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class ProcessWatch:
    """All tracked processes. ``report`` gets a name and whether its quorum is met."""

    def __init__(
        self,
        reactor: Reactor,
        report: Report,
        proc: str | os.PathLike[str] = "/proc",
        buffer: Buffer = DEFAULT,
    ) -> None:
        self._buffer = buffer
        self._reactor, self._report, self._proc = reactor, report, proc
        self._counts: dict[str, Count] = {}
        self._connector: socket.socket | None = None
        self._polling: Timer | None = None

    def watch(self, processes: Iterable[TrackedProcess]) -> None:
        """Watch exactly these from now on."""
        wanted = {process.name: process for process in processes}
        for name, count in list(self._counts.items()):
            if wanted.get(name) != count.process:
                count.end()
                del self._counts[name]
        for name, process in wanted.items():
            if name not in self._counts:
                self._counts[name] = Count(process, self._reactor, self._report)
        if not self._counts:
            self._stop()
            return
        if self._connector is None and self._polling is None:
            self._listen()
        self.scan()

    def scan(self) -> None:
        """Read through all processes."""
        pids = (int(entry) for entry in os.listdir(self._proc) if entry.isascii() and entry.isdecimal())
        described = {pid: found for pid in pids if (found := describe(pid, self._proc)) is not None}
        for count in self._counts.values():
            count.found({pid for pid, found in described.items() if matches(count.process, *found)})

    def _note(self, event: Happened) -> None:
        counts = self._counts.values()
        if event.what == FORK:
            for count in counts:
                count.forked(event.parent, event.pid)
        elif event.what == EXIT:
            for count in counts:
                count.ended(event.pid)
        else:
            described = describe(event.pid, self._proc)
            for count in counts:
                count.started(event.pid, described is not None and matches(count.process, *described))

    def _listen(self) -> None:
        try:
            connector = socket.socket(
                socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK,
                NETLINK_CONNECTOR,
            )  # fmt: skip
        except OSError:
            self._poll()
            return
        try:
            if self._buffer.size:
                option = SO_RCVBUFFORCE if self._buffer.force else socket.SO_RCVBUF
                connector.setsockopt(socket.SOL_SOCKET, option, self._buffer.size)
            connector.bind((0, CN_IDX_PROC))
            body = struct.pack("=IIIIHHI", CN_IDX_PROC, CN_VAL_PROC, 0, 0, 4, 0, PROC_CN_MCAST_LISTEN)
            connector.send(struct.pack("=IHHII", 16 + len(body), NLMSG_DONE, 0, 0, 0) + body)
        except OSError:
            connector.close()
            self._poll()
            return
        self._connector = connector
        self._reactor.watch(connector.fileno(), READABLE, self._events)

    def _poll(self) -> None:
        self._polling = self._reactor.later(POLL_S, self._poll)
        if self._counts:
            self.scan()

    def _events(self, _events: int) -> None:
        assert self._connector is not None
        for _ in range(MOST_EVENTS):
            try:
                data = self._connector.recv(1 << 12)
            except BlockingIOError:
                return
            except OSError:  # ENOBUFS: events were lost
                self.scan()
                return
            event = happened(data)
            if event is not None:
                self._note(event)

    def _stop(self) -> None:
        if self._connector is not None:
            self._reactor.unwatch(self._connector.fileno())
            self._connector.close()
            self._connector = None
        if self._polling is not None:
            self._polling.cancel()
            self._polling = None


class Happened(NamedTuple):
    """A process forked (``parent``: from whom), runs another program, has another name, or ended."""

    what: int
    pid: int
    parent: int = 0


def happened(data: bytes) -> Happened | None:
    """What a message of the connector tells; None: nothing of a process (a thread is none)."""
    if len(data) < EVENT_OFFSET + EVENT.size:
        return None
    what, _, _, pid, group = EVENT.unpack_from(data, EVENT_OFFSET)
    if what == FORK:
        child, child_group = struct.unpack_from("=II", data, EVENT_OFFSET + EVENT.size)
        return Happened(what, child, group) if child == child_group else None
    return Happened(what, pid) if what in (EXEC, COMM, EXIT) and pid == group else None
