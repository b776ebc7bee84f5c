"""Loading and reloading many virtual servers, beside keepalived, in the kernel of tests/uml.

    python tests/bench/lvs.py [--virtual 5000] [--real 4] [--keepalived PROGRAM] [--rounds 2]

Printed for each daemon: seconds from its start until the last real server is in IPVS, from the signal until a
reload has added one more virtual server (three times: the first one copies memory that processes shared),
from the signal to its end, and the memory of its processes. Real servers have no checks: that is
tests/bench/checks.py. In that kernel system calls cost much more than elsewhere, and so do new pages of
memory.

The seconds are those that the test kernel, which has one processor, has worked: what else this machine does
does not count (the time that passed is printed behind them, and says more where nothing else runs). Daemons
take turns, each life in a network namespace of its own: IPVS remembers servers that were removed, and looks
through them at each new one, so that what lived before would cost the next one dear.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

PATIENCE_S = 300.0
RELOADS = 3
PHASES = ("load", *(f"reload {turn + 1}" for turn in range(RELOADS)), "stop")
MARKS = Path("/run/window/marks")
"""In the kernel: a file for each moment whose time the outside is to note. It answers in the file."""
NEW_NAMESPACE = 0x40000000


def address(index: int) -> str:
    return f"10.{100 + index // 65536}.{index // 256 % 256}.{index % 256}"


def configuration(virtual: int, real: int) -> str:
    parts = []
    for index in range(virtual):
        lines = [f"virtual_server {address(index)} 80 {{", "lvs_sched wrr", "lvs_method NAT", "protocol TCP"]
        for number in range(real):
            lines += [f"real_server 10.200.{number}.{index % 250 + 1} 80 {{", f"weight {number + 1}", "}"]
        parts.append("\n".join([*lines, "}"]))
    return "\n".join(parts) + "\n"


def processes(root: int) -> list[int]:
    """A process and what descends from it."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                pass  # it has just ended
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def memory_kib(root: int) -> int:
    """Proportional set sizes: what processes share is counted once."""
    total = 0
    for pid in processes(root):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


class Ipvs:
    def __init__(self) -> None:
        from evener.host.netlink.ipvs import open_ipvs

        self.engine = open_ipvs()

    def holds(self, index: int, real: int) -> bool:
        """Whether a virtual server has all its real ones."""
        from evener.wire import ipvs as wire

        key = wire.service_key(socket.AF_INET, socket.IPPROTO_TCP, socket.inet_aton(address(index)), 80, 0)
        try:
            return len(list(self.engine._socket.dump(wire.GET_DEST, wire.named(key)))) == real
        except OSError:
            return False

    def wait_for(self, index: int, real: int) -> None:
        began = time.monotonic()
        while not self.holds(index, real):
            if time.monotonic() - began > PATIENCE_S:
                raise TimeoutError("not loaded")
            time.sleep(0.02)


def moment() -> tuple[float, float]:
    """Seconds of work of this kernel, and of the clock: only the outside knows the first."""
    mark = MARKS / str(len(list(MARKS.iterdir())))
    mark.touch()
    answer = mark.with_suffix(".answer")
    while True:
        with contextlib.suppress(OSError, ValueError):
            worked, passed = map(float, answer.read_text().split())
            return worked, passed
        time.sleep(0.002)


