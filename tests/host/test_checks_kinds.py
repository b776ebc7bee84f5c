"""Each kind of check against targets that behave, and that fail in the ways the log tells apart."""

from __future__ import annotations

import hashlib
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from checking_farm import PROMPT, Farm, farm, helped, listener, loopback, plan_of
from targets import Visitor, packets, target

from evener.host.checks.ping_range import PingRange
from evener.keepalived.arguments import SECOND
from evener.keepalived.lvs import checking
from evener.keepalived.lvs.check_plan import Probe, Report
from evener.keepalived.lvs.probes import (
    BfdProbe,
    DnsProbe,
    FileProbe,
    MiscProbe,
    PingProbe,
    Regex,
    SmtpProbe,
    UdpProbe,
    Url,
    WebProbe,
)
from evener.keepalived.vrrp.plan import Program
from evener.keepalived.vrrp.plan_tracked import TrackedFile

PAGE = b"<p>it works</p>"
ANSWER = b"HTTP/1.0 200 OK\r\nContent-Length: 15\r\n\r\n" + PAGE
LOUD = replace(PROMPT, log_all_failures=True)
RS = "[127.0.0.1]:tcp:80"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "BOOTSTRAP_US", 0)


def web(port: int, **expected: object) -> WebProbe:
    url = replace(Url("/", b"GET / HTTP/1.0\r\n\r\n"), **expected)  # type: ignore[arg-type]
    return WebProbe("HTTP_GET", loopback(port), (url,))


def first(made: Farm, probe: Probe) -> Report:
    """The first result of a check."""
    made.house.use(plan_of(probe, timing=LOUD))
    return made.until(1)[0][1]


def asked(answer: bytes, expected: dict[str, object], said: str) -> bool:
    with farm() as made, target(made.reactor, lambda visitor, _: visitor.say(answer)) as port:
        up = first(made, web(port, **expected)).up
        assert any(said in line for line in made.lines), made.lines
        return up


@pytest.mark.parametrize(
    ("answer", "expected", "up", "said"),
    [
        (ANSWER, {}, True, f"Remote Web server {RS} succeed on service."),
        (ANSWER, {"digest": hashlib.md5(PAGE).digest()}, True, "succeed on service"),
        (ANSWER, {"digest": bytes(16)}, False, f"MD5 digest error to server {RS}."),
        (ANSWER, {"regex": Regex("it\\h+works")}, True, "succeed on service"),
        (ANSWER, {"regex": Regex("IT", ("caseless",))}, True, "succeed on service"),
        (ANSWER, {"regex": Regex("it", negated=True)}, False, f"Regex match failed server {RS}."),
        (ANSWER, {"regex": Regex("nothing")}, False, "Regex match failed"),
        (ANSWER, {"regex": Regex("it", first=4)}, False, "Regex match failed"),
        (ANSWER, {"regex": Regex("works", last=5)}, False, "Regex match failed"),
        (ANSWER, {"regex": Regex("works", first=6, last=6)}, True, "succeed on service"),
        (b"HTTP/1.1 404 No\r\n\r\n", {}, False, f"HTTP status code error to server {RS}."),
        (b"HTTP/1.1 404 No\r\n\r\n", {"statuses": ((200, 299), (404, 404))}, True, "succeed"),
        (b"HTTP/1.1 200\r\n\r\n", {}, False, "HTTP status code error"),
        (b"no http at all", {}, False, f"Read, no data received from  server {RS}."),
        (
            b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nshort",
            {},
            True,
            "VS [10.0.0.5]:tcp:80 url /: content_length (9) does not match received bytes (5)",
        ),
    ],
)
def test_http(answer: bytes, expected: dict[str, object], up: bool, said: str) -> None:
    assert asked(answer, expected, said) is up


def test_a_closed_port_fails_an_http_check() -> None:
    with listener() as (closed, port), farm() as made:
        closed.close()
        assert not first(made, web(port)).up
        assert f"Connection failed server {RS}." in made.lines


