"""``keepalived -f`` with virtual servers on nftables: checks, servers that fail, control socket, failover."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from lvs_lab import UDP, LvsLab, answers, opened, said, until

from evener.cli.lvs import ask
from evener.keepalived.lvs.ipvs import Method
from evener.keepalived.vrrp.plan import Family

pytestmark = [pytest.mark.netns, pytest.mark.timeout(60)]

V4 = Family.INET
CHECK = "TCP_CHECK { connect_timeout 1 }"
SETTINGS = "delay_loop 1\n delay_before_retry 1\n retry 1\n warmup 0"


@pytest.fixture(scope="module")
def lab() -> Iterator[LvsLab]:
    yield from opened()


class Daemon:
    """``keepalived -n`` in a namespace."""

    def __init__(self, namespace: str, text: str, *words: str) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="evl"))
        self.conf, self.socket = self.home / "conf", self.home / "lvs.sock"
        self._log = self.home / "log"
        self.configure(text)
        pids = [f"-p{self.home}/p", f"-r{self.home}/r", f"-c{self.home}/c"]
        command = [sys.executable, "-m", "evener.cli.keepalived", "-n", "-l", "-D", "-G", f"-f{self.conf}"]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", namespace, *command, *pids, f"--lvs-socket={self.socket}", *words],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "TMPDIR": str(self.home)},
            )

    def configure(self, text: str) -> None:
        self.conf.write_text(text, encoding="ascii")

    def reload(self) -> None:
        seen = self.log.count("Reload complete")
        self.process.send_signal(signal.SIGHUP)
        until(lambda: self.log.count("Reload complete") > seen)

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def says(self, *texts: str) -> None:
        for text in texts:
            try:
                until(lambda text=text: text in self.log)
            except AssertionError:
                raise AssertionError(f"it did not say {text!r}\n{self.log}") from None

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(15)


def virtual_server(address: str, servers: str, *, more: str = "", kind: str = "NAT", port: int = 80) -> str:
    return f"""
