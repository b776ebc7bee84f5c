"""A haproxy of ours in a directory of its own on the loopback, for tests; everything waits with a bound."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

HAPROXY = [sys.executable, "-m", "evener.cli.haproxy"]
SECONDS = 15.0


def free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port: int = chosen.getsockname()[1]
        return port


def eventually(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if true():
            return
        time.sleep(0.02)
    raise AssertionError(f"never: {what}")


class Place:
    """A directory with a configuration, and the processes started in it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.started: list[subprocess.Popen[bytes]] = []
        self.others: list[int] = []
        self.write()

    def write(self, extra: str = "", server: str = "") -> None:
        (self.directory / "cfg").write_text(
            f"""
global
    stats socket {self.directory}/s level admin
    nbthread 2
    {extra}
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
frontend f
    bind 127.0.0.1:{self.port}
    http-request return status 200 content-type text/plain string hello unless {{ path /b }}
    default_backend b
backend b
    {server}
"""
        )

    def start(self, *words: str, fds: tuple[int, ...] = ()) -> subprocess.Popen[bytes]:
        with (self.directory / "out").open("wb") as out:
            process = subprocess.Popen(
                [*HAPROXY, *words, "-f", "cfg"],
                cwd=self.directory,
                stdout=out,
                stderr=subprocess.STDOUT,
                pass_fds=fds,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            )
        self.started.append(process)
        return process

    def serving(self, *words: str) -> subprocess.Popen[bytes]:
        process = self.start(*words)
        end = time.monotonic() + SECONDS
        while not self.get() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        assert process.poll() is None, self.out()
        assert self.get(), self.out()
        return process

    def out(self) -> str:
        return (self.directory / "out").read_text()

    def get(self, path: str = "/") -> bytes:
        """The response to a GET, empty when nobody answers."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as client:
                client.sendall(b"GET %b HTTP/1.0\r\n\r\n" % path.encode())
                return b"".join(iter(lambda: client.recv(65536), b""))
        except OSError:
            return b""

    def ask(self, line: str) -> str:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(f"{self.directory}/s")
            client.sendall(line.encode() + b"\n")
            return b"".join(iter(lambda: client.recv(65536), b"")).decode()

    def end(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.wait()
        for pid in self.others:
            with_suppressed_kill(pid)


def with_suppressed_kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def children_of(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def workers_of(pid: int, count: int) -> list[int]:
    """The first may serve before the last one is there."""
    deadline = time.monotonic() + SECONDS
    while len(children_of(pid)) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    return children_of(pid)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