def test_several_urls_are_asked_for_one_after_the_other() -> None:
    seen: list[bytes] = []

    def heard(visitor: Visitor, data: bytes) -> None:
        seen.append(data.split()[1])
        visitor.say(ANSWER)

    with farm() as made, target(made.reactor, heard) as port:
        urls = tuple(Url(path, b"GET %s HTTP/1.0\r\n\r\n" % path.encode()) for path in ("/a", "/b"))
        probe = WebProbe("HTTP_GET", loopback(port), urls)
        made.house.use(plan_of(probe, timing=replace(PROMPT, alpha=True)))
        made.until(1)
        assert seen == [b"/a", b"/b"]
        assert f"HTTP status code success to {RS} url(/b)" in made.lines


SMTP_GOOD = {b"": b"220 hello\r\n", b"HELO": b"250 fine\r\n", b"QUIT": b"221 bye\r\n"}


def smtp(**changed: bytes) -> tuple[bool, list[str]]:
    lines = SMTP_GOOD | {key.encode().replace(b"MEET", b""): value for key, value in changed.items()}

    def heard(visitor: Visitor, data: bytes) -> None:
        visitor.say(lines[data[:4]], end=False)

    def met(visitor: Visitor) -> None:
        visitor.say(lines[b""], end=False)

    with farm() as made, target(made.reactor, heard, met) as port:
        up = first(made, SmtpProbe("SMTP_CHECK", loopback(port), b"me")).up
        return up, [line.replace(str(port), "PORT") for line in made.lines]


def test_smtp() -> None:
    assert smtp() == (True, [ACTIVATING, f"Remote SMTP server {RS} succeed on service."])
    said = "SMTP_CHECK Bad greeting banner from server [127.0.0.1]:PORT"
    assert smtp(MEET=b"554 no\r\n") == (False, [ACTIVATING, said])
    assert smtp(MEET=b"220-more\r\n220 lines\r\n")[0] is False
    said = "SMTP_CHECK Bad HELO response from server [127.0.0.1]:PORT"
    assert smtp(HELO=b"500 what\r\n") == (False, [ACTIVATING, said])


ACTIVATING = f"Activating healthchecker for service {RS} for VS [10.0.0.5]:tcp:80"


def test_a_mail_server_that_hangs_up() -> None:
    with farm() as made, target(made.reactor, met=Visitor.close) as port:
        assert not first(made, SmtpProbe("SMTP_CHECK", loopback(port), b"me")).up
        assert f"SMTP_CHECK Read failure from server [127.0.0.1]:{port}" in made.lines


def good_dns(question: bytes) -> list[bytes]:
    return [question[:2] + b"\x81\x80" + question[4:]]


def refused_dns(question: bytes) -> list[bytes]:
    return [question[:2] + b"\x81\x85" + question[4:]]


def test_dns() -> None:
    with farm() as made, packets(made.reactor, good_dns) as port:
        assert first(made, DnsProbe("DNS_CHECK", loopback(port), "a.example", "A")).up
    with farm() as made, packets(made.reactor, refused_dns) as port:
        assert not first(made, DnsProbe("DNS_CHECK", loopback(port), "", "SOA")).up
        assert f"DNS_CHECK ({RS}) read error occurred. (rcode = 5)" in made.lines


