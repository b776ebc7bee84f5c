"""VRRP measured beside keepalived in the same run: CPU, jitter and memory of many instances; takeover times.

    .venv/bin/python tests/bench/vrrp.py [--quick] [many] [flood] [takeover] [kills] [memory]

Needs root, network namespaces and a keepalived (Debian's, or the one that EVENER_KEEPALIVED names).
Timestamps are the kernel's, taken on the other end of the link; of what is on an interface, our own.

CPU is what the VRRP process used of one core. Jitter: for each instance, all intervals between two
consecutive adverts, and how far each is from the median of that instance's; p99 is over all instances
together. It is measured on the machine as it is, then while as many processes as there are CPUs count in
circles; both without and with vrrp_rt_priority, which is what keeps other processes away. The programs run
beside each other, so that whatever else the machine does is done to all of them.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).parents[1] / "netns"))
from capture import ETH_P_ALL, SO_TIMESTAMPNS
from lab import (
    PROGRAMS,
    STRANGER,
    Lab,
    Link,
    Router,
    configuration,
    descendants,
    inside,
    ip,
    packed,
    why_not,
)
from original import release

from evener.wire import vrrp

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
PER_LINK = 250
SO_RCVBUFFORCE = 33


class Node:
    """A namespace with enough interfaces for ``instances``, and a program that is master of all of them."""

    def __init__(self, program: str, instances: int, advert_s: float, realtime: bool = False) -> None:
        self.realtime = realtime
        self.program, self.instances, self.advert_s = program, instances, advert_s
        self.home = Path(tempfile.mkdtemp(prefix="evb"))
        self.space, self.outside = (f"evb{os.getpid()}{program[0]}{end}" for end in "io")
        self.process: subprocess.Popen[bytes] | None = None
        links = -(-instances // PER_LINK)
        for space in (self.space, self.outside):
            ip("netns", "add", space)
            ip("link", "set", "lo", "up", namespace=space)
        for number in range(links):
            peer = ("peer", "name", f"p{number}", "netns", self.outside)
            ip("link", "add", f"e{number}", "type", "veth", *peer, namespace=self.space)
            ip("link", "set", f"e{number}", "up", namespace=self.space)
            ip("link", "set", f"p{number}", "up", namespace=self.outside)
            ip("addr", "add", f"10.{number + 1}.0.1/16", "dev", f"e{number}", namespace=self.space)

    def configuration(self) -> str:
        realtime = " vrrp_rt_priority 50\n vrrp_rlimit_rttime 1000000\n" if self.realtime else ""
        parts = [f"global_defs {{\n{realtime} vrrp_garp_master_repeat 1\n vrrp_garp_master_delay 0\n}}\n"]
        for number in range(self.instances):
            link, vrid = divmod(number, PER_LINK)
            parts.append(
                f"vrrp_instance V{number} {{\n interface e{link}\n virtual_router_id {vrid + 1}\n version 3\n"
                f" priority 200\n advert_int {self.advert_s:g}\n"
                f" virtual_ipaddress {{\n 10.{link + 1}.1.{vrid + 1}/32\n }}\n}}\n"
            )
        return "".join(parts)

    def start(self) -> None:
        conf = self.home / "conf"
        conf.write_text(self.configuration(), encoding="ascii")
        files = [f"-f{conf}", f"-p{self.home}/pid", f"-r{self.home}/vrrp"]
        command = ["ip", "netns", "exec", self.space, *PROGRAMS[self.program], "-n", "-l", "-G", "-P", *files]
        with (self.home / "log").open("wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    @property
    def pid(self) -> int:
        return int((self.home / "vrrp").read_text("ascii"))

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def close(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                for pid in (*descendants(self.process.pid), self.process.pid):
                    os.kill(pid, signal.SIGKILL)
        for space in (self.space, self.outside):
            subprocess.run(["ip", "netns", "del", space], check=False)
        for path in self.home.iterdir():
            path.unlink()
        self.home.rmdir()


class Ear:
    """When adverts arrived, by interface and VRID."""

    def __init__(self, namespace: str) -> None:
        self.heard: dict[tuple[int, int], list[float]] = defaultdict(list)
        self._socket = inside(namespace, self._open)
        self._ending = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @staticmethod
    def _open() -> socket.socket:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        sock.settimeout(0.2)
        return sock

    def _run(self) -> None:
        while not self._ending:
            try:
                data, ancillary, _, address = self._socket.recvmsg(256, 64)
            except TimeoutError:
                continue
            if len(data) > 21 and data[9] == 112:
                seconds, nanoseconds = struct.unpack("qq", ancillary[0][2][:16])
                self.heard[hash(address[0]), data[21]].append(seconds + nanoseconds / 1e9)

    def close(self) -> None:
        self._ending = True
        self._thread.join()
        self._socket.close()

    def jitters(self, since: float) -> list[float]:
        """Milliseconds."""
        found: list[float] = []
        for times in self.heard.values():
            late = [at for at in times if at >= since]
            gaps = [after - before for before, after in pairwise(late)]
            if gaps:
                middle = median(gaps)
                found += [abs(gap - middle) * 1000 for gap in gaps]
        return found


def burden(count: int) -> list[subprocess.Popen[bytes]]:
    return [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]


def many(instances: int, advert_s: float, seconds: float, realtime: bool) -> None:
    """All programs at once: what disturbs one of them disturbs the other."""
    nodes: list[Node] = []
    ears: list[Ear] = []
    try:
        for program in PROGRAMS:
            nodes.append(Node(program, instances, advert_s, realtime))
            ears.append(Ear(nodes[-1].outside))
            nodes[-1].start()
        deadline = time.time() + 60
        while any(len(ear.heard) < instances for ear in ears) and time.time() < deadline:
            time.sleep(0.2)
        time.sleep(2 + 2 * advert_s)
        calm = listen(nodes, ears, seconds, 0)
        tense = listen(nodes, ears, seconds, os.cpu_count() or 1)
        for node, ear, (idle, quiet), (busy, loud) in zip(nodes, ears, calm, tense, strict=True):
            print(
                f"{node.program:10} {instances:5} x {advert_s:g} s{', realtime' if realtime else '':10}"
                f" heard {len(ear.heard)}; CPU {idle:6.1%}, jitter p99 {p99(quiet):7.3f} ms; under load"
                f" CPU {busy:6.1%}, jitter p99 {p99(loud):7.3f} ms, worst {max(loud, default=0):7.3f} ms"
            )
    finally:
        for ear in ears:
            ear.close()
        for node in nodes:
            node.close()


def listen(nodes: list[Node], ears: list[Ear], seconds: float, loads: int) -> list[tuple[float, list[float]]]:
    """CPU and jitters of each node for so long, while so many others count in circles."""
    others = burden(loads)
    try:
        time.sleep(1)
        before, began = [node.cpu_s() for node in nodes], time.time()
        time.sleep(seconds)
        used = [node.cpu_s() - earlier for node, earlier in zip(nodes, before, strict=True)]
        passed = time.time() - began
        return [(cpu / passed, ear.jitters(began)) for cpu, ear in zip(used, ears, strict=True)]
    finally:
        for other in others:
            other.kill()
            other.wait()


def p99(values: list[float]) -> float:
    return quantiles(values, n=100)[98] if len(values) > 1 else float("nan")


def memory(program: str) -> None:
    node = Node(program, 10, 1)
    try:
        node.start()
        time.sleep(8)
        text = Path(f"/proc/{node.pid}/smaps_rollup").read_text("ascii")
        found = {name: int(re.search(rf"^{name}:\s+(\d+)", text, re.M)[1]) / 1024 for name in ("Rss", "Pss")}  # type: ignore[index]
        print(
            f"{program:10} VRRP process at 10 instances: RSS {found['Rss']:.1f} MB, PSS {found['Pss']:.1f} MB"
        )
    finally:
        node.close()


def takeover(program: str, version: int, advert_cs: int) -> dict[str, float]:
    """Milliseconds from the old master's last advert to the new one's first."""
    link = Link(version=version, advert_cs=advert_cs)
    lab = Lab(link, (Router(0, 150, program), Router(1, 100, program)))
    found: dict[str, float] = {}
    try:
        lab.start(1)
        lab.start(0)
        for name in ("graceful", "kill -9", "link down"):
            lab.wait_for(lambda: lab.has_vip(0) and not lab.has_vip(1), "mastership", 40)
            time.sleep(2 * link.advert_s + 0.5)
            since = time.time()
            {"graceful": lab.stop, "kill -9": lab.kill, "link down": lambda n: lab.set_link(n, "down")}[name](
                0
            )
            first = lab.wait_advert(1, since, 20)
            sent = [f.at for f in lab.seen().adverts(link.addresses[0]) if f.at < first.at]
            found[name] = (first.at - sent[-1]) * 1000
            if 0 in lab.processes:
                lab.set_link(0, "up")
            else:
                lab.start(0)
    finally:
        lab.close()
    return found


def several(program: str, version: int, advert_cs: int, rounds: int) -> list[dict[str, float]]:
    """Two pairs at a time: more would disturb each other's milliseconds."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda _: takeover(program, version, advert_cs), range(rounds)))


