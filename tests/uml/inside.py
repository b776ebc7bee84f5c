"""Runs in the test kernel: every scenario with both daemons, and what IPVS held after each step.

    inside.py REFERENCE OUTPUT.json [NAME ...]

IPVS is a matter of the network namespace, so that each daemon of each scenario has one of its own, and many
run at a time. evener is forked from this process, which has imported it once: imports are slow here. After
each step both get a while to do the same, and then ``ipvsadm -Sn`` is the judge.
"""

from __future__ import annotations

import ctypes
import fcntl
import gc
import json
import os
import select
import shutil
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ipvs_scenarios import SCENARIOS, Scenario

from evener.cli import keepalived as command
from evener.cli import keepalived_args
from evener.host import checker_process
from evener.host.netlink.generic import GenericSocket
from evener.wire import ipvs as wire

AT_ONCE = 28
SETTLED_S, PATIENCE_S = 2.3, 40.0
CLONE_NEWNET, SIOCSIFFLAGS, IFF_UP = 0x40000000, 0x8914, 1
LIBC = ctypes.CDLL(None)
T = TypeVar("T")
HOME = Path("/run/lvs")
IPVSADM = shutil.which("ipvsadm") or ""
STATISTICS = {7, 8, 9, 10, 12}
"""Attributes of services (10, 12) and destinations that count connections."""


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
    """Listening sockets in namespaces; whoever connects is let go at once."""

    def __init__(self) -> None:
        self._open: dict[tuple[Namespace, int], socket.socket] = {}
        self._epoll = select.epoll()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            for descriptor, _ in self._epoll.poll():
                for listener in list(self._open.values()):
                    if listener.fileno() == descriptor:
                        try:
                            listener.accept()[0].close()
                        except OSError:
                            pass

    def open(self, namespace: Namespace, port: int) -> None:
        def listen() -> socket.socket:
            return socket.create_server(("127.0.0.1", port), backlog=32)

        made = namespace.inside(listen)
        made.setblocking(False)
        self._open[namespace, port] = made
        self._epoll.register(made.fileno(), select.EPOLLIN)

    def close(self, namespace: Namespace, port: int) -> None:
        made = self._open.pop((namespace, port))
        self._epoll.unregister(made.fileno())
        made.close()


class Run:
    """One daemon of a scenario."""

    def __init__(self, scenario: Scenario, who: str, number: int, reference: str) -> None:
        self.namespace = Namespace()
        self.folder = HOME / f"{who}{number}"
        self.folder.mkdir(parents=True)
        self.file = self.folder / "k.conf"
        self.reference = reference if who == "r" else ""
        self.pid = 0
        self.netlink = self.namespace.inside(lambda: GenericSocket(wire.GENL_NAME, wire.GENL_VERSION))
        self.write(scenario.configuration())

    def write(self, text: str) -> None:
        self.file.write_text(text)

    def start(self) -> None:
        words = ["-n", "-l", "-D", "-G", "-f", str(self.file)]
        for option, name in (("-p", "parent"), ("-r", "vrrp"), ("-c", "checkers")):
            words += [option, str(self.folder / f"{name}.pid")]
        log = os.open(self.folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC)
        if self.reference:
            self.pid = self.namespace.inside(lambda: spawn([self.reference, *words], log))
        else:
            self.pid = os.fork()
            if self.pid == 0:
                self.namespace.enter()
                os.dup2(log, 1)
                os.dup2(log, 2)
                os.closerange(3, 4096)  # listening sockets are not for daemons to keep open
                os._exit(command.main(words))
        os.close(log)

    def reload(self) -> None:
        os.kill(self.pid, signal.SIGHUP)

    def stop(self) -> None:
        os.kill(self.pid, signal.SIGTERM)

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
    return os.posix_spawn(words[0], words, os.environ, file_actions=moves)


def _facts(attributes: dict[int, bytes]) -> list[tuple[int, str]]:
    return sorted((kind, data.hex()) for kind, data in attributes.items() if kind not in STATISTICS)


