"""Targets that mean harm, or are broken: each is a failed check within its time, and delays no other."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from checking_farm import LOOPBACK, PROMPT, Farm, farm, helped, loopback, plan_of
from targets import Visitor, packets, target

from evener.host.checks import regexes, web
from evener.host.checks.regexes import Overrun, matches
from evener.keepalived.arguments import SECOND
from evener.keepalived.lvs import checking
from evener.keepalived.lvs.check_plan import Check, Probe
from evener.keepalived.lvs.plan import CheckerPlan, RealServer
from evener.keepalived.lvs.probes import (
    Credentials,
    DnsProbe,
    MiscProbe,
    Regex,
    SmtpProbe,
    TcpProbe,
    Url,
    WebProbe,
)
from evener.keepalived.vrrp.plan import Program

CERTIFICATES = Path(__file__).parents[2] / "fixtures" / "tls"
LOUD = replace(PROMPT, log_all_failures=True, delay_loop_us=60 * SECOND)
TIMEOUT_US = SECOND // 5
URL = Url("/", b"GET / HTTP/1.0\r\n\r\n")
HEAD = b"HTTP/1.0 200 OK\r\n\r\n"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "BOOTSTRAP_US", 0)


def beside_a_good_one(probe: Probe, port: int) -> CheckerPlan:
    """The check, and a TCP check of another server that is made all the time."""
    plan = plan_of(probe, timing=LOUD)
    (server,) = plan.virtual_servers
    busy = Check(TcpProbe("TCP_CHECK", loopback(port)), replace(PROMPT, delay_loop_us=SECOND // 50))
    other = RealServer(LOOPBACK, 1, "other", checks=(busy,))
    return CheckerPlan(virtual_servers=(replace(server, real_servers=(*server.real_servers, other)),))


def fails(made: Farm, probe: Probe, said: str, others: int = 1) -> None:
    """The check fails and says so, ``others`` are made meanwhile, and nothing stays open."""
    counted: list[Visitor] = []
    with target(made.reactor, met=counted.append) as port:
        before = set(os.listdir("/proc/self/fd"))
        made.house.use(beside_a_good_one(probe, port))
        made.until(2)
        assert {name.port: report.up for name, report in made.reports} == {80: False, 1: True}
        assert said in "\n".join(made.lines)
        assert len(counted) >= others
        made.house.close()
        for visitor in counted:
            visitor.close()
        made.settle()
        assert set(os.listdir("/proc/self/fd")) <= before


def web_probe(port: int) -> WebProbe:
    return WebProbe("HTTP_GET", loopback(port, timeout_us=TIMEOUT_US), (URL,))


def dripped(visitor: Visitor, _data: bytes) -> None:
    visitor.drip(HEAD, 0.02)


def flooded(visitor: Visitor, _data: bytes) -> None:
    visitor.flood(HEAD, bytes(1 << 20))


@pytest.mark.parametrize(
    ("heard", "said", "others"),
    [
        (lambda _visitor, _data: None, "Timeout WEB read", 4),
        (dripped, "Timeout HTTP read", 4),
        (lambda visitor, _data: visitor.reset(), "Read error with", 1),
        (flooded, "Too much data received from", 1),
        (lambda visitor, _data: visitor.flood(b"x" * 9999, b"y" * 9999), "Read, no data received from ", 1),
    ],
)
def test_http(heard: Callable[[Visitor, bytes], None], said: str, others: int) -> None:
    with farm() as made, target(made.reactor, heard) as port:
        fails(made, web_probe(port), f"{said} server [127.0.0.1]:tcp:80.", others)


def test_a_target_without_end_cannot_hold_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where the answer never becomes too long."""
    monkeypatch.setattr(web, "ANSWER_BYTES", 1 << 60)
    with farm() as made, target(made.reactor, flooded) as port:
        fails(made, web_probe(port), "Timeout HTTP read", others=4)


@pytest.mark.parametrize("met", [lambda _visitor: None, lambda visitor: visitor.drip(b"x" * 99, 0.02)])
def test_smtp(met: Callable[[Visitor], None]) -> None:
    with farm() as made, target(made.reactor, met=met) as port:
        probe = SmtpProbe("SMTP_CHECK", loopback(port, timeout_us=TIMEOUT_US), b"me")
        made.house.use(plan_of(probe, timing=LOUD))
        assert not made.until(1)[0][1].up
        assert made.lines[-1] == f"SMTP_CHECK Read timeout from server [127.0.0.1]:{port}"


