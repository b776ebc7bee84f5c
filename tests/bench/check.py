"""How long checking takes, and starting: evener and HAProxy in the same run, and the ratio of the two.

    .venv/bin/python tests/bench/check.py [--rounds N]

HAProxy is Debian's, or the binary named by EVENER_BENCH_HAPROXY. CPU seconds (user and system) and the
largest memory are what the kernel says of the ended process; start-up is wall time until a port
answers. Rounds are interleaved and the smallest of each is quoted, because anything above it is the
machine's other work. A ratio above 1 means that evener needs that many times what HAProxy needs.
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
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

EVENER = str(Path(sys.executable).parent / "haproxy")
HAPROXY = os.environ.get("EVENER_BENCH_HAPROXY", "/usr/sbin/haproxy")
PORT = 18790
HEAD = f"""\
global
    maxconn 1000
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend f
    bind 127.0.0.1:{PORT}
"""


def configuration(lines: int) -> Iterator[str]:
    """A file of about that many lines: a host per backend, four servers each."""
    yield HEAD
    hosts = max(1, (lines - 10) // 10)
    for n in range(hosts):
        yield f"    acl host{n} hdr(host) -i site{n}.example.com\n    use_backend b{n} if host{n}\n"
    for n in range(hosts):
        yield f"backend b{n}\n    balance roundrobin\n    option httpchk GET /health{n}\n"
        yield f'    http-request set-header X-Backend "b{n} %[src]" if {{ path_beg /x{n} }}\n'
        for s in range(4):
            yield f"    server s{s} 10.{n % 250}.{s}.1:80 check weight {s + 1} inter 2s\n"


@dataclass(frozen=True)
class Cost:
    seconds: float
    megabytes: float


def check(program: str, path: str) -> Cost:
    """``-c``: CPU seconds and memory."""
    pid = os.posix_spawn(program, [program, "-c", "-q", "-f", path], os.environ)
    _, status, usage = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{program} does not accept {path}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def start(program: str, path: str) -> Cost:
    """Wall time until the port answers."""
    begun = time.perf_counter()
    process = subprocess.Popen([program, "-db", "-q", "-f", path], stderr=subprocess.DEVNULL)
    try:
        while time.perf_counter() < begun + 20:
            try:
                socket.create_connection(("127.0.0.1", PORT), 1).close()
                return Cost(time.perf_counter() - begun, 0)
            except OSError:
                time.sleep(0.001)
        raise SystemExit(f"{program} does not listen")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


SCENARIOS: dict[str, tuple[int, Callable[[str, str], Cost]]] = {
    "check 50 lines": (50, check),
    "check 20,000 lines": (20_000, check),
    "check 100,000 lines": (100_000, check),
    "start to listening": (50, start),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        for name, (lines, measure) in SCENARIOS.items():
            path = Path(folder) / f"{lines}.cfg"
            path.write_text("".join(configuration(lines)), encoding="ascii")
            pairs = [(measure(EVENER, str(path)), measure(HAPROXY, str(path))) for _ in range(rounds)]
            ours, theirs = (min(side, key=lambda cost: cost.seconds) for side in zip(*pairs, strict=True))
            memory = f"  {ours.megabytes:.0f} MB against {theirs.megabytes:.0f}" if ours.megabytes else ""
            ratio = ours.seconds / max(theirs.seconds, 0.001)
            print(f"{name:<22} {ours.seconds:.3f} s against {theirs.seconds:.3f} s: {ratio:.1f}{memory}")


if __name__ == "__main__":
    main()