virtual_server {address} {port} {{
 {SETTINGS}
 lvs_sched rr
 lvs_method {kind}
 protocol TCP
 {more}
 {servers}
}}
"""


def real_servers(*numbers: int, check: str = CHECK, more: str = "") -> str:
    made = (f"real_server 10.9.0.{11 + n} 80 {{\n weight 1\n {more}\n {check}\n}}" for n in numbers)
    return "\n".join(made)


@pytest.fixture
def daemons(lab: LvsLab) -> Iterator[list[Daemon]]:
    started: list[Daemon] = []
    try:
        yield started
    finally:
        for daemon in started:
            daemon.close()


def set_port(lab: LvsLab, port: int, state: str) -> None:
    """Of the switch: 0 is the client's, 1 the director's, 2 that of the first server."""
    subprocess.run(["ip", "-n", lab.switch, "link", "set", f"p{port}", state], check=True)


def test_a_server_that_dies_leaves_and_comes_back(lab: LvsLab, daemons: list[Daemon]) -> None:
    text = virtual_server("10.8.0.100", real_servers(0, 1, 2))
    daemon = Daemon(lab.director, text, "--lvs-engine=nft", "--lvs-end-connections")
    daemons.append(daemon)
    daemon.says("Gained quorum", "Startup complete")
    assert answers([lab.ask(V4, Method.NAT) for _ in range(6)]) == {"s0": 2, "s1": 2, "s2": 2}
    set_port(lab, 3, "down")
    try:
        daemon.says("Removing service [10.9.0.12]:tcp:80 from VS [10.8.0.100]:tcp:80")
        assert answers([lab.ask(V4, Method.NAT) for _ in range(6)]) == {"s0": 3, "s2": 3}
    finally:
        set_port(lab, 3, "up")
    daemon.says("Adding service [10.9.0.12]:tcp:80 to VS [10.8.0.100]:tcp:80")
    until(lambda: lab.ask(V4, Method.NAT) == "s1")


def test_the_control_socket(lab: LvsLab, daemons: list[Daemon]) -> None:
    text = virtual_server("10.8.0.100", real_servers(0, 1), more="sorry_server 10.9.0.13 80")
    daemon = Daemon(lab.director, text, "--lvs-engine=nft")
    daemons.append(daemon)
    daemon.says("Gained quorum", "Startup complete")
    vs = "10.8.0.100:80/tcp"

    def tell(line: str) -> str:
        answer = ask(str(daemon.socket), line)
        assert not answer.startswith("error"), answer
        return answer

    with lab.open(V4, Method.NAT) as kept:
        name = said(kept)
        server = f"10.9.0.{11 + int(name[1])}:80"
        tell(f"drain {vs} {server}")
        assert name not in {lab.ask(V4, Method.NAT) for _ in range(4)}
        kept.send(b"more")
        assert said(kept) == name
        daemon.configure(text + "\n")
        daemon.reload()
        assert name not in {lab.ask(V4, Method.NAT) for _ in range(4)}
        assert f"{server}  NAT  drain  weight 0" in tell("show services")
        assert tell(f"flush {vs} {server}") == "1 ended\n"
    tell(f"disable {vs} 10.9.0.11:80")
    tell(f"disable {vs} 10.9.0.12:80")
    assert lab.ask(V4, Method.NAT) == "s2"
    tell(f"clear {vs}")
    tell(f"set weight {vs} 10.9.0.11:80 7")
    assert {lab.ask(V4, Method.NAT) for _ in range(4)} == {"s0", "s1"}
    text = tell("show metrics")
    assert f'keepalived_lvs_real_server_weight{{virtual_server="{vs}",real_server="10.9.0.11:80"}} 7' in text
    assert f'keepalived_lvs_virtual_server_quorum_up{{virtual_server="{vs}",engine="nft"}} 1' in text
    command = [sys.executable, "-m", "evener.cli.evener", "lvs", "--socket", str(daemon.socket), "--json"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert [real["weight"] for real in json.loads(shown)[0]["real_servers"]] == [7, 1]
    refused = subprocess.run([*command, "drain", "x", "y"], capture_output=True, text=True, check=False)
    assert refused.returncode == 1 and "no virtual server is called 'x'" in refused.stderr


def test_a_firewall_that_is_reloaded_does_not_end_it(lab: LvsLab, daemons: list[Daemon]) -> None:
    daemon = Daemon(lab.director, virtual_server("10.8.0.100", real_servers(2)))
    daemons.append(daemon)
    daemon.says("Startup complete")
    if "IPVS: not in this kernel" not in daemon.log:
        pytest.skip("this kernel has IPVS")
    assert "Initializing nftables" in daemon.log
    assert lab.ask(V4, Method.NAT) == "s2"
    subprocess.run(["ip", "netns", "exec", lab.director, "nft", "flush", "ruleset"], check=True)
    daemon.says("nftables: somebody removed our table, virtual servers are loaded again")
    assert lab.ask(V4, Method.NAT) == "s2"


def test_nothing_is_left_when_it_stops(lab: LvsLab, daemons: list[Daemon]) -> None:
    daemon = Daemon(lab.director, virtual_server("10.8.0.100", real_servers(0)), "--lvs-engine=nft")
    daemon.says("Startup complete")
    assert daemon.socket.exists()
    daemon.close()
    command = ["ip", "netns", "exec", lab.director, "nft", "list", "ruleset"]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == ""
    assert not daemon.socket.exists()


def test_what_nftables_cannot_do_is_said_and_the_rest_runs(lab: LvsLab, daemons: list[Daemon]) -> None:
    other = virtual_server("10.8.0.100", real_servers(1), port=81).replace("lvs_sched rr", "lvs_sched wlc")
    text = virtual_server("10.8.0.100", real_servers(0)) + other
    daemon = Daemon(lab.director, text, "--lvs-engine=nft")
    daemons.append(daemon)
    daemon.says("nftables: no scheduler wlc (nearest: wrr) ([10.8.0.100]:tcp:81)", "Startup complete")
    assert lab.ask(V4, Method.NAT) == "s0"
    with pytest.raises(ConnectionRefusedError):
        lab.ask(V4, Method.NAT, port=81)


@pytest.mark.parametrize("method", [Method.NAT, Method.DR])
def test_a_reload_disturbs_no_connection(lab: LvsLab, daemons: list[Daemon], method: Method) -> None:
    """Scheduler, weights, quorum and a check change; then a server goes, and only its connections end."""
    address = "10.8.0.100" if method is Method.NAT else "10.7.0.100"

    def text(servers: str, more: str = "") -> str:
        return virtual_server(address, servers, more=more, kind=method.value)

    daemon = Daemon(lab.director, text(real_servers(0, 1, 2)), "--lvs-engine=nft", "--lvs-end-connections")
    daemons.append(daemon)
    daemon.says("Gained quorum", "Startup complete")
    with ExitStack() as ends:
        kept = [ends.enter_context(lab.open(V4, method)) for _ in range(6)]
        names = [said(sock) for sock in kept]
        assert answers(names) == {"s0": 2, "s1": 2, "s2": 2}
        weighed = [real_servers(n).replace("weight 1", f"weight {n + 1}") for n in range(3)]
        changed = text("".join(weighed), "quorum 2\nhysteresis 1")
        daemon.configure(changed.replace("lvs_sched rr", "lvs_sched wrr").replace("timeout 1", "timeout 2"))
        daemon.reload()
        assert [answered(sock) for sock in kept] == names
        assert answers([lab.ask(V4, method) for _ in range(12)]) == {"s0": 2, "s1": 4, "s2": 6}
        daemon.configure(text(real_servers(0, 1)))
        daemon.reload()
        for sock, name in zip(kept, names, strict=True):
            if name == "s2":
                with pytest.raises(ConnectionError):
                    for _ in range(5):
                        answered(sock)
            else:
                assert answered(sock) == name


def answered(sock: socket.socket) -> str:
    """Who answers on an open connection; raises ConnectionError at its end."""
    sock.send(b"more")
    name = said(sock)
    if not name:
        raise ConnectionResetError
    return name


def test_quorum_and_sorry_server_of_datagrams(lab: LvsLab, daemons: list[Daemon], tmp_path: Path) -> None:
    """IPv6 and UDP, from both servers to the sorry server and back."""
    goods = [tmp_path / f"good{number}" for number in range(2)]
    servers = ""
    for number, good in enumerate(goods):
        good.touch()
        check = f'MISC_CHECK {{\n misc_path "/usr/bin/test -e {good}"\n}}'
        servers += f"real_server fd09::{11 + number} 80 {{\n {check}\n}}\n"
    more = "quorum 2\nsorry_server fd09::13 80"
    text = virtual_server("fd08::100", servers, more=more).replace("protocol TCP", "protocol UDP")
    settings = "global_defs {\n script_user root\n enable_script_security\n}\n"
    daemon = Daemon(lab.director, settings + text, "--lvs-engine=nft")
    daemons.append(daemon)
    daemon.says("Gained quorum", "Startup complete")

    def served() -> set[str]:
        return {lab.ask(Family.INET6, Method.NAT, UDP) for _ in range(4)}

    assert served() == {"s0", "s1"}
    goods[0].unlink()
    daemon.says("Lost quorum", "Adding sorry server [fd09::13]:udp:80")
    assert served() == {"s2"}
    goods[0].touch()
    daemon.says("Removing sorry server [fd09::13]:udp:80")
    assert served() == {"s0", "s1"}


def test_checks_follow_the_state_of_vrrp(lab: LvsLab, daemons: list[Daemon]) -> None:
    """ha_suspend: no checks are made until the instance has its address, nor when it has lost it."""
    address = "10.8.0.201"
    text = instance(100, address, real_servers(0)).replace("lvs_sched", "ha_suspend\n lvs_sched")
    daemon = Daemon(lab.director, text, "--lvs-engine=nft")
    daemons.append(daemon)
    what = f"healthchecker for service [10.9.0.11]:tcp:80 for VS [{address}]:tcp:80"
    daemon.says(f"Deactivating {what}", "Entering MASTER STATE", f"Activating {what}", "success.")
    before, after = daemon.log.split(f"Activating {what}", 1)
    assert "TCP connection to" not in before and "TCP connection to" in after
    set_port(lab, 1, "down")
    try:
        daemon.says("Entering FAULT STATE", f"Suspending {what}")
    finally:
        set_port(lab, 1, "up")
    until(lambda: daemon.log.count(f"Activating {what}") == 2)


def test_a_check_by_bfd(lab: LvsLab, daemons: list[Daemon]) -> None:
    """The session with a neighbour decides: alpha until it is up, and down when the neighbour is gone."""
    here, there = "10.8.0.1", "10.8.0.10"

    def session(own: str, other: str) -> str:
        times = "min_tx 50\n min_rx 50\n multiplier 3\n idle_tx 200"
        return f"bfd_instance b {{\n source_ip {own}\n neighbor_ip {other}\n {times}\n}}\n"

    check = "BFD_CHECK {\n name b\n alpha\n}"
    text = session(here, there) + virtual_server("10.8.0.100", real_servers(0, check=check))
    daemon = Daemon(lab.director, text, "--lvs-engine=nft")
    daemons.append(daemon)
    daemon.says("Startup complete")
    with pytest.raises(ConnectionRefusedError):
        lab.ask(V4, Method.NAT)
    neighbour = Daemon(lab.client, session(there, here))
    daemons.append(neighbour)
    daemon.says("BFD check of [b] RS([10.9.0.11]:tcp:80) is UP", "Adding service [10.9.0.11]:tcp:80")
    until(lambda: lab.ask(V4, Method.NAT) == "s0")
    neighbour.close()
    daemon.says("BFD check of [b] RS([10.9.0.11]:tcp:80) is DOWN", "Removing service [10.9.0.11]:tcp:80")
    with pytest.raises(ConnectionRefusedError):
        lab.ask(V4, Method.NAT)


# -- two directors


def instance(priority: int, address: str, servers: str) -> str:
    return f"""
