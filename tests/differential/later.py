# ruff: noqa: E501
"""Placement, caches, redirections, the statistics page, URIs made normal, chunks that came together.

Kept from some 1,000 generated scenarios played through 2.6, 3.5 and evener.
"""

from __future__ import annotations

from typing import Final

from pair import Scenario as S
from words import req, res

LATER_FRONTS: Final = (
    "turns",
    "cached",
    "varied",
    "page",
    "bent",
    "moved",
    "zipped",
    "counted",
    "after",
    "silent",
)
CHUNKED: Final = "transfer-encoding: chunked"

FARMS: Final = {
    "even": ("balance roundrobin", (1, 1, 1)),
    "heavy": ("balance roundrobin", (10, 20, 30)),
    "one": ("balance roundrobin", (1, 1, 1, 5)),
    "odd": ("balance roundrobin", (3, 7, 11)),
    "fixed": ("balance static-rr", (3, 1, 7)),
    "least": ("balance leastconn", (10, 20, 30)),
    "first": ("balance first", (1, 1, 1)),
    "uri": ("balance uri", (1, 2, 3)),
    "ring": ("balance uri\n    hash-type consistent", (1, 2, 3)),
    "param": ("balance url_param id\n    hash-type map-based djb2 avalanche", (1, 1, 1, 1)),
    "header": ("balance hdr(x-id)\n    hash-type consistent sdbm avalanche", (2, 1, 2)),
    "backups": ("balance roundrobin\n    option allbackups", (0, 3, 1)),
}


def farms() -> str:
    made = []
    for name, (how, weights) in FARMS.items():
        backup = " backup" if name == "backups" else ""
        servers = "".join(
            f"    server s{at} @ORIGIN@ weight {weight}{backup}\n" for at, weight in enumerate(weights)
        )
        made.append(f"backend {name}_be\n    {how}\n{servers}")
    return "\n".join(made)


REDIRECTS: Final = (
    "location /x",
    "location http://h/%[path] code 307",
    "prefix http://h",
    "prefix /pre drop-query",
    "prefix http://h append-slash",
    "scheme https",
    "scheme http code 308",
    "location /c set-cookie A=1",
    "location /c clear-cookie A",
    "prefix / append-slash drop-query",
    "location /%[path,field(2,/)]?%[query] code 303",
)

LATER: Final = (
    """
cache kept
    total-max-size 4
    max-age 60
cache apart
    total-max-size 4
    max-age 60
    process-vary on

frontend turns
    bind @TURNS_FD@
    http-request return status 299 if { path_beg /probe }
"""
    + "".join(f"    use_backend {name}_be if {{ path_beg /{name}/ }}\n" for name in FARMS)
    + farms()
    + """
frontend cached
    bind @CACHED_FD@
    log-format "%s %ST %B %tsc %r"
    http-request return status 299 if { path_beg /probe }
    http-request cache-use kept
    http-response cache-store kept
    default_backend be

frontend varied
    bind @VARIED_FD@
    log-format "%s %ST %B %tsc %r"
    http-request return status 299 if { path_beg /probe }
    http-request cache-use apart
    http-response cache-store apart
    default_backend be

frontend page
    bind @PAGE_FD@
    log-format "%b/%s %ST %tsc %{+Q}r"
    http-request return status 299 if { path_beg /probe }
    stats enable
    stats uri /st
    stats realm My\\ Realm
    stats auth u:p
    default_backend be

frontend bent
    bind @BENT_FD@
    http-request return status 299 if { path_beg /probe }
    http-request normalize-uri path-merge-slashes
    http-request normalize-uri path-strip-dot
    http-request normalize-uri path-strip-dotdot
    http-request normalize-uri percent-decode-unreserved
    http-request normalize-uri percent-to-uppercase
    http-request normalize-uri query-sort-by-name
    default_backend be

frontend moved
    bind @MOVED_FD@
    http-request return status 299 if { path_beg /probe }
"""
    + "".join(
        f"    http-request redirect {one} if {{ path_beg /r{at}/ }}\n" for at, one in enumerate(REDIRECTS)
    )
    + """    default_backend be

frontend zipped
    bind @ZIPPED_FD@
    http-request return status 299 if { path_beg /probe }
    compression algo gzip
    compression type text/plain
    compression offload
    default_backend be

frontend counted
    bind @COUNTED_FD@
    stick-table type string len 16 size 100 expire 10m store gpc0,gpt0,http_req_cnt,http_err_cnt
    http-request return status 299 if { path_beg /probe }
    http-request track-sc0 hdr(x-k)
    http-request sc-inc-gpc0(0) if { path /gpc0 }
    http-request sc-set-gpt0(0) 42 if { path /gpt0 }
    http-request deny deny_status 429 if { path /lim } { sc_http_req_cnt(0) gt 2 }
    http-request return status 200 content-type text/plain lf-string "%[sc0_get_gpc0] %[sc0_get_gpt0] %[sc_http_req_cnt(0)] %[sc0_http_err_cnt] %[sc0_tracked] %[req.hdr(x-k),table_http_req_cnt] %[req.hdr(x-k),table_trackers] %[str(none),in_table]" if { path /show }
    default_backend be

frontend after
    bind @AFTER_FD@
    log-format "%hr %hs %ST %[capture.req.ver] %[capture.res.ver] %r"
    option http-buffer-request
    http-request return status 299 if { path_beg /probe }
    http-request set-var(req.a) path
    http-response set-header x-a "<%[var(req.a)]>"
    http-response set-header x-no 1 if { path /x }
    http-after-response set-header x-also 1 if { path /x }
    default_backend be

frontend silent
    bind @SILENT_FD@
    log-format "%ST %tsc %hrl %hsl %{+Q}r"
    error-log-format "early %ST %tsc <%hrl> <%hsl> %{+Q}r"
    capture request header host len 8
    capture response header server len 8
    http-request return status 201 content-type text/plain lf-string "%ST" if { path /status }
    errorfile 400 /dev/null
    errorfile 403 /dev/null
    errorfile 502 /dev/null
    http-request return status 299 if { path_beg /probe }
    http-request deny if { path /deny }
    default_backend be
"""
)