def measure(program: list[str], virtual: int, real: int) -> dict[str, float]:
    """In the kernel: one life of one daemon."""
    ipvs, found = Ipvs(), {}

    def note(phase: str, began: tuple[float, float]) -> None:
        ended = moment()
        found[phase], found[f"{phase}_passed"] = ended[0] - began[0], ended[1] - began[1]

    file = Path("/run/bench.conf")
    file.write_text(configuration(virtual, real))
    words = ["-n", "-G", "-f", str(file), "-p", "/run/bench.1", "-r", "/run/bench.2", "-c", "/run/bench.3"]
    began = moment()
    process = subprocess.Popen([*program, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ipvs.wait_for(virtual - 1, real)
    note("load", began)
    time.sleep(2)  # it may have more to do
    found["memory_kib"] = memory_kib(process.pid)
    for turn in range(RELOADS):
        file.write_text(configuration(virtual + 1 + turn, real))
        began = moment()
        os.kill(process.pid, signal.SIGHUP)
        ipvs.wait_for(virtual + turn, real)
        note(f"reload {turn + 1}", began)
        time.sleep(2)
    began = moment()
    process.terminate()
    process.wait(PATIENCE_S)
    note("stop", began)
    return found


def alone(program: list[str], virtual: int, real: int) -> dict[str, float]:
    """The same in a process with a network namespace of its own."""
    here, there = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ctypes.CDLL(None).unshare(NEW_NAMESPACE)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        there.sendall(json.dumps(measure(program, virtual, real)).encode())
        os._exit(0)
    there.close()
    found: dict[str, float] = json.loads(here.makefile().read())
    os.waitpid(pid, 0)
    return found


def inside(output: str, programs: list[list[str]], virtual: int, real: int, rounds: int) -> None:
    import evener.host.netlink.ipvs  # noqa: F401

    found: list[list[dict[str, float]]] = [[] for _ in programs]
    for _ in range(rounds):
        for place, program in enumerate(programs):
            found[place].append(alone(program, virtual, real))
    Path(output).write_text(json.dumps(found))


# -- outside --------------------------------------------------------------------------------------------


def worked_s(session: int) -> float:
    """Of all processes of a session, and what they have waited for."""
    ticks = 0
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
                if int(fields[3]) == session:
                    ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def answer(window: Path, ended: threading.Event) -> None:
    """Say what time it is, in the test kernel's work and by the clock, whenever it asks."""
    marks = window / "marks"
    marks.mkdir()
    answered = 0
    while not ended.wait(0.001):
        if (marks / str(answered)).exists():
            session = os.getsid(int((window / "uml" / "vm" / "pid").read_text()))
            passed = time.monotonic()
            made = marks / f"{answered}.new"
            made.write_text(f"{worked_s(session)} {passed}")
            made.rename(marks / f"{answered}.answer")
            answered += 2  # the answer is a file, too


def best(lives: list[dict[str, float]]) -> dict[str, float]:
    return {field: min(life[field] for life in lives) for field in lives[0]}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--virtual", type=int, default=5000)
    parser.add_argument("--real", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--keepalived", default="/usr/sbin/keepalived")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    options = parser.parse_args()
    programs = [[options.keepalived], [sys.executable, "-m", "evener.cli.keepalived"]]
    if options.inside:
        inside(options.inside, programs, options.virtual, options.real, options.rounds)
        return
    sys.path.insert(0, str(Path(__file__).parents[1] / "uml"))
    kernel: Any = __import__("kernel")
    if kernel.missing():
        sys.exit(kernel.missing())
    with tempfile.TemporaryDirectory(prefix="bench") as name:
        ended = threading.Event()
        threading.Thread(target=answer, args=(Path(name), ended)).start()
        words = [sys.executable, *sys.argv, "--inside", f"{kernel.WINDOW}/found.json"]
        status = kernel.run(words, Path(name), seconds=1800, memory="1200M")
        ended.set()
        if status:
            sys.exit(f"{shlex.join(words)}: {status}\n{Path(name, 'output').read_text()[-2000:]}")
        reference, ours = map(best, json.loads(Path(name, "found.json").read_text()))
    show(options.virtual, options.real, reference, ours)


def show(virtual: int, real: int, reference: dict[str, float], ours: dict[str, float]) -> None:
    print(f"{virtual} virtual servers with {real} real servers each: seconds of work (seconds passed)")
    print(f"{'':10}{'keepalived':>16}{'evener':>16}{'ratio':>8}")
    for phase in PHASES:
        shown = (f"{each[phase]:.2f} ({each[f'{phase}_passed']:.2f})" for each in (reference, ours))
        print(f"{phase:10}{next(shown):>16}{next(shown):>16}{reference[phase] / ours[phase]:8.2f}")
    first, second = reference["memory_kib"], ours["memory_kib"]
    print(f"{'memory':10}{first / 1024:>12.1f} MiB{second / 1024:>12.1f} MiB{first / second:8.2f}")


main()
