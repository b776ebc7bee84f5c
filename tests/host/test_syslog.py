"""Envelopes byte by byte, and messages over real datagram sockets on the loopback."""

import os
import socket

import pytest

from evener.host.syslog import Identity, Level, Sender, Target, envelope_of, iso_date

ID = Identity("haproxy", 42, "host1")
NOW = 1795339223.25  # 2026-11-22 09:20:23.25 UTC


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("rfc3164", b"<133>Nov 22 09:20:23 host1 haproxy[42]: "),
        ("local", b"<133>Nov 22 09:20:23 haproxy[42]: "),
        ("rfc5424", b"<133>1 2026-11-22T09:20:23.250000+00:00 host1 haproxy 42 - - "),
        ("raw", b""),
        ("short", b"<5>"),
        ("priority", b"<133>"),
        ("timed", b"<5>2026-11-22T09:20:23.250000+00:00 "),
        ("iso", b"2026-11-22T09:20:23.250000+00:00 "),
    ],
)
def test_envelopes(form: str, expected: bytes) -> None:
    assert envelope_of(form, ID)(133, NOW, b"-") == expected


def test_no_hostname_unless_asked_for() -> None:
    mine = Identity("tag", 1)
    assert envelope_of("rfc3164", mine)(14, NOW, b"-") == b"<14>Nov 22 09:20:23 localhost tag[1]: "
    assert envelope_of("", mine)(14, NOW, b"-") == b"<14>Nov 22 09:20:23 tag[1]: "
    assert b"Z - tag 1 - - " not in envelope_of("rfc5424", Identity("tag", 1))(14, NOW, b"-")


def test_single_digit_days_are_padded() -> None:
    assert envelope_of("local", ID)(14, NOW - 15 * 86400, b"-").startswith(b"<14>Nov  7 ")


def test_iso_date_has_the_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "XXX-05:30")
    time.tzset()
    assert iso_date(NOW) == "2026-11-22T14:50:23.250000+05:30"


def test_udp_levels_and_length() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        target = Target(receiver.getsockname(), format="priority", facility=1, level=Level.NOTICE, length=12)
        sender = Sender([target], ID)
        sender.send(Level.INFO, b"not sent")
        sender.send(Level.NOTICE, b"0123456789")
        assert receiver.recv(100) == b"<13>0123456\n"
        sender.close()


def test_minimum_level_clamps() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        sender = Sender([Target(receiver.getsockname(), format="short", minimum=Level.WARNING)], ID)
        sender.send(Level.ALERT, b"x")
        assert receiver.recv(100) == b"<4>x\n"
        sender.close()


def test_nothing_is_lost_when_the_receiver_comes_back() -> None:
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", 0))
    address = receiver.getsockname()
    receiver.close()
    sender = Sender([Target(address, format="raw")], ID)
    sender.send(Level.INFO, b"to nobody")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind(address)
        again.settimeout(5)
        sender.send(Level.INFO, b"heard")
        assert again.recv(100) == b"heard\n"
    sender.close()


def test_unix_socket_and_descriptor(tmp_path: object) -> None:
    path = f"{tmp_path}/log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(path)
        receiver.settimeout(5)
        sender = Sender([Target(path, family=socket.AF_UNIX, format="raw")], ID)
        sender.send(Level.INFO, b"hello")
        assert receiver.recv(100) == b"hello\n"
        sender.close()
    reader, writer = os.pipe()
    Sender([Target(fd=writer, format="short")], ID).send(Level.ERR, b"piped")
    os.close(writer)
    assert os.read(reader, 100) == b"<3>piped\n"
    os.close(reader)


def test_sampling() -> None:
    reader, writer = os.pipe()
    sender = Sender([Target(fd=writer, format="raw", sample=(((1, 1), (3, 3)), 3))], ID)
    for n in range(1, 7):
        sender.send(Level.INFO, b"%d" % n)
    os.close(writer)
    assert os.read(reader, 100) == b"1\n3\n4\n6\n"
    os.close(reader)