def takeovers(rounds: int) -> None:
    for version, advert_cs in ((2, 100), (3, 100), (3, 10), (3, 1)):
        link = Link(version=version, advert_cs=advert_cs)
        skew = link.skew_s(100) * 1000
        wanted = {
            "graceful": skew,
            "kill -9": 3000 * link.advert_s + skew,
            "link down": 3000 * link.advert_s + skew,
        }
        results = {program: several(program, version, advert_cs, rounds) for program in PROGRAMS}
        for name, expected in wanted.items():
            shown = ", ".join(
                f"{program} {median(found[name] for found in rows):8.2f}" for program, rows in results.items()
            )
            print(f"v{version} advert {link.advert_s:g} s, {name:9}: expected {expected:8.2f} ms, {shown}")


KILLS = ("VRRP process", "parent", "all of them")
STALE_S = 5.0


def kills(program: str, victims: str) -> None:
    """kill -9 of the master: milliseconds until its address is gone, and until somebody has it again."""
    link = Link(version=3, advert_cs=100)
    lab = Lab(link, (Router(0, 150, program), Router(1, 100, program)))
    try:
        lab.start(0)
        lab.start(1)
        lab.wait_for(lambda: lab.owners() == [0] and "BACKUP" in lab.log(1), "mastership", 40)
        time.sleep(1)
        began = time.monotonic()
        if victims == "VRRP process":
            lab.kill_child(0)
        elif victims == "parent":
            lab.processes[0].kill()
        else:
            lab.kill(0)
        gone = wait_ms(lambda: not lab.has_vip(0), began)
        taken = wait_ms(lambda: bool(lab.owners()), began)
        owners = " and ".join(map(str, lab.owners()))
        print(f"{program:10} kill -9 of {victims:12}: gone after {gone}, back with {owners} after {taken}")
    finally:
        lab.close()


