"""Every form of address, and what is said about the wrong ones."""

import os
import socket

import pytest

from evener.haproxy.addresses import (
    BIND,
    LOG,
    SERVER,
    Allow,
    BadAddress,
    Names,
    Transport,
    parse_address,
    parse_addresses,
)


def resolver(host: str, family: int) -> str | None:
    return {"localhost": "127.0.0.1"}.get(host)


@pytest.mark.parametrize(
    ("text", "family", "host", "port", "high"),
    [
        ("127.0.0.1:80", socket.AF_INET, "127.0.0.1", 80, 80),
        ("127.0.0.1:80-84", socket.AF_INET, "127.0.0.1", 80, 84),
        ("127.1:80", socket.AF_INET, "127.0.0.1", 80, 80),
        ("*:80", socket.AF_INET, "0.0.0.0", 80, 80),
        (":80", socket.AF_INET, "0.0.0.0", 80, 80),
        ("[::1]:80", socket.AF_INET6, "::1", 80, 80),
        ("::1:80", socket.AF_INET6, "::1", 80, 80),
        (":::80", socket.AF_INET6, "::", 80, 80),
        ("ipv6@:80", socket.AF_INET6, "::", 80, 80),
        ("ipv4@127.0.0.1:80", socket.AF_INET, "127.0.0.1", 80, 80),
        ("tcp6@[::1]:80", socket.AF_INET6, "::1", 80, 80),
        ("mptcp@1.1.1.1:080", socket.AF_INET, "1.1.1.1", 80, 80),
        ("stream+ipv4@1.1.1.1:80", socket.AF_INET, "1.1.1.1", 80, 80),
        ("localhost:80", socket.AF_INET, "127.0.0.1", 80, 80),
        ("/run/x.sock", socket.AF_UNIX, "/run/x.sock", 0, 0),
        ("unix@rel", socket.AF_UNIX, "rel", 0, 0),
        ("abns@foo", socket.AF_UNIX, "\0foo", 0, 0),
    ],
)
def test_bind_addresses(text: str, family: int, host: str, port: int, high: int) -> None:
    made = parse_address(text, BIND, resolver)
    assert (made.family, made.host, made.port, made.high) == (family, host, port, high)
    assert made.transport is Transport.STREAM
    assert str(made) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("127.0.0.1", "missing port specification in '127.0.0.1'"),
        ("*", "missing port specification in '*'"),
        (":", "missing port specification in ':'"),
        ("[::1]", "missing port specification in '[::1]'"),
        ("1.1.1.1:0", "invalid port '0'"),
        ("1.1.1.1:70000", "invalid port '70000'"),
        ("1.1.1.1:80-", "invalid port ''"),
        ("1.1.1.1:81-80", "invalid port range '81-80'"),
        ("1.1.1.1:+10", "port offset not permitted here in '1.1.1.1:+10'"),
        ("1.1.1.1:abc", "invalid character 'a' in port number 'abc' in '1.1.1.1:abc'"),
        ("127.0.0.1:80-81:3", "invalid address: '127.0.0.1:80-81' in '127.0.0.1:80-81:3'"),
        ("nosuch.invalid:80", "invalid address: 'nosuch.invalid' in 'nosuch.invalid:80'"),
        ("ipv6@1.2.3.4:80", "invalid address: '1.2.3.4' in 'ipv6@1.2.3.4:80'"),
        ("ipv4@::1:80", "invalid address: '::1' in 'ipv4@::1:80'"),
        ("foo@1.2.3.4:80", "invalid address: 'foo@1.2.3.4' in 'foo@1.2.3.4:80'"),
        ("256.1.1.1:80", "invalid address: '256.1.1.1' in '256.1.1.1:80'"),
        ("udp@127.0.0.1:80", "dgram-type address not acceptable in 'udp@127.0.0.1:80'"),
        ("dgram+ipv4@1.2.3.4:80", "dgram-type address not acceptable in 'dgram+ipv4@1.2.3.4:80'"),
        ("uxdg@/tmp/x", "dgram-type address not acceptable in 'uxdg@/tmp/x'"),
        ("fd@", "file descriptor '' is not a valid integer in 'fd@'"),
        ("fd@-1", "file descriptor '-1' is not a valid integer in 'fd@-1'"),
        ("fd@9999", "cannot use file descriptor '9999' : Bad file descriptor."),
        (
            "fd@99999999999999999999",
            "cannot use file descriptor '99999999999999999999' : Bad file descriptor.",
        ),
        ("/" + "a" * 100, f"socket path '/{'a' * 100}' too long (max 97)"),
    ],
)
def test_bad_bind_addresses(text: str, message: str) -> None:
    with pytest.raises(BadAddress) as caught:
        parse_address(text, BIND, resolver)
    assert str(caught.value) == message


