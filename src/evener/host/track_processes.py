"""Tracked processes in the helper process: how many of each run, told as enough or not enough.

The kernel's process connector says when a process starts another program, takes another name or ends;
/proc is then asked about that one process. Where there is no connector (a container, a network
namespace) /proc is read through every second instead. Zombies do not count: they have ended.

A change counts after ``fork_delay`` (enough again) or ``terminate_delay`` (not enough any more), so that
a service that is being restarted need not move an address.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable, Iterable

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
    """One tracked process: who matches, and whether that is enough - as last told."""

    def __init__(self, process: TrackedProcess, reactor: Reactor, report: Report) -> None:
        self.process = process
        self.pids: set[int] = set()
        self._reactor, self._report = reactor, report
        self._told: bool | None = None
        self._timer: Timer | None = None

    def judge(self, delayed: bool = True) -> None:
        enough = self.process.satisfied_by(len(self.pids))
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if enough == self._told:
            return
        delay = self.process.fork_delay_us if enough else self.process.terminate_delay_us
        if delayed and delay and self._told is not None:
            self._timer = self._reactor.later(delay / 1e6, self._expire)
            return
        self._told = enough
        self._report(self.process.name, enough)

    def _expire(self) -> None:
        self._timer = None
        self.judge(delayed=False)

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


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
        for count in self._counts.values():
            count.pids.clear()
        for entry in os.listdir(self._proc):
            if entry.isascii() and entry.isdecimal():
                self._look(int(entry))
        for count in self._counts.values():
            count.judge()

    def _look(self, pid: int) -> None:
        described = describe(pid, self._proc)
        for count in self._counts.values():
            if described is not None and matches(count.process, *described):
                count.pids.add(pid)
            else:
                count.pids.discard(pid)

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
        touched: set[int] = set()
        for _ in range(MOST_EVENTS):
            try:
                data = self._connector.recv(1 << 12)
            except BlockingIOError:
                break
            except OSError:  # ENOBUFS: events were lost
                self.scan()
                return
            if len(data) >= EVENT_OFFSET + EVENT.size:
                touched |= touched_by(data)
        for pid in touched:
            self._look(pid)
        for count in self._counts.values():
            count.judge()

    def _stop(self) -> None:
        if self._connector is not None:
            self._reactor.unwatch(self._connector.fileno())
            self._connector.close()
            self._connector = None
        if self._polling is not None:
            self._polling.cancel()
            self._polling = None


def touched_by(data: bytes) -> set[int]:
    """The process that an event of the connector is about (threads are not)."""
    what, _, _, pid, group = EVENT.unpack_from(data, EVENT_OFFSET)
    if what == FORK:
        child, child_group = struct.unpack_from("=II", data, EVENT_OFFSET + EVENT.size)
        return {child} if child == child_group else set()
    return {pid} if what in (EXEC, COMM, EXIT) and pid == group else set()
