"""A long run at full load while servers are killed and started again at random.

    .venv/bin/python tests/bench/soak.py [--minutes 30] [--program haproxy]

Three origins, each a process of its own, are killed (SIGKILL) and started again soon after, one at a time.
Clients ask for small bodies and long ones, and post some; every answer is looked at. What may be lost is what
HAProxy would lose: a request whose server died after it had been sent. So an answer is right, or a 502, 503
or 504, or it ends early, and the last three happen only around a kill: their share is bounded by what was in
flight then. At the end the proxy's memory and descriptors are where they were after the first minute.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from idle import memory
from run import EVENER, descendants, stop, wait_listening

PORTS = (18741, 18742, 18743)
PORT = 18740
CLIENTS = 24
CONFIG = """
global
    nbthread 2
    maxconn 500
defaults
    mode http
    timeout connect 1s
    timeout client 10s
    timeout server 10s
    timeout queue 2s
    retries 3
    option redispatch 1
frontend f
    bind 127.0.0.1:{port}
    http-request set-header x-from %[src]
    http-request set-var(txn.path) path
    http-response set-header x-path %[var(txn.path)]
    default_backend b
backend b
    balance leastconn
    default-server check inter 200ms fall 1 rise 1 on-marked-down shutdown-sessions
    server a 127.0.0.1:{ports[0]}
    server b 127.0.0.1:{ports[1]}
    server c 127.0.0.1:{ports[2]}
"""


def origin(port: int) -> None:
    """An origin's life: ``/n`` is answered with n bytes, a POST with as many as it had."""

    def serve(peer: socket.socket) -> None:
        data = b""
        with peer, contextlib.suppress(OSError):
            while True:
                while b"\r\n\r\n" not in data:
                    got = peer.recv(65536)
                    if not got:
                        return
                    data += got
                head, _, data = data.partition(b"\r\n\r\n")
                length = 0
                for line in head.lower().split(b"\r\n"):
                    if line.startswith(b"content-length:"):
                        length = int(line[15:])
                while len(data) < length:
                    got = peer.recv(65536)
                    if not got:
                        return
                    data += got
                data = data[length:]
                path = head.split(b" ")[1]
                size = length or (int(path[1:]) if path[1:].isdigit() else 2)
                peer.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + b"x" * size)

    with socket.create_server(("127.0.0.1", port), backlog=256) as listening:
        while True:
            peer, _ = listening.accept()
            threading.Thread(target=serve, args=(peer,), daemon=True).start()


class Farm:
    """The origins, one of which is down at any time, more or less."""

    def __init__(self) -> None:
        self.running: dict[int, subprocess.Popen[bytes]] = {}
        self.kills = 0
        for port in PORTS:
            self.start(port)

    def start(self, port: int) -> None:
        self.running[port] = subprocess.Popen([sys.executable, __file__, "--origin", str(port)])

    def kill(self, port: int) -> None:
        process = self.running.pop(port)
        process.kill()
        process.wait()
        self.kills += 1

    def stop(self) -> None:
        for port in list(self.running):
            self.kill(port)


class Client(threading.Thread):
    """Asks as fast as it is answered, mostly on one connection."""

    def __init__(self, until: float, seed: int) -> None:
        super().__init__(daemon=True)
        self.until, self.random = until, random.Random(seed)
        self.outcomes: Counter[str] = Counter()

    def run(self) -> None:
        while time.monotonic() < self.until:
            try:
                with socket.create_connection(("127.0.0.1", PORT), timeout=15) as peer:
                    while time.monotonic() < self.until and self.once(peer):
                        pass
            except OSError as error:
                self.outcomes[f"refused: {error}"] += 1

    def once(self, peer: socket.socket) -> bool:
        """One request; whether the connection goes on."""
        size = self.random.choice((10, 1000, 1000, 1000, 20_000, 300_000))
        try:
            if self.random.random() < 0.2:
                peer.sendall(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % size + b"y" * size)
            else:
                peer.sendall(b"GET /%d HTTP/1.1\r\nhost: a\r\n\r\n" % size)
            data = b""
            while b"\r\n\r\n" not in data:
                got = peer.recv(65536)
                if not got:
                    self.outcomes["closed" if not data else "cut in the head"] += 1
                    return False
                data += got
            head, _, body = data.partition(b"\r\n\r\n")
            return self.judge(peer, head, body, size)
        except TimeoutError:
            self.outcomes["nothing for 15 seconds"] += 1
        except OSError:
            self.outcomes["reset"] += 1
        return False

    def judge(self, peer: socket.socket, head: bytes, body: bytes, size: int) -> bool:
        status = head[9:12].decode()
        if status != "200":
            self.outcomes[status] += 1
            return False
        have = len(body)
        while have < size:
            got = peer.recv(262144)
            if not got:
                self.outcomes["cut in the body"] += 1
                return False
            have += len(got)
        self.outcomes["right" if have == size else "too long"] += 1
        return have == size and self.random.random() > 0.02


