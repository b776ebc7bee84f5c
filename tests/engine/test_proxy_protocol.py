"""The PROXY protocol in front of a connection."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from origin import Origin
from proxy import Proxy

from evener.engine.columns import Column
from evener.wire.proxy_protocol import V2_SIGNATURE, crc32c, first, netscaler, parse, second

pytestmark = pytest.mark.timeout(20)
V2 = (
    V2_SIGNATURE
    + b"\x21\x11\x00\x0f"
    + b"\x01\x02\x03\x04"
    + b"\x05\x06\x07\x08"
    + b"\x00\x50\x01\xbb"
    + b"\x04\x00\x00"
)


@pytest.fixture
def origin() -> Iterator[Origin]:
    made = Origin()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("data", "used", "addresses"),
    [
        (b"PROXY TCP4 1.2.3.4 5.6.7.8 80 443\r\n", 35, (b"\1\2\3\4", 80, b"\5\6\7\x08", 443)),
        (b"PROXY TCP6 ::1 ::2 1 2\r\n", 24, (bytes(15) + b"\1", 1, bytes(15) + b"\2", 2)),
        (b"PROXY UNKNOWN\r\n", 15, None),
        (V2, 31, (b"\1\2\3\4", 80, b"\5\6\7\x08", 443)),
        (V2_SIGNATURE + b"\x20\x00\x00\x00", 16, None),
    ],
)
def test_headers(data: bytes, used: int, addresses: object) -> None:
    found = parse(data + b"GET")
    assert found is not None and found[:2] == (used, addresses)
    for length in range(1, len(data)):
        assert parse(data[:length]) is None


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 80\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 80 655360\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 +8 1_0\r\n",
        b"PROXY TCP4 ::1 ::2 1 2\r\n",
        b"PROXY " + b"x" * 120,
        V2_SIGNATURE + b"\x31\x11\x00\x0c" + bytes(12),
        V2_SIGNATURE + b"\x21\x11\x00\x04" + bytes(4),
        V2_SIGNATURE + b"\x21\x11\x00\x0e" + bytes(12) + b"\x02\x00",
        V2_SIGNATURE + b"\x21\x11\x00\x0f" + bytes(12) + b"\x02\x00\x01",
        V2_SIGNATURE + b"\x21\x11\x00\x13" + bytes(12) + b"\x03\x00\x04" + bytes(4),
        V2_SIGNATURE + b"\x21\x11\x00\x12" + bytes(12) + b"\x03\x00\x03" + bytes(3),
        V2_SIGNATURE + b"\x21\x11\x00\x90" + bytes(12) + b"\x05\x00\x81" + bytes(129),
    ],
)
def test_what_is_no_header(data: bytes) -> None:
    with pytest.raises(ValueError):
        parse(data)


FOUR, OTHER, SIX = b"\x01\x02\x03\x04", b"\x05\x06\x07\x08", bytes(15) + b"\x01"


def test_what_is_written_can_be_read() -> None:
    fields = ((0xEA, b"x" * 300), (3, b"    "), (5, b"id"), (2, b""))
    for source, target in ((FOUR, OTHER), (SIX, SIX), (FOUR, SIX), (b"", FOUR)):
        data = second(source, 1, target, 65535, fields)
        found = parse(data)
        assert found is not None and found.used == len(data)
        assert [kind for kind, _ in found.fields] == [kind for kind, _ in fields]
        assert (found.addresses is None) == (source == b"")
        spoiled = data.replace(b"id", b"ix")
        with pytest.raises(ValueError):
            parse(spoiled)
    assert first(FOUR, 1, OTHER, 2) == b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n"
    assert first(SIX, 1, SIX, 2) == b"PROXY TCP6 ::1 ::1 1 2\r\n"
    assert first(FOUR, 1, SIX, 2) == b"PROXY TCP6 ::ffff:1.2.3.4 ::1 1 2\r\n"
    assert first(b"", 0, b"", 0) == b"PROXY UNKNOWN\r\n"


def test_a_port_that_is_too_large_loses_what_is_too_much_of_it() -> None:
    found = parse(b"PROXY TCP4 1.2.3.4 5.6.7.8 80 65537\r\n")
    assert found is not None and found.addresses == (FOUR, 80, OTHER, 1)


def test_the_checksum_of_a_known_text() -> None:
    assert crc32c(b"123456789") == 0xE3069283


def test_netscaler_headers() -> None:
    tcp = b"\x00\x50\x01\xbb" + bytes(16)
    four = b"\x45" + bytes(8) + b"\x06" + bytes(2) + FOUR + OTHER + tcp
    six = b"\x60" + bytes(5) + b"\x06\x01" + SIX + SIX + tcp
    for data, addresses in (
        (b"\0\0\0\x7b" + len(four).to_bytes(4, "big") + four, (FOUR, 80, OTHER, 443)),
        (b"\0\0\0\x7b" + bytes(6) + len(four).to_bytes(2, "big") + four, (FOUR, 80, OTHER, 443)),
        (b"\0\0\0\x7b" + bytes(6) + len(six).to_bytes(2, "big") + six, (SIX, 80, SIX, 443)),
    ):
        assert netscaler(data + b"GET", 123) == (len(data), addresses, ())
        assert all(netscaler(data[:size], 123) is None for size in range(4, len(data)))
        with pytest.raises(ValueError):
            netscaler(data, 124)
    with pytest.raises(ValueError):
        netscaler(b"\0\0\0\x7b" + bytes(4) + b"\xff" * 60, 123)


def test_addresses_are_those_of_the_header(origin: Origin) -> None:
    proxy = Proxy(origin.port)
    proxy.engine.listeners[0].accept_proxy = True
    with proxy:
        with proxy.connect() as peer:
            for byte in b"PROXY TCP4 1.2.3.4 5.6.7.8 80 443\r\n":
                peer.send(bytes((byte,)))
            peer.request("/")
            assert peer.response() == (200, b"hello")
            assert proxy.log()["src"] == (b"\1\2\3\4", 80) and proxy.log()["dst"] == (b"\5\6\7\x08", 443)
        with proxy.connect() as peer:
            peer.request("/")
            assert peer.closed()
        assert proxy.cell(1, Column.CONNECTIONS) == 2 and proxy.cell(1, Column.TOTAL) == 1
