# ruff: noqa: E501
"""Further front ends of the same configuration, each with its scenarios: what HAProxy was seen to do.

Most came out of a comparison of some 2,000 generated scenarios with 2.6 and 3.5; they keep what was found.
"""

from __future__ import annotations

from typing import Final

from pair import Scenario as S
from words import req, res

MORE_FRONTS: Final = ("spaced", "trapped", "sent", "files", "greeted", "says", "looked", "quoted", "answers")
CHUNKED: Final = "transfer-encoding: chunked"

SAID: Final = {
    "words": r"req.hdr(x-l),word(1,'|') req.hdr(x-l),word(-1,'|') req.hdr(x-l),field(2,'|') req.hdr(x-l,2)"
    r" req.fhdr(x-l),word(2,'|',0) req.hdr_cnt(x-l) req.fhdr_cnt(x-l) req.hdr(x-l,-1) path,field(-1,/)",
    "numbers": "req.hdr(x-n),add(1) req.hdr(x-n),div(0) req.hdr(x-n),mod(5) req.hdr_val(x-big)"
    " str(12abc),add(1) str(+5),add(1) req.hdr(x-n),cpl int(9223372036854775807),add(1) str(ff),hex2i str(zz),hex2i",
    "hashes": "str(Hello),crc32 str(Hello),crc32c str(Hello),djb2(1) str(Hello),sdbm str(Hello),wt6(1)"
    " str(Hello),xxh32(7) str(Hello),xxh64 str(Hello),xxh3 str(),sdbm str(Hello),sha1,hex",
    "texts": r"str(xyx),ltrim(x),rtrim(x) str(aaa),regsub($,x,g) str(aXb),regsub(z*,-,g)"
    r" str(a.b),regsub(\.,,g) req.hdr(x-e),url_dec req.hdr(x-e),url_dec(1) str(abc),bytes(1,1) str(Hello?),ub64enc str(abc),hex",
    "json": "req.fhdr(x-j),json_query('$.a[1]') req.fhdr(x-j),json_query('$.s')"
    " req.fhdr(x-j),json_query('$.t') req.fhdr(x-j),json_query('$.n') req.fhdr(x-j),json_query('$.u') req.fhdr(x-j),json",
    "addresses": "req.hdr(x-i),ipmask(8) req.hdr(x-6),ipmask(24,64) src,ipmask(16) req.hdr_ip(x-i)"
    " str(::ffff:1.2.3.4),ipmask(8,128) str(1.2.3),ipmask(8)",
    "names": "fe_name fe_defbe so_id fe_id,bool unique-id req.ver method base query url_param(b) url_param(z)"
    " req.body_param req.cook(b) req.cook_cnt(a) capture.req.uri wait_end always_false",
    "hosts": "str(ex.com:80),host_only str(EX:80),port_only str([::1]:8080),port_only"
    " str(ex.com:abc),port_only str([::1]),host_only str(ex.com:),port_only",
}  # fmt: skip


def said() -> str:
    return "\n".join(
        f"    http-request return content-type text/plain lf-string '{quoted(text)}' if {{ path /{name} }}"
        for name, text in SAID.items()
    )


def quoted(text: str) -> str:
    return "|".join(f"<%[{one}]>" for one in text.split(" ")).replace("'", "'\\''")


