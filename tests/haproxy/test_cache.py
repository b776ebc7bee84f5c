"""What may be cached, for how long, and whom it may be given to: decisions on heads alone."""

from __future__ import annotations

import pytest

from evener.haproxy import cache
from evener.haproxy.cache import Description, Enquiry
from evener.haproxy.dates import parse_http_date
from evener.haproxy.text_txn import TextTxn

NOW = 1_600_000_000
OK = "HTTP/1.1 200 OK\ncache-control: max-age=50\n"


def request(headers: str = "", method: str = "GET", version: str = "1.1", uri: str = "/a?b") -> TextTxn:
    return TextTxn.from_text(f"{method} {uri} HTTP/{version}\nhost: a\n{headers}\n")


def asked(headers: str = "", method: str = "GET", version: str = "1.1", uri: str = "/a?b") -> Enquiry:
    return cache.enquiry(request(headers, method, version, uri).req, vary=True)


def described(response: str, headers: str = "", longest: int = 60) -> tuple[Description, int] | None:
    answer = TextTxn.from_text("GET / HTTP/1.1\n", response).res
    return cache.describe(asked(headers), answer, True, longest, NOW)


def freshness(response: str, longest: int = 60) -> int:
    found = described(response, longest=longest)
    return 0 if found is None else found[1] - NOW


@pytest.mark.parametrize(
    ("headers", "method", "version", "usable", "storable"),
    [
        ("", "GET", "1.1", True, True),
        ("", "HEAD", "1.1", True, False),
        ("", "GET", "1.0", False, False),
        ("", "POST", "1.1", False, False),
        ("cache-control: no-cache\n", "GET", "1.1", False, True),
        ("cache-control: max-age=0\n", "GET", "1.1", False, True),
        ("cache-control: no-store\n", "GET", "1.1", True, False),
        ("pragma: no-cache\n", "GET", "1.1", False, True),
        ("authorization: Basic eDp5\n", "GET", "1.1", False, False),
    ],
)
def test_requests(headers: str, method: str, version: str, usable: bool, storable: bool) -> None:
    found = asked(headers, method, version)
    assert (found.usable, found.storable) == (usable, storable)


def test_the_key_is_host_path_and_query() -> None:
    assert asked().key == asked(uri="http://a/a?b").key
    assert len({asked(uri=uri).key for uri in ("/a", "/a?b", "/a?c", "/A")}) == 4
    assert request().req.uri == b"/a?b"
    other = TextTxn.from_text("GET /a?b HTTP/1.1\nhost: b\n").req
    assert cache.key_of(other) != asked().key


@pytest.mark.parametrize(
    ("response", "seconds"),
    [
        (OK, 50),
        (OK.replace("50", "500"), 60),
        (OK.replace("50", "0"), 0),
        (OK.replace("50", "99999999999999999999"), 60),
        (OK.replace("50", "x"), 0),
        (OK.replace("max-age=50", "max-age=0, s-maxage=5"), 5),
        (OK.replace("max-age=50", "max-age=5, s-maxage=0"), 0),
        (OK.replace("max-age=50", 'max-age="7"'), 7),
        (f"{OK}age: 20\n", 30),
        (f"{OK}age: 50\n", 0),
        (f"{OK}age: abc\n", 0),
        (f"{OK}age: -1\n", 0),
        (f"{OK.replace('50', '500')}age: 100\n", 60),
        ("HTTP/1.1 200 OK\nexpires: Sun, 13 Sep 2020 12:26:50 GMT\n", 10),
        ("HTTP/1.1 200 OK\nexpires: Sun, 13 Sep 2020 12:26:30 GMT\n", 0),
        ("HTTP/1.1 200 OK\nexpires: 0\n", 0),
        (f"{OK}expires: 0\n", 50),
        ('HTTP/1.1 200 OK\netag: "a"\n', 60),
        ("HTTP/1.1 200 OK\nlast-modified: Sun, 13 Sep 2020 12:26:30 GMT\n", 60),
        ("HTTP/1.1 200 OK\nserver: x\n", 0),
        (OK.replace("200", "404"), 0),
        (OK.replace("HTTP/1.1", "HTTP/1.0"), 0),
        (OK.replace("max-age=50", "max-age=50, private"), 0),
        (OK.replace("max-age=50", "max-age=50, No-Store"), 0),
        (OK.replace("max-age=50", "no-cache"), 0),
        (OK.replace("max-age=50", 'max-age=50, no-cache="set-cookie"'), 50),
        (OK.replace("50", '50, no-cache="set-cookie"') + "set-cookie: a=b\n", 0),
        ('HTTP/1.1 200 OK\npragma: no-cache\netag: "a"\n', 0),
    ],
)
def test_how_long_a_response_is_fresh(response: str, seconds: int) -> None:
    assert freshness(response) == seconds