class Pair:
    """A scenario with both daemons."""

    def __init__(self, scenario: Scenario, number: int, reference: str) -> None:
        self.scenario = scenario
        self.runs = [Run(scenario, who, number, reference) for who in "re"]
        self.steps: list[tuple[str, list[Any], list[Any]]] = []

    def same(self) -> bool:
        first, second = (run.held() for run in self.runs)
        return first == second

    def note(self, step: str) -> None:
        reference, ours = (run.held() for run in self.runs)
        self.steps.append((step, reference, ours))

    def do(self, step: str, ports: Ports) -> None:
        word, _, port = step.partition(" ")
        for run in self.runs:
            if word == "reload":
                run.write(self.scenario.configuration(again=True))
                run.reload()
            elif word == "down":
                ports.close(run.namespace, int(port))
            elif word == "up":
                ports.open(run.namespace, int(port))


def judge(pairs: list[Pair]) -> None:
    """``ipvsadm -Sn`` of all, at the end only: every start of a program costs a lot here."""
    for pair in pairs:
        reference, ours = (shown(run) for run in pair.runs)
        pair.steps.append(("ipvsadm", reference, ours))


def shown(run: Run) -> list[str]:
    path = run.folder / "shown"
    output = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC)
    pid = run.namespace.inside(lambda: spawn([IPVSADM, "-Sn"], output))
    os.close(output)
    assert os.waitpid(pid, 0)[1] == 0
    return sorted(path.read_text().splitlines())


def settle(pairs: list[Pair]) -> None:
    """Wait until both daemons of every pair hold the same, but not for ever."""
    time.sleep(SETTLED_S)
    limit = time.monotonic() + PATIENCE_S - SETTLED_S
    while time.monotonic() < limit and not all(pair.same() for pair in pairs):
        time.sleep(0.2)


BEGAN = time.monotonic()


def say(what: str) -> None:
    print(f"{time.monotonic() - BEGAN:6.1f} {what}", flush=True)


def batch(scenarios: list[Scenario], first: int, reference: str, ports: Ports) -> list[Pair]:
    pairs = [Pair(scenario, first + index, reference) for index, scenario in enumerate(scenarios)]
    for pair in pairs:
        for run in pair.runs:
            for port in pair.scenario.ports:
                ports.open(run.namespace, port)
            run.start()
    say(f"{len(pairs)} scenarios run")
    settle(pairs)
    say("settled")
    for pair in pairs:
        pair.note("start")
    say("noted")
    for turn in range(max(len(pair.scenario.steps) for pair in pairs)):
        moved = [pair for pair in pairs if turn < len(pair.scenario.steps)]
        for pair in moved:
            pair.do(pair.scenario.steps[turn], ports)
        settle(moved)
        say(f"turn {turn} settled")
        for pair in moved:
            pair.note(pair.scenario.steps[turn])
        say("noted")
    judge(pairs)
    say("judged")
    for run in (run for pair in pairs for run in pair.runs):
        run.stop()
    for run in (run for pair in pairs for run in pair.runs):
        os.waitpid(run.pid, 0)
    for pair in pairs:
        pair.note("stop")
    say("stopped")
    return pairs


def warm_up() -> None:
    """What every copy of this process would do first, done once."""
    file = HOME / "warm-up.conf"
    HOME.mkdir(parents=True, exist_ok=True)
    file.write_text(SCENARIOS[-1].configuration())
    plan, _ = command.runnable(keepalived_args.parse(["-f", str(file)]), lambda line: None)
    assert plan is not None and plan.checker.virtual_servers
    checker_process.preload()
    gc.collect()
    gc.freeze()


def main() -> None:
    say("imported")
    reference, output, *names = sys.argv[1:]
    warm_up()
    chosen = [each for each in SCENARIOS if not names or each.name in names]
    ports = Ports()
    results = {}
    for start in range(0, len(chosen), AT_ONCE):
        for pair in batch(chosen[start : start + AT_ONCE], start, reference, ports):
            logs = [(run.folder / "log").read_text(errors="replace") for run in pair.runs]
            results[pair.scenario.name] = {"steps": pair.steps, "logs": logs}
    Path(output).write_text(json.dumps(results))


main()