#: What may happen to a request whose server is killed. Anything else is a defect.
EXCUSED = {"502", "503", "504", "cut in the body", "closed", "reset"}


def descriptors(pid: int) -> int:
    return sum(len(os.listdir(f"/proc/{process}/fd")) for process in descendants(pid))


def soak(program: str, seconds: float) -> tuple[Counter[str], int, dict[str, tuple[int, int]]]:
    """What the clients saw, how many servers were killed, and memory and descriptors early and at the end."""
    with tempfile.NamedTemporaryFile("w", suffix=".cfg") as config:
        config.write(CONFIG.format(port=PORT, ports=PORTS))
        config.flush()
        farm = Farm()
        process = subprocess.Popen(
            [program, "-db", "-f", config.name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            wait_listening(PORT, process)
            time.sleep(1)
            end = time.monotonic() + seconds
            clients = [Client(end, seed) for seed in range(CLIENTS)]
            for client in clients:
                client.start()
            early = trouble(farm, process.pid, end, settle=min(60.0, seconds / 3))
            for client in clients:
                client.join(30)
            time.sleep(1)
            late = memory(process.pid), descriptors(process.pid)
            assert process.poll() is None, "the proxy ended"
        finally:
            stop(process)
            farm.stop()
    seen = sum((client.outcomes for client in clients), Counter[str]())
    return seen, farm.kills, {"memory": (early[0], late[0]), "descriptors": (early[1], late[1])}


def trouble(farm: Farm, pid: int, end: float, settle: float) -> tuple[int, int]:
    """Kill and start again until the end; memory and descriptors when all had settled."""
    chance, early, settled = random.Random(1), (0, 0), time.monotonic() + settle
    while time.monotonic() < end - 1:
        port = chance.choice(PORTS)
        time.sleep(chance.uniform(0.5, 2))
        farm.kill(port)
        time.sleep(chance.uniform(0.2, 1))
        farm.start(port)
        time.sleep(0.5)
        if not early[0] and time.monotonic() > settled:
            early = memory(pid), descriptors(pid)
    return early if early[0] else (memory(pid), descriptors(pid))


def verdict(seen: Counter[str], kills: int, held: dict[str, tuple[int, int]]) -> list[str]:
    """What is wrong, in words; empty when all is well."""
    wrong = [f"{count} x {what}" for what, count in seen.items() if what not in EXCUSED and what != "right"]
    excused = sum(count for what, count in seen.items() if what in EXCUSED)
    if excused > kills * CLIENTS:
        wrong.append(f"{excused} requests were lost with {kills} kills and {CLIENTS} clients")
    if seen["right"] < 100:
        wrong.append(f"only {seen['right']} requests were answered")
    before, after = held["memory"]
    if after > before * 1.2 + 8_000_000:
        wrong.append(f"memory grew from {before} to {after} bytes")
    before, after = held["descriptors"]
    if after > before + 10:
        wrong.append(f"descriptors grew from {before} to {after}")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--program", default=str(EVENER))
    parser.add_argument("--origin", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.origin:
        origin(options.origin)
    seen, kills, held = soak(options.program, options.minutes * 60)
    print(f"{dict(seen)}, {kills} servers killed, {held}")
    wrong = verdict(seen, kills, held)
    print("\n".join(wrong) or "all well")
    return bool(wrong)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    sys.exit(main())
