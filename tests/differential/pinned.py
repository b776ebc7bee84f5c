"""Hostile scenarios that once showed a difference, kept one by one; ``abused`` plays them."""

from __future__ import annotations

from typing import Final

from abuse import Abuse
from words import req, res

OK: Final = res()
POST: Final = req("/", "content-length: 5", method="POST", body="ab")
CHUNKED: Final = "transfer-encoding: chunked"
NO_RESPONSE: Final = b"HTTP/2 200 OK\r\ncontent-length: 3\r\n\r\nabc"
UPGRADED: Final = res("connection: upgrade", "upgrade: x")


def one(front: str, *pieces: bytes, end: str = "stay", answer: bytes = OK, server_end: str = "stay") -> Abuse:
    return Abuse(front, pieces, end, (answer,), server_end)


PINNED: Final[dict[str, Abuse]] = {
    # empty lines behind a request are the beginning of another one
    "line-behind": one("plain", req() + b"\r\n"),
    "line-later": one("plain", req(), b"\r\n"),
    "lf-behind-probes": one("probes", req() + b"\n"),
    # of TE only "trailers" goes on, both ways, and rules see all of it
    "te-gzip": one("seen", req("/", "te: gzip")),
    "te-list": one("seen", req("/", "te: trailers, x")),
    "te-twice": one("seen", req("/", "te: trailers", "te: gzip", "te: x, trailers")),
    "te-answered": one("seen", req(), answer=res("te: gzip, trailers", "te: gzip")),
    # a response of 1.0 in chunks is the last one
    "chunked-by-1.0": one(
        "plain", req() + req(), answer=res(CHUNKED, version="HTTP/1.0", length=False, body="0\r\n\r\n")
    ),
    # "connection: upgrade" stands alone
    "upgrade-answered": one("plain", req(), answer=UPGRADED),
    "upgrade-answered-1.0": one("plain", req(version="HTTP/1.0"), answer=UPGRADED),
    "upgrade-answered-kept": one(
        "plain", req("/", "connection: keep-alive", version="HTTP/1.0"), answer=UPGRADED
    ),
    # a version that is none is an error once the head is there
    "version-cut": one("plain", b"GET / RTSP/1.0\r\nhost: a\r\n"),
    "version-whole": one("plain", b"GET / RTSP/1.0\r\nhost: a\r\n\r\n"),
    # clients that leave
    "gone-while-served-badly": one("switch", req(), end="reset", answer=NO_RESPONSE),
    "gone-in-inspection": one("inspected", b"GET / HT", end="reset"),
    "gone-in-refusal": one("refused", b"GET / HT", end="reset"),
    "gone-before-switch": one("switch", b"GET / HT", end="reset"),
    "shut-before-switch": one("switch", b"GET / HT", end="shut"),
    "late-before-switch": one("switch", b"GET / HT"),
    "bad-switch": one("switch", b"GE T\r\n\r\n"),
    "late-after-switch": one("switch", req(), b"GET x"),
    "late-upgrade": one("upgraded", b"GET / HT"),
    "reset-amid-body": one("plain", req(), answer=res(body="abcdef")[:-2], server_end="reset"),
    # what is counted before the end
    "asap": one("logged", req("/", "content-length: 2", method="POST", body="ab")),
    "asap-chunked": one("logged", req("/", CHUNKED, method="POST", body="2\r\nab\r\n0\r\n\r\n")),
    "asap-no-body": one("logged", req(), answer=res(status="304 x", length=False)),
    # chunks that come together leave as one, whatever their lines say
    "joined": one(
        "plain",
        req(),
        answer=res(CHUNKED, length=False, body="1;x\r\na\r\n0001 \r\nb\r\n1\t;y=z\r\nc\r\n0\r\n\r\n"),
    ),
    # one attempt more where chunks are none from the beginning
    "retried-chunks": one("retry", req(), answer=res(CHUNKED, length=False, body="3\r\nabc\r0\r\n\r\n")),
    # names, sizes and trailers that are long; what follows them is not counted
    **{f"name-{size}": one("plain", req("/", "x" * size + ": 1")) for size in (255, 256)},
    **{f"name-answered-{size}": one("plain", req(), answer=res("x" * size + ": 1")) for size in (255, 256)},
    **{
        f"trailer-name-{size}": one(
            "plain", req("/", CHUNKED, method="POST", body="0\r\n" + "x" * size + ": 1\r\n\r\n")
        )
        for size in (255, 256)
    },
    "long-extension": one(
        "plain", req("/", CHUNKED, method="POST", body=f"1;{'x' * 15000}\r\na\r\n0\r\n\r\n")
    ),
    "long-trailer": one(
        "plain", req(), answer=res(CHUNKED, length=False, body=f"0\r\nx: {'y' * 16000}\r\n\r\n")
    ),
    "trailers-and-more": one(
        "plain",
        req("/", CHUNKED, method="POST", body="0\r\nx: y\r\n\r\n")
        + req("/", "content-length: 16000", method="POST", body="z" * 16000),
    ),
    # requests that rules about bytes look at
    **{
        f"looked-{front}-{name}": one(front, data)
        for front in ("refused", "looked")
        for name, data in {
            "plain": req(),
            "path": req("/deny"),
            "header": req("/", "x-a: 1"),
            "method": req(method="POST"),
            "cut": b"GET /deny HTTP/1.1\r\n",
            "ancient": b"GET /deny\r\n",
            "other-version": b"GET /deny HTP/1.1\r\nhost: a\r\n\r\n",
            "text": b"abc",
            "bad-length": req("/", "content-length: x"),
            "two-hosts": req("/deny", "host: b"),
            "bad-name": req("/deny", "x y: 1"),
            "authority": req("a:80"),
            "connect": req("/", method="CONNECT"),
            "socket": req("/", "connection: upgrade", "upgrade: websocket"),
            "coding": req("/", "transfer-encoding: gzip"),
            "many": req("/deny", *(f"x-{number}: 1" for number in range(120))),
        }.items()
    },
    # what decoding makes of a parameter
    **{
        f"decoded-{name}-{path}": one("decoded" if path == "decoded" else "replied", req(f"/{path}?i={text}"))
        for path in ("decoded", "return", "deny", "location", "after")
        for name, text in {
            "line": "a%0d%0ax-evil:%201",
            "lf": "a%0ab",
            "cr": "a%0db",
            "nul": "a%00b",
            "head": "a%0d%0a%0d%0aGET%20/",
            "controls": "a%0b%0c%1b%7f",
            "high": "%c3%a9%ff",
            "quote": "a%22%5c%5d",
        }.items()
    },
    # a bad target before a body that is not wanted
    "target-and-body": one("plain", req("a:1", "content-length: 2", version="HTTP/1.0", body="ab")),
}
#: Later releases look after such a client sooner.
EARLIER: Final[dict[str, Abuse]] = {"gone-while-served": one("plain", req(), end="reset")}
#: Debian's release has no status for these: they are compared with later ones only.
LATER: Final[dict[str, Abuse]] = {
    "shut-amid-buffered": one("buffer", POST, end="shut"),
    "shut-amid-awaited": one("wait", POST, end="shut"),
}
