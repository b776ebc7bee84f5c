"""Request heads: verdicts and forwarded bytes as seen from HAProxy 3.5 fed with the same input.

Where this codec deliberately differs, the case stands in ``DIFFERENT`` with the reason.
"""

import pytest

from evener.engine import http1
from evener.engine.http1 import FLAGS, Request, parse_request_bytes, to_bytes

H = b"Host: h\r\n"


def verdict(data: bytes, unsafe: bool = False) -> int | bytes:
    """The head as forwarded, or the status it is answered with (0: incomplete)."""
    result = parse_request_bytes(data, unsafe=unsafe)
    if isinstance(result, int):
        return http1.status_of(result) if result else 0
    return to_bytes(result)


def get(lines: bytes, target: bytes = b"/", method: bytes = b"GET", version: bytes = b"HTTP/1.1") -> bytes:
    return method + b" " + target + b" " + version + b"\r\n" + lines + b"\r\n"


START = [
    (b"\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", b"GET / HTTP/1.1\r\nhost: h\r\n\r\n"),
    (b"\n\r\n\nGET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"),
    (b"GET / HTTP/1.1\nHost: h\n\n", b"GET / HTTP/1.1\r\nhost: h\r\n\r\n"),
    (b"GET  / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"),
    (b"GET /  HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"),
    (b"GET\t/ HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"),
    (b"GET / HTTP/1.1 \r\n\r\n", 400),
    (b"GET /\r\n\r\n", 400),
    (b"GET\r\n\r\n", 400),
    (b"GET / \r\n\r\n", 400),
    (b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n"),
    (b"GET / HTTP/1.2\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"),
    (b"GET / HTTP/2.0\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"),
    (b"GET / HTTP/0.9\r\n\r\n", b"GET / HTTP/0.9\r\n\r\n"),
    (b"GET / HTTP/1.10\r\n\r\n", 400),
    (b"GET / HTTP/01.1\r\n\r\n", 400),
    (b"GET / http/1.1\r\n\r\n", 400),
    (b"GET / RTSP/1.0\r\n\r\n", 400),
    (b"GET / HTTP/11\r\n\r\n", 400),
    (b" GET / HTTP/1.1\r\n\r\n", 400),
    (b"G@T / HTTP/1.1\r\n\r\n", 400),
    (b"get / HTTP/1.1\r\n\r\n", b"get / HTTP/1.1\r\n\r\n"),
    (b"\rGET / HTTP/1.1\r\n\r\n", 400),
    (b"GET /a\x01 HTTP/1.1\r\n\r\n", 400),
    (b"GET /a\x80 HTTP/1.1\r\n\r\n", 400),
    (b"GET /a\x7f HTTP/1.1\r\n\r\n", 400),
    (b"GET /a\x00 HTTP/1.1\r\n\r\n", 400),
    (b"GET /a#f HTTP/1.1\r\n\r\n", 400),
    (b'GET /a"<>\\^`{|} HTTP/1.1\r\n\r\n', b'GET /a"<>\\^`{|} HTTP/1.1\r\n\r\n'),
    (b"GET / HTTP/1.1\r\nHost: h\r\n", 0),
]
LINES = [
    (b"X-A:  b c \t\r\n", b"x-a: b c\r\n"),
    (b"A:\r\nB: \r\n", b"a: \r\nb: \r\n"),
    (b"A b: c\r\n", 400),
    (b"A : c\r\n", 400),
    (b": c\r\n", 400),
    (b"A\r\n", 400),
    (b"A\xe9: c\r\n", 400),
    (b"A\x00: c\r\n", 400),
    (b"A: \x00\r\n", 400),
    (b"A: \x01\x7f\xe9\r\n", b"a: \x01\x7f\xe9\r\n"),
    (b"A: a\rb\r\n", 400),
    (b"A: a\r\r\n", 400),
    (b"A: a\r\n  b\r\nC: d\r\n", b"a: a    b\r\nc: d\r\n"),
    (b"A:\r\n\tb\r\n c \r\nC: d\r\n", b"a: b   c\r\nc: d\r\n"),
    (b"A:\r\n \r\n", b"a: \r\n"),
    (b" A: b\r\n", 400),
    (b"A: b\r\n\rX", 400),
    (b"TE: trailers, gzip\r\n", b"te: trailers\r\n"),
    (b"TE: gzip\r\nTE: trailers\r\n", b"te: trailers\r\n"),
    (b"TE: gzip\r\n", b""),
    (b"TE: trailers;q=0.5\r\n", b""),
    (b"TE: Trailers\r\n", b""),
    (
        b"Trailer: x\r\nKeep-Alive: 3\r\nProxy-Connection: x\r\n",
        b"trailer: x\r\nkeep-alive: 3\r\nproxy-connection: x\r\n",
    ),
    (b"Connection: close\r\n", b""),
    (b"Connection:\r\n close\r\n", b""),
    (b"Connection: ,close,\r\n", b""),
    (b"Connection: close, foo ,bar\r\n", b"connection: foo,bar\r\n"),
    (b"Connection: foo, X-A\r\nX-A: b\r\n", b"connection: foo, X-A\r\nx-a: b\r\n"),
    (b"Connection: foo\r\nConnection: close\r\n", b"connection: foo\r\n"),
    (b'Connection: "close"\r\n', b'connection: "close"\r\n'),
    (b"Connection: close;q=1\r\n", b"connection: close;q=1\r\n"),
    (b"Connection: Upgrade\r\nUpgrade: foo\r\n", b"connection: Upgrade\r\nupgrade: foo\r\n"),
    (b"Connection: upgrade\r\n", b""),
    (b"Connection: upgrade, foo\r\n", b"connection: foo\r\n"),
    (b"Upgrade: foo\r\n", b""),
    (b"Connection: upgrade\r\nUpgrade:\r\n", b""),
    (b"Connection: upgrade, close\r\nUpgrade: foo\r\n", b"connection: upgrade\r\nupgrade: foo\r\n"),
    (
        b"Connection: upgrade\r\nUpgrade: foo, h2c, bar\r\nUpgrade: h2c\r\n",
        b"connection: upgrade\r\nupgrade: foo,bar\r\n",
    ),
    (b"Connection: upgrade, A\r\nUpgrade: H2C\r\nA: b\r\n", b"connection: A\r\na: b\r\n"),
    (b"Connection: upgrade\r\nUpgrade: websocket\r\n", 400),
    (b"Connection: upgrade\r\nUpgrade: foo, WebSocket\r\nSec-WebSocket-Key: short\r\n", 400),
    (
        b"Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    ),
]
FRAMING = [
    (b"Content-Length: 3\r\nContent-Length: 3\r\n", b"content-length: 3\r\n"),
    (b"Content-Length: 3\r\nContent-Length: 4\r\n", 400),
    (b"Content-Length: 3, 3\r\n", b"content-length: 3\r\n"),
    (b"Content-Length: 3,4\r\n", 400),
    (b"Content-Length: +3\r\n", 400),
    (b"Content-Length: -1\r\n", 400),
    (b"Content-Length: 0x3\r\n", 400),
    (b"Content-Length: 1_0\r\n", 400),
    (b"Content-Length: 3 \r\n", b"content-length: 3\r\n"),
    (b"Content-Length: 003\r\n", b"content-length: 3\r\n"),
    (b"Content-Length: 3 3\r\n", 400),
    (b"Content-Length: ,3\r\n", 400),
    (b"Content-Length: 3,\r\n", 400),
    (b"Content-Length: 18446744073709551616\r\n", 400),
    (b"Content-Length: 18446744073709551615\r\n", b"content-length: 18446744073709551615\r\n"),
    (b"Content-Length: 9223372036854775807, 9223372036854775808\r\n", 400),
    (b"Content-Length:\r\n", 400),
    (b"Content-Length: \xb2\r\n", 400),
    (b"Content-Length: \r\n 3\r\n", b"content-length: 3\r\n"),
    (b"Content-Length: 3\r\nX: y\r\ncontent-length: 03\r\n", b"content-length: 3\r\nx: y\r\n"),
    (b"Transfer-Encoding: Chunked\r\n", b"transfer-encoding: chunked\r\n"),
    (b"Transfer-Encoding:\r\n chunked\r\n", b"transfer-encoding: chunked\r\n"),
    (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400),
    (b"Transfer-Encoding: gzip, chunked\r\n", 422),
    (b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", 422),
    (b"Transfer-Encoding: identity, chunked\r\n", 422),
    (b"Transfer-Encoding: gzip\r\n", 400),
    (b"Transfer-Encoding: identity\r\n", 400),
    (b"Transfer-Encoding: chunked, gzip\r\n", 400),
    (b"Transfer-Encoding: xchunked\r\n", 400),
    (b"Transfer-Encoding: chunked;a=b\r\n", 400),
    (b"Transfer-Encoding: ,chunked\r\n", 400),
    (b"Transfer-Encoding: chunked,\r\n", 400),
    (b"Transfer-Encoding:\r\n", 400),
    (b"Transfer-Encoding: \x0bchunked\r\n", 400),
    (b'Transfer-Encoding: "chunked"\r\n', 400),
    (b"Transfer-Encoding : chunked\r\n", 400),
    (b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"transfer-encoding: chunked\r\n"),
    (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"transfer-encoding: chunked\r\n"),
    (b"Content-Length: x\r\nTransfer-Encoding: chunked\r\n", 400),
]
HOSTS = [
    (b"/", b"Host: a\r\nHost: A\r\n", b"/", b"a"),
    (b"/", b"Host: a\r\nHost: b\r\n", 400, b""),
    (b"/", b"Host:\r\n", b"/", b""),
    (b"/", b"Host: a b\r\n", 400, b""),
    (b"/", b"Host: a/b\r\n", 400, b""),
    (b"/", b"Host: a@b\r\n", 400, b""),
    (b"/", b"Host: a,b\r\n", 400, b""),
    (b"/", b"Host: a[b\r\n", 400, b""),
    (b"/", b"Host: [::1\r\n", 400, b""),
    (b"/", b"Host: a:xx\r\n", b"/", b"a:xx"),
    (b"//x", b"Host: a\r\n", b"//x", b"a"),
    (b"*", b"Host: a\r\n", 400, b""),
    (b"?x", b"Host: a\r\n", 400, b""),
    (b"admin/a", b"Host: a\r\n", 400, b""),
    (b"a:80", b"Host: a:80\r\n", 400, b""),
    (b"http://a/x", b"Host: A\r\n", b"http://a/x", b"A"),
    (b"http://a/x", b"Host: b\r\n", 400, b""),
    (b"http://a/x", b"Host: a:80\r\n", b"http://a/x", b"a:80"),
    (b"http://a:80/x", b"Host: a\r\n", b"http://a/x", b"a"),
    (b"http://u:p@a:80/x", b"Host: a\r\n", b"http://u:p@a/x", b"a"),
    (b"http://a@b@h/", b"Host: h\r\n", b"http://a@b@h/", b"h"),
    (b"HTTP://a:80/x", b"Host: A\r\n", b"HTTP://a/x", b"a"),
    (b"http://a:80/x", b"Host: a\r\nX: y\r\nHost: a\r\n", b"http://a/x", b"a"),
    (b"ftp://a:80/x", b"Host: a\r\n", 400, b""),
    (b"ftp://a:21/x", b"Host: a:21\r\n", b"ftp://a:21/x", b"a:21"),
    (b"http:/a", b"Host: a\r\n", 400, b""),
    (b"http://", b"Host: a\r\n", 400, b""),
    (b"http:///x", b"Host: a\r\n", 400, b""),
    (b"http://a/", b"Host:\r\n", 400, b""),
    (b"http://[::1]:80/x", b"Host: [::1]:80\r\n", b"http://[::1]/x", b"[::1]"),
    (b"1http://a/", b"Host: a\r\n", 400, b""),
    (b"a+b-.c://a/", b"Host: a\r\n", b"a+b-.c://a/", b"a"),
    (b"mailto:a", b"Host: a\r\n", 400, b""),
    (b"http://h", b"Host: h\r\n", b"http://h/", b"h"),
    (b"http://h:80?a", b"Host: h\r\n", b"http://h?a", b"h"),
    (b"http://:", b"Host: :80\r\n", b"http:///", b""),
    (b"https://h:443/", b"Host: h:443\r\n", b"https://h/", b"h"),
    (b"https://h:80/", b"Host: h:80\r\n", b"https://h:80/", b"h:80"),
    (b"https://h:80/", b"Host: h\r\n", 400, b""),
    (b"http://h:080/", b"Host: h\r\n", 400, b""),
    (b"http://h:8080/", b"Host: h\r\n", 400, b""),
    (b"http://h:x/", b"Host: h:x\r\n", b"http://h:x/", b"h:x"),
    (b"http://h:/", b"Host: h:80\r\n", b"http://h/", b"h"),
    (b"http://h:/", b"Host: h:81\r\n", 400, b""),
    (b"http://h/", b"Host: h:\r\n", b"http://h/", b"h:"),
    (b"http://h/", b"Host: h:443\r\n", 400, b""),
]
CONNECT = [
    (b"a:80", b"Host: a\r\n", b"a"),
    (b"a:80", b"Host: A:80\r\n", b"A"),
    (b"a:80", b"Host: a:\r\n", b"a:"),
    (b"a:8", b"Host: A:8\r\n", b"A:8"),
    (b"u@a:80", b"Host: a\r\n", b"a"),
    (b"[::1]:443", b"Host: [::1]\r\n", b"[::1]"),
    (b"a:0", b"Host: a:0\r\n", b"a:0"),
    (b"a:8", b"Host: a\r\n", 400),
    (b"a:443", b"Host: a:80\r\n", 400),
    (b"a", b"Host: a\r\n", 400),
    (b"a:", b"Host: a\r\n", 400),
    (b"a:x", b"Host: a\r\n", 400),
    (b"a:080", b"Host: a\r\n", 400),
    (b":80", b"Host: a\r\n", 400),
    (b"/", b"Host: a\r\n", 400),
    (b"http://a:80", b"Host: a\r\n", 400),
]
UNSAFE = [
    (b"GET /\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n"),
    (b"GET / \r\n", b"GET / HTTP/1.0\r\n\r\n"),
    (b"POST /\r\n\r\n", 400),
    (b"GET / HTTP/1.10\r\n\r\n", b"GET / HTTP/1.10\r\n\r\n"),
    (b"GET / RTSP/1.0\r\n\r\n", b"GET / RTSP/1.0\r\n\r\n"),
    (b"GET / http/1.1\r\n\r\n", 400),
    (b"GET /a\x80#f HTTP/1.1\r\n\r\n", b"GET /a\x80#f HTTP/1.1\r\n\r\n"),
    (b"GET /a\x7f HTTP/1.1\r\n\r\n", 400),
    (b"GET /a\x00 HTTP/1.1\r\n\r\n", 400),
    (get(H + b"A : c\r\nA\x00: d\r\n x\r\nB: c\r\n"), get(b"host: h\r\nb: c\r\n")),
    (get(b" Host: h\r\nA: b\r\n"), get(b"a: b\r\n")),
    (get(b": c\r\n"), 400),
    (get(b"A\r\n"), 400),
    (get(b"A: \x00\r\n"), get(b"a: \x00\r\n")),
    (get(b"A: a\rb\r\n"), 400),
    (get(b"Host: b\r\n", b"http://a/"), get(b"host: b\r\n", b"http://a/")),
    (get(b"Host: b\r\n", b"http://a:80/"), get(b"host: a\r\n", b"http://a/")),
    (get(b"Host: b\r\n", b"a", b"CONNECT"), get(b"host: b\r\n", b"a", b"CONNECT")),
    (get(b"Host: b\r\n", b"foo"), 400),
    (get(b"Host: a b\r\n"), 400),
    (get(b"Host: a\r\nHost: b\r\n"), 400),
    (get(b"Transfer-Encoding: chunked, chunked\r\n"), 400),
    (get(b"Content-Length: 3\r\nContent-Length: 4\r\n"), 400),
    (get(b"Host: a\r\n", method=b"PRI"), 400),  # RFC 9113 3.4
    (b"PRI * HTTP/2.0\r\n\r\n", 400),
]
DIFFERENT = [
    # HAProxy drops the element because of the blank behind it
    (get(b"TE: gzip,trailers ,x\r\n"), get(b"te: trailers\r\n")),
    # HAProxy keeps the blank before the comma
    (get(b"Connection: foo , close , bar\r\n"), get(b"connection: foo,bar\r\n")),
]


@pytest.mark.parametrize(("data", "expected"), START + DIFFERENT)
def test_start_line(data: bytes, expected: int | bytes) -> None:
    assert verdict(data) == expected


@pytest.mark.parametrize(("lines", "expected"), LINES + FRAMING)
def test_lines(lines: bytes, expected: int | bytes) -> None:
    wanted = expected if isinstance(expected, int) else get(b"host: h\r\n" + expected)
    assert verdict(get(H + lines)) == wanted


@pytest.mark.parametrize(("target", "lines", "forwarded", "host"), HOSTS)
def test_host(target: bytes, lines: bytes, forwarded: int | bytes, host: bytes) -> None:
    result = parse_request_bytes(get(lines, target))
    if isinstance(forwarded, int):
        assert isinstance(result, int) and http1.status_of(result) == forwarded
    else:
        assert isinstance(result, Request)
        assert (result.uri, result.all(b"host")) == (forwarded, [host])


@pytest.mark.parametrize(("target", "lines", "host"), CONNECT)
def test_connect(target: bytes, lines: bytes, host: int | bytes) -> None:
    result = parse_request_bytes(get(lines, target, b"CONNECT"))
    if isinstance(host, int):
        assert isinstance(result, int) and http1.status_of(result) == host
    else:
        assert isinstance(result, Request)
        assert (result.uri, result.get(b"host"), result.path) == (target, host, b"")


@pytest.mark.parametrize(("data", "expected"), UNSAFE)
def test_accepted_violations(data: bytes, expected: int | bytes) -> None:
    assert verdict(data, unsafe=True) == expected


@pytest.mark.parametrize("table", [START, [(get(H + a), b) for a, b in LINES + FRAMING], UNSAFE, DIFFERENT])
def test_cut_anywhere(table: list[tuple[bytes, int | bytes]]) -> None:
    for data, _ in table:
        for unsafe in (False, True):
            whole = parse_request_bytes(data, unsafe=unsafe)
            for piece in (1, 2, 7):
                cut = parse_request_bytes(data, piece, unsafe)
                if isinstance(whole, int):
                    assert cut == whole, data
                else:
                    assert isinstance(cut, Request), data
                    assert (to_bytes(cut), cut.flags, cut.head_length) == (
                        to_bytes(whole),
                        whole.flags,
                        whole.head_length,
                    )


def test_a_whole_http2_preface_is_told_apart() -> None:
    """Of one that comes in parts HAProxy refuses the head as it refuses any with that method."""
    assert verdict(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == 405
    assert verdict(b"PRI * HTTP/2.0\r\n\r\nSM") == 400


def test_what_follows_does_not_matter() -> None:
    for data, expected in START:
        if isinstance(expected, bytes):
            result = parse_request_bytes(data + b"GET /next HTTP/1.1\r\n\r\n")
            assert isinstance(result, Request) and result.head_length == len(data)


@pytest.mark.parametrize(
    ("lines", "version", "flags", "framing"),
    [
        (b"", b"HTTP/1.1", set(), http1.NONE),
        (b"Connection: CLOSE\r\n", b"HTTP/1.1", {"close"}, http1.NONE),
        (b"Connection: a, keep-alive\r\n", b"HTTP/1.0", {"keep-alive"}, http1.NONE),
        (b"Content-Length: 0\r\nExpect: 100-Continue\r\n", b"HTTP/1.1", {"length", "expect"}, http1.NONE),
        (b"Content-Length: 5\r\n", b"HTTP/1.1", {"length"}, http1.LENGTH),
        (b"Transfer-Encoding: chunked\r\n", b"HTTP/1.1", {"chunked"}, http1.CHUNKED),
        (b"Transfer-Encoding: chunked\r\n", b"HTTP/1.0", {"chunked", "both"}, http1.CHUNKED),
        (
            b"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
            b"HTTP/1.1",
            {"chunked", "both"},
            http1.CHUNKED,
        ),
        (b"Connection: upgrade\r\nUpgrade: foo\r\n", b"HTTP/1.1", {"upgrade"}, http1.NONE),
        (b"Connection: upgrade\r\nUpgrade: h2c\r\n", b"HTTP/1.1", set(), http1.NONE),
        (b"Upgrade: foo\r\n", b"HTTP/1.1", set(), http1.NONE),
    ],
)
def test_flags(lines: bytes, version: bytes, flags: set[str], framing: int) -> None:
    result = Request.from_bytes(get(lines, version=version, method=b"POST"))
    assert {name for name, bit in FLAGS.items() if result.flags & bit} == flags
    assert result.framing == framing


def test_method_flags() -> None:
    assert Request.from_bytes(get(H, method=b"HEAD")).flags & FLAGS["head"]
    connect = Request.from_bytes(get(b"Host: h\r\nContent-Length: 3\r\n", b"h:80", b"CONNECT"))
    assert connect.flags & FLAGS["connect"] and connect.flags & FLAGS["both"]
    assert connect.framing == http1.NONE and connect.get(b"content-length") is None


def test_bounds() -> None:
    def lines(count: int) -> bytes:
        return get(b"".join(b"x%d: y\r\n" % index for index in range(count)))

    assert isinstance(parse_request_bytes(lines(100)), Request)
    assert verdict(lines(101)) == 400
    for piece in (0, 1):
        for data, status in (
            (get(b"X: " + b"a" * 15400 + b"\r\n"), 431),
            (get(b"X" * 70000 + b": y\r\n"), 431),
            (get(b"", b"/" + b"a" * 16000), 431),
            (get(b"", b"/" + b"a" * 17000), 414),
            (b"\r\n" * 9000 + get(b""), 414),
        ):
            result = parse_request_bytes(data, piece)
            assert isinstance(result, int) and http1.status_of(result) == status
    assert not isinstance(parse_request_bytes(get(b"X: " + b"a" * 15200)), Request)


@pytest.mark.parametrize(
    ("count", "most"), [(1, 15281), (2, 15277), (3, 15273), (10, 15245), (50, 15085), (90, 14925)]
)
@pytest.mark.parametrize("target", [b"/", b"/" + b"t" * 1000])
def test_the_byte_at_which_a_head_is_too_large(count: int, most: int, target: bytes) -> None:
    """Bytes on the wire as seen from HAProxy 3.5, which keeps 8 bytes more for each line of the head."""

    def head(size: int) -> bytes:
        lines = [
            b"GET %b HTTP/1.1" % target,
            b"host: a",
            *(b"x%02d: " % index for index in range(count)),
            b"",
            b"",
        ]
        room, extra = divmod(size - len(b"\r\n".join(lines)), count)
        for index in range(count):
            lines[2 + index] += b"y" * (room + (extra if index == 0 else 0))
        return b"\r\n".join(lines)

    assert len(head(most)) == most
    assert isinstance(parse_request_bytes(head(most)), Request)
    assert http1.status_of(parse_request_bytes(head(most + 1))) == 431
    assert http1.status_of(parse_request_bytes(head(most + 1), 1)) == 431