def turns(name: str, count: int = 9) -> S:
    asked = [req(f"/{name}/k{at}?id=v{at * 7}", f"x-id: id{at}") for at in range(count)]
    return S(f"turns-{name}", b"".join(asked), front="turns", replies=count)


def twice(name: str, *lines: str, second: tuple[str, ...] = (), front: str = "cached") -> S:
    """The same request twice: whether the second one is answered by the cache."""
    target = f"/{name}"
    return S(f"{front}-{name}", req(target) + req(target, *second), res(*lines), front=front, replies=2)


ETAG: Final = 'etag: "abc"'
LAST: Final = "last-modified: Thu, 01 Jan 2015 00:00:00 GMT"
CACHED: Final = [
    twice("plain"),
    twice("max-age", "cache-control: max-age=10"),
    twice("max-age-0", "cache-control: max-age=0"),
    twice("s-maxage", "cache-control: s-maxage=10, max-age=0"),
    twice("s-maxage-last", "cache-control: max-age=0, s-maxage=10"),
    twice("max-age-text", "cache-control: max-age=abc"),
    twice("max-age-negative", "cache-control: max-age=-1"),
    twice("private", "cache-control: max-age=10, private"),
    twice("no-store", "cache-control: no-store"),
    twice("expires", "expires: Thu, 01 Jan 2099 00:00:00 GMT"),
    twice("expired", "expires: Thu, 01 Jan 1970 00:00:00 GMT"),
    twice("etag", ETAG),
    twice("etag-weak", 'etag: W/"abc"', second=('if-none-match: "abc"',)),
    twice("none-match", ETAG, second=('if-none-match: "x", "abc"',)),
    twice("none-match-not", ETAG, second=('if-none-match: "x"',)),
    twice("modified-since", LAST, second=("if-modified-since: Thu, 01 Jan 2016 00:00:00 GMT",)),
    twice("modified-since-not", LAST, second=("if-modified-since: Thu, 01 Jan 2014 00:00:00 GMT",)),
    twice("asks-no-store", ETAG, second=("cache-control: no-store",)),
    twice("asks-no-cache", ETAG, second=("cache-control: no-cache",)),
    twice("authorized", ETAG, second=("authorization: Basic x",)),
    twice("cookie-set", ETAG, "set-cookie: a=b"),
    twice("vary-off", ETAG, "vary: accept-encoding"),
    twice("vary-none", ETAG, "vary: accept-encoding", front="varied"),
    twice("vary-other", ETAG, "vary: referer", second=("referer: http://b",), front="varied"),
    twice("vary-unknown", ETAG, "vary: user-agent", front="varied"),
]  # fmt: skip

