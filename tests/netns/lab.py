"""Two or three routers and a switch in network namespaces, and a capture with the kernel's timestamps.

A router is either evener or Debian's keepalived; both get the same command line and the same file.
Namespaces have unique names and are removed by ``Lab.close``, whatever happened; every process is ended
by its pid.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import cache
from itertools import count, pairwise
from pathlib import Path

from capture import STRANGER as STRANGER
from capture import Capture, Frame
from original import PROGRAMS as PROGRAMS
from original import original_has_bfd
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg  # here, for labs run in threads
from spaces import inside as inside
from spaces import ip as ip
from spaces import packed as packed
from spaces import why_not as why_not

from evener.host.netlink.rtnl import RTM_GETADDR, RtnlSocket
from evener.keepalived.vrrp.plan import Family

EARLY_S, LATE_S = 0.020, 0.5
serial = count()


def realtime(*processes: str) -> str:
    """Lines of global_defs that keep a busy machine from disturbing elections, where they are permitted."""
    lines = (f" {process}_rt_priority 20\n {process}_rlimit_rttime 1000000" for process in processes)
    return "\n".join(lines) if may_be_realtime() else ""


@cache
def may_be_realtime() -> bool:
    permitted: list[bool] = []

    def attempt() -> None:
        try:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
            permitted.append(True)
        except OSError:
            pass

    thread = threading.Thread(target=attempt)  # of its own: the priority is a thread's
    thread.start()
    thread.join()
    return bool(permitted)


@dataclass(frozen=True)
class Link:
    """What the routers have in common."""

    version: int = 3
    family: Family = Family.INET
    unicast: bool = False
    password: str = ""
    advert_cs: int = 20
    nodes: int = 2

    @property
    def addresses(self) -> tuple[str, ...]:
        """Of the routers in order: what their interfaces have, and what adverts come from."""
        if self.family is Family.INET:
            return ("10.9.0.1", "10.9.0.2", "10.9.0.3")[: self.nodes]
        return ("fe80::a", "fe80::b", "fe80::c")[: self.nodes]

    @property
    def vip(self) -> str:
        return "10.9.0.100/24" if self.family is Family.INET else "fe80::100/64"

    @property
    def advert_s(self) -> float:
        return self.advert_cs / 100

    def skew_s(self, priority: int) -> float:
        return (256 - priority) / 256 * (1 if self.version == 2 else self.advert_s)


@dataclass(frozen=True)
class Router:
    """One of them. ``number`` chooses its address."""

    number: int
    priority: int
    program: str
    """``evener`` or ``keepalived``."""


def configuration(link: Link, router: Router, notify: str = "", *, more: str = "", above: str = "") -> str:
    """A keepalived.conf. ``more`` are further lines of the instance, ``above`` blocks before it."""
    own = link.addresses[router.number]
    others = "\n ".join(address for address in link.addresses if address != own)
    unicast = f"unicast_src_ip {own}\n unicast_peer {{\n {others}\n }}" if link.unicast else ""
    auth = f"authentication {{\n auth_type PASS\n auth_pass {link.password}\n }}" if link.password else ""
    told = f'notify "{notify} first"' if notify else ""
    processes = ("vrrp", "bfd") if "bfd_instance" in above else ("vrrp",)
    return f"""
