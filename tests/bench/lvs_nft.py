"""What virtual servers on nftables cost: loading, changing, counting, and each new connection.

    .venv/bin/python tests/bench/lvs_nft.py [--services N] [--servers N]

Runs in a network namespace of its own (root). CPU seconds are of this process, with the kernel's work in its
system calls. For a connection it is the time from connect() until it is accepted, over loopback, with and
without the rules, with one service or all of them; a tenth of the connections were faster than that.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from evener.host.nft.engine import NftEngine
from evener.keepalived.lvs.ipvs import (
    AddDestination,
    AddService,
    Change,
    DeleteDestination,
    Destination,
    DestinationKey,
    Service,
    ServiceKey,
    SetDestination,
)
from evener.keepalived.vrrp.plan import Family

CONNECTIONS = 2000


def address(start: int, number: int) -> bytes:
    return (start + number).to_bytes(4, "big")


def service_key(number: int) -> ServiceKey:
    return ServiceKey(Family.INET, socket.IPPROTO_TCP, address(0x0A000001, number), 80)


def destination(service: int, number: int, servers: int, weight: int) -> Destination:
    where = DestinationKey(Family.INET, address(0x0B000001, service * servers + number), 80)
    return Destination(where, weight=weight)


def configuration(services: int, servers: int) -> list[Change]:
    changes: list[Change] = []
    for at in range(services):
        key = service_key(at)
        changes.append(AddService(Service(key, "wrr")))
        changes += [AddDestination(key, destination(at, n, servers, 1 + n)) for n in range(servers)]
    return changes


def timed(what: str, action: Callable[[], Any]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    print(f"{what:<52} {time.process_time() - cpu:8.3f} s CPU {time.perf_counter() - wall:8.3f} s")


def loads(services: int, servers: int) -> None:
    engine = NftEngine()
    everything = configuration(services, servers)
    middle = services // 2

    def weigh(weight: int) -> list[Change]:
        return [SetDestination(service_key(middle), destination(middle, 0, servers, weight))]

    print(f"{services} services, {servers} real servers each, in one transaction:")
    timed("load", lambda: engine.apply(everything))
    timed("one weight changes", lambda: engine.apply(weigh(9)))
    lost = [DeleteDestination(service_key(at), destination(at, 0, servers, 1).key) for at in range(services)]
    timed("a tenth of the services lose a server", lambda: engine.apply(lost[: services // 10]))
    timed("the others lose one, too", lambda: engine.apply(lost[services // 10 :]))
    timed("counters of all of them are read", engine.traffic)
    timed("all are removed", engine.flush)
    engine.close()


def connections(services: int) -> None:
    """To a server on this machine, so that nothing else is measured."""
    listener = socket.create_server(("127.0.0.2", 80), backlog=64)
    print(f"\n{CONNECTIONS} connections over loopback, each:")
    print(f"{'no rules':<52} {connection(listener, '127.0.0.2'):8.1f} us")
    for count in (1, services):
        engine = NftEngine()
        key = ServiceKey(Family.INET, socket.IPPROTO_TCP, socket.inet_aton("127.0.0.3"), 80)
        here = Destination(DestinationKey(Family.INET, socket.inet_aton("127.0.0.2"), 80))
        engine.apply([*configuration(count, 1), AddService(Service(key, "rr")), AddDestination(key, here)])
        print(f"{f'through one of {count + 1} services':<52} {connection(listener, '127.0.0.3'):8.1f} us")
        engine.flush()
        engine.close()
    listener.close()


def connection(listener: socket.socket, to: str) -> float:
    """Microseconds."""
    taken = []
    for _ in range(CONNECTIONS):
        start = time.perf_counter()
        with socket.create_connection((to, 80)):
            accepted, _ = listener.accept()
            taken.append(time.perf_counter() - start)
            accepted.close()
    return statistics.quantiles(taken, n=10)[0] * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--services", type=int, default=5000)
    parser.add_argument("--servers", type=int, default=4)
    options = parser.parse_args()
    if os.environ.get("EVENER_BENCH_INSIDE") is None:
        again = [sys.executable, __file__, f"--services={options.services}", f"--servers={options.servers}"]
        environment = {**os.environ, "EVENER_BENCH_INSIDE": "1"}
        raise SystemExit(subprocess.run(["unshare", "-n", *again], env=environment, check=False).returncode)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    loads(options.services, options.servers)
    connections(options.services)


if __name__ == "__main__":
    main()