vrrp_instance VI_1 {{
 interface eth0
 virtual_router_id 61
 version 3
 priority {priority}
 advert_int 0.1
 virtual_ipaddress {{
  {address}/24
 }}
}}
{virtual_server(address, servers)}
{virtual_server(address, servers, port=81).replace("lvs_sched rr", "lvs_sched sh")}
"""


def test_failover_of_the_pair_under_load(lab: LvsLab, daemons: list[Daemon]) -> None:
    """The second director stands beside the first; the servers' way back is a virtual address, too."""
    second = lab.another_director()
    address = "10.8.0.200"
    for namespace, priority in ((lab.director, 150), (second, 100)):
        text = instance(priority, address, real_servers(0, 1, 2))
        text = text.replace(f"{address}/24\n", f"{address}/24\n  10.9.0.200/24\n")
        daemons.append(Daemon(namespace, text, "--lvs-engine=nft"))
    for namespace in lab.servers:
        subprocess.run(
            ["ip", "-n", namespace, "route", "replace", "10.8.0.0/24", "via", "10.9.0.200"], check=True
        )
    for daemon in daemons:
        daemon.says("Gained quorum")
    daemons[0].says("Entering MASTER STATE")
    until(lambda: lab.answers_at(address))
    names: list[str] = []
    kept = lab.open_at(address, 81)
    name = said(kept)
    try:
        load(lab, address, names, 100)
        before = len(names)
        set_port(lab, 1, "down")
        longest = load(lab, address, names, 100)
    finally:
        set_port(lab, 1, "up")
    assert set(names[before + 50 :]) == {"s0", "s1", "s2"}
    daemons[1].says("Entering MASTER STATE")
    # Three adverts and the skew time are 0.36 s; a connection that was being opened meanwhile waits 0.1 s.
    assert longest < 3.0, longest
    # Nothing is synchronised between the two, but both send this client to the same server.
    kept.send(b"more")
    assert said(kept) == name
    kept.close()