def test_quic_and_reverse_are_explained() -> None:
    with pytest.raises(
        BadAddress, match=r"datagram family 2 address 'quic4@1.1.1.1:80'; QUIC is not compiled in"
    ):
        parse_address("quic4@1.1.1.1:80", BIND, resolver)
    with pytest.raises(BadAddress, match="'rhttp@x' is experimental"):
        parse_address("rhttp@x", BIND, resolver)


def test_lists_of_addresses() -> None:
    assert [a.port for a in parse_addresses(":80,:81,", BIND, resolver)] == [80, 81]
    with pytest.raises(BadAddress, match="resolves to an empty address"):
        parse_addresses(",:80", BIND, resolver)


@pytest.mark.parametrize(
    ("text", "host", "port", "offset", "resolved"),
    [
        ("127.0.0.1", "127.0.0.1", 0, False, True),
        ("127.0.0.1:80", "127.0.0.1", 80, False, True),
        ("127.0.0.1:0", "127.0.0.1", 0, False, True),
        ("127.0.0.1:+5", "127.0.0.1", 5, True, True),
        ("127.0.0.1:-5", "127.0.0.1", -5, True, True),
        (":80", "0.0.0.0", 80, False, True),
        ("*", "0.0.0.0", 0, False, True),
        ("a.b.c:80", "a.b.c", 80, False, False),
    ],
)
def test_server_addresses(text: str, host: str, port: int, offset: bool, resolved: bool) -> None:
    made = parse_address(text, SERVER, resolver)
    assert (made.host, made.port, made.offset, made.resolved) == (host, port, offset, resolved)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("127.0.0.1:80-90", "port range not permitted here in '127.0.0.1:80-90'"),
        ("fd@3", "a file descriptor is not acceptable here in 'fd@3'"),
        ("127.0.0.1:70000", "invalid port '70000'"),
    ],
)
def test_bad_server_addresses(text: str, message: str) -> None:
    with pytest.raises(BadAddress) as caught:
        parse_address(text, SERVER, resolver)
    assert str(caught.value) == message


def test_log_addresses_are_datagrams_unless_said_otherwise() -> None:
    assert parse_address("127.0.0.1:514", LOG, resolver).transport is Transport.DATAGRAM
    assert parse_address("127.0.0.1", LOG, resolver).port == 0
    assert parse_address("/dev/log", LOG, resolver).transport is Transport.DATAGRAM
    assert parse_address("tcp@127.0.0.1:514", LOG, resolver).transport is Transport.STREAM


def test_inherited_descriptors_must_be_sockets() -> None:
    with socket.socket() as listening:
        made = parse_address(f"fd@{listening.fileno()}", BIND)
        assert made.fd == listening.fileno() and made.family == socket.AF_INET
    reading, writing = os.pipe()
    try:
        with pytest.raises(BadAddress, match="Socket operation on non-socket"):
            parse_address(f"fd@{reading}", BIND)
    finally:
        os.close(reading)
        os.close(writing)


def test_a_place_that_allows_nothing_wants_a_port() -> None:
    with pytest.raises(BadAddress):
        parse_address("1.1.1.1", Allow.STREAM, resolver)


def test_variables_are_replaced_outside_of_quotes_too() -> None:
    """Seen with HAProxy: an address is expanded by itself; what is not set is empty."""
    known = Names({"HOST": "127.0.0.1", "PORT": "81"}.get)
    address = parse_address("${HOST}:$PORT", SERVER, known)
    assert (address.host, address.port) == ("127.0.0.1", 81)
    assert parse_address("${nobody}:${nothing}", SERVER, known).port == 0
