"""What health checks cost keepalived and evener, one after the other, in a kernel with IPVS.

    python tests/bench/checks_beside.py [--kind tcp|http] [--checks N] [--interval S] [--seconds S] PROGRAM...

Each program (a keepalived, by its path) runs the same configuration: one virtual server, N real servers on
127/8 addresses that a process of the benchmark serves. Printed are connections per second as the servers saw
them, the CPU of the program's processes per check, and their memory.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from checks import raise_limit, serve

TICKS = os.sysconf("SC_CLK_TCK")
KINDS = {"tcp": "TCP_CHECK {\n}", "http": "HTTP_GET {\nurl {\npath /\n}\n}"}
PATIENCE_S = 120


def configuration(kind: str, count: int, interval: float, port: int) -> str:
    hosts = (f"127.{1 + (n >> 16)}.{n >> 8 & 255}.{n & 255}" for n in range(1, count + 1))
    servers = "".join(f"real_server {host} {port} {{\n{KINDS[kind]}\n}}\n" for host in hosts)
    head = f"protocol TCP\nlvs_sched rr\nlvs_method NAT\ndelay_loop {interval:g}\nconnect_timeout 10\n"
    return f"virtual_server 10.9.0.1 80 {{\n{head}{servers}}}\n"


def family(parent: int) -> list[int]:
    """A process and those that it made."""
    made, found = [parent], [parent]
    while made:
        pid = made.pop()
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:
            continue
        made += map(int, children)
        found += map(int, children)
    return found


def spent(pids: list[int]) -> float:
    """Seconds of CPU so far."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def megabytes(pids: list[int]) -> float:
    """What belongs to the processes alone, and their part of what they share."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            total += int(line.split()[1]) if line.startswith("Pss:") else 0
    return total / 1024


def accepted() -> int:
    """Connections that this machine has taken: what TCP counts as passively opened."""
    names, values = [
        line.split() for line in Path("/proc/net/snmp").read_text().splitlines() if line.startswith("Tcp:")
    ]
    return int(values[names.index("PassiveOpens")])


def measure(program: str, config: Path, given: argparse.Namespace) -> str:
    log = config.with_suffix(".log")
    with log.open("wb") as out:
        process = subprocess.Popen(
            [program, "-n", "-l", "-f", str(config), "-p", f"{config}.pid"], stdout=out, stderr=out
        )
    try:
        end = time.monotonic() + PATIENCE_S
        while b"Activating healthchecker" not in log.read_bytes():
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"{program} does not run: {log.read_text()[-2000:]}")
            time.sleep(0.2)
        time.sleep(given.interval + 2)
        pids = family(process.pid)
        before, opened, began = spent(pids), accepted(), time.monotonic()
        time.sleep(given.seconds)
        seconds = time.monotonic() - began
        cpu, checks = spent(pids) - before, accepted() - opened
        memory = megabytes(pids)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
    each = 1e6 * cpu / max(1, checks)
    return f"{checks / seconds:7.1f} checks/s {each:6.0f} us of CPU each {memory:6.1f} MB  {program}"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind", choices=KINDS, default="tcp")
    parser.add_argument("--checks", type=int, default=500)
    parser.add_argument("--interval", type=float, default=5)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("program", nargs="+")
    given = parser.parse_args()
    raise_limit()
    listening = socket.create_server(("", 0), backlog=4096)
    listening.setblocking(False)
    child = os.fork()
    if child == 0:
        serve(listening, given.kind, 0)
    with tempfile.TemporaryDirectory() as home:
        config = Path(home) / "k.conf"
        port = listening.getsockname()[1]
        config.write_text(configuration(given.kind, given.checks, given.interval, port))
        try:
            for program in given.program:
                print(measure(program, config, given), flush=True)
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
