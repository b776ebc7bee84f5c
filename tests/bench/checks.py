"""Ten thousand health checks in one process: how late each of them begins, and what they cost.

    python tests/bench/checks.py [--kind tcp|http|ssl] [--checks N] [--interval S] [--hold S] [--seconds S]

The targets are 127/8 addresses served by another process, so that every check has a server of its own.
``--hold`` is how long the target waits before it answers: the longer, the more checks are open at once (the
most are told; the warm-up then counts). Printed are the lateness of beginnings (median, 99th percentile,
worst) as part of the interval, wanted below 5 %, checks per second, and the CPU of the checking process.
Run it beside nothing else, or with ``chrt -r 20`` before it.
"""

from __future__ import annotations

import argparse
import os
import resource
import select
import socket
import ssl
import sys
import time
from collections import deque
from pathlib import Path

from evener.host.checks import house, task
from evener.host.reactor import Reactor
from evener.keepalived.arguments import SECOND
from evener.keepalived.lvs.check_plan import Check, Probe, Timing
from evener.keepalived.lvs.ipvs import Service, ServiceKey
from evener.keepalived.lvs.plan import CheckerPlan, RealServer, VirtualServer
from evener.keepalived.lvs.probes import Credentials, Route, TcpProbe, Url, WebProbe
from evener.keepalived.vrrp.plan import Family

CERTIFICATE = Path(__file__).parents[2] / "fixtures" / "tls" / "server.pem"
ANSWER = b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"
REQUEST = b"GET / HTTP/1.0\r\nHost: bench\r\n\r\n"
DESCRIPTORS = 40000
WANTED_PERCENT = 5.0


def raise_limit() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, DESCRIPTORS), hard))


def serve(listening: socket.socket, kind: str, hold: float) -> None:
    """Answer every connection after ``hold`` seconds; ends when it is killed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    epoll, open_ = select.epoll(), {}
    waiting: deque[tuple[float, int]] = deque()
    epoll.register(listening, select.EPOLLIN)
    while True:
        for fd, _ in epoll.poll(0.05 if waiting else 1):
            if fd == listening.fileno():
                accept(listening, epoll, open_, context if kind == "ssl" else None)
            else:
                read(fd, epoll, open_, waiting, hold)
        while waiting and waiting[0][0] <= time.monotonic():
            answer(waiting.popleft()[1], epoll, open_)


def accept(
    listening: socket.socket, epoll: select.epoll, open_: dict, context: ssl.SSLContext | None
) -> None:
    for _ in range(256):
        try:
            made = listening.accept()[0]
        except BlockingIOError:
            return
        made.setblocking(False)
        if context is not None:
            made = context.wrap_socket(made, server_side=True, do_handshake_on_connect=False)
        open_[made.fileno()] = made
        epoll.register(made.fileno(), select.EPOLLIN)


def read(fd: int, epoll: select.epoll, open_: dict, waiting: deque, hold: float) -> None:
    try:
        data = open_[fd].recv(4096)
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return
    except OSError:
        data = b""
    if data and hold:
        epoll.modify(fd, 0)
        waiting.append((time.monotonic() + hold, fd))
    elif data:
        answer(fd, epoll, open_)
    else:
        close(fd, epoll, open_)


def answer(fd: int, epoll: select.epoll, open_: dict) -> None:
    try:
        open_[fd].send(ANSWER)
    except (OSError, KeyError):
        pass
    close(fd, epoll, open_)


def close(fd: int, epoll: select.epoll, open_: dict) -> None:
    made = open_.pop(fd, None)
    if made is not None:
        epoll.unregister(fd)
        made.close()


def plan_of(kind: str, port: int, count: int, interval: float, timeout: float) -> CheckerPlan:
    key = ServiceKey(Family.INET, socket.IPPROTO_TCP, bytes([10, 0, 0, 5]), 80)
    loop = int(interval * SECOND)
    timing = Timing(loop, 1, SECOND, loop)
    servers = []
    for number in range(count):
        address = bytes([127, 1 + (number >> 16), number >> 8 & 255, number & 255])
        route = Route(address, port, timeout_us=int(timeout * SECOND))
        tls = Credentials() if kind == "ssl" else None
        probe: Probe = TcpProbe("TCP_CHECK", route)
        if kind != "tcp":
            probe = WebProbe("SSL_GET" if tls else "HTTP_GET", route, (Url("/", REQUEST),), tls)
        servers.append(RealServer(address, port, f"rs{number}", checks=(Check(probe, timing),)))
    return CheckerPlan(virtual_servers=(VirtualServer("vs", "vs", (key,), Service(key), tuple(servers)),))


def measure(
    plan: CheckerPlan, interval: float, hold: float, seconds: float
) -> tuple[list[float], float, int, int]:
    """Lateness of each beginning after the warm-up, CPU seconds, failures, and the most open at once."""
    late: list[float] = []
    begin = task.Task.begin

    def timed(one: task.Task) -> None:
        assert one.timer is not None
        late.append(time.monotonic() - one.timer.when)
        begin(one)

    task.Task.begin = timed  # type: ignore[method-assign]
    reactor = Reactor()
    failed: list[str] = []
    made = house.CheckHouse(
        reactor, lambda name, report: None if report.up else failed.append(str(name)), lambda _: None
    )
    made.use(plan)
    warm = time.monotonic() + interval + 2
    while time.monotonic() < warm:
        reactor.turn(0.1)
    if late and hold < interval:
        late.clear()
    before, end, most, look = time.process_time(), time.monotonic() + seconds, 0, 0.0
    while time.monotonic() < end:
        reactor.turn(0.1)
        if time.monotonic() > look:
            most, look = max(most, len(os.listdir("/proc/self/fd"))), time.monotonic() + 1
    spent = time.process_time() - before
    made.close()
    return late, spent, len(failed), most


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind", choices=("tcp", "http", "ssl"), default="tcp")
    parser.add_argument("--checks", type=int, default=10000)
    parser.add_argument("--interval", type=float, default=10)
    parser.add_argument("--hold", type=float, default=0)
    parser.add_argument("--seconds", type=float, default=30)
    given = parser.parse_args()
    raise_limit()
    listening = socket.create_server(("", 0), backlog=4096)
    listening.setblocking(False)
    child = os.fork()
    if child == 0:
        serve(listening, given.kind, given.hold)
    port = listening.getsockname()[1]
    listening.close()
    try:
        plan = plan_of(given.kind, port, given.checks, given.interval, given.hold + 10)
        late, spent, failed, most = measure(plan, given.interval, given.hold, given.seconds)
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
    return tell(given, sorted(late), spent, failed, most)


def tell(given: argparse.Namespace, late: list[float], spent: float, failed: int, most: int) -> int:
    def part(share: float) -> float:
        return 100 * late[min(len(late) - 1, int(len(late) * share))] / given.interval

    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{given.checks} {given.kind} checks every {given.interval:g} s (answers held {given.hold:g} s):"
        f" {len(late) / given.seconds:.0f} checks/s, {1e6 * spent / max(1, len(late)):.0f} us of CPU each,"
        f" {100 * spent / given.seconds:.0f} % CPU, {megabytes:.0f} MB, {failed} failed\n"
        f"late by {part(0.5):.2f} % of the interval (median), {part(0.99):.2f} % (99th),"
        f" {part(1):.2f} % (worst); at most {most} open at once"
    )
    return 0 if late and part(1) < WANTED_PERCENT and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
