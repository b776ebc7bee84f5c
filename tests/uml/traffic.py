"""Runs in the test kernel: two directors with VRRP and LVS, two servers and a client on one segment.

    traffic.py OUTPUT.json

Who answered is noted, for every way of forwarding: as all is well, after a server has failed, after it has
recovered, and after the first director's link was cut while clients went on connecting.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from crowd import Crowd, Newcomers

from evener.cli import keepalived as command
from evener.cli import keepalived_args
from evener.cli.lvs import ask as control
from evener.host import checker_process, vrrp_process

T = TypeVar("T")
LIBC = ctypes.CDLL(None)
CLONE_NEWNET = 0x40000000
HOME = Path("/run/traffic")
CLIENT_NAT, CLIENT_DR = ("10.1.0.1", "fd00:1::1"), ("10.1.0.3", "fd00:1::3")
SERVICES = {
    f"{method} IPv{4 if family == socket.AF_INET else 6} {'TCP' if kind == socket.SOCK_STREAM else 'UDP'}": (
        method, family, kind
    )
    for method in ("NAT", "DR") for family in (socket.AF_INET, socket.AF_INET6)
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)
}  # fmt: skip
VIRTUAL = {"NAT": ("10.1.0.100", "fd00:1::100"), "DR": ("10.1.0.101", "fd00:1::101")}
GATEWAY = ("10.1.0.200", "fd00:1::200")
PORT, CHECKED = 80, 8080
LIMIT_S = 20.0
SETTLED_S = 0.1


def inside(name: str, made: Callable[[], T]) -> T:
    found: list[T] = []

    def work() -> None:
        with open(f"/run/netns/{name}") as file:
            assert LIBC.setns(file.fileno(), CLONE_NEWNET) == 0
        found.append(made())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return found[0]


def batch(lines: str, namespace: str | None = None) -> None:
    """Many commands of ip(8) in one process."""
    where = ["-n", namespace] if namespace else []
    subprocess.run(["ip", *where, "-force", "-batch", "-"], input=lines, text=True, check=True)


def build() -> None:
    names = ("c", "d1", "d2", "s1", "s2")
    batch("".join(f"netns add {name}\n" for name in names))
    batch("link add br0 type bridge\nlink set br0 up\nlink set lo up\n", "c")
    own = {"d1": 11, "d2": 12, "s1": 21, "s2": 22}
    for name, number in own.items():
        batch(f"link add {name} type veth peer name eth0 netns {name}\nlink set {name} master br0 up\n", "c")
        batch(
            f"link set lo up\nlink set eth0 up\naddress add 10.1.0.{number}/24 dev eth0\n"
            f"address add fd00:1::{number}/64 dev eth0 nodad\n",
            name,
        )
    batch("".join(f"address add {a}/{64 if ':' in a else 24} dev br0 {'nodad' if ':' in a else ''}\n"
                  for a in CLIENT_NAT + CLIENT_DR), "c")  # fmt: skip
    for name in ("d1", "d2"):
        settings(name, "ipv4/ip_forward=1 ipv6/conf/all/forwarding=1 ipv4/conf/all/send_redirects=0 "
                       "ipv4/conf/eth0/send_redirects=0 ipv4/vs/conntrack=0")  # fmt: skip
    for name in ("s1", "s2"):
        settings(name, "ipv4/conf/all/arp_ignore=1 ipv4/conf/all/arp_announce=2 "
                       "ipv4/conf/all/accept_redirects=0 ipv6/conf/all/accept_redirects=0 "
            "ipv6/conf/eth0/accept_redirects=0")  # fmt: skip
        batch(
            f"address add {VIRTUAL['DR'][0]}/32 dev lo\naddress add {VIRTUAL['DR'][1]}/128 dev lo nodad\n"
            f"route add {CLIENT_NAT[0]} via {GATEWAY[0]}\nroute add {CLIENT_NAT[1]} via {GATEWAY[1]}\n",
            name,
        )


def settings(namespace: str, words: str) -> None:
    def work() -> None:
        for word in words.split():
            path, _, value = word.partition("=")
            try:
                Path("/proc/sys/net", path).write_text(value)
            except OSError as error:
                print(word, error, flush=True)

    inside(namespace, work)


class Server:
    """Says its name to everybody; the port that is checked can be closed."""

    def __init__(self, name: str, number: int) -> None:
        self.name, self.epoll = name.encode(), select.epoll()
        self.sockets: dict[int, socket.socket] = {}
        places = [(socket.AF_INET, f"10.1.0.{number}"), (socket.AF_INET6, f"fd00:1::{number}")]
        places += [(socket.AF_INET, VIRTUAL["DR"][0]), (socket.AF_INET6, VIRTUAL["DR"][1])]
        for family, address in places:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                self.add(inside(name, lambda f=family, k=kind, a=address: bound(f, k, a, PORT)))  # type: ignore[misc]
        self.checked = self.add(inside(name, lambda: bound(socket.AF_INET, socket.SOCK_STREAM, "", CHECKED)))
        threading.Thread(target=self.serve, daemon=True).start()

    def add(self, made: socket.socket) -> socket.socket:
        self.sockets[made.fileno()] = made
        self.epoll.register(made.fileno(), select.EPOLLIN)
        return made

    def fail(self) -> None:
        self.epoll.unregister(self.checked.fileno())
        del self.sockets[self.checked.fileno()]
        self.checked.close()

    def recover(self) -> None:
        self.checked = self.add(
            inside(self.name.decode(), lambda: bound(socket.AF_INET, socket.SOCK_STREAM, "", CHECKED))
        )

    def serve(self) -> None:
        while True:
            for descriptor, _ in self.epoll.poll():
                made = self.sockets.get(descriptor)
                try:
                    if made is None:
                        continue
                    if made.type == socket.SOCK_DGRAM:
                        made.sendto(self.name, made.recvfrom(64)[1])
                    else:
                        connection = made.accept()[0]
                        connection.sendall(self.name)
                        connection.close()
                except OSError:
                    pass


def bound(family: int, kind: int, address: str, port: int) -> socket.socket:
    made = socket.socket(family, kind)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, port))
    if kind == socket.SOCK_STREAM:
        made.listen(64)
    made.setblocking(False)
    return made


def ask(service: str) -> str:
    """Who answers; empty when nobody does. To be called in the client's namespace."""
    method, family, kind = SERVICES[service]
    index = 0 if family == socket.AF_INET else 1
    with socket.socket(family, kind) as made:
        made.settimeout(0.7)
        made.bind(((CLIENT_NAT if method == "NAT" else CLIENT_DR)[index], 0))
        try:
            made.connect((VIRTUAL[method][index], PORT))
            if kind == socket.SOCK_DGRAM:
                made.send(b"?")
            return made.recv(16).decode()
        except OSError:
            return ""