global_defs {{
 script_user root
{realtime(*processes)}
}}
{above}
vrrp_instance VI_1 {{
 interface eth0
 virtual_router_id 51
 version {link.version}
 priority {router.priority}
 advert_int {link.advert_s:g}
 garp_master_repeat 2
 garp_master_delay 1
 {unicast}
 {auth}
 {told}
 {more}
 virtual_ipaddress {{
  {link.vip}
 }}
}}
"""


class Lab:
    """A switch and the routers' namespaces. Close it."""

    def __init__(self, link: Link, routers: tuple[Router, ...]) -> None:
        self.link, self.routers = link, routers
        name = f"ev{os.getpid()}-{next(serial)}"
        self.switch, self.spaces = f"{name}s", tuple(f"{name}{letter}" for letter in "abc"[: len(routers)])
        self.home = Path(tempfile.mkdtemp(prefix="evn"))
        self.processes: dict[int, subprocess.Popen[bytes]] = {}
        self.capture: Capture | None = None
        self.more_words: list[str] = []
        self.which = ["-P"]
        """Which processes run: VRRP alone (and BFD)."""
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def _build(self) -> None:
        for namespace in (self.switch, *self.spaces):
            ip("netns", "add", namespace)
        ip("link", "add", "br0", "type", "bridge", "mcast_snooping", "0", namespace=self.switch)
        ip("link", "set", "br0", "up", namespace=self.switch)
        for router, namespace in zip(self.routers, self.spaces, strict=True):
            self._plug_in(router, namespace)
        self.capture = Capture(self.switch)

    def _plug_in(self, router: Router, namespace: str) -> None:
        port = f"p{router.number}"
        # No duplicate address detection: the addresses are usable at once.
        for where in ("all", "default"):
            sysctl = f"echo 0 > /proc/sys/net/ipv6/conf/{where}/accept_dad"
            subprocess.run(["ip", "netns", "exec", namespace, "sh", "-c", sysctl], check=True)
        peer = ("peer", "name", "eth0", "netns", namespace)
        ip("link", "add", port, "type", "veth", *peer, namespace=self.switch)
        ip("link", "set", port, "master", "br0", "up", namespace=self.switch)
        ip("link", "set", "eth0", "addrgenmode", "none", namespace=namespace)
        ip("link", "set", "lo", "up", namespace=namespace)
        ip("link", "set", "eth0", "up", namespace=namespace)
        size = "24" if self.link.family is Family.INET else "64"
        ip("addr", "add", f"{self.link.addresses[router.number]}/{size}", "dev", "eth0", namespace=namespace)

    def start(self, number: int) -> None:
        router = self.routers[number]
        home = self.home / str(number)
        home.mkdir(exist_ok=True)
        environment = {**os.environ, "TMPDIR": str(home)}
        log = (home / "log").open("ab")
        conf = home / "conf"
        if not conf.exists():
            self.configure(number, configuration(self.link, router, str(self.note_script(number))))
        pids = [f"-p{home}/pid", f"-r{home}/vrrp_pid"]
        if router.program == "evener" or original_has_bfd():
            pids.append(f"-b{home}/bfd_pid")
        if router.program == "evener":
            pids.append(f"--status-socket={self.status_path(number)}")
        options = ["-n", "-l", "-D", "-G", *self.which, f"-f{conf}", *pids, *self.more_words]
        command = [*PROGRAMS[router.program], *options]
        self.processes[number] = subprocess.Popen(
            ["ip", "netns", "exec", self.spaces[number], *command],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
        log.close()

    def stop(self, number: int) -> float:
        """Ask router ``number`` to stop; returns when (wall clock)."""
        process = self.processes.pop(number)
        at = time.time()
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        return at

    def kill(self, number: int) -> None:
        """kill -9, all processes of the router at once."""
        process = self.processes.pop(number)
        # The parent last, or its child would stop gracefully; and stopped first, or it would respawn it.
        process.send_signal(signal.SIGSTOP)
        for pid in (*descendants(process.pid), process.pid):
            # The script helper and the guard go by themselves as soon as their VRRP process is gone.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(10)
        for path in (self.home / str(number)).glob("*pid"):
            # The dead of a namespace wait for some init; keepalived takes them for alive.
            path.unlink()

    def kill_child(self, number: int, how: signal.Signals = signal.SIGKILL) -> None:
        """kill -9 of the VRRP process only."""
        os.kill(next(iter(descendants(self.processes[number].pid))), how)

    def note_script(self, number: int) -> Path:
        """A notify script that keeps what it is told (see ``notes``)."""
        home = self.home / str(number)
        home.mkdir(exist_ok=True)
        script = home / "note"
        if not script.exists():
            script.write_text(f'#!/bin/sh\necho "$@" >> {home}/notes\n', encoding="ascii")
            script.chmod(0o755)
        return script

    def configure(self, number: int, text: str) -> None:
        home = self.home / str(number)
        home.mkdir(exist_ok=True)
        (home / "conf").write_text(text, encoding="ascii")

    def signal(self, number: int, what: int) -> None:
        self.processes[number].send_signal(what)

    def statistics(self, number: int) -> dict[str, int]:
        """What SIGUSR2 makes evener write: counters by their names (each name's last occurrence)."""
        path = self.home / str(number) / "keepalived.stats"
        path.unlink(missing_ok=True)
        self.signal(number, signal.SIGUSR2)
        self.wait_for(path.exists, "the statistics file")
        pairs = [line.strip().split(": ") for line in path.read_text("ascii").splitlines()]
        return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdecimal()}

    def ask_status(self, number: int, what: str) -> str:
        """What evener answers on the status socket that ``configure`` gave it."""
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.status_path(number)))
            client.sendall(f"GET {what} HTTP/1.1\r\n\r\n".encode())
            client.settimeout(5)
            answer = b"".join(iter(lambda: client.recv(65536), b""))
        return answer.decode().partition("\r\n\r\n")[2]

    def status_path(self, number: int) -> Path:
        return self.home / f"status{number}"

    def dropped(self, number: int) -> dict[str, int]:
        """How many packets were of no use, by the reason (of all instances together)."""
        found: dict[str, int] = {}
        for line in self.ask_status(number, "/metrics").splitlines():
            labels, _, value = line.rpartition(" ")
            reason = re.search(r'reason="(\w+)"', labels)
            if reason:
                found[reason[1]] = found.get(reason[1], 0) + int(value)
        return found

    def set_link(self, number: int, state: str) -> None:
        ip("link", "set", "eth0", state, namespace=self.spaces[number])
        if state == "up" and self.link.family is Family.INET6:
            address = f"{self.link.addresses[number]}/64"
            ip("addr", "replace", address, "dev", "eth0", namespace=self.spaces[number])

    def has_vip(self, number: int) -> bool:
        return packed(self.link.vip) in self.addresses(number)

    def owners(self) -> list[int]:
        """Who has the virtual address."""
        return [router.number for router in self.routers if self.has_vip(router.number)]

    def owned_by(self, number: int, patience: float = 90.0) -> None:
        """Wait until router ``number`` alone has the virtual address."""
        self.wait_for(lambda: self.owners() == [number], f"ownership of {number} alone", patience)

    def replace(self, number: int, program: str) -> None:
        """Another program for a router (which has been stopped)."""
        routers = list(self.routers)
        routers[number] = replace(routers[number], program=program)
        self.routers = tuple(routers)

    def addresses(self, number: int) -> list[bytes]:
        def ask() -> list[bytes]:
            rtnl = RtnlSocket()
            try:
                answers = rtnl.dump(ifaddrmsg(), RTM_GETADDR)
            finally:
                rtnl.close()
            return [packed(answer.get_attr("IFA_ADDRESS")) for answer in answers]

        return inside(self.spaces[number], ask)

    def ip(self, number: int, *words: str) -> str:
        """What ``ip`` says (or does) in router ``number``'s namespace."""
        command = ["ip", "-n", self.spaces[number], *words]
        return subprocess.run(command, check=False, capture_output=True, text=True).stdout

    def mac(self, number: int, interface: str = "eth0") -> bytes:
        def ask() -> bytes:
            with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
                sock.bind((interface, 0))
                return bytes(sock.getsockname()[4])

        return inside(self.spaces[number], ask)

    def log(self, number: int) -> str:
        path = self.home / str(number) / "log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def notes(self, number: int) -> list[str]:
        path = self.home / str(number) / "notes"
        return path.read_text(encoding="ascii").splitlines() if path.exists() else []

    def seen(self) -> Capture:
        assert self.capture is not None
        return self.capture

    def wait_advert(self, number: int, since: float, patience: float = 15.0) -> Frame:
        """The first advert with a real priority that router ``number`` sends after ``since``."""
        source = self.link.addresses[number]
        for _ in until(patience):
            found = [f for f in self.seen().adverts(source, since) if f.priority]
            if found:
                return found[0]
        raise AssertionError(f"router {number} did not become master\n{self.log(0)}\n---\n{self.log(1)}")

    def wait_for(self, condition: Callable[[], bool], what: str, patience: float = 45.0) -> None:
        for _ in until(patience, 0.1):
            if condition():
                return
        logs = "\n---\n".join(self.log(router.number) for router in self.routers)
        raise AssertionError(f"{what} did not happen\n{logs}")

    def close(self) -> None:
        """End and remove everything, even if a part of that fails."""
        with ExitStack() as steps:
            steps.callback(shutil.rmtree, self.home, ignore_errors=True)
            for namespace in (self.switch, *self.spaces):
                command = ["ip", "netns", "del", namespace]
                steps.callback(subprocess.run, command, check=False, capture_output=True)
            if self.capture is not None:
                steps.callback(self.capture.close)
            for number in list(self.processes):
                steps.callback(self.kill, number)


def on_time(measured_s: float, expected_s: float) -> bool:
    """Not early, and only as late as a busy machine may make it (milliseconds are tests/bench's business)."""
    return -EARLY_S <= measured_s - expected_s <= LATE_S


def longest_gap(frames: list[Frame]) -> float:
    """The longest time between two frames."""
    return max(after.at - before.at for before, after in pairwise(frames))


def until(patience: float, pause: float = 0.03) -> Iterator[None]:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        yield
        time.sleep(pause)


def descendants(pid: int) -> list[int]:
    try:
        children = [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]
    except OSError:
        return []
    return children + [grandchild for child in children for grandchild in descendants(child)]
