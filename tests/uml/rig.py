"""In the test kernel: daemons in network namespaces of their own, ports that listen there, what IPVS holds.

evener is forked from this process, which has imported it once: imports are slow here.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from evener.cli import keepalived as command
from evener.host.netlink.generic import GenericSocket
from evener.wire import ipvs as wire

CLONE_NEWNET, SIOCSIFFLAGS, IFF_UP = 0x40000000, 0x8914, 1
LIBC = ctypes.CDLL(None)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"
KEPT = 200
IP_FREEBIND = 15
T = TypeVar("T")
HOME = Path("/run/lvs")
IPVSADM = shutil.which("ipvsadm") or ""
STATISTICS = {7, 8, 9, 10, 12}
"""Attributes of services (10, 12) and destinations that count connections."""
BEGAN = time.monotonic()


def say(what: str) -> None:
    print(f"{time.monotonic() - BEGAN:6.1f} {what}", flush=True)


class Namespace:
    """A network namespace, held by a descriptor: no program is started to make one."""

    def __init__(self) -> None:
        self.descriptor = -1
        self._within(self._make)

    def _make(self) -> None:
        if LIBC.unshare(CLONE_NEWNET):
            raise OSError("unshare")
        self.descriptor = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        with socket.socket() as any_socket:
            fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))

    def enter(self) -> None:
        if LIBC.setns(self.descriptor, CLONE_NEWNET):
            raise OSError("setns")

    def close(self) -> None:
        os.close(self.descriptor)

    def inside(self, made: Callable[[], T]) -> T:
        """What ``made`` returns in the namespace, in a thread: threads have their own."""
        found: list[T] = []

        def work() -> None:
            self.enter()
            found.append(made())

        self._within(work)
        return found[0]

    def _within(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()


class Ports:
    """Listening sockets in namespaces; whoever connects gets the same short answer."""

    def __init__(self) -> None:
        self._answered: deque[socket.socket] = deque()
        self._open: dict[tuple[Namespace, str, int], socket.socket] = {}
        self._epoll = select.epoll()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            for descriptor, _ in self._epoll.poll():
                for listener in list(self._open.values()):
                    if listener.fileno() == descriptor:
                        try:
                            self._answer(listener.accept()[0])
                        except OSError:
                            pass

    def _answer(self, connection: socket.socket) -> None:
        """As a web server would, whatever is asked; it is closed later, so that nothing of that is lost."""
        connection.setblocking(False)
        self._answered.append(connection)
        if len(self._answered) > KEPT:
            self._answered.popleft().close()
        connection.send(ANSWER)
        connection.shutdown(socket.SHUT_WR)

    def forget(self, namespace: Namespace) -> None:
        """Close what is open there."""
        for where, address, port in [key for key in self._open if key[0] is namespace]:
            self.close(where, port, address)

    def open(self, namespace: Namespace, port: int, address: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET

        def listen() -> socket.socket | None:
            made = socket.socket(family)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Routes say that the address is ours, no interface has it.
            made.setsockopt(socket.SOL_IP, IP_FREEBIND, 1)
            try:
                made.bind((address, port))
                made.listen(32)
            except OSError as error:
                say(f"nothing can listen at {address} {port}: {error.strerror}")
                made.close()
                return None
            made.setblocking(False)
            return made

        made = namespace.inside(listen)
        if made is None:
            return
        self._open[namespace, address, port] = made
        self._epoll.register(made.fileno(), select.EPOLLIN)

    def close(self, namespace: Namespace, port: int, address: str = "127.0.0.1") -> None:
        made = self._open.pop((namespace, address, port), None)
        if made is None:
            return
        self._epoll.unregister(made.fileno())
        made.close()


class Run:
    """One daemon with a configuration; ``reference`` is the program of the original, or empty for ours.

    ``{folder}`` in a configuration is a folder of this daemon."""

    def __init__(self, text: str, name: str, reference: str, words: tuple[str, ...] = ()) -> None:
        self.namespace = Namespace()
        self.folder = HOME / name
        self.folder.mkdir(parents=True)
        self.file = self.folder / "k.conf"
        self.reference, self.words = reference, words
        self.pid = 0
        self.netlink = self.namespace.inside(lambda: GenericSocket(wire.GENL_NAME, wire.GENL_VERSION))
        self.write(text)

    def write(self, text: str) -> None:
        self.file.write_text(text.replace("{folder}", str(self.folder)))

    def start(self) -> None:
        words = ["-n", "-l", "-D", "-G", "-f", str(self.file), *self.words]
        for option, name in (("-p", "parent"), ("-r", "vrrp"), ("-c", "checkers"), ("-b", "bfd")):
            words += [option, str(self.folder / f"{name}.pid")]
        log = os.open(self.folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC)
        if self.reference:
            self.pid = self.namespace.inside(lambda: spawn([self.reference, *words], log))
        else:
            self.pid = os.fork()
            if self.pid == 0:
                os.setsid()  # as for the reference: what it does to its group is not for us
                self.namespace.enter()
                os.dup2(log, 1)
                os.dup2(log, 2)
                os.closerange(3, 4096)  # listening sockets are not for daemons to keep open
                os._exit(command.main(words))
        os.close(log)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def reload(self) -> None:
        os.kill(self.pid, signal.SIGHUP)

    def stop(self) -> None:
        if os.waitpid(self.pid, os.WNOHANG)[0]:
            self.pid = 0  # it has given up by itself
        else:
            os.kill(self.pid, signal.SIGTERM)

    def wait(self) -> None:
        if self.pid:
            os.waitpid(self.pid, 0)

    def close(self) -> None:
        self.netlink.close()
        self.namespace.close()

    def ip(self, lines: str) -> None:
        """Lines for ip(8), in the namespace."""
        self.namespace.inside(
            lambda: subprocess.run(["ip", "-force", "-batch", "-"], input=lines + "\n", text=True, check=True)
        )

    def held(self) -> list[Any]:
        """What IPVS holds, without what counts connections: all that the kernel says, and quickly."""
        found = []
        for payload in list(self.netlink.dump(wire.GET_SERVICE)):
            service = wire.inner(payload, 1)
            family, protocol, address, port, mark = wire.read_service_key(service)
            key = wire.service_key(family, protocol, address, port, mark)
            answers = self.netlink.dump(wire.GET_DEST, wire.named(key))
            destinations = sorted(_facts(wire.inner(answer, 2)) for answer in list(answers))
            found.append((_facts(service), destinations))
        return sorted(found)


def spawn(words: list[str], log: int) -> int:
    """Start a program without copying this process."""
    moves = [(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)]
    return os.posix_spawn(words[0], words, os.environ, file_actions=moves, setsid=True)


def _facts(attributes: dict[int, bytes]) -> list[tuple[int, str]]:
    return sorted((kind, data.hex()) for kind, data in attributes.items() if kind not in STATISTICS)


def shown(run: Run, *words: str) -> list[str]:
    """What ipvsadm says; every start of a program costs a lot here."""
    path = run.folder / "shown"
    output = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC)
    pid = run.namespace.inside(lambda: spawn([IPVSADM, *(words or ("-Sn",))], output))
    os.close(output)
    assert os.waitpid(pid, 0)[1] == 0
    return sorted(path.read_text().splitlines())
