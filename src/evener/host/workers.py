"""Worker processes: forked from the control process, told what to do over a socket each, never alone.

A worker dies with its parent (PR_SET_PDEATHSIG) and holds nothing that must be given back. Messages to
it are JSON arrays: ``["soft-stop"]``, ``["address", backend, server, family, host, port]``; what they mean is
between the two ends. Each is a packet, or several when it is long. Nothing that was told is lost: what a
socket does not take at the moment waits. A worker may tell the control process something, too, by
``Channel.tell``. The control process learns of a worker's end by SIGCHLD.

A worker that ends without having been told to is a crash: what then happens is the owner's decision.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import socket
import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from typing import Any, Final

from evener.host.reactor import READABLE, WRITABLE, Reactor
from evener.text.record import dataclass

PR_SET_PDEATHSIG = 1
LONGEST: Final = 1 << 16  #: of a packet; the kernel takes no longer ones than a socket may buffer
MORE: Final = b"+"  #: in front of a packet: the message goes on in the next one
CRASHED = 70  #: exit status of a worker in which our own code failed

Message = list[Any]
Body = Callable[[int, "Channel"], None]


@dataclass(slots=True)
class Worker:
    index: int
    pid: int
    channel: socket.socket
    unsent: deque[bytes] = field(default_factory=deque)
    begun: bytearray = field(default_factory=bytearray)  #: of a message that goes on in another packet


def send_all(end: socket.socket, unsent: deque[bytes]) -> bool:
    """Send what the socket takes; whether that was all. The other end may be gone: then nothing is kept."""
    while unsent:
        try:
            end.send(unsent[0])
        except BlockingIOError:
            return False
        except OSError:
            unsent.clear()
            return True
        unsent.popleft()
    return True


def packets(message: Sequence[Any]) -> Iterator[bytes]:
    """A message as it travels."""
    data = json.dumps(message).encode()
    while len(data) > LONGEST:
        yield MORE + data[:LONGEST]
        data = data[LONGEST:]
    yield data


def receive_all(end: socket.socket, begun: bytearray) -> tuple[list[Message], bool]:
    """What has come, and whether the other end is still there; ``begun`` keeps what goes on later."""
    messages: list[Message] = []
    while True:
        try:
            packet = end.recv(LONGEST + 1)
        except BlockingIOError:
            return messages, True
        except OSError:
            return messages, False
        if not packet:
            return messages, False
        if packet.startswith(MORE):
            begun += packet[1:]
            continue
        messages.append(json.loads(begun + packet))
        begun.clear()


class Channel:
    """The worker's end: ``receive`` whenever ``fileno`` is readable."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._unsent: deque[bytes] = deque()
        self._begun = bytearray()

    def tell(self, *message: Any) -> bool:
        """Send a message to the control process; False when some have to wait for ``flush``."""
        self._unsent.extend(packets(message))
        return self.flush()

    def flush(self) -> bool:
        """Send what had to wait; whether nothing waits any more."""
        return send_all(self._end, self._unsent)

    def fileno(self) -> int:
        return self._end.fileno()

    def receive(self) -> list[Message]:
        """What has come; the process ends when the other end is gone."""
        messages, connected = receive_all(self._end, self._begun)
        if not connected:
            os._exit(0)
        return messages


def die_with_parent(parent: int) -> None:
    """Be killed when ``parent`` ends, even if it has ended already."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


class Crew:
    """The workers of one control process."""

    def __init__(
        self,
        reactor: Reactor,
        ended: Callable[[Worker, int], None],
        heard: Callable[[Worker, Message], None] = lambda worker, message: None,
    ) -> None:
        """``ended(worker, wait status)`` is called in the loop for each worker that ends, ``heard`` with
        each message a worker sends."""
        self._reactor = reactor
        self._ended = ended
        self._heard = heard
        self.workers: list[Worker] = []
        reactor.on_signal(signal.SIGCHLD, self._reap)

    def start(self, count: int, body: Body) -> None:
        """Fork ``count`` workers that run ``body(index, channel)`` and exit."""
        sys.stdout.flush()
        sys.stderr.flush()
        for index in range(count):
            self._fork(index, body)

    def _fork(self, index: int, body: Body) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        theirs.setblocking(False)
        parent = os.getpid()
        pid = os.fork()
        if pid:
            theirs.close()
            worker = Worker(index, pid, ours)
            self.workers.append(worker)
            self._watch(worker)
            return
        status = CRASHED
        try:
            die_with_parent(parent)
            self._become_worker(ours)
            body(index, Channel(theirs))
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.flush()
            os._exit(status)

    def _become_worker(self, ours: socket.socket) -> None:
        ours.close()
        for worker in self.workers:
            worker.channel.close()
        self._reactor.close()
        # ``killall -USR1 haproxy`` reaches workers too: only the control process acts on signals.
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP, signal.SIGTTOU, signal.SIGTTIN):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)

    def tell(self, *message: Any) -> None:
        """Send one message to every worker, in the order of the calls."""
        told = list(packets(message))
        for worker in self.workers:
            waiting = bool(worker.unsent)
            worker.unsent.extend(told)
            if not waiting:
                self._send(worker)

    def settled(self) -> bool:
        """Whether every worker has been able to take all it was told."""
        return not any(worker.unsent for worker in self.workers)

    def _send(self, worker: Worker) -> None:
        if not send_all(worker.channel, worker.unsent):
            self._watch(worker, READABLE | WRITABLE)

    def _watch(self, worker: Worker, events: int = READABLE) -> None:
        self._reactor.watch(worker.channel.fileno(), events, lambda ready: self._ready(worker, ready))

    def _ready(self, worker: Worker, ready: int) -> None:
        if ready & WRITABLE and worker.unsent and send_all(worker.channel, worker.unsent):
            self._watch(worker)
        messages, connected = receive_all(worker.channel, worker.begun)
        if not connected:
            self._reactor.unwatch(worker.channel.fileno())
        for message in messages:
            self._heard(worker, message)

    def kill(self) -> None:
        for worker in self.workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker.pid, signal.SIGKILL)

    def _reap(self) -> None:
        for worker in list(self.workers):
            try:
                pid, status = os.waitpid(worker.pid, os.WNOHANG)
            except ChildProcessError:
                pid, status = worker.pid, 0
            if pid:
                self._reactor.unwatch(worker.channel.fileno())
                worker.channel.close()
                self.workers.remove(worker)
                self._ended(worker, status)
