"""Becoming a daemon: the launcher that waits, the pid file, the older processes, the service manager.

The launcher stays until the daemon says it is ready, so that ``haproxy -D && next`` works and a failed
start is a failed command. Nothing here knows a configuration.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterable

Tell = Callable[[str, str], None]
"""(severity, sentence)."""


class Readiness:
    """Given to the daemon; ``ready`` lets the launcher exit 0 and detaches from the terminal."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        # Opened now: there may be no /dev any more once the root directory has changed.
        self._null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)

    def ready(self) -> None:
        for fd in (0, 1, 2):
            os.dup2(self._null, fd)
        if self._null > 2:
            os.close(self._null)
        os.write(self._pipe, b"R")
        os.close(self._pipe)


def daemonise(tell: Tell) -> Readiness:
    """Fork; returns in the daemon only. The launcher exits with 0, or with the daemon's failure."""
    sys.stdout.flush()
    sys.stderr.flush()
    reader, writer = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid:
        os.close(writer)
        os._exit(_await(reader, pid, tell))
    os.close(reader)
    os.setsid()
    return Readiness(writer)


def _await(reader: int, pid: int, tell: Tell) -> int:
    if os.read(reader, 1) == b"R":
        return 0
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        tell("ALERT", f"Process {pid} exited with code {128 - code} ({signal.strsignal(-code)})")
        return 128 - code
    tell("ALERT", f"Process {pid} exited with code {code} (Exit)")
    sys.stderr.flush()
    return code or 1


def write_pid_file(path: str, pid: int) -> None:
    """Raises OSError."""
    fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        os.write(fd, b"%d\n" % pid)
    finally:
        os.close(fd)


def signal_all(pids: Iterable[int], number: int) -> int:
    """How many of the processes were there to be told."""
    told = 0
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
            told += 1
    return told


class ServiceManager:
    """Whoever started us and wants to be told (``$NOTIFY_SOCKET``), if anybody does. Connected at once,
    because the path may be out of reach after a chroot."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        path = os.environ.get("NOTIFY_SOCKET", "")
        if path[:1] not in ("/", "@"):
            return
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            opened.connect("\0" + path[1:] if path[0] == "@" else path)
            self._socket = opened
        except OSError:
            opened.close()

    def tell(self, message: str) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.send(message.encode())

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
