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
    S("asks-no-query", req("/x"), front="asks"),
    S("asks-query", req("/x?y"), front="asks"),
    S("interim-then-junk", req(), b"HTTP/1.1 103 Early\r\nlink: a\r\n\r\njunk", close=True),
    *(
        S(f"says-{said}-{version[-1]}", req(f"/{said}", version=version), front="refuses")
        for said in ("close", "keep", "sent-close", "sent-keep")
        for version in ("HTTP/1.1", "HTTP/1.0")
    ),
    *(
        S(f"form-{number}", req("/", "content-length: 4", method="POST", body=f"id={number}"), front="form")
        for number in range(6)
    ),
    *(
        S(f"refused-{name}", req(f"/{name}", "cookie: SES=abc; o=1"), front="refuses")
        for name in ("deny", "tarpit", "page", "page-503", "none")
    ),
    # last: a server may still be about to hear of one that was given up
    *(
        S(f"cut-{name}-{end}", data[:end], shut=True, skip=UNSURE if b"\r\n\r\n" in data[:end] else ())
        for name, data in REQUESTS.items()
        for end in range(1, len(data))
    ),
]
CUTS: Final = """
frontend form
    bind @FORM_FD@
    log-format "%s %ST %HM %HU"
    http-request return status 299 if { path_beg /probe }
    default_backend form_be
backend form_be
    balance url_param id check_post
    server a @ORIGIN@
    server b @ORIGIN@
    server c @ORIGIN@
frontend asks
    bind @ASKS_FD@
    log-format "%HM %HQ %HU"
    http-request return status 299
frontend refuses
    bind @REFUSES_FD@
    timeout tarpit 20ms
    capture cookie SES len 20
    log-format "%ST %tsc %CC %HP %HV %r"
    http-request deny if { path /deny }
    http-request tarpit if { path /tarpit }
    http-request return errorfile @FOLDER@/403.http if { path /page }
    http-request return status 503 errorfile @FOLDER@/403.http if { path /page-503 }
    http-request set-header connection close if { path /close }
    http-request set-header connection keep-alive if { path /keep }
    http-request set-var(txn.path) path
    http-response set-header connection close if { var(txn.path) -m str /sent-close }
    http-response set-header connection "keep-alive, x" if { var(txn.path) -m str /sent-keep }
    http-request return status 299 if { path_beg /probe }
    default_backend be
"""
CUTS_FRONTS: Final = ("form", "asks", "refuses")