def wait_ms(condition: Callable[[], bool], began: float) -> str:
    while not condition():
        if time.monotonic() - began > STALE_S:
            return f"more than {STALE_S:g} s"
    return f"{(time.monotonic() - began) * 1000:.1f} ms"


HMAC = "auth_hmac {\n  key 1 0123456789abcdef0123456789abcdef\n  active_key 1\n }"


def flood(program: str, kind: str, rate: int, seconds: float) -> None:
    """Rubbish from the switch to a pair with an advert each 0.1 s: how late these are, and who is master."""
    link = Link(version=3, advert_cs=10)
    lab = Lab(link, (Router(0, 150, program), Router(1, 100, program)))
    try:
        for router in lab.routers:
            more = HMAC if kind == "digest" else ""
            lab.configure(router.number, configuration(link, router, more=more))
            lab.start(router.number)
        lab.wait_for(lambda: lab.owners() == [0] and "BACKUP" in lab.log(1), "mastership", 40)
        time.sleep(1)
        since = time.time()
        sent = inside(lab.switch, lambda: pour(rubbish()[kind], rate, seconds))
        until = time.time()
        time.sleep(1)
        times = [f.at for f in lab.seen().adverts(link.addresses[0], since)]
        others = [f for f in lab.seen().adverts(link.addresses[1], since) if f.at < until]
        print(
            f"{program:10} flood of {kind:12} {sent / seconds:7.0f} packets/s: longest time between adverts"
            f" {max(after - before for before, after in pairwise(times)) * 1000:6.1f} ms of"
            f" {link.advert_s * 1000:.0f}; adverts of the backup: {len(others)}"
        )
    finally:
        lab.close()