def test_smtp_lines_without_end() -> None:
    with farm() as made, target(made.reactor, met=lambda v: v.flood(b"220 ", b"x" * 9999)) as port:
        probe = SmtpProbe("SMTP_CHECK", loopback(port, timeout_us=TIMEOUT_US), b"me")
        made.house.use(plan_of(probe, timing=LOUD))
        assert not made.until(1)[0][1].up


def answered(flags: bytes, counts: bytes, rest: bytes) -> Callable[[bytes], list[bytes]]:
    """Our number, then whatever."""
    return lambda question: [question[:2] + flags + counts + question[12:] + rest]


ONE_ANSWER = b"\0\x01\0\x01\0\0\0\0"
RECORD = b"\0\x01\0\x01\0\0\0\0\0\x04\x0a\0\0\x01"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda question: [], "read timeout from socket"),
        (
            lambda question: [bytes([question[0] ^ 1]) + question[1:2] + b"\x81\x80" + question[4:]],
            "read timeout",
        ),
        (lambda question: [question], "read timeout from socket"),
        (lambda question: [b"\0"] * 40, "read timeout from socket"),
        (
            answered(b"\x81\x80", ONE_ANSWER, b"\xc0\x1b" + RECORD),
            "malformed answer: a name points forwards, or too often",
        ),
        (
            answered(b"\x81\x80", ONE_ANSWER, b"\xff\xff" + RECORD),
            "malformed answer: a name points forwards, or too often",
        ),
        (answered(b"\x81\x80", ONE_ANSWER, b"\xc0\x0c" + RECORD[:-1]), "malformed answer: it ends too early"),
        (
            answered(b"\x81\x80", b"\0\x01\xff\xff\xff\xff\xff\xff", b""),
            "malformed answer: it ends too early",
        ),
        (answered(b"\x81\x80", ONE_ANSWER, b"\x3f" * 3000), "malformed answer: a name is too long"),
        (lambda question: [question[:2] + b"\x81\x80" + question[4:-4] + b"\0\x10\0\x01"], "read timeout"),
    ],
)
def test_dns(answer: Callable[[bytes], list[bytes]], said: str) -> None:
    with farm() as made, packets(made.reactor, answer) as port:
        probe = DnsProbe("DNS_CHECK", loopback(port, timeout_us=TIMEOUT_US), "a.example", "A")
        made.house.use(plan_of(probe, timing=LOUD))
        assert not made.until(1)[0][1].up
        assert said in made.lines[-1]


def test_an_honest_answer_is_taken() -> None:
    answer = answered(b"\x81\x80", ONE_ANSWER, b"\xc0\x0c" + RECORD)
    with farm() as made, packets(made.reactor, answer) as port:
        made.house.use(plan_of(DnsProbe("DNS_CHECK", loopback(port), "a.example", "A")))
        assert made.until(1)[0][1].up


def test_a_script_that_forks_and_hangs(tmp_path: Path) -> None:
    """It and its children are gone soon after its time is over."""
    note = tmp_path / "pids"
    text = f"trap '' TERM; sleep 300 & echo $! >{note}; echo $$ >>{note}; sleep 300"
    probe = MiscProbe("MISC_CHECK", Program(("/bin/sh", "-c", text)), TIMEOUT_US)
    with farm() as made, helped(made):
        made.house.use(plan_of(probe, timing=LOUD))
        assert not made.until(1)[0][1].up
        assert "by [/bin/sh] timed out with retry disabled." in made.lines[-1]
        pids = [int(line) for line in note.read_text().split()]
        for _ in range(200):
            if not any(running(pid) for pid in pids):
                break
            made.reactor.turn(0.05)
            made.reactor.later(0.02, lambda: None)
        left = [pid for pid in pids if running(pid)]
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert not left


def running(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_regex_that_would_never_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regexes, "CPU_SECONDS", 0.01)
    hard = Regex("(a+)+$")
    with pytest.raises(Overrun):
        matches(hard, b"a" * 64 + b"b")
    assert matches(hard, b"aaa"), "the next one is not hurt"
    with farm() as made, target(made.reactor, lambda v, _: v.say(HEAD + b"a" * 64 + b"b")) as port:
        probe = replace(web_probe(port), urls=(replace(URL, regex=hard),))
        fails(made, probe, "Regex match failed")