@pytest.mark.parametrize(
    ("vary", "stored"),
    [
        ("accept-encoding", True),
        ("Accept-Encoding, Referer", True),
        ("origin", True),
        ("*", False),
        ("accept-encoding,user-agent", False),
        (",,", True),
        ("x" * 16000, False),
        (",".join(["referer"] * 2000), True),
    ],
)
def test_vary(vary: str, stored: bool) -> None:
    response = f"{OK}vary: {vary}\n"
    assert (described(response) is not None) is stored
    answer = TextTxn.from_text("GET / HTTP/1.1\n", response).res
    without = cache.describe(asked(), answer, False, 60, NOW)
    assert without is None or vary == ",,", "unless the cache processes Vary, nothing that varies is kept"


@pytest.mark.parametrize(
    ("first", "coding", "second", "fits"),
    [
        ("gzip", "gzip", "GZIP", True),
        ("gzip", "gzip", "deflate , gzip;q=0.1", True),
        ("gzip", "gzip", "deflate, gzip;q=0", False),
        ("gzip", "gzip", "unknown", False),
        ("gzip", "x-gzip", "gzip", True),
        ("gzip, deflate", "deflate, gzip", "deflate,gzip", True),
        ("gzip, deflate", "deflate, gzip", "deflate", False),
        ("a", "", "b", True),
        ("a", "", "deflate, identity;q=0", False),
        ("a", "", "deflate, *;q=0", False),
        ("*", "br", "gzip;q=0, deflate, *;q=0.1, identity;q=0", True),
        ("*", "br", "gzip;q=0, deflate, *;q=0", False),
        ("br,gzip,xxx,jdcqiab", "br", "gzip", False),
    ],
)
def test_encodings_are_sets(first: str, coding: str, second: str, fits: bool) -> None:
    line = f"content-encoding: {coding}\n" if coding else ""
    found = described(f"{OK}vary: accept-encoding\n{line}", f"accept-encoding: {first}\n")
    assert found is not None
    assert found[0].fits(asked(f"accept-encoding: {second}\n")) is fits
    assert found[0].fits(asked()), "who names none takes any"


def test_what_cannot_be_compared_is_not_kept() -> None:
    varied = f"{OK}vary: accept-encoding\n"
    assert described(f"{varied}content-encoding: unheard-of\n", "accept-encoding: gzip\n") is None
    assert described(f"{varied}content-encoding: gzip\n", "accept-encoding: first\n") is None, (
        "not acceptable"
    )
    many = ",".join(f"a{number}" for number in range(17))
    assert described(varied, f"accept-encoding: {many}\n") is None
    assert described(varied, f"accept-encoding: {many[: many.rindex(',')]}\n") is not None


def test_referer_and_origin() -> None:
    found = described(f"{OK}vary: referer, origin\n", "referer: r\norigin: o\n")
    assert found is not None
    assert found[0].fits(asked("origin: o\nreferer: r\n"))
    for headers in ("referer: r\n", "referer: r\norigin: p\n", "referer: s\norigin: o\n", ""):
        assert not found[0].fits(asked(headers))
    assert found[0].variant != 0