MORE: Final = (
    r"""
http-errors pages
    errorfile 403 @FOLDER@/403.http
    errorfile 404 @FOLDER@/404.http
    errorfile 503 @FOLDER@/503.http

frontend spaced
    bind @SPACED_FD@
    log-format "%ft  %hr %hs %{+Q}r %HQ"
    capture request header host len 10
    capture response header server len 10
    http-request return status 299 if { path_beg /probe }
    default_backend be

frontend trapped
    bind @TRAPPED_FD@
    log-format "%TR|%Tc|%ST|%tsc|%{+Q}r"
    timeout tarpit 80ms
    http-request return status 299 if { path_beg /probe }
    http-request tarpit deny_status 429 if { path /t }

frontend sent
    bind @SENT_FD@
    http-request return status 299 if { path_beg /probe }
    default_backend sent_be

frontend files
    bind @FILES_FD@
    errorfile 400 @FOLDER@/403.http
    errorfile 503 @FOLDER@/503.http
    http-request return status 299 if { path_beg /probe }
    http-request deny errorfiles pages if { path /own }
    http-request deny deny_status 404 errorfiles pages if { path /sized }
    http-request return status 503 errorfiles pages if { path /old }
    http-request return errorfile @FOLDER@/403.http if { path /one }
    default_backend dead_be

frontend greeted
    bind @GREETED_FD@ accept-proxy
    http-request return status 299 if { path_beg /probe }
    http-request set-header x-from %[src]:%[src_port]
    http-request set-header x-to %[dst]:%[dst_port]
    default_backend be

frontend says
    bind @SAYS_FD@
    unique-id-format id-%[path]
    option http-buffer-request
    http-request return status 299 if { path_beg /probe }
"""
    + said()
    + r"""
    default_backend be

frontend looked
    bind @LOOKED_FD@
    monitor-uri /alive
    tcp-request inspect-delay 1s
    tcp-request content reject if { path /reject }
    http-request return status 299 if { path_beg /probe }
    default_backend be

frontend quoted
    bind @QUOTED_FD@
    log-format "%{+Q}o %ci %ft %b %s %ST %CC %CS %tsc %rc %hr %hs %r"
    http-request return status 299 if { path_beg /probe }
    default_backend be

frontend answers
    bind @ANSWERS_FD@
    http-request return status 299 if { path_beg /probe }
    http-request return status 304 if { path /304 }
    http-request return status 200 content-type a/b lf-string "%[req.hdr(x-none)]" if { path /empty }
    http-request return content-type a/b string x hdr content-type c/d hdr x-a "%[path]" if { path /hdr }
    http-request redirect prefix "/%[req.hdr(x-none)]" if { path_beg /prefix }
    http-request replace-uri ^/whole http://other/b if { path /whole }
    http-request set-uri http://other/c if { path /uri }
    default_backend be

backend sent_be
    server s @ORIGIN@ redir http://other.example/base
backend insert_use
    cookie SRV insert
    use-server b if TRUE
    server a @ORIGIN@ cookie aaa
    server b @ORIGIN@ cookie bbb
"""
)
LINES: Final = (
    "x-l: a|b,c|d, ,e", "x-n: 42", "x-big: 99999999999", "x-e: a%20b+c%zz%4",
    'x-j: {"a":[1,"two"],"s":"q\\"\\u0041","t":true,"n":1.5,"u":"\\u20ac"}', "x-i: 10.1.2.3",
    "x-6: 2001:db8::1", "cookie: a=1; b=2; a=3",
)  # fmt: skip
V2: Final = b"\r\n\r\n\x00\r\nQUIT\n"
GREETINGS: Final = {
    "v1": b"PROXY TCP4 1.2.3.4 5.6.7.8 1000 2000\r\n",
    "v1-ipv6": b"PROXY TCP6 2001:db8::1 ::1 1000 2000\r\n",
    "v1-unknown": b"PROXY UNKNOWN\r\n",
    "v1-unknown-more": b"PROXY UNKNOWN a b\r\n",
    "v1-lf": b"PROXY TCP4 1.2.3.4 5.6.7.8 1000 2000\n",
    "v1-two-blanks": b"PROXY  TCP4 1.2.3.4 5.6.7.8 1000 2000\r\n",
    "v2": V2 + b"\x21\x11\x00\x0c\x01\x02\x03\x04\x05\x06\x07\x08\x03\xe8\x07\xd0",
    "v2-local": V2 + b"\x20\x00\x00\x00",
    "v2-unspecified": V2 + b"\x21\x00\x00\x00",
    "v2-udp": V2 + b"\x21\x12\x00\x0c\x01\x02\x03\x04\x05\x06\x07\x08\x03\xe8\x07\xd0",
    "v2-version-3": V2 + b"\x31\x11\x00\x0c\x01\x02\x03\x04\x05\x06\x07\x08\x03\xe8\x07\xd0",
    "v2-short": V2 + b"\x21\x11\x00\x04\x01\x02\x03\x04",
    "none": b"",
}
OWN: Final = ("v1-unknown", "v2-local")
"""The addresses of the connection itself, which differ."""
SIZES: Final = {"zeros": "0003", "blank": "3 ", "tab": "3\t", "quoted": '3;a="b"', "long": "3;" + "x" * 200}
ALL: Final = [
    S("spaced", req("/?a"), res("server: x"), front="spaced"),
    S("spaced-bad", b"junk\r\n\r\n", front="spaced"),
    S("spaced-gone", b"GET / HTT", front="spaced", shut=True),
    S("trapped", req("/t"), front="trapped"),
    S("trapped-nowhere", req("/"), front="trapped"),
    S("sent-get", req("/a?b"), front="sent"),
    S("sent-head", req("/a?b", method="HEAD"), front="sent"),
    S("sent-post", req("/a", "content-length: 1", method="POST", body="x"), front="sent"),
    S("files-own", req("/own"), front="files"),
    S("files-sized", req("/sized"), front="files"),
    S("files-old", req("/old"), front="files"),
    S("files-old-1.0", req("/old", version="HTTP/1.0"), front="files"),
    S("files-old-head", req("/old", method="HEAD"), front="files"),
    S("files-one", req("/one"), front="files", skip=["log"]),
    S("files-dead", req("/"), front="files"),
    S("files-dead-close", req("/", "connection: close"), front="files"),
    S("files-bad", b"junk\r\n\r\n", front="files"),
    *(
        S(f"greeted-{name}", greeting + req(), front="greeted", skip=["log", *(["origin"] * (name in OWN))])
        for name, greeting in GREETINGS.items()
    ),
    *(
        S(
            f"says-{name}",
            req(f"/{name}?a&b=c%20d&e=", *LINES, "content-length: 9", method="POST", body="k&p=a%20b"),
            front="says",
        )
        for name in SAID
    ),
    S("looked-reject", req("/reject"), front="looked"),
    S("looked-alive", req("/alive"), front="looked"),
    S("looked-alive-query", req("/alive?a"), front="looked"),
    S("looked-alive-absolute", req("http://a/alive"), front="looked"),
    S("quoted", req("/"), front="quoted"),
    S("quoted-bad", b"junk\r\n\r\n", front="quoted"),
    S("answers-304", req("/304"), front="answers"),
    S("answers-empty", req("/empty"), front="answers"),
    S("answers-hdr", req("/hdr"), front="answers"),
    S("answers-prefix", req("/prefix"), front="answers"),
    S("answers-whole", req("/whole"), front="answers"),
    S("cookie-use-server", req("/use"), front="cookies"),
    S("cookie-use-server-known", req("/use", "cookie: SRV=aaa"), front="cookies"),
    S("cookie-use-server-sets", req("/use"), res("set-cookie: SRV=old; path=/"), front="cookies"),
    S("star-own-method", req("*", method="M-SEARCH")),
    S("half-body", req("/", "content-length: 9", method="POST", body="abc"), shut=True, skip=["log", "origin"]),
    S("res-1.0-to-1.0", req(version="HTTP/1.0"), res(version="HTTP/1.0")),
    S("res-1.0-to-1.0-keep", req("/", "connection: keep-alive", version="HTTP/1.0"), res(version="HTTP/1.0")),
    S("res-1.0-to-1.0-until", req(version="HTTP/1.0"), res(version="HTTP/1.0", length=False), close=True),
    S("res-1.0-svclose", req(version="HTTP/1.0"), res(version="HTTP/1.0"), front="svclose"),
    *(
        S(f"size-{name}", req("/", CHUNKED, method="POST", body=f"{size}\r\nabc\r\n0\r\n\r\n"))
        for name, size in SIZES.items()
    ),
    *(
        S(f"res-size-{name}", req(), res(CHUNKED, body=f"{size}\r\nabc\r\n0\r\n\r\n", length=False))
        for name, size in SIZES.items()
    ),
    S("res-trailers", req(), res(CHUNKED, body="3\r\nabc\r\n0\r\nx-t: a b\r\nhost: b\r\n\r\n", length=False)),
]  # fmt: skip