def rubbish() -> dict[str, bytes]:
    """Ethernet frames with adverts for VRID 51 that must be dropped."""
    source, group = packed(STRANGER), packed("224.0.0.18")

    def frame(advert: vrrp.Advert, ttl: int = 255, spoil: int = 0, trailer: bytes = b"") -> bytes:
        pdu = bytearray(vrrp.encode(advert, source, group))
        pdu[6] ^= spoil
        packet = vrrp.ipv4_packet(bytes(pdu) + trailer, source, group, ttl)
        return bytes.fromhex("01005e000012020000000077") + b"\x08\0" + bytes(packet)

    good = vrrp.Advert(3, 51, 255, 10, (packed("10.9.0.100"),))
    return {
        "checksum": frame(good, spoil=1),
        "foreign VRID": frame(replace(good, vrid=52)),
        "TTL": frame(good, ttl=64),
        "addresses": frame(replace(good, addresses=(packed("10.9.0.99"),))),
        "version": frame(replace(good, version=2)),
        "digest": frame(good, trailer=struct.pack("!BBHIHH", 1, 1, 0, int(time.time()), 0, 1) + bytes(16)),
    }


def pour(data: bytes, rate: int, seconds: float) -> int:
    """Send that often; returns how often it was. Who floods from afar does not ask for our processor:
    before the routers, where that is permitted.
    """
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(50))
    sent, began = 0, time.monotonic()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.bind(("br0", 0))
        while (passed := time.monotonic() - began) < seconds:
            for _ in range(min(int(rate * passed) - sent, 1000)):
                sock.send(data)
                sent += 1
            time.sleep(0.001)
    return sent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("what", nargs="*", choices=["many", "flood", "takeover", "kills", "memory", []])
    options = parser.parse_args()
    reason = why_not()
    if reason:
        print(reason)
        return 1
    what = options.what or ["memory", "many", "flood", "takeover", "kills"]
    seconds = 5.0 if options.quick else 15.0
    for program in PROGRAMS:
        if "memory" in what:
            memory(program)
    for instances, advert_s in ((1000, 1.0), (50, 0.01)):
        for realtime in (False, True) if "many" in what else ():
            many(instances, advert_s, seconds, realtime)
    for kind in rubbish() if "flood" in what else ():
        for program in PROGRAMS:
            if kind != "digest" or program == "evener" or release() >= (2, 4):  # older ones have no auth_hmac
                flood(program, kind, 50_000, seconds)
    if "takeover" in what:
        takeovers(1 if options.quick else 3)
    for victims in KILLS if "kills" in what else ():
        for program in PROGRAMS:
            kills(program, victims)
    return 0


if __name__ == "__main__":
    sys.exit(main())
