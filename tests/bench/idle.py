"""Memory of idle keep-alive connections: how much more a proxy holds with 10,000 clients than with none.

    .venv/bin/python tests/bench/idle.py [--connections N] [program ...]

Every client sends one request, reads its answer and stays. What is quoted is the proportional set size of the
proxy's processes (shared pages are divided among those who have them). Programs are ``evener`` and
``haproxy`` (Debian's, or the binary named by EVENER_BENCH_HAPROXY).
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from run import EVENER, descendants, stop, wait_listening

PORT, ORIGIN = 18720, 18721
CONFIG = f"""
global
    nbthread {{threads}}
    maxconn {{maxconn}}
defaults
    mode http
    timeout connect 5s
    timeout client 300s
    timeout server 300s
    http-reuse always
listen l
    bind 127.0.0.1:{PORT}
    acl host_ours hdr(host) -i example.org
    http-request set-header x-forwarded-proto http if host_ours
    server s 127.0.0.1:{ORIGIN}
"""
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 1024\r\n\r\n" + b"a" * 1024
REQUEST = b"GET / HTTP/1.1\r\nhost: example.org\r\nuser-agent: idle\r\naccept: */*\r\n\r\n"
PER_ADDRESS = 4000  # connections from one source address: ports are finite


def serve(listening: socket.socket) -> None:
    """An origin: one answer for each head, one thread for each connection (there are few)."""

    def one(peer: socket.socket) -> None:
        with peer:
            while peer.recv(65536):
                peer.sendall(ANSWER)

    while True:
        peer, _ = listening.accept()
        threading.Thread(target=one, args=(peer,), daemon=True).start()


def memory(pid: int) -> int:
    """Bytes of the process and its children, shared ones divided among their holders."""
    total = 0
    for process in descendants(pid):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total


def idle_client(number: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
    made.bind((f"127.0.1.{1 + number // PER_ADDRESS}", 0))
    made.connect(("127.0.0.1", PORT))
    made.sendall(REQUEST)
    left = len(ANSWER)
    while left > 0:
        got = made.recv(4096)
        if not got:
            raise SystemExit(f"client {number} was closed")
        left -= len(got)
    return made


def growth(program: str, connections: int, threads: int = 1) -> tuple[int, int]:
    """Bytes at rest, and bytes more with so many idle clients."""
    with tempfile.NamedTemporaryFile("w", suffix=".cfg") as config:
        config.write(CONFIG.format(threads=threads, maxconn=connections + 100))
        config.flush()
        process = subprocess.Popen(
            [program, "-db", "-f", config.name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            wait_listening(PORT, process)
            first = [idle_client(number) for number in range(16)]
            time.sleep(0.5)
            base = memory(process.pid)
            clients = [idle_client(number) for number in range(connections)]
            time.sleep(1.0)
            grown = memory(process.pid) - base
            for client in (*first, *clients):
                client.close()
        finally:
            stop(process)
    return base, grown


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("programs", nargs="*", default=["evener", "haproxy"])
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    reference = os.environ.get("EVENER_BENCH_HAPROXY") or shutil.which("haproxy", path="/usr/sbin:/usr/bin")
    listening = socket.create_server(("127.0.0.1", ORIGIN), backlog=256)
    threading.Thread(target=serve, args=(listening,), daemon=True).start()
    for name in options.programs:
        program = str(EVENER) if name == "evener" else reference
        if program is None:
            raise SystemExit("no HAProxy to compare with")
        # HAProxy wants two descriptors for each connection it may have, whatever it does with them
        count = min(options.connections, most - 300 if name == "evener" else (most - 300) // 2)
        base, grown = growth(program, count, options.threads)
        each = grown / count
        print(
            f"{name:8} base {base / 1e6:6.1f} MB, {count} idle: +{grown / 1e6:5.1f} MB,"
            f" {each:,.0f} bytes each"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