def load(lab: LvsLab, address: str, names: list[str], wanted: int) -> float:
    """One connection after the other, until ``wanted`` more were answered; the longest pause in seconds."""
    longest, last = 0.0, time.monotonic()
    end, wanted = last + 15.0, len(names) + wanted
    while len(names) < wanted:
        assert time.monotonic() < end, "no answers"
        with suppress(OSError):
            names.append(lab.ask_at(address, patience=0.1))
            now = time.monotonic()
            longest, last = max(longest, now - last), now
    return longest


def test_signals_dump_state(lab: LvsLab, daemons: list[Daemon]) -> None:
    """Dumps are asked of the parent, which passes the signals on; none of them ends the process."""
    daemon = Daemon(lab.director, virtual_server("10.9.0.96", real_servers(0)), "--lvs-engine=nft")
    daemons.append(daemon)
    daemon.says("Startup complete")
    for number, name in ((10, "data"), (12, "stats"), (36, "json")):
        daemon.process.send_signal(number)
        until(lambda name=name: (daemon.home / f"keepalived_check.{name}").exists())
    shown = json.loads((daemon.home / "keepalived_check.json").read_text())
    assert "10.9.0.96" in json.dumps(shown)
    daemon.process.send_signal(63)
    time.sleep(0.2)
    assert "died" not in daemon.log
