"""Messages that end after each of their bytes: what is answered, passed on and logged then."""

from __future__ import annotations

from typing import Final

from pair import Scenario as S
from words import req, res

CHUNKED: Final = "transfer-encoding: chunked"
CHUNKS: Final = "3\r\nabc\r\n2\r\nde\r\n0\r\nx-t: 1\r\n\r\n"
REQUESTS: Final = {
    "length": req("/", "content-length: 4", method="POST", body="wxyz"),
    "chunks": req("/", CHUNKED, method="POST", body=CHUNKS),
}
RESPONSES: Final = {
    "length": res("x: y", body="abcdef"),
    "chunks": res(CHUNKED, body=CHUNKS, length=False),
}
HEAD_END: Final = {name: data.index(b"\r\n\r\n") + 4 for name, data in RESPONSES.items()}
#: Whether a server was chosen before the end was seen depends on who is faster.
UNSURE: Final = ("log", "origin")
#: Trailers are read and written like the lines of a head.
TRAILERS: Final = {
    "no-blank": "X:a\r\n", "blanks": "X:  a \t\r\ny:\r\n", "lf": "x: a\n", "fold": "x: a\r\n b\r\n",
    "length": "content-length: 5\r\n", "encoding": "transfer-encoding: x\r\n", "host": "host: b\r\n",
    "blank-in-name": "x y: 1\r\n", "no-colon": "xy\r\n", "nul": "x: \x00\r\n", "leading-blank": " x: y\r\n",
}  # fmt: skip

ALL: Final = [
    *(
        S(f"cut-{name}-{end}", data[:end], shut=True, skip=UNSURE if b"\r\n\r\n" in data[:end] else ())
        for name, data in REQUESTS.items()
        for end in range(1, len(data) + 1)
    ),
    *(
        S(f"res-cut-{name}-{end}", req(), data[:end], close=True)
        for name, data in RESPONSES.items()
        for end in range(len(data) + 1)
    ),
    *(
        S(f"trailer-{name}", req("/", CHUNKED, method="POST", body=f"0\r\n{lines}\r\n"))
        for name, lines in TRAILERS.items()
    ),
    *(
        S(f"res-trailer-{name}", req(), res(CHUNKED, body=f"0\r\n{lines}\r\n", length=False), close=True)
        for name, lines in TRAILERS.items()
    ),
    S("trailers-all-lf", req("/", CHUNKED, method="POST", body="0\r\nx: a\n\n")),
    S("trailers-last-lf", req("/", CHUNKED, method="POST", body="0\r\n\n")),
    S(
        "expect-buffered",
        req("/", "expect: 100-continue", "content-length: 2", method="POST", body="ab"),
        front="after",
    ),
    S("interim-then-junk", req(), b"HTTP/1.1 103 Early\r\nlink: a\r\n\r\njunk", close=True),
]
