"""External checks run beside the control process, never in it.

Starting a program may take long (its file may be on a dead file system) and nothing that the control
process serves may wait for that. So a helper process is forked once; it starts the commands of checks when
told, and reports how they ended over a socket that is read without waiting. The time that a check
may take is kept by the near end: a command that is late is told to go (TERM) and its end is ignored.

When the control process ends, in whatever way, the helper sees the end of the socket, ends what still
runs, and goes.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import socket
import traceback
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

from evener.host.helper_messages import messages
from evener.host.reactor import READABLE, Reactor

MESSAGE_BYTES = 1 << 17
NOT_STARTED = 255 << 8
"""The wait status of a command that could not be started: it exited with 255."""

Ended = Callable[[int], None]


class CheckProcesses:
    """The near end. ``run`` asks for a command; its wait status comes to ``ended`` in the loop.
    ``told`` gets what is to be said about commands that cannot be started."""

    def __init__(self, reactor: Reactor, told: Callable[[str], None]) -> None:
        self._reactor = reactor
        self._told = told
        self._serial = count(1)
        self._running: dict[int, Ended] = {}
        self._socket: socket.socket | None = None
        self.pid = 0

    @property
    def started(self) -> bool:
        return self._socket is not None

    def start(self) -> None:
        """Fork the helper: early, while the process is small and has no sockets that others wait for."""
        self._socket, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.pid = os.fork()
        if self.pid == 0:
            self._socket.close()
            self._reactor.close()
            _become_helper(far)
        far.close()
        self._socket.setblocking(False)
        self._reactor.watch(self._socket.fileno(), READABLE, self._readable)

    def run(self, words: Sequence[str], environment: Mapping[str, str], ended: Ended) -> int:
        """Start a command; returns a number for ``end``."""
        number = next(self._serial)
        self._running[number] = ended
        if not self._send({"run": number, "words": list(words), "environment": dict(environment)}):
            self._reactor.later(0, lambda: self._report(number, NOT_STARTED))
        return number

    def end(self, number: int) -> None:
        """The command is late: tell it to go, and forget it."""
        if self._running.pop(number, None) is not None:
            self._send({"end": number})

    def abandon(self) -> None:
        """In a worker: the helper is not ours."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def close(self) -> None:
        """End what runs, and the helper."""
        if self._socket is not None:
            self._reactor.unwatch(self._socket.fileno())
            self._socket.close()
            self._socket = None
            os.waitpid(self.pid, 0)

    def _send(self, message: dict[str, Any]) -> bool:
        if self._socket is None:
            return False
        try:
            self._socket.send(json.dumps(message).encode())
        except OSError:
            return False
        return True

    def _readable(self, _events: int) -> None:
        assert self._socket is not None
        while True:
            try:
                data = self._socket.recv(MESSAGE_BYTES)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._lost()
                return
            number, status, told = json.loads(data)
            if told:
                self._told(told)
            self._report(number, status)

    def _report(self, number: int, status: int) -> None:
        ended = self._running.pop(number, None)
        if ended is not None:
            ended(status)

    def _lost(self) -> None:
        """The helper has gone, which it never does by itself: what runs has failed, and later checks too."""
        if self._socket is not None:
            self._reactor.unwatch(self._socket.fileno())
            self._socket.close()
            self._socket = None
        for number in list(self._running):
            self._report(number, NOT_STARTED)


def _become_helper(far: socket.socket) -> None:
    status = 1
    try:
        # Above all the listening sockets: they must be gone when the others have closed them.
        os.closerange(3, far.fileno())
        os.closerange(far.fileno() + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        # Signals for the whole group are the control process's business; a command gets the defaults back.
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, lambda _number, _frame: None)
        Helper(far).serve()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


class Helper:
    """The far end: one process, one loop."""

    def __init__(self, far: socket.socket) -> None:
        self._far = far
        self._reactor = Reactor()
        self._running: dict[int, int] = {}  #: number -> pid
        far.setblocking(False)
        self._reactor.watch(far.fileno(), READABLE, self._readable)

    def serve(self) -> None:
        self._reactor.run()
        for pid in self._running.values():
            _terminate(pid)

    def _readable(self, _events: int) -> None:
        for message in messages(self._far, MESSAGE_BYTES, self._reactor.stop):
            if "end" in message:
                pid = self._running.get(message["end"])
                if pid is not None:
                    _terminate(pid)
            else:
                self._start(message["run"], message["words"], message["environment"])

    def _start(self, number: int, words: list[str], environment: dict[str, str]) -> None:
        # The command is looked for where the check's own PATH says, as execvp does after its environment.
        program = words[0] if "/" in words[0] else shutil.which(words[0], path=environment.get("PATH", ""))
        try:
            if program is None:
                raise FileNotFoundError(2, os.strerror(2))
            pid = os.posix_spawn(
                program, words, environment, setsigmask=(), setsigdef=range(1, signal.SIGSYS)
            )
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            told = f"Failed to exec process for external health check: {why}. Aborting."
            self._report(number, NOT_STARTED, told)
            return
        self._running[number] = pid
        pidfd = os.pidfd_open(pid)
        self._reactor.watch(pidfd, READABLE, lambda _events: self._reap(number, pid, pidfd))

    def _reap(self, number: int, pid: int, pidfd: int) -> None:
        self._reactor.unwatch(pidfd)
        os.close(pidfd)
        self._running.pop(number, None)
        self._report(number, os.waitpid(pid, 0)[1], "")

    def _report(self, number: int, status: int, told: str) -> None:
        with contextlib.suppress(OSError):
            self._far.send(json.dumps([number, status, told]).encode())


def _terminate(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
