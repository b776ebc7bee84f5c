"""More targets that mean harm, for every kind: a failed check in its time, no delay for others, no leak."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from checking_farm import Farm, farm, helped, loopback, plan_of
from targets import Visitor, target
from test_checks_hostile import LOUD, TIMEOUT_US, beside_a_good_one, fails, running, ssl_probe

from evener.host.reactor import READABLE, Reactor
from evener.keepalived.arguments import SECOND
from evener.keepalived.lvs import checking
from evener.keepalived.lvs.check_plan import Probe, Report
from evener.keepalived.lvs.probes import (
    DnsProbe,
    FileProbe,
    MiscProbe,
    PingProbe,
    SmtpProbe,
    TcpProbe,
    UdpProbe,
)
from evener.keepalived.vrrp.plan import Program
from evener.keepalived.vrrp.plan_tracked import TrackedFile

HELLO = b"\x16\x03\x03\x7f\xff"
"""A record of TLS that would be 32 KiB long."""


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "BOOTSTRAP_US", 0)


def smtp_probe(port: int) -> SmtpProbe:
    return SmtpProbe("SMTP_CHECK", loopback(port, timeout_us=TIMEOUT_US), b"me")


# -- TLS and mail


@pytest.mark.parametrize(
    ("heard", "said", "others"),
    [
        (lambda visitor, _data: visitor.reset(), "SSL handshake/communication error connecting to", 1),
        (lambda visitor, _data: visitor.close(), "SSL handshake/communication error connecting to", 1),
        (lambda visitor, _data: visitor.drip(HELLO, 0.02), "SSL handshake", 1),
        (lambda visitor, _data: visitor.flood(HELLO, bytes(1 << 16)), "SSL handshake", 1),
        (lambda visitor, data: visitor.say(data), "SSL handshake", 1),
    ],
)
def test_tls(heard: Callable[[Visitor, bytes], None], said: str, others: int) -> None:
    """A drip that is no TLS is seen as that, or its time is over before."""
    with farm() as made, target(made.reactor, heard) as port:
        probe = replace(ssl_probe(port), route=loopback(port, timeout_us=TIMEOUT_US))
        fails(made, probe, said, others)


@pytest.mark.parametrize(
    ("met", "said"),
    [
        (Visitor.reset, "SMTP_CHECK "),
        (Visitor.close, "SMTP_CHECK Read failure from server"),
        (lambda visitor: visitor.flood(b"", b"220 hello" * 9999), "SMTP_CHECK "),
        (lambda visitor: visitor.flood(b"220 hello\r\n", b"250-more\r\n" * 9999), "SMTP_CHECK Bad HELO"),
        (lambda visitor: visitor.say(b"\0\xff" * 2000 + b"\n", end=False), "SMTP_CHECK Bad greeting banner"),
    ],
)
def test_mail(met: Callable[[Visitor], None], said: str) -> None:
    with farm() as made, target(made.reactor, met=met) as port:
        fails(made, smtp_probe(port), said)


# -- packets


class Storm:
    """Answers one packet with packets without end, in the loop of the test."""

    def __init__(self, reactor: Reactor, made: socket.socket, packet: Callable[[bytes], bytes]) -> None:
        self._reactor, self._socket, self._packet = reactor, made, packet
        self.sent = 0
        made.setblocking(False)
        reactor.watch(made.fileno(), READABLE, self._readable)

    def _readable(self, _events: int) -> None:
        data, where = self._socket.recvfrom(65536)
        self._blow(self._packet(data), where)

    def _blow(self, packet: bytes, where: tuple[str, int]) -> None:
        for _ in range(50):
            try:
                self._socket.sendto(packet, where)
            except OSError:
                return  # nobody is there any more
            self.sent += 1
        self._reactor.later(0.001, lambda: self._blow(packet, where))


@contextmanager
def storm(reactor: Reactor, packet: Callable[[bytes], bytes]) -> Iterator[tuple[int, Storm]]:
    with socket.socket(type=socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        blowing = Storm(reactor, made, packet)
        try:
            yield made.getsockname()[1], blowing
        finally:
            reactor.unwatch(made.fileno())


@pytest.mark.parametrize(
    ("packet", "said"),
    [
        (lambda _: b"", "read timeout from socket"),
        (lambda _: bytes(60000), "read timeout from socket"),
        (lambda question: bytes([question[0] ^ 1]) + question[1:], "read timeout from socket"),
        (lambda question: question[:2] + b"\x81\x80" + question[4:] + bytes(50000), "malformed answer: "),
    ],
)
def test_a_storm_from_a_name_server(packet: Callable[[bytes], bytes], said: str) -> None:
    """What is no answer is passed over until the time is over; others are checked meanwhile."""
    with farm() as made, storm(made.reactor, packet) as (port, blowing), target(made.reactor) as good:
        probe = DnsProbe("DNS_CHECK", loopback(port, timeout_us=TIMEOUT_US), "a.example", "A")
        made.house.use(beside_a_good_one(probe, good))
        made.until(2)
        found = {name.port: report.up for name, report in made.reports}
        assert found == {80: False, 1: True}
        assert said in "\n".join(made.lines)
        assert blowing.sent >= 1


@pytest.mark.parametrize("size", [0, 1, 60000])
def test_a_storm_of_packets(size: int) -> None:
    with (
        farm() as made,
        storm(made.reactor, lambda _: bytes(size)) as (port, _),
        target(made.reactor) as good,
    ):
        route = loopback(port, timeout_us=TIMEOUT_US)
        probe = UdpProbe("UDP_CHECK", route, b"?", require_reply=True, reply=b"yes", mask=b"\0\0\0", least=3)
        made.house.use(beside_a_good_one(probe, good))
        made.until(2)
        assert {name.port: report.up for name, report in made.reports} == {80: False, 1: True}


def test_a_target_that_nobody_answers_for() -> None:
    """Broadcasts and reserved addresses are refused by the kernel: a failed check, or none, at once."""
    for address in ("255.255.255.255", "240.0.0.1", "0.0.0.0"):
        with farm() as made, target(made.reactor) as good:
            route = replace(loopback(80, timeout_us=TIMEOUT_US), address=socket.inet_aton(address))
            probe: Probe = (
                PingProbe("PING_CHECK", route) if address[0] == "2" else TcpProbe("TCP_CHECK", route)
            )
            made.house.use(beside_a_good_one(probe, good))
            made.until(1)
            assert {name.port: report.up for name, report in made.reports}.get(1, True)


# -- programs and files


@pytest.mark.parametrize(
    "text",
    [
        "exec cat /dev/zero",
        "exec yes >&2",
        "cat; exec sleep 60",
        "setsid sleep 60 & echo $! >{note}; exec sleep 60",
    ],
)
def test_programs(tmp_path: Path, text: str) -> None:
    """Output without end goes nowhere, there is no input, and the time is over when it is over."""
    note = tmp_path / "pid"
    probe = MiscProbe("MISC_CHECK", Program(("/bin/sh", "-c", text.format(note=note))), TIMEOUT_US)
    with farm() as made, helped(made) as client, target(made.reactor) as good:
        before = set(os.listdir("/proc/self/fd"))
        made.house.use(beside_a_good_one(probe, good))
        made.until(2)
        assert {name.port: report.up for name, report in made.reports} == {80: False, 1: True}
        assert client.reports() is not None, "the helper lives"
        made.house.close()
        made.settle()
        assert len(set(os.listdir("/proc/self/fd")) - before) <= 1  # the good target's end of a connection
        if note.exists():  # it has left its process group on purpose: it is not ours to look for
            pid = int(note.read_text())
            assert running(pid)
            os.kill(pid, 9)


def tracked(made: Farm, path: Path | str) -> Report:
    made.house.use(plan_of(FileProbe("FILE_CHECK", TrackedFile("f", str(path))), timing=LOUD))
    return made.until(1)[0][1]


def test_files(tmp_path: Path) -> None:
    """What holds no number holds 0, and nothing is waited for or read to its end."""
    fifo, folder, endless = tmp_path / "fifo", tmp_path / "folder", tmp_path / "endless"
    os.mkfifo(fifo)
    folder.mkdir()
    with endless.open("wb") as file:
        file.write(b"7")
        file.truncate(1 << 30)
    for path, offset in (
        (fifo, 0),
        (folder, 0),
        ("/dev/zero", 0),
        ("/proc/self/mem", 0),
        (tmp_path / "no", 0),
    ):
        with farm() as made, helped(made):
            assert tracked(made, path) == Report(True, first=True, offset=offset)
    with farm() as made, helped(made):
        assert tracked(made, endless).offset == 7


def test_a_listener_whose_queue_is_full() -> None:
    """Connections that nobody takes: a TCP check is over when its time is."""
    with farm() as made, target(made.reactor) as good, socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        probe = TcpProbe("TCP_CHECK", loopback(full.getsockname()[1], timeout_us=SECOND // 5))
        made.house.use(beside_a_good_one(probe, good))
        made.until(2)
        assert {name.port: report.up for name, report in made.reports} == {80: False, 1: True}
        assert "TCP connection to [127.0.0.1]:tcp:80 timeout." in made.lines
        for each in waiting:
            each.close()