def udp(port: int, **expected: object) -> UdpProbe:
    made = UdpProbe("UDP_CHECK", loopback(port, timeout_us=SECOND // 5), b"ping")
    return replace(made, **expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expected", "answer", "up"),
    [
        ({}, [], True),
        ({}, [b"x"], True),
        ({"require_reply": True}, [], False),
        ({"require_reply": True}, [b"anything"], True),
        ({"require_reply": True, "reply": b"\x10", "mask": b"\x0f"}, [b"\x1a and more"], True),
        ({"require_reply": True, "reply": b"\x10", "mask": b"\x0f"}, [b"\x2a"], False),
        ({"require_reply": True, "reply": b"a", "mask": b"\0", "least": 2}, [b"a"], False),
        ({"require_reply": True, "reply": b"a", "mask": b"\0", "most": 2}, [b"abc"], False),
    ],
)
def test_udp(expected: dict[str, object], answer: list[bytes], up: bool) -> None:
    with farm() as made, packets(made.reactor, lambda _: answer) as port:
        assert first(made, udp(port, **expected)).up is up


def test_an_unreachable_port_fails_a_udp_check() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as held, farm() as made:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        held.close()
        assert not first(made, udp(port)).up
        assert f"UDP connection to {RS} failed." in made.lines


def may_ping() -> bool:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP).close()
    except PermissionError:
        return False
    return True


def test_the_range_of_groups_that_may_ping_is_widened_and_set_back(tmp_path: Path) -> None:
    path = tmp_path / "range"
    for before, after, said in (
        ("1\t0\n", "0\t0\n", False),
        ("5\t9\n", "0\t9\n", True),
        ("0\t9\n", "0\t9\n", False),
    ):
        path.write_text(before)
        made = PingRange(str(path))
        assert (made.widen() is not None) is said
        assert path.read_text() == after
        made.restore()
        assert path.read_text() == before
    assert PingRange(str(tmp_path / "no")).widen() is None


def test_ping() -> None:
    with farm() as made:
        probe = PingProbe("PING_CHECK", loopback(0))
        made.house.use(plan_of(probe))
        if not may_ping():
            made.until_said("ICMP connect fail to create socket. Rescheduling.")
            return
        assert made.until(1)[0][1].up


def shell(text: str, timeout_us: int = 5 * SECOND, dynamic: bool = False) -> MiscProbe:
    return MiscProbe("MISC_CHECK", Program(("/bin/sh", "-c", text)), timeout_us, dynamic)


def test_misc() -> None:
    with farm() as made, helped(made):
        assert first(made, shell("exit 12", dynamic=True)).weight == 10
    with farm() as made, helped(made):
        assert not first(made, shell("kill -9 $$")).up
        assert "by [/bin/sh] failed with retry disabled (due to signal 9)." in made.lines[-1]


def test_a_program_that_is_not_there_is_no_check() -> None:
    missing = MiscProbe("MISC_CHECK", Program(("/no/such", "a")), SECOND)
    with farm() as made, helped(made):
        made.house.use(plan_of(missing, timing=replace(PROMPT, alpha=True)))
        assert made.lines == ["Disabling misc script '/no/such' 'a' since not found/accessible"]
        assert [report for _, report in made.reports] == [Report(True, first=True)]
        for _ in range(5):
            made.reactor.turn(0.01)
        assert len(made.lines) == 1


def test_without_a_helper_no_program_has_a_result() -> None:
    with farm() as made:
        made.house.use(plan_of(shell("true")))
        for _ in range(20):
            made.reactor.turn(0.01)
        assert made.reports == []
        with helped(made):
            assert made.until(1)[0][1].up


def test_a_tracked_file(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("3")
    with farm() as made, helped(made):
        made.house.use(plan_of(FileProbe("FILE_CHECK", TrackedFile("f", str(path)), 2)))
        assert made.until(1)[0][1] == Report(True, first=True, offset=6)
        (tmp_path / "new").write_text("-1")
        (tmp_path / "new").replace(path)
        assert made.until(2)[1][1] == Report(True, offset=-2)
        made.house.use(plan_of(FileProbe("FILE_CHECK", TrackedFile("f", str(path)), 0)))
        assert made.until(3)[2][1] == Report(False, first=True)


def test_a_session_is_told() -> None:
    with farm() as made:
        made.house.use(plan_of(BfdProbe("BFD_CHECK", "b")))
        made.house.bfd("b", True)
        made.house.bfd("other", False)
        made.house.bfd("b", False)
        assert [report.up for _, report in made.reports] == [True, False]
        assert made.lines == [f"BFD check of [b] RS({RS}) is {state}" for state in ("UP", "DOWN")]


def test_a_check_bound_to_an_address_comes_from_there() -> None:
    seen: list[str] = []

    def met(visitor: Visitor) -> None:
        seen.append(visitor.socket.getpeername()[0])

    with farm() as made, target(made.reactor, lambda visitor, _: visitor.say(ANSWER), met) as port:
        probe = web(port)
        first(made, replace(probe, route=loopback(port, source=socket.inet_aton("127.0.0.9"))))
        assert seen[0] == "127.0.0.9"
