"""Mails about servers: to whom, what they say, and the conversation with the mail server."""

import socket
from collections.abc import Sequence

import pytest

from evener.haproxy.addresses import Allow, parse_address
from evener.haproxy.email import Delivery, Letter, letters
from evener.haproxy.ir import Configuration, OtherSection
from evener.haproxy.sections.email_alerts import EmailAlerts
from evener.haproxy.sections.mailers import Mailer, Mailers
from evener.haproxy.sections.proxy import Kind, Proxy

MAILERS = Mailers(
    "m",
    tuple(Mailer(name, parse_address(f"127.0.0.{n}:25", Allow.STREAM)) for n, name in enumerate("ab", 1)),
    2500,
)
CONFIGURATION = Configuration(other=(OtherSection(("mailers", "m"), block=MAILERS),))


def wanted(level: int, /, **said: str) -> Sequence[Letter]:
    proxy = Proxy(Kind.BACKEND, "b", alerts=EmailAlerts(**{"sender": "a@x", "to": "b@x", **said}))
    return list(letters(CONFIGURATION, proxy, level, "Server b/s is\r\nDOWN.", "node", 0.0))


def test_every_mailer_gets_it() -> None:
    found = wanted(1, mailers="m")
    assert [(letter.mailer.name, letter.timeout_ms, letter.helo) for letter in found] == [
        ("a", 2500, "node"),
        ("b", 2500, "node"),
    ]
    head, _, body = found[0].text.partition(b"\r\n\r\n")
    assert head.startswith(b"From: a@x\r\nTo: b@x\r\nDate: Thu, 01 Jan 1970")
    assert head.endswith(b"\r\nSubject: [HAProxy Alert] Server b/s is DOWN.")
    assert body == b"Server b/s is DOWN.\r\n.\r\n"


@pytest.mark.parametrize(
    ("level", "said", "count"),
    [
        (1, {}, 2),
        (5, {}, 0),
        (5, {"level": "notice"}, 2),
        (6, {"level": "notice"}, 0),
        (1, {"level": "emerg"}, 0),
    ],
)
def test_levels(level: int, said: dict[str, str], count: int) -> None:
    assert len(wanted(level, mailers="m", **said)) == count


def test_incomplete_alerts_are_nobodys() -> None:
    assert not wanted(1) and not wanted(1, mailers="none") and not wanted(1, mailers="m", to="")


SCRIPT = (
    (b"220-hello\r\n220 there\r\n", b"HELO node\r\n"),
    (b"250 hi\r\n", b"MAIL FROM: <a@x>\r\n"),
    (b"250 ok\r\n", b"RCPT TO: <b@x>\r\n"),
    (b"250 ok\r\n", b"DATA\r\n"),
    (b"354 go\r\n", None),
    (b"250 taken\r\n", b"QUIT\r\n"),
    (b"221 bye\r\n", b""),
)


@pytest.mark.parametrize("piece", [1, 100])
def test_a_conversation(piece: int) -> None:
    letter = wanted(1, mailers="m")[0]
    delivery = Delivery(letter)
    for said, answer in SCRIPT:
        told = b"".join(delivery.feed(said[at : at + piece]) for at in range(0, len(said), piece))
        assert told == (letter.text if answer is None else answer)
    assert delivery.over and not delivery.failure


@pytest.mark.parametrize(
    ("said", "failure"),
    [
        (b"554 go away\r\n", "554 go away"),
        (b"220 a\r\n250 b\r\n550 no such user\r\n", "550 no such user"),
        (b"2" * 5000, "the mail server talks too much"),
        (b"", "Connection unexpectedly closed"),
    ],
)
def test_what_is_refused(said: bytes, failure: str) -> None:
    delivery = Delivery(wanted(1, mailers="m")[0])
    delivery.feed(said)
    delivery.ended()
    assert (delivery.over, delivery.failure) == (True, failure)


def test_a_quick_goodbye_is_no_failure() -> None:
    delivery = Delivery(wanted(1, mailers="m")[0])
    for said, _ in SCRIPT[:6]:
        delivery.feed(said)
    delivery.ended()
    assert not delivery.failure and MAILERS.mailer[0].address.family == socket.AF_INET
