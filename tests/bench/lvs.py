"""Loading and reloading many virtual servers, beside keepalived, in the kernel of tests/uml.

    python tests/bench/lvs.py [--virtual 5000] [--real 4] [--keepalived PROGRAM] [--rounds 2]

Printed for each daemon: seconds from its start until the last real server is in IPVS, from the signal until a
reload has added one more virtual server, until it has ended, and the memory of its processes. Real servers
have no checks: that is tests/bench/checks.py. In that kernel system calls cost much more than elsewhere, and
so do new pages of memory. Daemons take turns; run it beside nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PATIENCE_S = 300.0
FIELDS = ("load_s", "reload_s", "stop_s", "memory_kib")


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

    def wait_for(self, index: int, real: int) -> float:
        """Seconds until it has."""
        began = time.monotonic()
        while not self.holds(index, real):
            if time.monotonic() - began > PATIENCE_S:
                raise TimeoutError("not loaded")
            time.sleep(0.05)
        return time.monotonic() - began


def measure(program: list[str], virtual: int, real: int) -> dict[str, float]:
    """In the kernel: one life of one daemon."""
    ipvs = Ipvs()
    ipvs.engine.flush()
    file = Path("/run/bench.conf")
    file.write_text(configuration(virtual, real))
    words = ["-n", "-G", "-f", str(file), "-p", "/run/bench.1", "-r", "/run/bench.2", "-c", "/run/bench.3"]
    process = subprocess.Popen([*program, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found = {"load_s": ipvs.wait_for(virtual - 1, real)}
    time.sleep(2)  # it may have more to do
    found["memory_kib"] = memory_kib(process.pid)
    file.write_text(configuration(virtual + 1, real))
    os.kill(process.pid, signal.SIGHUP)
    found["reload_s"] = ipvs.wait_for(virtual, real)
    time.sleep(2)
    began = time.monotonic()
    process.terminate()
    process.wait(PATIENCE_S)
    found["stop_s"] = time.monotonic() - began
    return found


def inside(output: str, programs: list[list[str]], virtual: int, real: int, rounds: int) -> None:
    found: list[list[dict[str, float]]] = [[] for _ in programs]
    for _ in range(rounds):
        for place, program in enumerate(programs):
            found[place].append(measure(program, virtual, real))
    Path(output).write_text(json.dumps(found))


def best(lives: list[dict[str, float]]) -> dict[str, float]:
    return {field: min(life[field] for life in lives) for field in FIELDS}


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
        words = [sys.executable, *sys.argv, "--inside", f"{kernel.WINDOW}/found.json"]
        status = kernel.run(words, Path(name), seconds=1800, memory="1200M")
        if status:
            sys.exit(f"{shlex.join(words)}: {status}\n{Path(name, 'output').read_text()[-2000:]}")
        reference, ours = map(best, json.loads(Path(name, "found.json").read_text()))
    print(f"{options.virtual} virtual servers with {options.real} real servers each")
    print(f"{'':12}{'keepalived':>12}{'evener':>12}{'ratio':>8}")
    for field in FIELDS:
        print(f"{field:12}{reference[field]:12.2f}{ours[field]:12.2f}{reference[field] / ours[field]:8.2f}")


main()