@contextmanager
def tls_server(certificate: str, talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server in a thread of its own: its handshake waits."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / certificate)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.settimeout(0.1)
        ending = threading.Event()

        def serve() -> None:
            while not ending.is_set():
                try:
                    plain = listening.accept()[0]
                except TimeoutError:
                    continue
                plain.settimeout(2)
                try:
                    with context.wrap_socket(plain, server_side=True) as secured:
                        talk(secured)
                except OSError:
                    plain.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            ending.set()
            thread.join()


def answers(secured: socket.socket) -> None:
    secured.recv(4096)
    secured.sendall(HEAD + b"page" * 30000)


def ssl_probe(port: int, ca: str | None = None) -> WebProbe:
    credentials = Credentials(ca=str(CERTIFICATES / ca) if ca else None)
    return WebProbe(
        "SSL_GET", loopback(port, timeout_us=SECOND), (replace(URL, sni="server.example"),), credentials
    )


@pytest.mark.parametrize(
    ("certificate", "ca", "up"),
    [
        ("server.pem", None, True),
        ("stranger.pem", None, True),
        ("server.pem", "ca.pem", True),
        ("stranger.pem", "ca.pem", False),
    ],
)
def test_certificates(certificate: str, ca: str | None, up: bool) -> None:
    with farm() as made, tls_server(certificate, answers) as port:
        made.house.use(plan_of(ssl_probe(port, ca), timing=LOUD))
        assert made.until(1)[0][1].up is up
        said = "SSL handshake/communication error connecting to server [127.0.0.1]:tcp:80."
        assert (said in made.lines) is not up
        why = "SSL error 'certificate verify failed: self-signed certificate' of server "
        assert any(line.startswith(why) for line in made.lines) is not up


def test_no_tls_at_all() -> None:
    with farm() as made, target(made.reactor, lambda v, _: v.say(b"HTTP/1.0 400 No\r\n\r\n")) as port:
        fails(made, ssl_probe(port), "SSL handshake/communication error")


def test_a_handshake_that_does_not_end() -> None:
    with farm() as made, target(made.reactor) as port:
        fails(made, ssl_probe(port), "Timeout connecting", others=4)


def test_tls_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def talk(secured: socket.socket) -> None:
        secured.recv(4096)
        secured.sendall(HEAD)
        while True:
            secured.sendall(bytes(65536))

    monkeypatch.setattr(web, "ANSWER_BYTES", 1 << 20)
    with farm() as made, tls_server("server.pem", talk) as port:
        fails(made, ssl_probe(port), "Too much data received from")


@pytest.mark.parametrize("name", ["", ".", "a" * 300, "a..b", "\udcff", "nul\0", "10.0.0.1"])
def test_names_that_cannot_be_sent_do_no_harm(name: str) -> None:
    with farm() as made, tls_server("server.pem", answers) as port:
        probe = ssl_probe(port)
        made.house.use(plan_of(replace(probe, urls=(replace(probe.urls[0], sni=name),)), timing=LOUD))
        made.until(1)


@pytest.mark.parametrize("name", ["\udcff", "nul\0", "no such interface", "a" * 200])
def test_interfaces_that_cannot_be_named_do_no_harm(name: str) -> None:
    with farm() as made:
        made.house.use(plan_of(TcpProbe("TCP_CHECK", loopback(80, interface=name))))
        made.until_said("TCP socket bind failed. Rescheduling.")


@pytest.mark.parametrize("argument", ["nul\0", "\udcff"])
def test_arguments_that_cannot_be_given_do_no_harm(argument: str) -> None:
    with farm() as made, helped(made) as client:
        probe = MiscProbe("MISC_CHECK", Program(("/bin/true", argument)), TIMEOUT_US)
        made.house.use(plan_of(probe, timing=LOUD))
        assert made.until(1)[0][1].up is (argument != "nul\0")
        assert client.reports() is not None, "the helper lives"


def test_credentials_that_are_not_there() -> None:
    with farm() as made, target(made.reactor) as port:
        made.house.use(plan_of(ssl_probe(port, "no.pem"), timing=LOUD))
        assert not made.until(1)[0][1].up
        assert "SSL error : Cant load CA file..." in made.lines