def test_descriptions_survive() -> None:
    found = described(f'{OK}etag: W/"x"\nage: 3\nvary: referer\n', "referer: r\n")
    assert found is not None
    assert Description.unpack(found[0].pack()) == found[0]


@pytest.mark.parametrize(
    ("headers", "same"),
    [
        ("if-none-match: *\n", True),
        ('if-none-match: "e"\n', True),
        ('if-none-match: W/"e"\n', True),
        ('if-none-match: "a,b", W/"x" , "e"\n', True),
        ('if-none-match: "f"\n', False),
        ('if-none-match: "f"\nif-modified-since: Sun, 13 Sep 2026 12:26:30 GMT\n', False),
        ("if-modified-since: Sun, 13 Sep 2020 12:26:30 GMT\n", True),
        ("if-modified-since: Sun, 13 Sep 2020 12:26:29 GMT\n", False),
        ("if-modified-since: Sunday, 13-Sep-20 12:26:31 GMT\n", True),
        ("if-modified-since: yesterday\n", False),
        ("", False),
    ],
)
def test_not_modified(headers: str, same: bool) -> None:
    found = described(f'{OK}etag: "e"\nlast-modified: Sun, 13 Sep 2020 12:26:30 GMT\ndate: junk\n')
    assert found is not None
    assert cache.not_modified(request(headers).req, found[0]) is same


@pytest.mark.parametrize(
    ("value", "worthy"),
    [
        ("<a.css>; rel=preload", True),
        ('<a.css>; rel="preload prefetch"', True),
        ("<a.css>; crossorigin; rel=preload", True),
        ("<a.css>; rel = preload", True),
        ("<a.css>; rel=preload; rel=stylesheet", True),
        ("<a.css>; rel=stylesheet; rel=preload", False),
        ("<a.css>; rel=preload prefetch", False),
        ('<a.css>; title="foo \\"bar\\""; rel=preload', True),
        ('</a>; title="x\\"; rel=preload; y=\\"z"', False),
        ("a.css; rel=preload", False),
        ("<a.css; rel=preload", False),
        ("<a.css>; rel=preload" + " " * 5000, False),
        ("", False),
    ],
)
def test_links_worth_a_hint(value: str, worthy: bool) -> None:
    assert cache.is_hint(value.encode()) is worthy


def test_hints_of_a_response() -> None:
    answer = TextTxn.from_text(
        "GET / HTTP/1.1\n",
        f"{OK}link: <a>; rel=preload, , <b>; rel=author, <c>;rel=prefetch\nlink: <d>; rel=next\n"
        "link: </e,f>; rel=preload\n",
    ).res
    assert cache.hints_of(answer) == [b"<a>; rel=preload, <c>;rel=prefetch"]


def test_success_of_unsafe_methods_invalidates() -> None:
    for method, status, expected in (
        ("POST", 200, True), ("DELETE", 204, True), ("PUT", 302, True), ("POST", 500, False),
        ("GET", 200, False), ("OPTIONS", 200, False), ("BREW", 200, True),
    ):  # fmt: skip
        answer = TextTxn.from_text("GET / HTTP/1.1\n", f"HTTP/1.1 {status} X\n").res
        assert cache.invalidates(asked(method=method), answer) is expected, (method, status)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"Sun, 06 Nov 1994 08:49:37 GMT", 784111777),
        (b"Sunday, 06-Nov-94 08:49:37 GMT", 784111777),
        (b"Sun Nov  6 08:49:37 1994", 784111777),
        (b"Sun, 06 Foo 1994 08:49:37 GMT", None),
        (b"Sun, 06 Nov 1994 28:49:37 GMT", None),
        (b"\xff" * 29, None),
        (b"", None),
    ],
)
def test_dates(text: bytes, expected: int | None) -> None:
    assert parse_http_date(text) == expected
