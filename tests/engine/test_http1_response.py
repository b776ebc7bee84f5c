"""Response heads: verdicts and forwarded bytes as seen from HAProxy 3.5, and RFC 9112 6.3."""

import pytest

from evener.engine import http1
from evener.engine.http1 import Request, Response, parse_response_bytes, to_bytes

GET = Request.from_bytes(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
HEAD = Request.from_bytes(b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n")
CONNECT = Request.from_bytes(b"CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n")
UPGRADE = Request.from_bytes(b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n")
SOCKET = Request.from_bytes(
    b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
K = b"content-length: 2\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\n"

CASES = [
    (b"HTTP/1.1 200\r\n" + K, OK + K),
    (b"HTTP/1.1 200 \r\n" + K, OK + K),
    (b"HTTP/1.1 404\r\n" + K, b"HTTP/1.1 404 Not Found\r\n" + K),
    (b"HTTP/1.1 599\r\n" + K, b"HTTP/1.1 599 Server Error\r\n" + K),
    (b"HTTP/1.1  200 OK\r\n" + K, OK + K),
    (b"HTTP/1.1 200  OK x\r\n" + K, b"HTTP/1.1 200 OK x\r\n" + K),
    (b"HTTP/1.1 2000 OK\r\n" + K, None),
    (b"HTTP/1.1 099 OK\r\n" + K, b"HTTP/1.1 099 OK\r\n" + K),
    (b"HTTP/1.1 999 OK\r\n" + K, b"HTTP/1.1 999 OK\r\n" + K),
    (b"HTTP/1.1 abc OK\r\n" + K, None),
    (b"HTTP/1.1 200OK\r\n" + K, None),
    (b"HTTP/1.0 200 OK\r\n" + K, b"HTTP/1.0 200 OK\r\n" + K),
    (b"HTTP/1.2 200 OK\r\n" + K, OK + K),
    (b"HTTP/2.0 200 OK\r\n" + K, OK + K),
    (b"HTTP/1.10 200 OK\r\n" + K, None),
    (b"ICY 200 OK\r\n" + K, None),
    (b"http/1.1 200 OK\r\n" + K, None),
    (b"\r\nHTTP/1.1 200 OK\r\n" + K, OK + K),
    (b"HTTP/1.1 200 O\x01K\xe9\r\n" + K, b"HTTP/1.1 200 O\x01K\xe9\r\n" + K),
    (b"HTTP/1.1 200 O\rK\r\n" + K, None),
    (b"HTTP/1.1 200 OK\ncontent-length: 2\n\n", OK + K),
    (OK + b"A : b\r\n" + K, None),
    (OK + b"A: b\r\n c\r\n" + K, OK + b"a: b   c\r\n" + K),
    (OK + b"Content-Length: 2, 2\r\n\r\n", OK + K),
    (OK + b"Content-Length: 3\r\n" + K, None),
    (OK + b"Transfer-Encoding: chunked\r\n" + K, OK + b"transfer-encoding: chunked\r\n\r\n"),
    (OK + b"Transfer-Encoding: gzip\r\n\r\n", None),
    (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n", None),
    (OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n", None),
    (OK + b"Connection: close\r\n" + K, OK + K),
    (OK + b"Connection: close, foo ,bar\r\n" + K, OK + b"connection: foo,bar\r\n" + K),
    (
        OK + b"Connection: upgrade\r\nUpgrade: foo\r\n" + K,
        OK + b"connection: upgrade\r\nupgrade: foo\r\n" + K,
    ),
    (OK + b"Upgrade: foo\r\nTE: gzip\r\n" + K, OK + b"upgrade: foo\r\n" + K),
    (OK + b"Host: a\r\nHost: b\r\n" + K, OK + b"host: a\r\nhost: b\r\n" + K),
    (b"HTTP/1.1 204 No\r\n" + K, b"HTTP/1.1 204 No\r\n\r\n"),
    (b"HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n", b"HTTP/1.1 204 No\r\n\r\n"),
    (b"HTTP/1.1 304 No\r\n" + K, b"HTTP/1.1 304 No\r\n" + K),
    (
        b"HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 304 No\r\ntransfer-encoding: chunked\r\n\r\n",
    ),
    (b"HTTP/1.1 100 C\r\n" + K, b"HTTP/1.1 100 C\r\n\r\n"),
    (b"HTTP/1.1 103 E\r\nLink: x\r\n\r\n", b"HTTP/1.1 103 E\r\nlink: x\r\n\r\n"),
    (b"HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n", None),
]
UNSAFE = [
    (b"HTTP/1.1 2000 OK\r\n" + K, b"HTTP/1.1 2000 OK\r\n" + K),
    (b"HTTP/1.1 99999 OK\r\n" + K, None),
    (OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n", OK + b"transfer-encoding: chunked\r\n\r\n"),
    (
        OK + b"Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n\r\n",
        OK + b"transfer-encoding: chunked\r\n\r\n",
    ),
    (OK + b"Transfer-Encoding: gzip\r\n\r\n", None),
    (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n", None),
    (b"RTSP/1.0 200 OK\r\n" + K, b"RTSP/1.0 200 OK\r\n" + K),
    (b"ICY 200 OK\r\n" + K, b"ICY 200 OK\r\n" + K),
    (OK + b"A : b\r\n" + K, OK + K),
]


def forwarded(data: bytes, unsafe: bool = False, request: Request = GET) -> bytes | None:
    result = parse_response_bytes(data, unsafe=unsafe, request=request)
    assert result != 0
    return None if isinstance(result, int) else to_bytes(result)


@pytest.mark.parametrize(("data", "expected"), CASES)
def test_forwarded_or_502(data: bytes, expected: bytes | None) -> None:
    assert forwarded(data) == expected


@pytest.mark.parametrize(("data", "expected"), UNSAFE)
def test_accepted_violations(data: bytes, expected: bytes | None) -> None:
    assert forwarded(data, True) == expected


def test_cut_anywhere() -> None:
    for data, _ in CASES + UNSAFE:
        for unsafe in (False, True):
            whole = parse_response_bytes(data, 0, unsafe, GET)
            for piece in (1, 3):
                cut = parse_response_bytes(data, piece, unsafe, GET)
                if isinstance(whole, int):
                    assert cut == whole, data
                else:
                    assert isinstance(cut, Response)
                    assert (to_bytes(cut), cut.flags, cut.framing) == (
                        to_bytes(whole),
                        whole.flags,
                        whole.framing,
                    )


@pytest.mark.parametrize(
    ("request_", "data", "framing"),
    [
        (GET, OK + b"\r\n", http1.UNTIL_CLOSE),
        (GET, OK + b"Content-Length: 2\r\n\r\n", http1.LENGTH),
        (GET, OK + b"Content-Length: 0\r\n\r\n", http1.NONE),
        (GET, OK + b"Transfer-Encoding: chunked\r\n\r\n", http1.CHUNKED),
        (HEAD, OK + b"Content-Length: 2\r\n\r\n", http1.NONE),
        (HEAD, OK + b"Transfer-Encoding: chunked\r\n\r\n", http1.NONE),
        (GET, b"HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\n", http1.NONE),
        (GET, b"HTTP/1.1 304 No\r\nContent-Length: 2\r\n\r\n", http1.NONE),
        (GET, b"HTTP/1.1 100 C\r\n\r\n", http1.NONE),
        (CONNECT, OK + b"Content-Length: 2\r\n\r\n", http1.TUNNEL),
        (CONNECT, b"HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\n", http1.LENGTH),
        (UPGRADE, b"HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n", http1.TUNNEL),
        (UPGRADE, b"HTTP/1.1 101 S\r\nConnection: upgrade\r\n\r\n", http1.TUNNEL),
        (UPGRADE, b"HTTP/1.1 101 S\r\nUpgrade: foo\r\n\r\n", None),
        (UPGRADE, OK + b"Content-Length: 2\r\n\r\n", http1.LENGTH),
    ],
)
def test_framing(request_: Request, data: bytes, framing: int | None) -> None:
    result = parse_response_bytes(data, request=request_)
    assert (result.framing if isinstance(result, Response) else None) == framing


def test_tunnel_has_no_length() -> None:
    assert forwarded(OK + b"Content-Length: 2\r\n\r\n", request=CONNECT) == OK + b"\r\n"


def test_websocket_answers_have_an_accept() -> None:
    head = b"HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
    good = head + b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
    assert forwarded(good, request=SOCKET) is not None
    assert forwarded(head + b"\r\n", request=SOCKET) is None
    assert forwarded(good.replace(b"s3pP", b"s3pQ"), request=SOCKET) is not None  # the client's to verify
    assert forwarded(head + b"\r\n", unsafe=True, request=SOCKET) is not None


def test_set_method_decides_the_answer() -> None:
    request = Request.from_bytes(b"HEAD / HTTP/1.1\r\n\r\n")
    request.method = b"GET"
    answer = Response.from_bytes(OK + b"Content-Length: 2\r\n\r\n", request)
    assert answer.framing == http1.LENGTH


def test_bounds() -> None:
    many = OK + b"".join(b"x%d: y\r\n" % index for index in range(101)) + b"\r\n"
    assert forwarded(many) is None
    assert forwarded(OK + b"x: " + b"a" * 16000 + b"\r\n\r\n") is None


@pytest.mark.parametrize(
    ("version", "asker", "keep", "line"),
    [
        (b"1.1", 1, True, b""),
        (b"1.1", 1, False, b"connection: close\r\n"),
        (b"1.1", 0, True, b"connection: keep-alive\r\n"),
        (b"1.0", 1, True, b"connection: keep-alive\r\n"),
        (b"1.0", 1, False, b""),
    ],
)
def test_connection_line(version: bytes, asker: int, keep: bool, line: bytes) -> None:
    head = b"HTTP/" + version + b" 200 OK\r\n"
    response = Response.from_bytes(head + b"\r\n")
    assert to_bytes(response, http1.connection_line(response, asker, keep)) == head + line + b"\r\n"