PATHS: Final = (
    "//a///b", "/a/../b", "/a/./b/./c", "/../a/b/..", "/a/b/../../..", "/%61%2f%2F%7e", "/a?b=2&a=1&c&a=0",
    "/a?&&b=1", "/%c3%a9?%41=%2b", "/a/..", "/...", "/a%2e%2e/b", "/a/b/c/../..?x=../y",
)  # fmt: skip
TEXT: Final = "content-type: text/plain"
GZIP: Final = "accept-encoding: gzip"


def chunks(*parts: str, end: str = "0\r\n\r\n") -> str:
    return "".join(f"{len(part):x}\r\n{part}\r\n" for part in parts) + end


def posted(name: str, body: str) -> S:
    return S(f"joined-{name}", req("/", CHUNKED, method="POST", body=body), front="after")


def streamed(name: str, body: str) -> S:
    return S(f"joined-res-{name}", req(), res(CHUNKED, body=body, length=False), front="after")


ALL: Final = [
    *[turns(name) for name in FARMS],
    *[S(f"{one.name}-again", one.send, front="turns", replies=9) for one in map(turns, FARMS)],
    *CACHED,
    *[S(f"bent-{at}", req(path), front="bent") for at, path in enumerate(PATHS)],
    *[S(f"moved-{at}", req(f"/r{at}/p/q?a=b&c=d"), front="moved") for at in range(len(REDIRECTS))],
    *[S(f"moved-plain-{at}", req(f"/r{at}/p"), front="moved") for at in range(len(REDIRECTS))],
    # what the reference does with a connection on which it refused the page is not what it does elsewhere
    S("page-stranger", req("/st"), front="page", skip=["stays"]),
    S("page-wrong", req("/st;csv", "authorization: Basic dTp4"), front="page", skip=["stays"]),
    S("page-absolute", req("http://a/st"), front="page", skip=["stays"]),
    S("page-head", req("/st", "authorization: Basic dTpw", method="HEAD"), front="page"),
    S(
        "page-post",
        req("/st", "authorization: Basic dTpw", "content-length: 3", method="POST", body="a=b"),
        front="page",
    ),
    S("page-other", req("/s"), front="page"),
    S("zipped-other", req("/", "accept-encoding: br"), res(TEXT), front="zipped"),
    S("zipped-type", req("/", GZIP), res("content-type: image/png"), front="zipped"),
    S("zipped-small", req("/", GZIP), res(TEXT, body="a"), front="zipped"),
    S("zipped-twice", req("/", GZIP), res(TEXT, "content-encoding: br"), front="zipped"),
    S("zipped-head", req("/", GZIP, method="HEAD"), res(TEXT, body=""), front="zipped"),
    S(
        "counted",
        req("/gpc0", "x-k: a") + req("/gpt0", "x-k: a") + req("/show", "x-k: a"),
        front="counted",
        replies=3,
    ),
    S("counted-limit", b"".join(req("/lim", "x-k: b") for _ in range(4)), front="counted", replies=4),
    S("counted-none", req("/show"), front="counted"),
    S(
        "counted-long",
        req("/x", "x-k: abcdefghijklmnopqrstuv") + req("/show", "x-k: abcdefghijklmnopqrstuv"),
        front="counted",
        replies=2,
    ),
    S(
        "counted-errors",
        req("/x", "x-k: e") + req("/show", "x-k: e"),
        res(status="404 N"),
        front="counted",
        replies=2,
    ),
    S("after-path", req("/x"), front="after"),
    S("after-bad", b"GET / HTTP/1.1\r\nx y\r\n\r\n", front="after"),
    S("after-502", req("/x"), b"junk\r\n\r\n", front="after", close=True),
    S("silent-status", req("/status"), front="silent"),
    S("silent-plain", req(), res("server: x"), front="silent"),
    S("silent-half", b"GET / HTTP", front="silent", shut=True),
    S("silent-deny", req("/deny"), front="silent"),
    S("silent-400", b"GET / HTTP/1.1\r\nx y\r\n\r\n", front="silent"),
    S("silent-502", req(), b"junk\r\n\r\n", front="silent", close=True),
    posted("two", chunks("abc", "de")),
    posted("many", chunks(*"abcdefghijklmnopqrstuvwxyz")),
    posted("grows", chunks("a" * 15, "b")),
    posted("trailer", chunks("abc", "de", end="0\r\nx-t: 1\r\n\r\n")),
    streamed("two", chunks("abc", "de")),
    streamed("many", chunks(*"abcdefghijklmnopqrstuvwxyz")),
    streamed("larger", chunks("a" * 255, "b" * 300, "c")),
    streamed("trailer", chunks("abc", "de", end="0\r\nx-t: 1\r\n\r\n")),
]
