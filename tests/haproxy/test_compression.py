"""Which messages are compressed: weights, browsers, types, and every condition that forbids it."""

from __future__ import annotations

import pytest

from evener.haproxy import compression
from evener.haproxy.compression import ALGORITHMS
from evener.haproxy.text_txn import TextTxn

GZIP, DEFLATE, IDENTITY = (ALGORITHMS[name] for name in ("gzip", "deflate", "identity"))
OK = "HTTP/1.1 200 OK\ncontent-type: text/plain\ncontent-length: 100\n"


def asks(headers: str) -> TextTxn:
    return TextTxn.from_text(f"GET / HTTP/1.1\nhost: a\n{headers}\n")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("gzip", GZIP),
        ("GZip", GZIP),
        ("*;q=0, gzip;q=0.750, deflate;q=0.500", GZIP),
        ("*;q=0, gzip;q=0.500, deflate;q=0.750", DEFLATE),
        ("gzip;q=0", None),
        ("gzip ; q=0.001", GZIP),
        ("br, zstd", None),
        ("*", GZIP),
        ("gzip;q=nonsense", GZIP),
        ("gzip;q=9", GZIP),
        ("", None),
        (",,;,;q=,gzip;;;", GZIP),
    ],
)
def test_the_greatest_weight_wins(accept: str, expected: object) -> None:
    request = asks(f"accept-encoding: {accept}").req
    assert compression.wanted(request, [GZIP, DEFLATE]) is expected


def test_several_lines_are_one_list() -> None:
    request = asks("accept-encoding: deflate;q=0.1\naccept-encoding: gzip;q=0.2").req
    assert compression.wanted(request, [DEFLATE, GZIP]) is GZIP


def test_identity_needs_no_asking() -> None:
    assert compression.wanted(asks("").req, [IDENTITY]) is IDENTITY
    assert compression.wanted(asks("").req, [GZIP]) is None


@pytest.mark.parametrize(
    ("agent", "trusted"),
    [
        ("Mozilla/4", False),
        ("Mozilla/4.0 (compatible; MSIE 5.5; Windows)", False),
        ("Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)", False),
        ("Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1)", True),
        ("Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.0)", True),
        ("Mozilla/5.0 (X11)", True),
        ("curl/8", True),
    ],
)
def test_old_browsers_are_spared(agent: str, trusted: bool) -> None:
    request = asks(f"user-agent: {agent}\naccept-encoding: gzip").req
    assert (compression.wanted(request, [GZIP]) is GZIP) is trusted


@pytest.mark.parametrize(
    "response",
    [
        OK.replace("200", "400"),
        OK.replace("200", "204"),
        OK.replace("HTTP/1.1", "HTTP/1.0"),
        OK.replace("content-length: 100\n", ""),
        OK.replace("100", "0"),
        OK.replace("100", "9"),
        OK.replace("text/plain", "text/css"),
        OK.replace("text/plain", "multipart/mixed; boundary=a"),
        OK.replace("content-type: text/plain\n", ""),
        f"{OK}content-encoding: br\n",
        f"{OK}cache-control: max-age=1, No-Transform\n",
        f'{OK}etag: "a"\netag: "b"\n',
        f'{OK}etag: "a\n',
        f"{OK}etag: W/a\n",
    ],
)
def test_what_is_not_compressed(response: str) -> None:
    txn = TextTxn.from_text("GET / HTTP/1.1\nhost: a\n", response)
    assert not compression.compressible(txn.req, txn.res, [b"text/plain"], 10)


@pytest.mark.parametrize(
    "response",
    [OK, OK.replace("content-length: 100", "transfer-encoding: chunked"), f'{OK}etag: W/""\n'],
)
def test_what_is_compressed(response: str) -> None:
    txn = TextTxn.from_text("GET / HTTP/1.1\nhost: a\n", response)
    assert compression.compressible(txn.req, txn.res, [b"text/plain"], 10)
    assert compression.compressible(txn.req, txn.res, [], 0)
    for request in ("GET / HTTP/1.0\n", "HEAD / HTTP/1.1\nhost: a\n"):
        assert not compression.compressible(TextTxn.from_text(request).req, txn.res, [], 0)


@pytest.mark.parametrize(
    ("vary", "expected"),
    [
        ("", [b"Accept-Encoding"]),
        ("vary: \n", [b"Accept-Encoding"]),
        ("vary: Other\n", [b"Other,Accept-Encoding"]),
        ("vary: Other\nvary: More\n", [b"Other", b"More,Accept-Encoding"]),
        ("vary: Other, accept-encoding\n", [b"Other, accept-encoding"]),
        ("vary: *\n", [b"*"]),
    ],
)
def test_the_head_says_so(vary: str, expected: list[bytes]) -> None:
    response = TextTxn.from_text("GET / HTTP/1.1\n", f'{OK}etag: "1"\n{vary}').res
    assert response is not None
    compression.mark(response, ALGORITHMS["raw-deflate"])
    assert response.get(b"content-encoding") == b"deflate"
    assert response.get(b"etag") == b'W/"1"'
    assert response.all(b"vary") == expected