def answers(wanted: set[str], services: Iterable[str] = tuple(SERVICES)) -> dict[str, list[str]]:
    """Who answers each service, asked until those that are wanted do so in turn, or the time is over."""
    turns = sorted(4 // len(wanted) * [*wanted])

    def work() -> dict[str, list[str]]:
        limit = time.monotonic() + LIMIT_S
        found: dict[str, list[str]] = {}
        for service in services:
            while True:
                found[service] = sorted(ask(service) for _ in range(4))
                if found[service] == turns or time.monotonic() > limit:
                    break
                time.sleep(0.2)
        return found

    found = inside("c", work)
    print(found, flush=True)
    return found


def virtual_server(method: str, family: int, kind: int) -> str:
    index, protocol = (0 if family == socket.AF_INET else 1), "TCP" if kind == socket.SOCK_STREAM else "UDP"
    lines = [f"virtual_server {VIRTUAL[method][index]} {PORT} {{", "delay_loop 1", "lvs_sched rr"]
    lines += [
        f"lvs_method {method}",
        f"protocol {protocol}",
        *(["ops"] if (method, protocol) == ("DR", "UDP") else []),
    ]
    for number in (21, 22):
        lines += [f"real_server {('10.1.0.', 'fd00:1::')[index]}{number} {PORT} {{", "TCP_CHECK {"]
        lines += [f"connect_ip 10.1.0.{number}", f"connect_port {CHECKED}", "connect_timeout 1", "retry 0"]
        lines += ["}", "}"]
    return "\n".join([*lines, "}", ""])


def configuration(priority: int) -> str:
    addresses = (GATEWAY, *VIRTUAL.values())
    lines = ["vrrp_instance V {", "interface eth0", "virtual_router_id 7", f"priority {priority}"]
    lines += ["advert_int 0.2", "version 3"]
    lines += ["virtual_ipaddress {", *(f"{four}/24" for four, _ in addresses), "}"]
    lines += ["virtual_ipaddress_excluded {", *(f"{six}/64" for _, six in addresses), "}", "}"]
    return "\n".join([*lines, ""]) + "".join(virtual_server(*each) for each in SERVICES.values())


def start(namespace: str, priority: int) -> int:
    folder = HOME / namespace
    folder.mkdir(parents=True)
    file = folder / "k.conf"
    file.write_text(configuration(priority))
    words = ["-n", "-l", "-D", "-G", "-f", str(file), f"--lvs-socket={folder}/control"]
    for option, name in (("-p", "parent"), ("-r", "vrrp"), ("-c", "checkers")):
        words += [option, str(folder / f"{name}.pid")]
    pid = os.fork()
    if pid:
        return pid
    with open(f"/run/netns/{namespace}") as handle:
        LIBC.setns(handle.fileno(), CLONE_NEWNET)
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.closerange(3, 4096)
    os._exit(command.main(words))


def begin() -> socket.socket | None:
    """A connection to a service that is being made. To be called in the client's namespace."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setblocking(False)
    made.bind((CLIENT_NAT[0], 0))
    try:
        made.connect((VIRTUAL["NAT"][0], PORT))
    except BlockingIOError:
        return made
    except OSError:
        made.close()
    return None


def taken_over(since: float) -> float:
    """Wait for the second director to become master; seconds since then, and too many if it does not."""
    log = HOME / "d2" / "log"
    while "Entering MASTER STATE" not in log.read_text(errors="replace"):
        if time.monotonic() - since > LIMIT_S:
            return LIMIT_S
        time.sleep(0.005)
    return time.monotonic() - since


def failover() -> dict[str, float]:
    """Connections a second before and after the first director is cut off under load, how long nobody who was
    there was served, after how long the second director took over, and when those began who came then."""

    def enter() -> None:
        with open("/run/netns/c") as file:
            assert LIBC.setns(file.fileno(), CLONE_NEWNET) == 0

    crowd = Crowd(lambda: bool(ask("NAT IPv4 TCP")), enter)
    newcomers = Newcomers(begin, enter)
    before = crowd.rate()
    cut = time.monotonic()
    batch("link set d1 down\n", "c")
    down = time.monotonic()  # what was on its way may have been served
    takeover = taken_over(down)
    while (new := newcomers.served_since(down)) is None and time.monotonic() < cut + LIMIT_S:
        time.sleep(0.005)
    while (first := crowd.served_since(down + SETTLED_S)) is None and time.monotonic() < cut + LIMIT_S:
        time.sleep(0.05)
    # Clients that wait for their time to be over come back one after the other, and this machine may be busy.
    after = max(crowd.rate() for _ in range(3))
    crowd.close()
    newcomers.close()
    found = {
        "before": before,
        "gap_s": (first or cut + LIMIT_S) - cut,
        "takeover_s": takeover,
        "newcomers_s": (new or down + LIMIT_S) - down,
        "after": after,
    }
    print(found, flush=True)
    return found


def controlled() -> dict[str, object]:
    """What the control socket of the first director does to IPVS."""
    path, virtual = str(HOME / "d1" / "control"), f"{VIRTUAL['NAT'][0]}:{PORT}/tcp"
    real = f"10.1.0.21:{PORT}"
    found: dict[str, object] = {}
    for verb, wanted in (
        ("drain", {"s2"}),
        ("enable", {"s1", "s2"}),
        ("disable", {"s2"}),
        ("enable", {"s1", "s2"}),
    ):
        said = control(path, f"{verb} {virtual} {real}")
        found[f"{len(found)} {verb}"] = [said, answers(wanted, ("NAT IPv4 TCP",))["NAT IPv4 TCP"]]
    found["weight"] = control(path, f"set weight {virtual} {real} 7")
    found["shown"] = json.loads(control(path, f"show stats {virtual} json"))
    found["flush"] = control(path, f"flush {virtual}")
    control(path, f"clear {virtual}")
    found["metrics"] = control(path, "show metrics")
    return found


def main() -> None:
    HOME.mkdir()
    build()
    servers = {name: Server(name, number) for name, number in (("s1", 21), ("s2", 22))}
    file = HOME / "warm-up.conf"
    file.write_text(configuration(100))
    command.runnable(keepalived_args.parse(["-f", str(file)]), lambda line: None)  # only to have read one
    checker_process.preload()
    vrrp_process.preload()
    both = {"s1", "s2"}
    pids = [start("d1", 150), start("d2", 100)]
    results: dict[str, object] = {"start": answers(both)}
    servers["s1"].fail()
    results["s1 failed"] = answers({"s2"})
    servers["s1"].recover()
    results["s1 recovered"] = answers(both)
    results["controlled"] = controlled()
    results["failover"] = failover()
    results["second director"] = answers(both)
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    for pid in pids:
        os.waitpid(pid, 0)
    results["logs"] = [(HOME / name / "log").read_text(errors="replace") for name in ("d1", "d2")]
    Path(sys.argv[1]).write_text(json.dumps(results))


main()
