"""Worker processes: forked from the control process, told what to do over a socket each, never alone.

A worker dies with its parent (PR_SET_PDEATHSIG) and holds nothing that must be given back. Messages to
it are JSON arrays, one per packet: ``["soft-stop"]``, ``["address", backend, server, family, host, port]``;
what they mean is between the two ends. The control process learns of a worker's end by SIGCHLD.

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
from collections.abc import Callable
from typing import Any

from evener.host.reactor import Reactor
from evener.text.record import dataclass

PR_SET_PDEATHSIG = 1
CRASHED = 70  #: exit status of a worker in which our own code failed

Message = list[Any]
Body = Callable[[int, "Channel"], None]


@dataclass(slots=True)
class Worker:
    index: int
    pid: int
    channel: socket.socket


class Channel:
    """The worker's end: ``receive`` whenever ``fileno`` is readable."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def fileno(self) -> int:
        return self._end.fileno()

    def receive(self) -> list[Message]:
        """What has come; the process ends when the other end is gone."""
        messages: list[Message] = []
        while True:
            try:
                packet = self._end.recv(65536)
            except BlockingIOError:
                return messages
            except OSError:
                os._exit(0)
            if not packet:
                os._exit(0)
            messages.append(json.loads(packet))


def die_with_parent(parent: int) -> None:
    """Be killed when ``parent`` ends, even if it has ended already."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


class Crew:
    """The workers of one control process."""

    def __init__(self, reactor: Reactor, ended: Callable[[Worker, int], None]) -> None:
        """``ended(worker, wait status)`` is called in the loop for each worker that ends."""
        self._reactor = reactor
        self._ended = ended
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
            self.workers.append(Worker(index, pid, ours))
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
        """Send one message to every worker; one that is full or gone misses it."""
        packet = json.dumps(message).encode()
        for worker in self.workers:
            with contextlib.suppress(OSError):
                worker.channel.send(packet)

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
                worker.channel.close()
                self.workers.remove(worker)
                self._ended(worker, status)
