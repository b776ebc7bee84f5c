"""The PROXY protocol in front of a connection."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from origin import Origin
from proxy import Proxy

from evener.engine.columns import Column
from evener.engine.proxy_header import V2_SIGNATURE, parse

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
        (b"PROXY UNKNOWN whatever\r\n", 24, None),
        (V2, 31, (b"\1\2\3\4", 80, b"\5\6\7\x08", 443)),
        (V2_SIGNATURE + b"\x20\x00\x00\x00", 16, None),
    ],
)
def test_headers(data: bytes, used: int, addresses: object) -> None:
    assert parse(data + b"GET") == (used, addresses)
    for length in range(1, len(data)):
        assert parse(data[:length]) is None


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 80\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 80 65536\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 +8 1_0\r\n",
        b"PROXY TCP4 ::1 ::2 1 2\r\n",
        b"PROXY " + b"x" * 120,
        V2_SIGNATURE + b"\x31\x11\x00\x0c" + bytes(12),
        V2_SIGNATURE + b"\x21\x11\x00\x04" + bytes(4),
    ],
)
def test_what_is_no_header(data: bytes) -> None:
    with pytest.raises(ValueError):
        parse(data)


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
